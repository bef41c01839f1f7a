//! Over the wire, against a server that does what it is told.

use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::api::{Proxies, install_crypto};

mod faults;
mod refusals;

const NOW: Timestamp = Timestamp(1_760_003_600);
const TIMEOUT: Duration = Duration::from_secs(10);
const LIST: Request = Request::List { page: 1, per_page: Some(100) };
const ANSWERED: &[u8] = include_bytes!("../../../tests/data/page-answered.json");
const NONE: &[u8] = include_bytes!("../../../tests/data/call-none.json");

/// What a server does once it has read a request.
#[derive(Clone)]
enum Then {
    /// Sends this and waits for the next request on the same connection.
    Answer(Vec<u8>),
    /// Sends this and closes the connection.
    Close(Vec<u8>),
    /// Sends this and nothing more.
    Hang(Vec<u8>),
    /// Sends the first and then the second again and again, with a pause after each.
    Drip(Vec<u8>, Vec<u8>, Duration),
}

/// A server on a port of its own, in the same runtime, so that paused time holds for both.
struct Server {
    base_url: String,
    heads: Arc<Mutex<Vec<String>>>,
    n_connections: Arc<Mutex<usize>>,
}

impl Server {
    async fn start(then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Self {
            base_url: format!("http://{address}/v3"),
            heads: Arc::default(),
            n_connections: Arc::default(),
        };
        let (heads, n_connections) = (server.heads.clone(), server.n_connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *n_connections.lock().expect("no panic") += 1;
                tokio::spawn(serve(stream, then.clone(), heads.clone()));
            }
        });
        server
    }

    fn client(&self) -> Client {
        client(&self.base_url)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

async fn serve(mut stream: TcpStream, then: Then, heads: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        heads.lock().expect("no panic").push(String::from_utf8_lossy(&head).into_owned());
        // The client may be gone already, which is what some tests are about.
        match &then {
            Then::Answer(bytes) => drop(stream.write_all(bytes).await),
            Then::Close(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Then::Hang(bytes) => {
                let _ = stream.write_all(bytes).await;
                return std::future::pending().await;
            }
            Then::Drip(first, again, pause) => {
                let mut sent = stream.write_all(first).await;
                while sent.is_ok() {
                    tokio::time::sleep(*pause).await;
                    sent = stream.write_all(again).await;
                }
                return;
            }
        }
    }
}

fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    [format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n").as_bytes(), body].concat()
}

fn options(base_url: &str) -> Options {
    Options {
        base_url: base_url.to_owned(),
        key: key("s3cret-key"),
        on_behalf_of: None,
        body_bytes_max: BODY_BYTES_MAX,
    }
}

fn key(text: &str) -> Key {
    Key::new(text.to_owned()).unwrap_or_else(|error| unreachable!("{error}"))
}

fn client(base_url: &str) -> Client {
    Client::new(options(base_url), &transport()).unwrap_or_else(|error| unreachable!("{error}"))
}

fn transport() -> Transport {
    Transport::with_roots(TIMEOUT, Proxies::Ignored, None).expect("a transport")
}

/// Asks once and compares everything but a good page and the time with what is expected.
async fn check(base_url: &str, expected: Expect) -> Exchange {
    check_with(&client(base_url), base_url, &LIST, expected).await
}

async fn check_with(
    client: &Client,
    base_url: &str,
    request: &Request,
    expected: Expect,
) -> Exchange {
    let exchange = client.ask(request, NOW).await;
    let outcome = match &exchange.outcome {
        Ok(Reply::List(page) | Reply::Get(page)) => format!("{} calls", page.calls.len()),
        Err(refusal) => format!("{refusal:?}"),
    };
    let code = exchange.code.label();
    let error = exchange.error.map(|error| format!(" error={error}")).unwrap_or_default();
    let note = exchange.note.clone().map(|note| format!("\n{note}")).unwrap_or_default();
    assert!(!note.contains("s3cret"), "{note}");
    let text = format!("{outcome} code={code}{error}{note}").replace(base_url, "BASE");
    let text = text.replace("GET BASE/calls?page=1&perPage=100:", "LIST:");
    expected.assert_eq(&text.replace(base_url.trim_end_matches("/v3"), "ORIGIN"));
    exchange
}

async fn check_answer(then: Then, expected: Expect) -> Exchange {
    let server = Server::start(then).await;
    check(&server.base_url, expected).await
}

#[tokio::test]
async fn a_request_carries_the_key_and_what_is_needed_and_no_more() {
    let server = Server::start(Then::Answer(http("200 OK", NONE))).await;
    let options = Options { on_behalf_of: Some("ada".to_owned()), ..options(&server.base_url) };
    let client = Client::new(options, &transport()).expect("a client");
    let request = Request::Get { session_id: "a/../b?c".into() };
    for request in [LIST, Request::List { page: 0, per_page: None }, request] {
        assert!(client.ask(&request, NOW).await.outcome.is_ok());
    }
    let heads = server.heads();
    let lines: Vec<_> = heads.iter().filter_map(|head| head.lines().next()).collect();
    assert_eq!(
        lines,
        [
            "GET /v3/calls?page=1&perPage=100 HTTP/1.1",
            "GET /v3/calls?page=0 HTTP/1.1",
            "GET /v3/calls/a%2F..%2Fb%3Fc HTTP/1.1",
        ]
    );
    let mut headers: Vec<_> =
        heads[0].lines().skip(1).filter(|l| !l.is_empty() && !l.starts_with("host:")).collect();
    headers.sort_unstable();
    let user_agent = concat!("user-agent: cometchat-exporter/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        headers,
        [
            "accept-encoding: gzip",
            "accept: application/json",
            "apikey: s3cret-key",
            "onbehalfof: ada",
            user_agent,
        ]
    );
}

#[tokio::test]
async fn another_key_is_used_on_the_same_connection() {
    let server = Server::start(Then::Answer(http("200 OK", NONE))).await;
    let client = server.client();
    assert!(client.ask(&LIST, NOW).await.outcome.is_ok());
    client.set_key(key("another"));
    assert!(client.ask(&LIST, NOW).await.outcome.is_ok());
    let heads = server.heads();
    assert!(
        heads[0].contains("apikey: s3cret-key\r\n") && heads[1].contains("apikey: another\r\n")
    );
    assert_eq!(*server.n_connections.lock().expect("no panic"), 1);
}

#[tokio::test]
async fn a_page_comes_with_the_facts_of_its_head() {
    let head = "200 OK\r\ndate: Thu, 09 Oct 2025 08:53:21 GMT\r\nX-Rate-Limit: 500\r\n\
                X-Rate-Limit-Remaining: 17";
    let exchange =
        check_answer(Then::Answer(http(head, ANSWERED)), expect!["1 calls code=200"]).await;
    assert_eq!(exchange.endpoint, Endpoint::List);
    assert_eq!(exchange.date, Some(Timestamp(1_760_000_001)));
    assert_eq!((exchange.quota.limit, exchange.quota.remaining), (Some(500), Some(17)));
    let Ok(Reply::List(page)) = exchange.outcome else { unreachable!("a list was asked for") };
    assert_eq!(page.calls[0].people, 2);
}

#[tokio::test]
async fn a_call_is_dated_by_the_clock_of_the_api() {
    let ask = async |head: &str| {
        let server = Server::start(Then::Answer(http(head, ANSWERED))).await;
        match server.client().ask(&LIST, Timestamp(1_600_000_000)).await.outcome {
            Ok(Reply::List(page)) => page.calls.len(),
            _ => 99,
        }
    };
    assert_eq!(ask("200 OK\r\ndate: Thu, 09 Oct 2025 08:53:21 GMT").await, 1);
    assert_eq!(ask("200 OK").await, 0);
}

#[tokio::test]
async fn a_get_brings_one_call_or_none() {
    let request = Request::Get { session_id: "v1".into() };
    for (then, expected) in [
        (http("200 OK", ANSWERED), expect!["1 calls code=200"]),
        (http("200 OK", NONE), expect!["0 calls code=200"]),
        (
            http("404 Not Found", include_bytes!("../../../tests/data/error-unknown-call.json")),
            expect![[r#"
                NotFound code=404 error=ERR_CALL_SESSION_NOT_FOUND
                GET BASE/calls/v1: HTTP 404 ERR_CALL_SESSION_NOT_FOUND: the API does not know this call (any more)"#]],
        ),
    ] {
        let server = Server::start(Then::Answer(then)).await;
        let exchange = check_with(&server.client(), &server.base_url, &request, expected).await;
        assert_eq!(exchange.endpoint, Endpoint::Get);
    }
}

#[tokio::test]
async fn a_session_id_that_no_url_can_hold_is_not_asked_for() {
    let server = Server::start(Then::Answer(http("200 OK", NONE))).await;
    let request = Request::Get { session_id: "..".into() };
    check_with(
        &server.client(),
        &server.base_url,
        &request,
        expect![[r#"
        NotFound code=connect
        a session id that no URL can hold was not asked for"#]],
    )
    .await;
    assert_eq!(server.heads(), [""; 0]);
}

#[test]
fn options_that_cannot_work_are_refused() {
    let error = |options| Client::new(options, &transport()).err().map(|e| e.to_string());
    assert_eq!(error(options("http://h/v3")), None);
    expect![[r#"
        Some(
            "base_url cannot be used: it is no URL",
        )
    "#]]
    .assert_debug_eq(&error(options("h.example/v3")));
    let bad = Options { on_behalf_of: Some("a\nb".to_owned()), ..options("http://h/v3") };
    expect![[r#"
        Some(
            "on_behalf_of `a\nb` is no user id: it is empty or holds a control character",
        )
    "#]]
    .assert_debug_eq(&error(bad));
}

#[test]
fn https_needs_certificates_and_http_does_not() {
    install_crypto();
    let transport = Transport { roots: Err("none there".to_owned()), ..transport() };
    let error = |base_url| Client::new(options(base_url), &transport).err();
    assert_eq!(error("http://h/v3"), None);
    assert_eq!(error("https://h/v3"), Some(ClientError::Certificates("none there".to_owned())));
}
