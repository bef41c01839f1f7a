//! Every route, as a function.

use std::io::Read;

use hyper::header::{ACCEPT, ACCEPT_ENCODING};

use super::*;
use crate::metrics::fixture::{EPOCH, World, process};
use crate::metrics::{AppView, Breakdown, Lines, ProcessView, render_app, render_process};
use crate::web::{AppEntry, ExporterFacts, Publisher};

const START: Moment = EPOCH.start();

fn site() -> Site {
    Site::new("0.1.0", "/metrics".into())
}

fn process_lines(poll_interval_ms: u64) -> Lines {
    render_process(&ProcessView { poll_interval_ms, ..process() }, Breakdown::default())
}

fn entry(name: &str, tried: bool) -> AppEntry {
    let world = World::empty();
    let unread = AppView { covered_until: None, skew_ms: None, ..world.view(name) };
    AppEntry { lines: render_app(&unread, Breakdown::default()), tried, ..AppEntry::default() }
}

fn publisher(apps: Vec<AppEntry>) -> Publisher {
    let publisher = Publisher::new(process_lines(30_000), START);
    publisher.publish_apps(apps);
    publisher
}

fn ask(method: &str, path: &str, publisher: &Publisher, now: Moment) -> Response<Body> {
    let request = Request::builder().method(method).uri(path).body(()).expect("a request");
    let stats = || ProcessStats { threads: Some(3), ..ProcessStats::default() };
    route(&request, &site(), &publisher.view(), now, stats)
}

fn text(response: &Response<Body>) -> String {
    String::from_utf8(response.body().to_vec()).expect("text")
}

fn header(response: &Response<Body>, name: HeaderName) -> Option<&str> {
    response.headers().get(name).map(|value| value.to_str().expect("text"))
}

#[test]
fn paths_are_exact_and_methods_are_told() {
    let publisher = publisher(vec![entry("production", true)]);
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/metrics", 200),
        ("GET", "/metrics?app=production", 200),
        ("GET", "/api/v1/status", 200),
        ("GET", "/api/v1/status?app=production", 200),
        ("GET", "/api/v1/status?app=x", 404),
        ("GET", "/config", 200),
        ("POST", "/config", 405),
        ("HEAD", "/metrics", 200),
        ("GET", "/-/healthy", 200),
        ("HEAD", "/-/ready", 200),
        ("GET", "/metrics/", 404),
        ("GET", "//metrics", 404),
        ("GET", "/Metrics", 404),
        ("GET", "/-/", 404),
        ("POST", "/nothing", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/", 405),
        ("OPTIONS", "/-/healthy", 405),
    ] {
        let response = ask(method, path, &publisher, START);
        assert_eq!(response.status().as_u16(), status, "{method} {path}");
        let allow = (status == 405).then_some("GET, HEAD");
        assert_eq!(header(&response, ALLOW), allow, "{method} {path}");
    }
    let missing = ask("GET", "/metric", &publisher, START);
    assert_eq!(
        text(&missing),
        "nothing here; there are / (page), /metrics (metrics), /api/v1/status, /config, \
         /-/healthy and /-/ready\n"
    );
    assert_eq!(header(&missing, CONTENT_TYPE), Some("text/plain; charset=utf-8"));
    let post = ask("POST", "/-/ready", &publisher, START);
    assert_eq!(text(&post), "POST is not possible here; use GET or HEAD\n");
}

#[test]
fn the_path_of_the_metrics_can_be_chosen() {
    let request = Request::builder().uri("/probe").body(()).expect("a request");
    let site = Site { telemetry_path: "/probe".into(), ..site() };
    let view = publisher(Vec::new()).view();
    let response = route(&request, &site, &view, START, ProcessStats::default);
    assert!(text(&response).starts_with("# HELP cometchat_recent_window_seconds "));
}

