//! The command `healthcheck` against servers of every kind, by the binary.

use std::path::Path;

use cometchat_exporter::web::{Guard, Limits};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::world::{Running, World, hash};
use crate::process::binary;

const SERVER: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// Runs it and returns its exit code and what it says.
async fn healthcheck(flags: &[String]) -> (i32, String) {
    let mut command = binary(&["healthcheck"]);
    command
        .args(flags)
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn at(running: &Running, file: Option<&Path>) -> Vec<String> {
    let listen = format!("--web.listen-address=0.0.0.0:{}", running.address.port());
    let file = file.map(|file| format!("--web.config.file={}", file.display()));
    std::iter::once(listen).chain(file).collect()
}

#[tokio::test]
async fn an_exporter_that_answers_is_alive_however_it_is_guarded() {
    let world = World::new();
    let users = format!("basic_auth_users:\n  a: {}\n", hash("b"));
    let client_cert = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    let tls12 = "  max_version: TLS12\n";
    for yaml in [
        String::new(),
        users.clone(),
        SERVER.to_owned(),
        format!("{SERVER}{users}"),
        format!("{SERVER}{client_cert}"),
        format!("{SERVER}{client_cert}{tls12}"),
    ] {
        let running = world.serve(&yaml).await.unwrap();
        let file = world.path("web.yaml");
        assert_eq!(healthcheck(&at(&running, Some(&file))).await, (0, String::new()), "{yaml}");
        // The exporter runs on with what it was, and the check does not know what that is.
        world.write("web.yaml", "broken: [");
        assert_eq!(healthcheck(&at(&running, Some(&file))).await, (0, String::new()), "{yaml}");
        let scheme = if yaml.contains("tls_") { "https" } else { "http" };
        let url = format!("--url={scheme}://localhost:{}/-/healthy", running.address.port());
        assert_eq!(healthcheck(&[url]).await, (0, String::new()), "{yaml}");
    }
}

#[tokio::test]
async fn anything_else_is_told_in_a_sentence() {
    let world = World::new();
    let running = Running::start(Guard::default(), Limits::default()).await;
    let port = running.address.port();
    let told = healthcheck(&[format!("--url=http://127.0.0.1:{port}/nothing")]).await;
    assert_eq!(told, (1, format!("127.0.0.1:{port} answers /nothing with 404\n")));
    let told = healthcheck(&[format!("--url=https://127.0.0.1:{port}/-/healthy")]).await;
    assert_eq!(told.0, 1, "{}", told.1);
    let limited = world.serve("rate_limit: {interval: 1h, burst: 0}\n").await.unwrap();
    let told = healthcheck(&at(&limited, None)).await;
    assert!(told.0 == 1 && told.1.ends_with("answers /-/healthy with 429\n"), "{told:?}");
    drop(limited);
    let told = healthcheck(&["--web.listen-address=127.0.0.1:1".into()]).await;
    assert!(told.0 == 1 && told.1.starts_with("127.0.0.1:1 does not answer: "), "{told:?}");
}

#[tokio::test]
async fn what_does_not_answer_in_time_or_not_in_http_is_dead() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let told = healthcheck(&[format!("--web.listen-address={address}")]).await;
    assert_eq!(told, (1, format!("{address} does not answer within 2s\n")));
    let babble = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = babble.local_addr().unwrap();
    let babbling = tokio::spawn(async move {
        let (mut stream, _) = babble.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    });
    let (code, told) = healthcheck(&[format!("--web.listen-address={address}")]).await;
    babbling.await.unwrap();
    assert_eq!(code, 1, "{told}");
}
