//! What the web configuration file may say, and how it is told when it may not.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect, expect_file};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "very-secret";

fn parsed(yaml: &str) -> Result<WebFile, String> {
    parse(Path::new("conf/web.yaml"), yaml).map_err(|faults| faults.to_string())
}

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/web");
    std::fs::read_to_string(folder.join(name)).expect("the fixture is there")
}

#[track_caller]
fn refused(yaml: &str, expected: Expect) {
    expected.assert_eq(&parsed(yaml).expect_err("it is refused"));
}

#[track_caller]
fn tls(yaml: &str) -> Result<WebFile, String> {
    parsed(&format!("tls_server_config:\n  cert_file: c\n  key_file: k\n{yaml}"))
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let web_file = parsed(&fixture("everything.ok.yaml")).expect("it is valid");
    let shown = format!("{web_file:#?}\n");
    assert!(!shown.contains("$2y$"), "no hash is shown");
    expect_file!["../../../tests/data/web/everything.ok.txt"].assert_eq(&shown);
}

#[test]
fn every_fault_is_told_at_once_and_no_secret_with_it() {
    let text = parsed(&fixture("many-faults.bad.yaml")).expect_err("it is refused");
    assert!(!text.contains(SECRET), "{text}");
    expect_file!["../../../tests/data/web/many-faults.bad.txt"].assert_eq(&format!("{text}\n"));
}

#[test]
fn an_empty_file_and_empty_sections_are_plain_http_for_everybody() {
    for yaml in [
        "",
        "# nothing\n",
        "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\nrate_limit:\n",
        "tls_server_config: {}\nhttp_server_config: {headers: {}}\nbasic_auth_users: {}\n",
        "tls_server_config: {cert_file: '', key: '', client_auth_type: ''}",
        "tls_server_config: {min_version: TLS12, prefer_server_cipher_suites: true}",
        "tls_server_config: {cert_file: , key_file: }",
        "rate_limit: {interval: 0, burst: 5}",
        "rate_limit: {burst: 5}",
    ] {
        assert_eq!(parsed(yaml).map(|it| it.policy), Ok(Policy::default()), "{yaml}");
    }
}

