use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::api::{Proxies, install_crypto};

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

#[tokio::test]
async fn a_key_that_is_refused_is_said_with_what_to_do() {
    let body = include_bytes!("../../../tests/data/error-unknown-key.json");
    check_answer(Then::Answer(http("401 Unauthorized", body)), expect![[r#"
        Denied code=401 error=AUTH_ERR_APIKEY_NOT_FOUND
        LIST: HTTP 401 AUTH_ERR_APIKEY_NOT_FOUND: the API key is not known to this app: check the key, the app id and the region"#]]).await;
    check_answer(
        Then::Answer(http("403 Forbidden", b"")),
        expect![[r#"
        Denied code=403
        LIST: HTTP 403: the API refused the key: check the key, the app id and the region"#]],
    )
    .await;
    check_answer(Then::Answer(http("200 OK", body)), expect![[r#"
        Denied code=200 error=AUTH_ERR_APIKEY_NOT_FOUND
        LIST: HTTP 200 AUTH_ERR_APIKEY_NOT_FOUND: the API key is not known to this app: check the key, the app id and the region"#]]).await;
}

#[tokio::test]
async fn a_parameter_that_is_refused_is_told_apart() {
    let body = include_bytes!("../../../tests/data/error-bad-request.json");
    check_answer(
        Then::Answer(http("400 Bad Request", body)),
        expect![[r#"
        Rejected code=400 error=ERR_BAD_REQUEST
        LIST: HTTP 400 ERR_BAD_REQUEST: the API does not take a parameter"#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_error_is_other_and_is_not_repeated() {
    let body = br#"{"error":{"code":"s3cret-key","message":"s3cret-key"}}"#;
    check_answer(Then::Answer(http("418 Teapot", body)), expect![[r#"
        Unavailable code=418 error=other
        LIST: HTTP 418 with an error code that this version does not know: not what the Calls API answers: check base_url and any proxy"#]]).await;
}

#[tokio::test]
async fn a_pause_that_is_asked_for_comes_with_its_length() {
    let head = "429 Too Many Requests\r\nRetry-After: 7\r\nX-RateLimit-Limit: 500\r\n\
                X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1760000031\r\n\
                Date: Thu, 09 Oct 2025 08:53:21 GMT";
    let exchange = check_answer(Then::Answer(http(head, b"slow down")), expect![[r#"
        Later code=429
        LIST: HTTP 429: the app's rate limit is used up: if this happens often, lower poll.rate_limit_share"#]]).await;
    let quota = Quota {
        limit: Some(500),
        remaining: Some(0),
        reset_in_ms: Some(30_000),
        retry_after_ms: Some(7000),
    };
    assert_eq!(exchange.quota, quota);
}

#[tokio::test]
async fn a_page_of_a_gateway_is_no_page_of_calls() {
    let html = b"<html><h1>Bad Gateway</h1></html>";
    let head = "502 Bad Gateway\r\ncontent-type: text/html; charset=utf-8";
    check_answer(Then::Answer(http(head, html)), expect![[r#"
        Unavailable code=502
        LIST: HTTP 502 with HTML, as of a gateway or proxy: a fault of the API or of a gateway before it: it is asked again"#]]).await;
    let head = "200 OK\r\ncontent-type: Text/HTML";
    check_answer(Then::Answer(http(head, html)), expect![[r#"
        Unavailable code=body
        LIST: HTTP 200, but the body is not the JSON object of the Calls API (HTML, as of a gateway or proxy): check base_url and any proxy"#]]).await;
    check_answer(Then::Answer(http("204 No Content", b"")), expect![[r#"
        Unavailable code=body
        LIST: HTTP 204, but the body is not the JSON object of the Calls API: check base_url and any proxy"#]]).await;
}

#[tokio::test]
async fn a_status_that_does_not_exist_is_other() {
    check_answer(
        Then::Answer(http("999 What", b"")),
        expect![[r#"
            Unavailable code=other
            LIST: HTTP 999: not what the Calls API answers: check base_url and any proxy"#]],
    )
    .await;
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let head = "302 Found\r\nlocation: https://u:p@elsewhere.example/login?token=s3cret#x";
    let server = Server::start(Then::Answer(http(head, b""))).await;
    check(&server.base_url, expect![[r#"
        Unavailable code=302
        LIST: HTTP 302 to https://elsewhere.example/login: redirects are not followed; if that is the API, set base_url to it"#]]).await;
    assert_eq!(server.heads().len(), 1);
    let head = "301 Moved Permanently\r\nlocation: /v4/calls";
    check_answer(Then::Answer(http(head, b"")), expect![[r#"
        Unavailable code=301
        LIST: HTTP 301 to ORIGIN/v4/calls: redirects are not followed; if that is the API, set base_url to it"#]]).await;
}

#[tokio::test]
async fn a_body_that_is_cut_is_no_answer() {
    let whole = http("200 OK", ANSWERED);
    let cut = whole[..whole.len() - 100].to_vec();
    check_answer(Then::Close(cut), expect![[r#"
        Unavailable code=body
        LIST: HTTP 200, but the body was cut (end of file before message length reached): it is asked again"#]]).await;
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"dat";
    check_answer(Then::Close(chunked.to_vec()), expect![[r#"
        Unavailable code=body
        LIST: HTTP 200, but the body was cut (unexpected EOF during chunk size line): it is asked again"#]]).await;
    // A status other than 200 says enough, whatever becomes of its body.
    let cut = b"HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\n{".to_vec();
    check_answer(
        Then::Close(cut),
        expect![[r#"
        Unavailable code=503
        LIST: HTTP 503: a fault of the API or of a gateway before it: it is asked again"#]],
    )
    .await;
}

#[tokio::test]
async fn a_packed_body_is_unpacked_and_a_broken_one_is_cut() {
    let head = "200 OK\r\ncontent-encoding: gzip";
    let packed = include_bytes!("../../../tests/data/page-answered.json.gz");
    check_answer(Then::Answer(http(head, packed)), expect!["1 calls code=200"]).await;
    check_answer(
        Then::Answer(http(head, &packed[..99])),
        expect![[r#"
        Unavailable code=body
        LIST: HTTP 200, but the body was cut (unexpected end of file): it is asked again"#]],
    )
    .await;
    check_answer(
        Then::Answer(http(head, ANSWERED)),
        expect![[r#"
        Unavailable code=body
        LIST: HTTP 200, but the body was cut (Invalid gzip header): it is asked again"#]],
    )
    .await;
}

#[tokio::test]
async fn a_body_ends_at_its_limit_packed_or_endless() {
    let bomb = include_bytes!("../../../tests/data/page-bomb.json.gz");
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"1000\r\n".to_vec(), vec![b' '; 0x1000], b"\r\n".to_vec()].concat();
    for then in [
        Then::Answer(http("200 OK\r\ncontent-encoding: gzip", bomb)),
        Then::Drip(endless, chunk, Duration::ZERO),
        Then::Answer(http("200 OK", &[b' '; 100_001])),
    ] {
        let server = Server::start(then).await;
        let options = Options { body_bytes_max: 100_000, ..options(&server.base_url) };
        let client = Client::new(options, &transport()).expect("a client");
        let expected = expect![[r#"
            Unavailable code=body
            LIST: HTTP 200, but the body is larger than 100000 bytes: lower poll.per_page"#]];
        check_with(&client, &server.base_url, &LIST, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_ends_at_the_timeout() {
    let exchange = check_answer(
        Then::Hang(Vec::new()),
        expect![[r#"
        Unavailable code=timeout
        LIST: no answer within 10s: it is asked again; poll.timeout sets the limit"#]],
    )
    .await;
    assert!((TIMEOUT..TIMEOUT * 11 / 10).contains(&exchange.elapsed), "{:?}", exchange.elapsed);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_ends_at_the_timeout() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n".to_vec();
    let drip = Then::Drip(head.clone(), b" ".to_vec(), Duration::from_secs(1));
    for then in [Then::Hang(head), drip] {
        let exchange = check_answer(
            then,
            expect![[r#"
            Unavailable code=timeout
            LIST: HTTP 200, but the body did not end within 10s: poll.timeout sets the limit"#]],
        )
        .await;
        assert!((TIMEOUT..TIMEOUT * 11 / 10).contains(&exchange.elapsed), "{:?}", exchange.elapsed);
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_a_status_is_no_answer() {
    check_answer(Then::Close(Vec::new()), expect![[r#"
        Unavailable code=connect
        LIST: the connection ended before an answer (connection closed before message completed): it is asked again"#]]).await;
    check_answer(Then::Close(b"HTTP/1.1 20".to_vec()), expect![[r#"
        Unavailable code=connect
        LIST: the connection ended before an answer (connection closed before message completed): it is asked again"#]]).await;
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    check(&format!("http://{address}/v3"), expect![[r#"
        Unavailable code=connect
        LIST: connection refused (Connection refused (os error 111)): check base_url and any proxy"#]]).await;
}

#[tokio::test]
async fn a_host_that_does_not_exist_points_to_app_id_and_region() {
    // A label longer than DNS allows is refused without asking anybody.
    let base_url = format!("http://{}.invalid/v3", "a".repeat(64));
    let exchange = client(&base_url).ask(&LIST, NOW).await;
    assert_eq!((exchange.outcome, exchange.code), (Err(Refusal::Unavailable), Code::Connect));
    let note = exchange.note.unwrap_or_default();
    assert!(note.contains("host not found") && note.contains("the app id, the region"), "{note}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_said_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let Ok((mut stream, _)) = listener.accept().await else { return };
        let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
        std::future::pending::<()>().await;
    });
    check(&format!("https://{address}/v3"), expect![[r#"
        Unavailable code=connect
        LIST: TLS failed (received corrupt message of type InvalidContentType): check the CA certificates (SSL_CERT_FILE), any proxy, the app id and the clock"#]]).await;
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
