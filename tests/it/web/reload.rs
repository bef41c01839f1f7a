//! Changes of the file and of the certificates while the server runs. (`TestConfigReloading` of the
//! exporter-toolkit is the first one.)

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::client::{plain, tls};
use super::world::{World, hash};

const SERVER: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";
const BLOCKING: &str = "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";

#[tokio::test]
async fn a_policy_for_clients_that_is_lifted_lets_the_next_connection_in() {
    let world = World::new();
    let running = world.serve(&format!("{SERVER}{BLOCKING}")).await.unwrap();
    assert!(tls().get(&world, running.address, "/").await.is_err());
    world.write("web.yaml", SERVER);
    assert_eq!(tls().get(&world, running.address, "/").await.unwrap().status, 200);
    world.write("web.yaml", &format!("{SERVER}{BLOCKING}"));
    assert!(tls().get(&world, running.address, "/").await.is_err());
}

#[tokio::test]
async fn a_certificate_that_is_renewed_is_shown_to_the_next_connection() {
    let world = World::new();
    let running = world.serve(SERVER).await.unwrap();
    for _ in 0..3 {
        world.issue("server", &["localhost"]);
        let renewed = CertificateDer::from_pem_file(world.path("server.crt")).unwrap();
        let answer = tls().get(&world, running.address, "/").await.unwrap();
        assert_eq!(answer.certificate, Some(renewed));
    }
}

#[tokio::test]
async fn half_a_renewal_keeps_the_old_certificate_until_the_other_half_is_there() {
    let world = World::new();
    let running = world.serve(SERVER).await.unwrap();
    let shown = async || tls().get(&world, running.address, "/").await.unwrap().certificate;
    let before = shown().await;
    world.issue("new", &["localhost"]);
    world.write("server.crt", &world.read("new.crt"));
    assert_eq!(shown().await, before, "the key is still the old one");
    std::fs::remove_file(world.path("server.key")).unwrap();
    assert_eq!(shown().await, before);
    world.write("server.key", &world.read("new.key"));
    let after = Some(CertificateDer::from_pem_file(world.path("new.crt")).unwrap());
    assert_eq!(shown().await, after);
}

#[tokio::test]
async fn users_headers_and_limits_change_with_the_file_and_not_with_a_bad_one() {
    let world = World::new();
    let users = |name: &str| format!("basic_auth_users:\n  {name}: {}\n", hash("secret"));
    let running = world.serve(&users("alice")).await.unwrap();
    let status = async |name: &str| {
        let client = plain().login(name, "secret");
        client.get(&world, running.address, "/").await.unwrap().status
    };
    assert_eq!((status("alice").await, status("bob").await), (200, 401));
    world.write("web.yaml", &users("bob"));
    assert_eq!((status("alice").await, status("bob").await), (401, 200));
    for bad in ["basic_auth_users: [", "nonsense: 1", "basic_auth_users: {bob: plain}", SERVER] {
        world.write("web.yaml", bad);
        assert_eq!((status("alice").await, status("bob").await), (401, 200), "{bad}");
    }
    std::fs::remove_file(world.path("web.yaml")).unwrap();
    assert_eq!((status("alice").await, status("bob").await), (401, 200), "no file at all");
    world.write("web.yaml", "http_server_config:\n  headers:\n    X-Frame-Options: deny\n");
    let answer = plain().get(&world, running.address, "/").await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("\r\nx-frame-options: deny"), "{}", answer.head);
    world.write("web.yaml", "rate_limit: {interval: 1h, burst: 2}\n");
    assert_eq!([status("a").await, status("a").await, status("a").await], [200, 200, 429]);
}

#[tokio::test]
async fn tls_is_not_switched_on_or_off_by_a_change() {
    let world = World::new();
    let (over_tls, without) = (world.serve(SERVER).await.unwrap(), World::new());
    let running = without.serve("").await.unwrap();
    world.write("web.yaml", "");
    without.write("web.yaml", SERVER);
    assert_eq!(tls().get(&world, over_tls.address, "/").await.unwrap().status, 200);
    assert_eq!(plain().get(&world, over_tls.address, "/").await.unwrap().status, 400);
    assert_eq!(plain().get(&without, running.address, "/").await.unwrap().status, 200);
}