#[test]
fn what_switches_tls_on_needs_a_certificate_and_a_key() {
    refused(
        "tls_server_config:\n  client_auth_type: RequireAnyClientCert\n",
        expect![[r#"
        conf/web.yaml:2:3: tls_server_config has no certificate: set cert_file (or cert)
        conf/web.yaml:2:3: tls_server_config has no key: set key_file (or key)"#]],
    );
    refused(
        "tls_server_config:\n  cert_file: c\n  key_file: ''\n",
        expect!["conf/web.yaml:2:3: tls_server_config has no key: set key_file (or key)"],
    );
    refused(
        "tls_server_config:\n  key: k\n",
        expect!["conf/web.yaml:2:3: tls_server_config has no certificate: set cert_file (or cert)"],
    );
}

#[test]
fn a_file_wins_over_a_text_and_its_path_starts_at_the_folder_of_the_configuration() {
    let policy = tls("  cert: inline\n").expect("it is valid").policy.tls.expect("TLS is on");
    assert_eq!(format!("{:?}", policy.cert), "conf/web.yaml:2:14: cert_file conf/c");
    let yaml = "tls_server_config:\n  cert: inline\n  key: very-secret\n";
    let policy = parsed(yaml).expect("it is valid").policy.tls.expect("TLS is on");
    let shown = format!("{:?} {:?}", policy.cert, policy.key);
    assert_eq!(shown, "conf/web.yaml:2:9: cert … conf/web.yaml:3:8: key …");
}

#[test]
fn the_words_for_client_certificates_are_those_of_go() {
    for (word, expected) in [
        ("NoClientCert", "NoClientCert"),
        ("RequestClientCert", "RequestClientCert"),
        ("RequireAnyClientCert", "RequireAnyClientCert"),
        ("RequireClientCert", "RequireAnyClientCert"),
        ("VerifyClientCertIfGiven", "VerifyClientCertIfGiven"),
    ] {
        let web_file = tls(&format!("  client_auth_type: {word}\n")).expect("it is valid");
        let policy = web_file.policy.tls.expect("TLS is on");
        assert_eq!(format!("{:?}", policy.client_auth), expected);
    }
}

#[test]
fn what_would_leave_nothing_or_let_everybody_in_is_refused_with_what_to_do() {
    let mut told = String::new();
    for yaml in [
        "  client_auth_type: requireAndVerifyClientCert\n",
        "  client_auth_type: RequireAndVerifyClientCert\n",
        "  client_ca_file: ca\n",
        "  client_ca: ca\n  client_auth_type: NoClientCert\n",
        "  client_allowed_sans: [a]\n",
        "  client_allowed_sans: [a]\n  client_auth_type: VerifyClientCertIfGiven\n",
        "  client_allowed_sans: []\n  client_auth_type: RequireAnyClientCert\n",
        "  max_version: TLS11\n",
        "  min_version: TLS13\n  max_version: TLS12\n",
        "  min_version: tls12\n",
        "  curve_preferences: [CurveP521]\n",
        "  curve_preferences: [P-256]\n",
        "  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\n",
        "  cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]\nhttp_server_config: {http2: false}\n",
        "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n  max_version: TLS12\nhttp_server_config: {http2: no}\n",
        "  cipher_suites: [TLS_ECDHE_RSA_WITH_RC4_128_SHA]\n",
    ] {
        let error = tls(yaml).expect_err(yaml);
        assert_eq!(error.lines().count(), 1, "{error}");
        told = format!("{told}{yaml}  -> {error}\n");
    }
    expect![[r#"
          client_auth_type: requireAndVerifyClientCert
          -> conf/web.yaml:4:21: tls_server_config.client_auth_type must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert, not `requireAndVerifyClientCert`
          client_auth_type: RequireAndVerifyClientCert
          -> conf/web.yaml:4:21: tls_server_config.client_auth_type RequireAndVerifyClientCert needs client_ca_file (or client_ca): without it no certificate of a client can be right
          client_ca_file: ca
          -> conf/web.yaml:4:19: tls_server_config.client_ca_file names a CA for clients, but client_auth_type does not ask for their certificates; set it to RequireAndVerifyClientCert
          client_ca: ca
          client_auth_type: NoClientCert
          -> conf/web.yaml:4:14: tls_server_config.client_ca names a CA for clients, but client_auth_type does not ask for their certificates; set it to RequireAndVerifyClientCert
          client_allowed_sans: [a]
          -> conf/web.yaml:4:25: tls_server_config.client_allowed_sans needs client_auth_type to be RequireAnyClientCert or RequireAndVerifyClientCert: else a client without a certificate comes in without a name
          client_allowed_sans: [a]
          client_auth_type: VerifyClientCertIfGiven
          -> conf/web.yaml:4:25: tls_server_config.client_allowed_sans needs client_auth_type to be RequireAnyClientCert or RequireAndVerifyClientCert: else a client without a certificate comes in without a name
          client_allowed_sans: []
          client_auth_type: RequireAnyClientCert
          -> conf/web.yaml:2:3: tls_server_config.client_allowed_sans lists nobody, so that no client could connect; take it out, or name some
          max_version: TLS11
          -> conf/web.yaml:4:16: tls_server_config.max_version must be TLS12 or TLS13: TLS 1.0 and 1.1 are broken and do not exist here
          min_version: TLS13
          max_version: TLS12
          -> conf/web.yaml:5:16: tls_server_config.max_version is older than min_version
          min_version: tls12
          -> conf/web.yaml:4:16: tls_server_config.min_version must be TLS12 or TLS13, not `tls12`
          curve_preferences: [CurveP521]
          -> conf/web.yaml:4:23: tls_server_config.curve_preferences leaves no curve: CurveP521 does not exist here; add some of X25519, CurveP256, CurveP384
          curve_preferences: [P-256]
          -> conf/web.yaml:4:23: tls_server_config.curve_preferences must list some of X25519, CurveP256, CurveP384, not `P-256`
          cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]
          -> conf/web.yaml:4:19: tls_server_config.cipher_suites lacks TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (or the same with ECDSA), which HTTP/2 needs; add it, or set http_server_config.http2 to false
          cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]
        http_server_config: {http2: false}
          -> conf/web.yaml:4:19: tls_server_config.cipher_suites leaves nothing for TLS 1.2: suites with CBC and without forward secrecy do not exist here; add some of TLS_ECDHE_{ECDSA,RSA}_WITH_{AES_128_GCM_SHA256,AES_256_GCM_SHA384,CHACHA20_POLY1305_SHA256}, or set min_version to TLS13
          cipher_suites: [TLS_AES_128_GCM_SHA256]
          max_version: TLS12
        http_server_config: {http2: no}
          -> conf/web.yaml:4:19: tls_server_config.cipher_suites leaves nothing for TLS 1.2: suites with CBC and without forward secrecy do not exist here; add some of TLS_ECDHE_{ECDSA,RSA}_WITH_{AES_128_GCM_SHA256,AES_256_GCM_SHA384,CHACHA20_POLY1305_SHA256}, or set min_version to TLS13
          cipher_suites: [TLS_ECDHE_RSA_WITH_RC4_128_SHA]
          -> conf/web.yaml:4:19: tls_server_config.cipher_suites must list suites by their Go names, such as TLS_ECDHE_{ECDSA,RSA}_WITH_{AES_128_GCM_SHA256,AES_256_GCM_SHA384,CHACHA20_POLY1305_SHA256}, not `TLS_ECDHE_RSA_WITH_RC4_128_SHA`
    "#]].assert_eq(&told);
}

#[test]
fn what_rustls_lacks_is_left_out_where_that_does_no_harm_and_said_once() {
    let mut told = String::new();
    for yaml in [
        "  min_version: TLS10\n",
        "  curve_preferences: [CurveP521, CurveP256]\n",
        "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256]\n",
        "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]\n  min_version: TLS13\n",
        "  cipher_suites: [TLS_AES_128_GCM_SHA256]\nhttp_server_config: {http2: false}\n",
    ] {
        let notices = tls(yaml).expect(yaml).notices;
        told = format!("{told}{yaml}  -> {}\n", notices.join("; "));
    }
    expect![[r#"
          min_version: TLS10
          -> conf/web.yaml:4:16: min_version: TLS 1.0 and 1.1 do not exist here; TLS 1.2 is the oldest
          curve_preferences: [CurveP521, CurveP256]
          -> conf/web.yaml:4:23: curve_preferences: CurveP521 does not exist here and is left out
          cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256]
          -> conf/web.yaml:4:19: cipher_suites: those with CBC or without forward secrecy do not exist here and are left out
          cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]
          min_version: TLS13
          -> conf/web.yaml:4:19: cipher_suites: those with CBC or without forward secrecy do not exist here and are left out
          cipher_suites: [TLS_AES_128_GCM_SHA256]
        http_server_config: {http2: false}
          -> 
    "#]].assert_eq(&told);
}

#[test]
fn durations_are_those_of_go() {
    for (text, expected_ns) in [
        ("0", 0),
        ("0s", 0),
        ("1s", 1_000_000_000),
        ("1m30s", 90_000_000_000),
        ("1.5h", 5_400_000_000_000),
        (".5ms", 500_000),
        ("3us", 3_000),
        ("3µs", 3_000),
        ("7ns", 7),
    ] {
        assert_eq!(go_duration(text), Ok(Duration::from_nanos(expected_ns)), "{text}");
    }
    for wrong in ["", "1", "s", "-1s", "1 s", "1s1", "1d", "1..2s", "1e3s", "99999999999999h"] {
        assert!(go_duration(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn structure_that_is_wrong_is_told() {
    let mut told = String::new();
    for yaml in [
        "hello",
        "- a",
        "basic_auth_users: [a]",
        "basic_auth_users: {a: {b: c}}",
        "basic_auth_users: {a: , a: }",
        "http_server_config: {headers: on}",
        "http_server_config:\n  headers: {}\n  headers: {}",
        "tls_server_config: yes",
        "tls_server_config: {cert_file: [a], key_file: b}",
        "rate_limit: {interval: 1}",
        "tls_server_config: {}\ntls_server_config: {}",
        "\"unclosed",
        "tls_config: {}",
        "cert_file: x",
    ] {
        told = format!("{told}{yaml}\n  -> {}\n", parsed(yaml).expect_err(yaml));
    }
    expect![[r#"
        hello
          -> conf/web.yaml:1:1: the file must hold keys such as `tls_server_config:`, not a single value
        - a
          -> conf/web.yaml:1:1: the file must hold keys such as `tls_server_config:`, not a list
        basic_auth_users: [a]
          -> conf/web.yaml:1:19: basic_auth_users must be a group of keys, not a list
        basic_auth_users: {a: {b: c}}
          -> conf/web.yaml:1:23: basic_auth_users.a must be one value, not a group of keys
        basic_auth_users: {a: , a: }
          -> conf/web.yaml:1:20: basic_auth_users.a must be a bcrypt hash of the password (not shown here), such as `htpasswd -nBC 10 NAME` prints behind the colon
        conf/web.yaml:1:25: basic_auth_users.a is given twice, the first time in line 1
        http_server_config: {headers: on}
          -> conf/web.yaml:1:31: http_server_config.headers must be a group of keys, not a single value
        http_server_config:
          headers: {}
          headers: {}
          -> conf/web.yaml:3:3: http_server_config.headers is given twice, the first time in line 2
        tls_server_config: yes
          -> conf/web.yaml:1:20: tls_server_config must have keys such as `cert_file:`, not a single value
        tls_server_config: {cert_file: [a], key_file: b}
          -> conf/web.yaml:1:32: tls_server_config.cert_file must be one value, not a list
        rate_limit: {interval: 1}
          -> conf/web.yaml:1:24: rate_limit.interval must be a duration such as 1s, 500ms or 1m30s, not `1`
        tls_server_config: {}
        tls_server_config: {}
          -> conf/web.yaml:2:1: tls_server_config is given twice, the first time in line 1
        "unclosed
          -> conf/web.yaml:1:1: this is not valid YAML: unclosed quote
        tls_config: {}
          -> conf/web.yaml:1:1: unknown key `tls_config` at the top of the file; known are tls_server_config, http_server_config, basic_auth_users, rate_limit
        cert_file: x
          -> conf/web.yaml:1:1: unknown key `cert_file` at the top of the file; `cert_file` belongs below `tls_server_config`
    "#]].assert_eq(&told);
}

/// A world of maps.
struct World(BTreeMap<PathBuf, String>);

impl Surroundings for World {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[test]
fn certificates_are_tried_before_anything_starts() {
    let make = || {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a name");
        (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
    };
    let ((cert, key), (_, other_key)) = (make(), make());
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
    let cut = cert[..cert.len() / 2].to_owned();
    let yaml = "tls_server_config: {cert_file: c, key_file: k, client_ca_file: a, client_auth_type: RequireAndVerifyClientCert}";
    let mut told = String::new();
    for (what, c, k, a) in [
        ("right", Some(&cert), Some(&key), Some(&cert)),
        ("no certificate", None, Some(&key), Some(&cert)),
        ("no key", Some(&cert), None, Some(&cert)),
        ("no CA", Some(&cert), Some(&key), None),
        ("a key of another", Some(&cert), Some(&other_key), Some(&cert)),
        ("swapped", Some(&key), Some(&cert), Some(&cert)),
        ("cut", Some(&cut), Some(&key), Some(&cert)),
        ("garbage", Some(&garbage), Some(&key), Some(&cert)),
        ("a CA that is none", Some(&cert), Some(&key), Some(&key)),
        ("a CA of garbage", Some(&cert), Some(&key), Some(&garbage)),
    ] {
        let mut files = BTreeMap::from([("conf/web.yaml".into(), yaml.to_owned())]);
        let pems = [("conf/c", c), ("conf/k", k), ("conf/a", a)];
        files
            .extend(pems.into_iter().filter_map(|(path, text)| Some((path.into(), text?.clone()))));
        let loaded = load(Path::new("conf/web.yaml"), &World(files));
        let outcome = loaded.map_or_else(|faults| faults.to_string(), |_| "taken".to_owned());
        told = format!("{told}{what}: {outcome}\n");
    }
    expect![[r#"
        right: taken
        no certificate: conf/web.yaml:1:32: cert_file names `conf/c`, which cannot be read: no such file
        no key: conf/web.yaml:1:45: key_file names `conf/k`, which cannot be read: no such file
        no CA: conf/web.yaml:1:64: client_ca_file names `conf/a`, which cannot be read: no such file
        a key of another: conf/web.yaml:1:45: key_file names `conf/k`, which does not belong to the certificate
        swapped: conf/web.yaml:1:32: cert_file names `conf/c`, which holds no certificate (PEM)
        cut: conf/web.yaml:1:32: cert_file names `conf/c`, which is not valid PEM
        garbage: conf/web.yaml:1:32: cert_file names `conf/c`, which holds no certificate that can be read
        a CA that is none: conf/web.yaml:1:64: client_ca_file names `conf/a`, which holds no certificate (PEM)
        a CA of garbage: conf/web.yaml:1:64: client_ca_file names `conf/a`, which holds no certificate that can be read
    "#]].assert_eq(&told);
    let none = load(Path::new("none.yaml"), &World(BTreeMap::new())).expect_err("it is missing");
    expect!["none.yaml: the web configuration file cannot be read: no such file"]
        .assert_eq(&none.to_string());
}

proptest! {
    #[test]
    fn whatever_the_file_holds_there_is_no_panic_and_no_secret_told(
        pieces in prop::collection::vec((0..4_usize, prop::sample::select(vec![
            "tls_server_config:", "http_server_config:", "headers:", "basic_auth_users:", "rate_limit:",
            "key: very-secret", "key: [very-secret]", "key: {very-secret: x}", "alice: very-secret",
            "- very-secret", "cert: |", "interval: 1s", "burst: x", "\"", "'", "{", "]", "&a", "*a", "? ", ": ", "---",
            "cipher_suites: [", "http2: maybe",
        ])), 0..10)
    ) {
        let lines: Vec<String> =
            pieces.iter().map(|(indent, text)| format!("{}{text}", "  ".repeat(*indent))).collect();
        if let Err(told) = parsed(&lines.join("\n")) {
            prop_assert!(!told.is_empty());
            let shows_a_value_of_a_secret_key = told.lines().any(|line| {
                line.contains(SECRET) && (line.contains(".key ") || line.contains("basic_auth_users"))
            });
            prop_assert!(!shows_a_value_of_a_secret_key, "{}", told);
        }
    }
}
