//! What is served behind the guard: HTTP/2, limits, health.

use std::time::Duration;

use cometchat_exporter::web::{Guard, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::{plain, tls};
use super::world::{Running, World, hash};

const SERVER: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// A client as programs use it, which chooses by itself how to speak.
fn reqwest(world: &World) -> reqwest::Client {
    cometchat_exporter::api::install_crypto();
    let ca = reqwest::Certificate::from_pem(world.read("ca.pem").as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap()
}

#[tokio::test]
async fn http_2_is_spoken_over_tls_unless_the_file_says_otherwise() {
    let world = World::new();
    for (more, version) in [
        ("", reqwest::Version::HTTP_2),
        ("http_server_config: {http2: false}\n", reqwest::Version::HTTP_11),
    ] {
        let running = world.serve(&format!("{SERVER}{more}")).await.unwrap();
        let url = format!("https://localhost:{}/-/healthy", running.address.port());
        let answer = reqwest(&world).get(url).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, version), "{more}");
    }
}

#[tokio::test]
async fn who_speaks_http_to_https_is_told_so() {
    let world = World::new();
    let running = world.serve(SERVER).await.unwrap();
    let answer = plain().get(&world, running.address, "/metrics").await.unwrap();
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("use https:// (in Prometheus: scheme: https)"), "{}", answer.body);
}

#[tokio::test]
async fn everything_needs_the_password_but_for_open_health() {
    let world = World::new();
    world.write("web.yaml", &format!("basic_auth_users:\n  a: {}\n", hash("b")));
    for (is_open, health) in [(false, 401), (true, 200)] {
        let served = world.serve_file(&world.path("web.yaml"), Limits::default(), is_open).await;
        let running = served.unwrap();
        for (path, status) in [
            ("/", 401),
            ("/metrics", 401),
            ("/nothing", 401),
            ("/-/healthy/", 401),
            ("/-/healthy", health),
            ("/-/ready", health),
        ] {
            let answer = plain().get(&world, running.address, path).await.unwrap();
            assert_eq!(answer.status, status, "{path}, open health: {is_open}");
            let challenge =
                "\r\nwww-authenticate: Basic realm=\"cometchat-exporter\", charset=\"UTF-8\"";
            assert_eq!(answer.head.contains(challenge), status == 401, "{}", answer.head);
        }
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let world = World::new();
    let running = world.serve(&format!("basic_auth_users:\n  a: {}\n", hash("b"))).await.unwrap();
    let get = async |client: super::client::Client| {
        let answer = client.get(&world, running.address, "/").await.unwrap();
        let head: Vec<String> = (answer.head.lines().map(str::to_owned))
            .filter(|line| !line.starts_with("date: "))
            .collect();
        (head, answer.body)
    };
    let wrong = get(plain().login("a", "c")).await;
    assert_eq!(wrong, get(plain().login("x", "c")).await);
    assert_eq!(wrong, get(plain()).await);
}

#[tokio::test]
async fn health_that_is_open_is_not_limited_and_other_requests_are() {
    let world = World::new();
    world.write("web.yaml", "rate_limit: {interval: 1h, burst: 1}\n");
    let served = world.serve_file(&world.path("web.yaml"), Limits::default(), true).await;
    let running = served.unwrap();
    let mut statuses = Vec::new();
    for path in ["/-/healthy", "/-/healthy", "/", "/", "/-/ready"] {
        statuses.push(plain().get(&world, running.address, path).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 200]);
}

#[tokio::test]
async fn a_scrape_beyond_the_limit_waits_then_is_turned_away_and_other_pages_are_not() {
    let world = World::new();
    let limits = Limits {
        scrapes_max: 1,
        // Nobody has to go for another one.
        grace: Duration::from_secs(600),
        wait: Duration::from_millis(10),
        ..Limits::default()
    };
    let running = Running::start_large(Guard::default(), limits).await;
    // One scrape that is not read to its end.
    let mut slow = tokio::net::TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    slow.read_u8().await.unwrap();
    let refused = plain().get(&world, running.address, "/metrics").await.unwrap();
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("(--web.max-requests); try again later"), "{}", refused.body);
    for path in ["/-/healthy", "/", "/config"] {
        assert_eq!(plain().get(&world, running.address, path).await.unwrap().status, 200, "{path}");
    }
    slow.read_to_end(&mut Vec::new()).await.unwrap();
    assert_eq!(plain().get(&world, running.address, "/metrics").await.unwrap().status, 200);
}

#[tokio::test]
async fn zero_is_no_limit_of_scrapes() {
    let world = World::new();
    let limits = Limits { scrapes_max: 0, ..Limits::default() };
    let running = Running::start_large(Guard::default(), limits).await;
    let mut slow = tokio::net::TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    slow.read_u8().await.unwrap();
    assert_eq!(plain().get(&world, running.address, "/metrics").await.unwrap().status, 200);
    assert!(tls().get(&world, running.address, "/").await.is_err(), "and it is plain HTTP");
}