#[test]
fn metrics_are_the_cached_text_and_what_the_scrape_adds() {
    let publisher = publisher(vec![entry("production", true)]);
    let response = ask("GET", "/metrics", &publisher, START.plus_ms(2_500));
    assert_eq!(header(&response, CONTENT_TYPE), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = text(&response);
    assert!(text.contains("cometchat_up{cometchat_app=\"production\"} 0\n"));
    assert!(text.contains("cometchat_poll_lag_seconds{cometchat_app=\"production\"} 2.5\n"));
    assert!(text.ends_with("process_threads 3\n"));
    let shared = || ask("GET", "/metrics", &publisher, START).into_body().shared().as_ptr();
    assert_eq!(shared(), shared(), "joined once");
}

#[test]
fn a_head_request_tells_the_length_and_sends_nothing() {
    let publisher = publisher(vec![entry("production", true)]);
    let get = ask("GET", "/metrics", &publisher, START);
    let head = ask("HEAD", "/metrics", &publisher, START);
    assert_eq!(header(&get, CONTENT_LENGTH), Some(get.body().len().to_string().as_str()));
    assert_eq!(head.headers(), get.headers());
    assert!(head.body().is_empty() && !get.body().is_empty());
}

#[test]
fn it_is_ready_when_every_app_was_tried_at_the_latest_after_15_seconds() {
    let publisher = publisher(vec![entry("production", true), entry("staging", false)]);
    let healthy = ask("GET", "/-/healthy", &publisher, START);
    assert_eq!((healthy.status().as_u16(), text(&healthy).as_str()), (200, "healthy\n"));
    let early = ask("GET", "/-/ready", &publisher, START.plus_ms(14_999));
    assert_eq!(early.status(), 503);
    assert_eq!(text(&early), "not ready: still reading for the first time: staging\n");
    assert_eq!(ask("GET", "/-/ready", &publisher, START.plus_ms(15_000)).status(), 200);
    publisher.publish_app(entry("staging", true));
    assert_eq!(ask("GET", "/-/ready", &publisher, START).status(), 200);
}

#[test]
fn publishing_replaces_one_thing_and_leaves_views_that_were_taken() {
    let publisher = publisher(vec![entry("production", false), entry("staging", false)]);
    let taken = publisher.view();
    let up = AppEntry { up: true, ..entry("production", true) };
    publisher.publish_app(up);
    publisher.publish_app(entry("removed by a reload", true));
    publisher.publish_process(process_lines(5_000));
    let shown = |view: &View| -> Vec<(String, bool)> {
        view.apps().map(|app| (app.lines.name().into(), app.up)).collect()
    };
    assert_eq!(shown(&taken), [("production".into(), false), ("staging".into(), false)]);
    assert_eq!(shown(&publisher.view()), [("production".into(), true), ("staging".into(), false)]);
    let text = text(&ask("GET", "/metrics", &publisher, START));
    assert!(text.contains("cometchat_poll_interval_seconds 5\n"));
    assert!(text.contains("cometchat_app_info{cometchat_app=\"staging\""));
}

#[test]
fn apps_can_be_picked_and_then_nothing_is_said_of_the_process() {
    let apps = ["staging", "produ\"ction", "a & b"].map(|name| entry(name, true));
    let publisher = publisher(apps.into());
    let names = |text: &str| -> Vec<String> {
        let up = text.lines().filter_map(|line| line.strip_prefix("cometchat_up{cometchat_app="));
        up.map(|line| line.trim_end_matches("} 0").to_owned()).collect()
    };
    let one = ask("GET", "/metrics?app=a+%26%20b", &publisher, START.plus_ms(2_500));
    assert_eq!(one.status(), 200);
    assert_eq!(header(&one, CONTENT_TYPE), Some("text/plain; version=0.0.4; charset=utf-8"));
    let one = text(&one);
    assert_eq!(names(&one), ["\"a & b\""]);
    assert!(one.contains("cometchat_poll_lag_seconds{cometchat_app=\"a & b\"} 2.5\n"));
    let samples = || one.lines().filter(|line| !line.starts_with('#'));
    assert!(samples().all(|line| line.contains("cometchat_app=\"a & b\"")), "{one}");
    let two = ask("GET", "/metrics?app=a+%26+b&x=y&app=staging&app=staging", &publisher, START);
    assert_eq!(names(&text(&two)), ["\"staging\"", "\"a & b\""], "in the order of the file");
    let all = text(&ask("GET", "/metrics?x=y", &publisher, START));
    assert!(names(&all).len() == 3 && all.ends_with("process_threads 3\n"));
}

#[test]
fn an_app_that_is_not_there_is_told_with_those_that_are() {
    let publisher = publisher(vec![entry("production", true), entry("staging", true)]);
    for (query, name) in [("app=prod", "prod"), ("app=staging&app=%0a", "\\n"), ("app", "")] {
        let response = ask("GET", &format!("/metrics?{query}"), &publisher, START);
        assert_eq!(response.status(), 404, "{query}");
        let expected = format!("there is no app `{name}`; there are: production, staging\n");
        assert_eq!(text(&response), expected);
    }
    let shard = Shard { index: 1, count: 3 };
    publisher.publish_exporter(ExporterFacts { shard, ..ExporterFacts::default() });
    let response = ask("GET", "/metrics?app=prod", &publisher, START);
    let expected = "there is no app `prod` in shard 1/3; there are: production, staging\n";
    assert_eq!(text(&response), expected);
}

#[test]
fn a_prefix_stands_before_every_path_and_every_link() {
    let publisher = publisher(Vec::new());
    let (route_prefix, link_prefix) = ("/in".to_owned(), "/out/side".to_owned());
    let site = Site { route_prefix, link_prefix, ..site() };
    let ask = |path: &str| {
        let request = Request::builder().uri(path).body(()).expect("a request");
        route(&request, &site, &publisher.view(), START, ProcessStats::default)
    };
    for path in ["/in/", "/in/metrics", "/in/-/healthy", "/in/-/ready"] {
        assert_eq!(ask(path).status(), 200, "{path}");
    }
    for path in ["/metrics", "/-/healthy", "/inn/", "/in/in/", "/out/side/"] {
        assert_eq!(ask(path).status(), 404, "{path}");
    }
    for path in ["/", "/in"] {
        assert_eq!(header(&ask(path), LOCATION), Some("/out/side/"), "{path}");
        assert_eq!(ask(path).status(), 302, "{path}");
    }
    let page = text(&ask("/in/"));
    for link in ["./metrics", "./-/healthy", "./config"] {
        assert!(page.contains(&format!("<a href=\"{link}\">")), "{link}");
    }
    let nothing = text(&ask("/x"));
    assert!(nothing.contains("there are /in/ (page), /in/metrics (metrics)"), "{nothing}");
}

/// Asks with headers.
fn ask_as(path: &str, headers: &[(HeaderName, &str)], publisher: &Publisher) -> Response<Body> {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(()).expect("a request");
    let stats = || ProcessStats { threads: Some(3), ..ProcessStats::default() };
    route(&request, &site(), &publisher.view(), START, stats)
}

/// The body as it was before it was packed.
fn unpacked(response: &Response<Body>) -> Vec<u8> {
    let (packed, mut plain) = (response.body().to_vec(), Vec::new());
    match header(response, CONTENT_ENCODING) {
        None => return packed,
        Some("gzip") => flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut plain),
        Some("zstd") => {
            zstd::stream::read::Decoder::new(&packed[..]).expect("zstd").read_to_end(&mut plain)
        }
        Some(other) => panic!("{other}"),
    }
    .expect("what was packed");
    plain
}

