//! What the docs promise of TLS, a password and new keys, with a real Prometheus.

use std::net::SocketAddr;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::runtime::Runtime;

use super::client::{Answer, tls};
use super::world::{World, hash};
use crate::process::{Exporter, Folder, Program, until_ok};
use crate::prometheus::{Prometheus, free_address, scrapes_with, tool};
use crate::truth::secrets::PATHS;

const PASSWORD: &str = "open sesame";

struct Stage {
    world: World,
    folder: Folder,
    runtime: Runtime,
}

impl Stage {
    fn new() -> Self {
        let (world, folder) = (World::new(), Folder::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { world, folder, runtime }
    }

    fn get(&self, address: SocketAddr, path: &str) -> Result<Answer, String> {
        let client = tls().login("prometheus", PASSWORD);
        self.runtime.block_on(client.get(&self.world, address, path))
    }

    /// A Prometheus that scrapes the exporter as the docs say.
    fn prometheus(&self, folder: &Folder, port: u16) -> Prometheus {
        let password = folder.config("password", &format!("{PASSWORD}\n"));
        let more = format!(
            ", scheme: https, tls_config: {{ca_file: '{}'}}, \
             basic_auth: {{username: prometheus, password_file: '{}'}}",
            self.world.path("ca.pem").display(),
            password.display()
        );
        let text = scrapes_with(&format!("localhost:{port}"), &more);
        Prometheus::start(&tool("PROMETHEUS", "prometheus"), folder, &text)
    }
}

fn simulator(address: &str, key: &str) -> Program {
    let mut program = Program::start(&[
        "simulate",
        &format!("--web.listen-address={address}"),
        &format!("--api-key={key}"),
        "--rate-limit=100000",
    ]);
    program.says("API key:");
    program
}

/// Waits for a scrape that went well, and was later than what happened so far.
#[track_caller]
fn until_scraped(prometheus: &Prometheus) {
    let now = until_ok("the time", || prometheus.value("vector(time())", None));
    until_ok("a later scrape", || {
        match prometheus.value(&format!("up and timestamp(up) > {now}"), None) {
            Ok(1.0) => Ok(()),
            other => Err(format!("{other:?}, {:?}", prometheus.api("/api/v1/targets"))),
        }
    });
}

#[test]
fn prometheus_scrapes_on_while_the_certificate_and_the_key_are_replaced() {
    let stage = Stage::new();
    let api = free_address();
    let first_world = simulator(&api, "first-key");
    let key = stage.folder.config("key", "first-key");
    let config = format!(
        "state: {{ path: memory }}\npoll: {{ interval: 1s, rate_limit: 100000 }}\n\
         apps: [{{ name: a, app_id: simulated, base_url: 'http://{api}/v3', \
         api_key_file: '{}' }}]\n",
        key.display()
    );
    stage.world.write(
        "web.yaml",
        &format!(
            "tls_server_config: {{cert_file: server.crt, key_file: server.key}}\n\
             basic_auth_users: {{prometheus: {}}}\n",
            hash(PASSWORD)
        ),
    );
    let web = format!("--web.config.file={}", stage.world.path("web.yaml").display());
    let config = stage.folder.config("config.yaml", &config);
    let exporter = Exporter::start_with(&config, &[&web, "--log.level=trace"]);
    let port = exporter.address.port();
    let until_up = |value: &str| {
        until_ok("cometchat_up", || {
            let body = stage.get(exporter.address, "/metrics")?.body;
            let line = format!("\ncometchat_up{{cometchat_app=\"a\"}} {value}\n");
            if body.contains(&line) { Ok(()) } else { Err(body) }
        });
    };
    until_up("1");
    let prometheus = stage.prometheus(&stage.folder, port);
    until_scraped(&prometheus);

    // A new certificate is served at once, to a Prometheus that comes anew, too.
    let certificate = || stage.get(exporter.address, "/-/healthy").unwrap().certificate.unwrap();
    let before = certificate();
    stage.world.issue("server", &["localhost", "127.0.0.1"]);
    let renewed = CertificateDer::from_pem_file(stage.world.path("server.crt")).unwrap();
    assert_ne!(renewed, before);
    assert_eq!(certificate(), renewed);
    let folder = Folder::new();
    until_scraped(&stage.prometheus(&folder, port));
    until_scraped(&prometheus);

    // The key is replaced at the API, and then in the file.
    drop(first_world);
    let _second_world = simulator(&api, "second-key");
    until_up("0");
    stage.folder.config("key", "second-key\n");
    until_up("1");
    until_scraped(&prometheus);
    stage.check_secrets(exporter);
}

impl Stage {
    /// Neither the password nor its hash, neither key of the API nor that of the certificate shows.
    fn check_secrets(&self, exporter: Exporter) {
        let private = self.world.read("server.key");
        let private = private.lines().nth(1).expect("a line of the key");
        let web = self.world.read("web.yaml");
        let (_, hash) = web.split_once("prometheus: ").unwrap();
        let hash = hash.trim_end().trim_end_matches('}');
        assert!(hash.starts_with("$2") && private.len() > 40, "{hash}, {private}");
        let login = "cHJvbWV0aGV1czpvcGVuIHNlc2FtZQ=="; // as a request carries it
        let secrets = [PASSWORD, login, hash, private, "first-key", "second-key"];
        let check = |what: &str, text: &str| {
            for secret in secrets {
                assert!(!text.contains(secret), "{secret} in {what}:\n{text}");
            }
        };
        let strangers = [tls(), tls().login("prometheus", "wrong"), tls().login("x", PASSWORD)];
        for path in PATHS {
            let answer = self.get(exporter.address, path).unwrap();
            check(path, &answer.head);
            check(path, &answer.body);
            for stranger in &strangers {
                let asked = stranger.get(&self.world, exporter.address, path);
                let answer = self.runtime.block_on(asked).unwrap();
                assert_eq!(answer.status, 401, "{path}");
                check(path, &answer.head);
                check(path, &answer.body);
            }
        }
        // A file that is wrong beside its secrets is told in the log and by `check-config`.
        let bad = format!("{web}rate_limit: {{ interval: never }}\n");
        self.world.write("web.yaml", &bad.replace("$2", "no$2"));
        assert_eq!(self.get(exporter.address, "/-/healthy").unwrap().status, 200);
        let web = format!("--web.config.file={}", self.world.path("web.yaml").display());
        let config = self.folder.path().join("config.yaml");
        let config = format!("--config.file={}", config.display());
        let (code, said) = Program::start(&["check-config", &config, &web]).ends();
        assert!(code == Some(1) && said.contains("bcrypt hash"), "{said}");
        check("check-config", &said);
        let log = exporter.program.ends_on("TERM");
        assert!(log.contains("cannot be used"), "{log}");
        check("the log", &log);
    }
}
