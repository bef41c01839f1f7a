//! What a start says to a file, TLS that is on or off, headers and the rate limit.

use super::*;

/// `TestYAMLFiles`.
#[tokio::test]
async fn files_that_are_wrong_do_not_start() {
    let tls = |fields: &str| format!("tls_server_config: {{{fields}}}");
    let missing = World::new();
    let told = missing.serve_file(&missing.path("somefile"), Limits::default(), false).await;
    assert!(told.err().unwrap().contains("no such file"), "path to config yml invalid");
    let (cert, key) = ("has no certificate", "has no key");
    let cases = vec![
        case("empty config yml", "", plain(), Status(200)),
        case("invalid structure", "hhhh", plain(), NoStart("the file must hold keys")),
        case(
            "invalid key",
            "tls_server_config:\n  cert_filse: x",
            plain(),
            NoStart("web.yaml:2:3: unknown key `cert_filse`"),
        ),
        case("cert path empty", tls("cert_file: '', key_file: server.key"), plain(), NoStart(cert)),
        case("cert empty", tls("cert: '', key_file: server.key"), plain(), NoStart(cert)),
        case("key path empty", tls("cert_file: server.crt, key_file: ''"), plain(), NoStart(key)),
        case("key empty", tls("cert_file: server.crt, key: ''"), plain(), NoStart(key)),
        case(
            "both paths empty",
            tls("cert_file: '', key_file: '', client_auth_type: NoClientCert"),
            plain(),
            NoStart(cert),
        ),
        case(
            "cert path invalid",
            tls("cert_file: somefile, key_file: server.key"),
            plain(),
            NoStart("no such file"),
        ),
        case(
            "key path invalid",
            tls("cert_file: server.crt, key_file: somefile"),
            plain(),
            NoStart("no such file"),
        ),
        case(
            "both paths invalid",
            tls("cert_file: somefile, key_file: somefile"),
            plain(),
            NoStart("no such file"),
        ),
    ];
    check_all(cases).await;
}

/// `TestYAMLFiles`, its second half.
#[tokio::test]
async fn settings_that_are_wrong_do_not_start() {
    let cases = vec![
        case(
            "invalid ClientAuth",
            server("  client_ca_file: ca.pem\n"),
            plain(),
            NoStart("names a CA for clients, but client_auth_type does not ask"),
        ),
        case(
            "invalid ClientCAs filepath",
            server(&format!("{VERIFY}  client_ca_file: somefile\n")),
            plain(),
            NoStart("client_ca_file names"),
        ),
        case(
            "invalid user list",
            "basic_auth_users:\n  john: doe\n",
            plain(),
            NoStart("must be a bcrypt hash"),
        ),
        case(
            "bad cipher",
            server("  cipher_suites: [TLS_ECDHE_RSA_WITH_INVENTED_SHA]\n"),
            plain(),
            NoStart("must list suites by their Go names"),
        ),
        case(
            "bad curves",
            server("  curve_preferences: [CurveP257]\n"),
            plain(),
            NoStart("must list some of X25519"),
        ),
        case(
            "bad TLS version",
            server("  min_version: TLS111\n"),
            plain(),
            NoStart("min_version must be TLS12 or TLS13"),
        ),
    ];
    check_all(cases).await;
}

/// `TestServerBehaviour`, without TLS, and headers.
#[tokio::test]
async fn plain_http_and_headers() {
    let world = World::new();
    // Without a file: `default client`, `empty string YAMLConfigPath` and both clients.
    let running = Running::start(Guard::default(), Limits::default()).await;
    let answer = plain().get(&world, running.address, "/metrics").await.unwrap();
    assert_eq!(answer.status, 200, "default client");
    let told = tls().get(&world, running.address, "/metrics").await.unwrap_err();
    assert!(told.contains("InvalidContentType"), "HTTP where TLS was wanted: {told}");
    let headers = |more: &str| format!("http_server_config:\n  headers:\n{more}");
    let good = headers(
        "    Strict-Transport-Security: max-age=31536000; includeSubDomains\n    X-Frame-Options: deny\n    \
         X-Content-Type-Options: nosniff\n    X-XSS-Protection: 1\n",
    );
    let cases = vec![
        case("valid headers config", good.clone(), plain(), Status(200)),
        case(
            "invalid X-Content-Type-Options",
            headers("    X-Content-Type-Options: sniff\n"),
            plain(),
            NoStart("X-Content-Type-Options must be nosniff"),
        ),
        case(
            "invalid X-Frame-Options",
            headers("    X-Frame-Options: maybe\n"),
            plain(),
            NoStart("X-Frame-Options must be deny or sameorigin"),
        ),
        case(
            "HTTP header that can not be overridden",
            headers("    Server: foo\n"),
            plain(),
            NoStart("header `Server` cannot be configured"),
        ),
        case(
            "rate limiter that does not block",
            "rate_limit:\n  interval: 0s\n  burst: 0\n",
            plain(),
            Status(200),
        ),
        case(
            "rate limiter with an interval of one second",
            "rate_limit:\n  interval: 1s\n  burst: 0\n",
            plain(),
            Status(429),
        ),
    ];
    check_all(cases).await;
    // `TestHTTPHeaders`.
    let running = world.serve(&good).await.unwrap();
    let Answer { head, .. } = plain().get(&world, running.address, "/").await.unwrap();
    for header in [
        "strict-transport-security: max-age=31536000; includeSubDomains",
        "x-frame-options: deny",
        "x-content-type-options: nosniff",
        "x-xss-protection: 1",
    ] {
        assert_eq!(head.lines().filter(|line| *line == header).count(), 1, "{header} in {head}");
    }
}

/// `TestTLSConfigIsEnabled`. TLS that is on and has no certificate does not start.
#[tokio::test]
async fn what_switches_tls_on() {
    let world = World::new();
    let inline = format!(
        "tls_server_config:\n  cert: {}\n  key: {}\n",
        world.block("server.crt"),
        world.block("server.key")
    );
    check(&world, &case("inline cert and key set", inline, tls(), Status(200))).await;
    let cases = vec![
        case("empty config", "tls_server_config: {}", plain(), Status(200)),
        case(
            "only non-enabling fields set",
            "tls_server_config: {min_version: TLS12, prefer_server_cipher_suites: true}",
            plain(),
            Status(200),
        ),
        case("cert_file and key_file set", server(""), tls(), Status(200)),
        case(
            "only client CA file set",
            "tls_server_config: {client_ca_file: ca.pem}",
            plain(),
            NoStart("has no certificate"),
        ),
        case(
            "only client auth type set",
            format!("tls_server_config:\n{VERIFY}"),
            plain(),
            NoStart("has no certificate"),
        ),
    ];
    check_all(cases).await;
}