const FORMATS: [(&str, &str); 3] = [
    ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
    ("application/openmetrics-text", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
         encoding=delimited",
    ),
];

#[test]
fn every_format_comes_in_every_coding_and_is_the_same_in_each() {
    let publisher = publisher(vec![entry("production", true), entry("staging", true)]);
    for path in ["/metrics", "/metrics?app=staging", "/metrics?app=staging&app=production"] {
        for (accept, content_type) in FORMATS {
            let plain = ask_as(path, &[(ACCEPT, accept)], &publisher);
            assert_eq!(header(&plain, CONTENT_ENCODING), None);
            for coding in ["gzip", "zstd", "identity", "br"] {
                let headers = [(ACCEPT, accept), (ACCEPT_ENCODING, coding)];
                let response = ask_as(path, &headers, &publisher);
                assert_eq!(response.status(), 200);
                assert_eq!(header(&response, CONTENT_TYPE), Some(content_type));
                assert_eq!(header(&response, VARY), Some("Accept, Accept-Encoding"));
                let packed = ["gzip", "zstd"].contains(&coding).then_some(coding);
                assert_eq!(header(&response, CONTENT_ENCODING), packed);
                let length = response.body().len().to_string();
                assert_eq!(header(&response, CONTENT_LENGTH), Some(length.as_str()));
                assert!(unpacked(&response) == plain.body().to_vec(), "{path} {accept} {coding}");
            }
        }
    }
}

#[test]
fn what_is_compressed_is_kept_until_something_changes() {
    let publisher = publisher(vec![entry("production", true), entry("staging", true)]);
    let shared = |path: &str, coding: &str| {
        let response = ask_as(path, &[(ACCEPT_ENCODING, coding)], &publisher);
        response.body().shared().as_ptr() as usize
    };
    for coding in ["gzip", "zstd", "identity"] {
        for path in ["/metrics", "/metrics?app=staging"] {
            assert_eq!(shared(path, coding), shared(path, coding), "{path} {coding}");
        }
    }
    let (all, staging) = (shared("/metrics", "gzip"), shared("/metrics?app=staging", "gzip"));
    let taken = publisher.view(); // so that no memory is used again
    publisher.publish_app(entry("production", true));
    assert_ne!(shared("/metrics", "gzip"), all);
    assert_eq!(shared("/metrics?app=staging", "gzip"), staging, "this one did not change");
    publisher.publish_app(entry("staging", true));
    assert_ne!(shared("/metrics?app=staging", "gzip"), staging);
    drop(taken);
}

#[test]
fn a_client_that_takes_nothing_that_there_is_is_told_so() {
    let publisher = publisher(Vec::new());
    let refused = [(ACCEPT_ENCODING, "br, identity;q=0")];
    let response = ask_as("/metrics", &refused, &publisher);
    assert_eq!(response.status(), 406);
    assert_eq!(header(&response, VARY), Some("Accept, Accept-Encoding"));
    assert!(text(&response).starts_with("the metrics come as they are, in gzip or in zstd"));
    assert_eq!(ask_as("/", &refused, &publisher).status(), 200, "the page has one form only");
}
