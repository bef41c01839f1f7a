//! Answers that do not come, or not as they should.

use super::*;

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
    let packed = include_bytes!("../../../../tests/data/page-answered.json.gz");
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
    let bomb = include_bytes!("../../../../tests/data/page-bomb.json.gz");
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
    check(
        &format!("http://{address}/v3"),
        expect![[r#"
        Unavailable code=connect
        LIST: connection refused: check base_url and any proxy"#]],
    )
    .await;
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
