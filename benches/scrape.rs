//! What a scrape costs: the route alone, and with a socket round it.
//!
//! `cargo bench --bench scrape`. Items are series, so the throughput reads as series per second.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]

#[path = "setup/serving.rs"]
mod serving;
#[path = "setup/showing.rs"]
mod showing;

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use cometchat_exporter::web::{
    Body, Guard, Limits, Listener, Publisher, Server, bind, process, route, serve,
};
use divan::Bencher;
use divan::counter::ItemsCount;
use hyper::{Request, Response};
use serving::{entry, publisher, request, site};
use showing::NOW;

const N_APPS: [usize; 3] = [1, 20, 200];

fn main() {
    divan::main();
}

/// A scrape after another one, with nothing new between them.
#[divan::bench(args = N_APPS)]
fn unchanged(bencher: Bencher<'_, '_>, n_apps: usize) {
    let publisher = publisher(n_apps);
    bencher.counter(n_series(&publisher)).bench_local(|| scrape(black_box(&publisher)));
}

/// The first scrape after an app was published: the text of all is joined.
#[divan::bench(args = N_APPS)]
fn after_a_change(bencher: Bencher<'_, '_>, n_apps: usize) {
    let publisher = publisher(n_apps);
    let changed = entry(0);
    bencher
        .counter(n_series(&publisher))
        .with_inputs(|| publisher.publish_app(changed.clone()))
        .bench_local_values(|()| scrape(black_box(&publisher)));
}

/// A compressed scrape after another one: what is shared is compressed already.
#[divan::bench(args = forms())]
fn compressed_unchanged(bencher: Bencher<'_, '_>, form: Form) {
    let publisher = publisher(form.n_apps);
    report(form, &publisher);
    bencher.counter(n_series(&publisher)).bench_local(|| scrape_as(black_box(&publisher), form));
}

/// The first one after an app was published: what is shared is joined and compressed.
#[divan::bench(args = forms())]
fn compressed_after_a_change(bencher: Bencher<'_, '_>, form: Form) {
    let publisher = publisher(form.n_apps);
    scrape_as(&publisher, form);
    let changed = entry(0);
    bencher
        .counter(n_series(&publisher))
        .with_inputs(|| publisher.publish_app(changed.clone()))
        .bench_local_values(|()| scrape_as(black_box(&publisher), form));
}

/// What a scrape asks for.
#[derive(Clone, Copy, Debug)]
struct Form {
    n_apps: usize,
    format: &'static str,
    accept: &'static str,
    coding: &'static str,
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} apps, {}, {}", self.n_apps, self.format, self.coding)
    }
}

fn forms() -> Vec<Form> {
    let formats = [
        ("text", "text/plain"),
        ("OpenMetrics", "application/openmetrics-text"),
        (
            "protobuf",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
             encoding=delimited",
        ),
    ];
    let mut forms = Vec::new();
    for n_apps in [1, 16, 160] {
        for (format, accept) in formats {
            for coding in ["identity", "gzip", "zstd"] {
                forms.push(Form { n_apps, format, accept, coding });
            }
        }
    }
    forms
}

fn scrape_as(publisher: &Publisher, form: Form) -> Response<Body> {
    let request = request(form.accept, form.coding);
    route(&request, &site(), &publisher.view(), NOW, process::stats)
}

/// Says once how large the answer is.
fn report(form: Form, publisher: &Publisher) {
    let n_bytes = scrape_as(publisher, form).body().len();
    eprintln!("{form}: {n_bytes} bytes");
}

/// What the poller waits for when it publishes an app, beside rendering it.
#[divan::bench(args = N_APPS)]
fn publish_an_app(bencher: Bencher<'_, '_>, n_apps: usize) {
    let publisher = publisher(n_apps);
    let changed = entry(0);
    bencher
        .with_inputs(|| changed.clone())
        .bench_local_values(|changed| publisher.publish_app(changed));
}

/// What a scrape pays for being made on a thread of its own.
#[divan::bench]
fn hop(bencher: Bencher<'_, '_>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    bencher.bench_local(|| {
        runtime.block_on(async { tokio::task::spawn_blocking(|| black_box(())).await.unwrap() });
    });
}

/// From the request to the last byte of the answer, on a connection that stays.
#[divan::bench(args = N_APPS)]
fn over_a_socket(bencher: Bencher<'_, '_>, n_apps: usize) {
    let publisher = publisher(n_apps);
    let counter = n_series(&publisher);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(bind("127.0.0.1:0")).unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nodelay(true).unwrap();
    let now = Arc::new(|| NOW);
    let (guard, limits) = (Guard::default(), Limits::default());
    let server = Server { site: site(), publisher, now, guard, limits, lifecycle: None };
    runtime.spawn(serve(vec![Listener::Tcp(listener)], server, std::future::pending()));
    let mut buffer = Vec::new();
    bencher.counter(counter).bench_local(|| {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n").unwrap();
        read_answer(&mut stream, &mut buffer)
    });
}

/// Reads one answer with a known length and returns its size.
fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> usize {
    let (mut n_read, mut n_bytes) = (0, usize::MAX);
    while n_read < n_bytes {
        buffer.resize(buffer.len().max(n_read + 64 * 1024), 0);
        let n_more = stream.read(&mut buffer[n_read..]).unwrap();
        assert_ne!(n_more, 0, "the connection was closed");
        n_read += n_more;
        if n_bytes == usize::MAX
            && let Some(head) = buffer[..n_read].windows(4).position(|end| end == b"\r\n\r\n")
        {
            let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            n_bytes = head + 4 + length.unwrap().parse::<usize>().unwrap();
        }
    }
    n_bytes
}

fn scrape(publisher: &Publisher) -> Response<Body> {
    let request = Request::get("/metrics").body(()).unwrap();
    route(&request, &site(), &publisher.view(), NOW, process::stats)
}

fn n_series(publisher: &Publisher) -> ItemsCount {
    let body = scrape(publisher).into_body().to_vec();
    let text = String::from_utf8(body).unwrap();
    ItemsCount::new(text.lines().filter(|line| !line.starts_with('#')).count())
}
