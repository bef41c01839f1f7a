//! The API over a real socket, at times that the test sets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use expect_test::{Expect, expect};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::sim::serve;

const KEY: &str = "simulated-key-simulated-key-simulated-ke";

/// A served world with a clock that stands still.
struct Server {
    address: SocketAddr,
    now_ms: Arc<AtomicI64>,
}

struct Answer {
    /// Status line and headers.
    head: String,
    body: Value,
}

impl Answer {
    fn rows(&self) -> &[Value] {
        self.body["data"].as_array().unwrap()
    }

    fn status(&self) -> &str {
        &self.head[9..12]
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

impl Server {
    async fn start(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let now_ms = Arc::new(AtomicI64::new(after_s(30).0));
        let world = Arc::new(Mutex::new(World::new(options, NOON)));
        let clock = now_ms.clone();
        let now = move || Moment(clock.load(Ordering::SeqCst));
        tokio::spawn(serve(listener, world, now, std::future::pending()));
        Self { address, now_ms }
    }

    async fn ask(&self, request_line: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request =
            format!("{request_line} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer { head: head.to_owned(), body: serde_json::from_str(body).unwrap() }
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask(&format!("GET {target}"), &format!("apikey: {KEY}\r\n")).await
    }
}

fn check(answer: &Answer, expected: &Expect) {
    expected.assert_eq(&format!("{} {}\n", answer.status(), answer.body));
}

#[tokio::test]
async fn a_list_has_rows_pagination_and_the_headers_of_the_simulated_clock() {
    let server = Server::start(brief(1)).await;
    let answer = server.get("/v3/calls").await;
    assert_eq!(answer.rows().len(), 30);
    let head = answer.head.lines().filter(|line| !line.starts_with("content-length"));
    let head: String = head.map(|line| format!("{line}\n")).collect();
    expect![[r#"
        HTTP/1.1 200 OK
        content-type: application/json
        date: Wed, 15 Oct 2025 12:00:30 GMT
        x-rate-limit: 500
        x-rate-limit-remaining: 499
        connection: close
        {"pagination":{"count":30,"current_page":1,"per_page":30,"total":108,"total_pages":4}}
    "#]]
    .assert_eq(&format!("{head}{}\n", answer.body["meta"]));
}

#[tokio::test]
async fn pages_are_clamped_counted_from_one_and_empty_past_the_end() {
    let server = Server::start(brief(1)).await;
    let first = server.get("/v3.0/calls?perPage=5&page=1").await;
    assert_eq!(first.body, server.get("/v3/calls?perPage=5&page=0").await.body);
    assert_eq!(first.rows().len(), 5);
    let second = server.get("/v3/calls?perPage=5&page=2").await;
    assert_ne!(first.rows(), second.rows());
    let most = server.get("/v3/calls?perPage=5000").await;
    assert_eq!(most.body["meta"]["pagination"]["per_page"], 100);
    let past = server.get("/v3/calls?page=999999999").await;
    assert_eq!((past.status(), past.rows().len()), ("200", 0));
}

#[tokio::test]
async fn get_call_answers_with_an_object_that_has_meta_data_and_tags() {
    let server = Server::start(brief(1)).await;
    let list = server.get("/v3/calls?mode=meet&perPage=100").await;
    let row =
        list.rows().iter().find(|row| row["sessionId"].as_str().unwrap().contains('/')).unwrap();
    let id = row["sessionId"].as_str().unwrap().replace('/', "%2F").replace(' ', "%20");
    let answer = server.get(&format!("/v3/calls/{id}")).await;
    let mut expected = row.clone();
    expected["metaData"] = Value::Array(Vec::new());
    expected["tags"] = Value::Array(Vec::new());
    assert_eq!(answer.body, serde_json::json!({ "data": expected }));
    let stranger = format!("apikey: {KEY}\r\nonBehalfOf: nobody\r\n");
    let hidden = server.ask(&format!("GET /v3/calls/{id}"), &stranger).await;
    assert_eq!(hidden.status(), "404");
}

#[tokio::test]
async fn filters_show_the_rows_they_name() {
    let server = Server::start(brief(2)).await;
    server.now_ms.store(after_s(60).0, Ordering::SeqCst);
    let everything = {
        let mut rows = Vec::new();
        for page in 1..5 {
            rows.extend(
                server.get(&format!("/v3/calls?perPage=100&page={page}")).await.rows().to_vec(),
            );
        }
        rows
    };
    let uid = everything[0]["initiator"].as_str().unwrap();
    let middle = NOON.0 - 60;
    let int = |row: &Value, field: &str| row[field].as_i64();
    type Keep<'a> = Box<dyn Fn(&Value) -> bool + 'a>;
    let cases: Vec<(String, Keep<'_>)> = vec![
        ("type=audio".into(), Box::new(|row| row["type"] == "audio")),
        ("mode=meet".into(), Box::new(|row| row["mode"] == "meet")),
        ("status=unanswered".into(), Box::new(|row| row["status"] == "unanswered")),
        ("receiverType=group".into(), Box::new(|row| row["receiverType"] == "group")),
        ("participantsCount=3".into(), Box::new(|row| row["totalParticipants"] == 3)),
        (format!("startedAt={middle}"), Box::new(move |row| int(row, "startedAt") >= Some(middle))),
        (
            format!("endedAt={middle}"),
            Box::new(move |row| int(row, "endedAt").is_some_and(|at| at <= middle)),
        ),
        ("hasRecording=true".into(), Box::new(|row| row["hasRecording"] == true)),
        ("hasRecording=false".into(), Box::new(|_| true)),
        ("status=cancelled".into(), Box::new(|_| false)),
        (
            format!("uid={uid}&type=audio"),
            Box::new(move |row| {
                row["type"] == "audio" && row.to_string().contains(&format!("\"{uid}\""))
            }),
        ),
    ];
    for (query, keep) in cases {
        let answer = server.get(&format!("/v3/calls?perPage=100&{query}")).await;
        let expected: Vec<_> = everything.iter().filter(|&row| keep(row)).cloned().collect();
        let pagination = &answer.body["meta"]["pagination"];
        assert_eq!(pagination["total"].as_u64(), Some(expected.len() as u64), "{query}");
        assert_eq!(answer.rows(), &expected[..expected.len().min(100)], "{query}");
    }
}

#[tokio::test]
async fn refusals_are_those_of_the_api() {
    let server = Server::start(brief(1)).await;
    let keyless = server.ask("GET /v3/calls", "").await;
    check(
        &keyless,
        &expect![[r#"
        401 {"error":{"code":"AUTH_ERR_EMPTY_APIKEY","devMessage":"The apikey is missing in the headers. Please provide a valid apikey.","message":"The apikey is missing in the headers. Please provide a valid apikey.","source":"chat-api"}}
    "#]],
    );
    let wrong = server.ask("GET /v3/calls", "APIKEY: abcdefghijklmnopqrstuvwxyz\r\n").await;
    check(
        &wrong,
        &expect![[r#"
        401 {"error":{"code":"AUTH_ERR_APIKEY_NOT_FOUND","devMessage":"The key abcde***vwxyz does not exist. Please use a valid apikey of this app and region.","message":"The key abcde***vwxyz does not exist. Please use a valid apikey of this app and region.","source":"chat-api"}}
    "#]],
    );
    check(
        &server.ask("GET /v3/calls", "apikey: short\r\n").await,
        &expect![[r#"
        401 {"error":{"code":"AUTH_ERR_APIKEY_NOT_FOUND","devMessage":"The key *** does not exist. Please use a valid apikey of this app and region.","message":"The key *** does not exist. Please use a valid apikey of this app and region.","source":"chat-api"}}
    "#]],
    );
    check(
        &server.get("/v3/calls?page=x").await,
        &expect![[r#"
        400 {"error":{"code":"ERR_BAD_REQUEST","details":{"page":["The page must be an integer."]},"message":"Failed to validate the data sent with the request."}}
    "#]],
    );
    check(
        &server.get("/v3/calls?perPage=0").await,
        &expect![[r#"
        400 {"error":{"code":"ERR_BAD_REQUEST","details":{"perPage":["The perPage must be at least 1."]},"message":"Failed to validate the data sent with the request."}}
    "#]],
    );
    check(
        &server.get("/v3/calls/v1.us.none").await,
        &expect![[r#"
        404 {"error":{"code":"ERR_CALL_SESSION_NOT_FOUND","devMessage":"The call with sessionId v1.us.none does not exist.","message":"The call with sessionId v1.us.none does not exist.","source":"chat-api"}}
    "#]],
    );
    check(
        &server.get("/v3/users").await,
        &expect![[r#"
        404 {"error":{"code":"ERR_API_NOT_FOUND","devMessage":"The API /v3/users does not exist.","message":"The API /v3/users does not exist.","source":"chat-api"}}
    "#]],
    );
    check(
        &server.get("/v3/calls/a/b").await,
        &expect![[r#"
        404 {"error":{"code":"ERR_API_NOT_FOUND","devMessage":"The API /v3/calls/a/b does not exist.","message":"The API /v3/calls/a/b does not exist.","source":"chat-api"}}
    "#]],
    );
    check(
        &server.get("/v2/calls").await,
        &expect![[r#"
        404 {"error":{"code":"ERR_API_NOT_FOUND","devMessage":"The API /v2/calls does not exist.","message":"The API /v2/calls does not exist.","source":"chat-api"}}
    "#]],
    );
    let post = server.ask("POST /v3/calls", &format!("apikey: {KEY}\r\n")).await;
    assert_eq!(post.status(), "404");
}

#[tokio::test]
async fn requests_beyond_the_limit_wait_for_the_next_minute() {
    let server = Server::start(Options { rate_limit: 3, ..brief(1) }).await;
    let mut remaining = Vec::new();
    for _ in 0..3 {
        let answer = server.get("/v3/calls?perPage=1").await;
        assert_eq!((answer.status(), answer.header("x-rate-limit")), ("200", Some("3")));
        remaining.push(answer.header("x-rate-limit-remaining").unwrap().to_owned());
    }
    assert_eq!(remaining, ["2", "1", "0"]);
    let refused = server.get("/v3/calls").await;
    check(
        &refused,
        &expect![[r#"
        429 {"error":{"code":"ERR_TOO_MANY_REQUESTS","devMessage":"Too many requests. Please try again after 30 seconds.","message":"Too many requests. Please try again after 30 seconds.","source":"chat-api"}}
    "#]],
    );
    assert_eq!(refused.header("retry-after"), Some("30"));
    assert_eq!(refused.header("x-rate-limit-reset"), Some(NOON.plus_s(60).0.to_string().as_str()));
    assert_eq!(server.ask("GET /truth", "").await.status(), "200", "the truth is not limited");
    server.now_ms.store(after_s(60).0, Ordering::SeqCst);
    assert_eq!(server.get("/v3/calls").await.status(), "200");
}

#[tokio::test]
async fn the_truth_is_served_without_a_key() {
    let server = Server::start(brief(1)).await;
    let target = format!("GET /truth?from={}&max_open=900&settle=600&app=prod", NOON.0);
    let busy = server.ask(&target, "").await.body;
    assert_eq!((&busy["now"], &busy["at_rest"]), (&NOON.plus_s(30).0.into(), &false.into()));
    assert!(busy["next_event_at"].as_f64().unwrap() > busy["now"].as_f64().unwrap());
    server.now_ms.store(after_s(3600).0, Ordering::SeqCst);
    let rest = server.ask(&target, "").await.body;
    assert_eq!((&rest["at_rest"], &rest["next_event_at"]), (&true.into(), &Value::Null));
    let series = rest["series"].as_object().unwrap();
    let calls = series.iter().filter(|(name, _)| {
        name.starts_with("cometchat_calls_total{cometchat_app=\"prod\",call_type=")
    });
    let n_calls: u64 = calls.map(|(_, value)| value.as_u64().unwrap()).sum();
    assert_eq!(Some(n_calls), rest["calls"].as_u64());
    assert_eq!(server.ask("GET /truth?from=soon", "").await.status(), "400");
}

#[tokio::test]
async fn shutting_down_ends_the_server_though_a_connection_idles() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let world = Arc::new(Mutex::new(World::new(brief(1), NOON)));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, world, || NOON.start(), async {
        let _ = stopped.await;
    }));
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /truth HTTP/1.1\r\nHost: sim\r\n\r\n").await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();
    stop.send(()).unwrap();
    server.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
