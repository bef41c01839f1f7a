//! Real sockets on a port of their own.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::metrics::fixture::World;
use crate::metrics::{Breakdown, Lines, render_app};
use crate::web::{AppEntry, bind};

const SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(publisher: Publisher, limits: Limits) -> Running {
    let listener = bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = Server {
        site: Site::new("0.1.0", "/metrics".into()),
        publisher,
        guard: Guard::default(),
        now: Arc::new(|| Moment(0)),
        limits,
        lifecycle: None,
    };
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(serve(vec![Listener::Tcp(listener)], server, async {
        let _ = stopped.await;
    }));
    Running { address, stop, ended }
}

fn empty() -> Publisher {
    Publisher::new(Lines::default(), Moment(0))
}

/// So many apps that their metrics fit into no socket's buffers.
fn large() -> Publisher {
    let lines = render_app(&World::small().view("production"), Breakdown::default());
    let app = AppEntry { lines, ..AppEntry::default() };
    let publisher = empty();
    publisher.publish_apps(vec![app; 400]);
    publisher
}

/// Reads up to the end of one response's head and returns it.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("more of the head"));
    }
    String::from_utf8(head).expect("text")
}

fn content_length(head: &str) -> usize {
    let value = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    value.expect("a length").parse().expect("a number")
}

#[tokio::test]
async fn one_connection_serves_request_after_request() {
    let running = start(empty(), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("a connection");
    for (request, status, has_body) in [
        ("GET /-/healthy", "200 OK", true),
        ("HEAD /metrics", "200 OK", false),
        ("POST /-/ready", "405 Method Not Allowed", true),
        ("GET /nothing", "404 Not Found", true),
        ("GET /metrics", "200 OK", true),
    ] {
        let request = format!("{request} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("room");
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}{head}");
        assert!(content_length(&head) > 0);
        if has_body {
            let mut body = vec![0; content_length(&head)];
            stream.read_exact(&mut body).await.expect("the whole body");
        }
    }
    drop(stream);
    running.stop.send(()).expect("still serving");
    running.ended.await.expect("no panic");
    assert!(TcpStream::connect(running.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn http_2_without_tls_is_spoken_too() {
    let running = start(empty(), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("a connection");
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("room");
    stream.write_all(&settings).await.expect("room");
    let mut frame_head = [0; 9];
    stream.read_exact(&mut frame_head).await.expect("a frame");
    assert_eq!(frame_head[3], 4, "the server's settings");
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_dropped() {
    let running = start(empty(), Limits::default()).await;
    for begun in ["", "P", "GET /metrics HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(running.address).await.expect("a connection");
        let started = Instant::now();
        stream.write_all(begun.as_bytes()).await.expect("room");
        assert_eq!(stream.read(&mut [0; 64]).await.unwrap_or(0), 0, "{begun:?}");
        assert_eq!(started.elapsed().as_secs(), 10, "{begun:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_between_scrapes_and_no_longer() {
    let running = start(empty(), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("a connection");
    let request = b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..3 {
        stream.write_all(request).await.expect("room");
        let mut body = vec![0; content_length(&read_head(&mut stream).await)];
        stream.read_exact(&mut body).await.expect("the whole body");
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
    let idle_since = Instant::now();
    assert_eq!(stream.read(&mut [0; 64]).await.unwrap_or(0), 0);
    assert_eq!(idle_since.elapsed().as_secs(), 300 - 120);
}

#[tokio::test]
async fn an_answer_under_way_is_finished_before_the_end() {
    let running = start(large(), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("a connection");
    stream.write_all(SCRAPE).await.expect("room");
    let length = content_length(&read_head(&mut stream).await);
    assert!(length > 10_000_000, "{length} bytes could fit into buffers");
    running.stop.send(()).expect("still serving");
    let mut body = Vec::new();
    stream.read_to_end(&mut body).await.expect("the whole body");
    assert_eq!(body.len(), length);
    running.ended.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stopped_reading_does_not_hold_up_the_end() {
    let running = start(large(), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("a connection");
    stream.write_all(SCRAPE).await.expect("room");
    read_head(&mut stream).await;
    let stopped_at = Instant::now();
    running.stop.send(()).expect("still serving");
    running.ended.await.expect("no panic");
    assert_eq!(stopped_at.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_nothing_goes_for_one_beyond_the_limit() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let running = start(empty(), limits).await;
    let mut first = TcpStream::connect(running.address).await.expect("a connection");
    let mut second = TcpStream::connect(running.address).await.expect("a connection");
    let started = Instant::now();
    second.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("room");
    read_head(&mut second).await;
    assert_eq!(started.elapsed().as_millis(), 500, "served when the first one had had its time");
    assert_eq!(first.read(&mut [0; 64]).await.unwrap_or(0), 0, "closed");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_given_up() {
    let running = start(large(), Limits::default()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("a connection");
    stream.write_all(SCRAPE).await.expect("room");
    let length = content_length(&read_head(&mut stream).await);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let mut body = Vec::new();
    let end = stream.read_to_end(&mut body).await;
    assert!(body.len() < length, "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stopped_reading_goes_for_the_one_who_waits() {
    let limits = Limits { scrapes_max: 1, ..Limits::default() };
    let running = start(large(), limits).await;
    let mut slow = TcpStream::connect(running.address).await.expect("a connection");
    slow.write_all(SCRAPE).await.expect("room");
    let length = content_length(&read_head(&mut slow).await);
    let mut next = TcpStream::connect(running.address).await.expect("a connection");
    let started = Instant::now();
    next.write_all(SCRAPE).await.expect("room");
    assert!(read_head(&mut next).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(started.elapsed().as_millis(), 500);
    let mut body = Vec::new();
    let end = slow.read_to_end(&mut body).await;
    assert!(body.len() < length, "{end:?}");
}
