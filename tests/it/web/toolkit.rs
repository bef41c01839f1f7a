//! The cases of the exporter-toolkit's own tests (`web/tls_config_test.go`, `web/handler_test.go`),
//! case by case and by their names, against our server. Theirs run most cases a second time with a
//! configuration given as a value; here there is one way only, the file.

mod clients;
mod files;
mod handshake;
mod users;

use cometchat_exporter::web::{Guard, Limits};
use rustls::crypto::ring::{cipher_suite as suite, kx_group};

use super::client::{Answer, Client, plain, tls};
use super::world::{Running, World, hash};

/// What a case must come to.
enum Outcome {
    /// The start fails, and says this.
    NoStart(&'static str),
    /// The request fails below HTTP, and the client hears this.
    NoConnection(&'static str),
    /// An answer with this status.
    Status(u16),
    /// It cannot be as with the toolkit: why, and what the start says instead.
    Otherwise { why: &'static str, says: &'static str },
}

use Outcome::{NoConnection, NoStart, Otherwise, Status};

const SERVER: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
const ALL_SUITES: &str = "  cipher_suites:
  - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  - TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
  - TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
  - TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  - TLS_AES_128_GCM_SHA256
  - TLS_AES_256_GCM_SHA384
  - TLS_CHACHA20_POLY1305_SHA256
  - TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
  - TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
  - TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
  - TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
  - TLS_RSA_WITH_AES_128_CBC_SHA
  - TLS_RSA_WITH_AES_256_CBC_SHA
  - TLS_RSA_WITH_AES_128_GCM_SHA256
  - TLS_RSA_WITH_AES_256_GCM_SHA384\n";
const SOME_SUITES: &str = "  max_version: TLS12\n  cipher_suites:\n  \
    - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n  - TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384\n";
const IF_GIVEN: &str = "  client_auth_type: VerifyClientCertIfGiven\n";
const ANY: &str = "  client_auth_type: RequireAnyClientCert\n";
const VERIFY: &str = "  client_auth_type: RequireAndVerifyClientCert\n";

struct Case {
    name: &'static str,
    yaml: String,
    client: Client,
    outcome: Outcome,
}

fn case(name: &'static str, yaml: impl Into<String>, client: Client, outcome: Outcome) -> Case {
    Case { name, yaml: yaml.into(), client, outcome }
}

/// Behind the certificate and key of the server.
fn server(more: &str) -> String {
    format!("{SERVER}{more}")
}

async fn check(world: &World, Case { name, yaml, client, outcome }: &Case) {
    let running = world.serve(yaml).await;
    let (says, why) = match outcome {
        NoStart(says) => (says, ""),
        Otherwise { why, says } => (says, *why),
        NoConnection(_) | Status(_) => {
            let running = running.unwrap_or_else(|told| panic!("{name}: {told}"));
            let answer = client.get(world, running.address, "/metrics").await;
            return match (outcome, answer) {
                (Status(status), Ok(answer)) => assert_eq!(answer.status, *status, "{name}"),
                (NoConnection(hears), Err(told)) => assert!(told.contains(hears), "{name}: {told}"),
                (_, answer) => panic!("{name}: {answer:?}"),
            };
        }
    };
    let told = running.err().unwrap_or_else(|| panic!("{name}: it starts, {why}"));
    assert!(told.contains(says), "{name}: {told}");
}

async fn check_all(cases: Vec<Case>) {
    let world = World::new();
    for case in &cases {
        check(&world, case).await;
    }
}
