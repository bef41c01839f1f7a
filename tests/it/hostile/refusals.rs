//! Answers that are no page: the exporter says so, keeps serving, and counts on once there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fake::{FakeApi, Reading, Reply, call, check_sums, one, one_page, sum};
use crate::process::http;

/// An API that refuses until it is told not to.
#[track_caller]
fn refusing(refusal: impl Fn() -> Reply + Send + 'static) -> (Reading, Arc<AtomicBool>) {
    let is_well = Arc::new(AtomicBool::new(false));
    let (well, page) = (Arc::clone(&is_well), one_page(vec![call("1", 100), call("2", 110)]));
    let reading =
        Reading::of(
            "/v3",
            move |asked| {
                if well.load(Ordering::Relaxed) { page(asked) } else { refusal() }
            },
        );
    (reading, is_well)
}

/// Expects that the refusal shows under `labels` of `name`, that everything else is served
/// meanwhile, and that the calls count once the API is well again.
#[track_caller]
fn check(refusal: impl Fn() -> Reply + Send + 'static, name: &str, label: &str) {
    let (reading, is_well) = refusing(refusal);
    let scrape = reading.until("the refusal", |scrape| sum(scrape, name, &[label]) >= 1.0);
    check_sums(&scrape, &[("up", &[], 0.0), ("calls_total", &[], 0.0)]);
    assert_eq!(one(&scrape, "last_success_timestamp_seconds"), None);
    let address = reading.exporter.address;
    // Failed once is as good as read for whoever waits for the start.
    for (path, status) in [("/-/healthy", 200), ("/-/ready", 200), ("/", 200)] {
        assert_eq!(http::get(address, path).unwrap().status, status, "{path}");
    }
    is_well.store(true, Ordering::Relaxed);
    check_sums(&reading.after_polls(), &[("up", &[], 1.0), ("calls_total", &[], 2.0)]);
}

#[test]
fn html_of_a_gateway_is_a_failure_that_passes() {
    let html = || Reply::text(502, "text/html", "<html>502 Bad Gateway</html>");
    check(html, "api_requests_total", "code=\"502\"");
}

#[test]
fn html_with_status_200_is_no_list() {
    let html = || Reply::text(200, "text/html", "<html>Sign in to the hotel's network</html>");
    check(html, "api_requests_total", "code=\"body\"");
}

#[test]
fn an_error_with_status_200_is_an_error() {
    check(|| Reply::error(200, "ERR_EXCEPTION"), "api_errors_total", "error=\"ERR_EXCEPTION\"");
}

#[test]
fn an_error_code_that_is_not_known_counts_as_other() {
    check(|| Reply::error(500, "ERR_TOMORROW"), "api_errors_total", "error=\"other\"");
}

#[test]
fn a_list_that_is_cut_is_asked_for_again() {
    let cut = || Reply::text(200, "application/json", r#"{"data":[{"sessionId":"1","initi"#);
    check(cut, "api_requests_total", "code=\"body\"");
}

#[test]
fn a_wrong_key_is_tried_slowly_and_a_new_one_at_once() {
    let page = one_page(vec![call("1", 100)]);
    let api = FakeApi::start(move |asked| match asked.key.as_str() {
        "right" => page(asked),
        _ => Reply::error(401, "AUTH_ERR_APIKEY_NOT_FOUND"),
    });
    let reading = Reading::with_key_file(api, "wrong-key-of-the-test");
    let refused = ["error=\"AUTH_ERR_APIKEY_NOT_FOUND\""];
    let scrape =
        reading.until("the refusal", |scrape| sum(scrape, "api_errors_total", &refused) >= 1.0);
    check_sums(
        &scrape,
        &[
            ("up", &[], 0.0),
            ("api_requests_total", &["code=\"401\""], 1.0),
            ("calls_total", &[], 0.0),
        ],
    );
    let page = http::get(reading.exporter.address, "/").unwrap();
    assert_eq!(page.status, 200);
    assert!(page.body.contains("AUTH_ERR_APIKEY_NOT_FOUND"), "{}", page.body);
    assert!(!page.body.contains("wrong-key-of-the-test"), "the key shows on the page");
    assert!(!reading.exporter.program.log().contains("wrong-key"), "the key shows in the log");
    assert_eq!(reading.api.n_asked(), 1, "no hammering with a bad key");

    reading.folder.config("key", "right\n");
    check_sums(&reading.after_polls(), &[("up", &[], 1.0), ("calls_total", &[], 1.0)]);
}

#[test]
fn a_redirect_is_not_followed_and_its_place_is_named() {
    let target = FakeApi::start(one_page(vec![call("1", 100)]));
    let place = format!("http://{}/v3/calls", target.address);
    let headers = format!("Location: {place}\r\n");
    let reading = Reading::of("/v3", move |_| Reply {
        status: 308,
        headers: headers.clone(),
        body: String::new(),
    });
    let scrape = reading.until("the redirect", |scrape| {
        sum(scrape, "api_requests_total", &["code=\"308\""]) >= 1.0
    });
    check_sums(&scrape, &[("up", &[], 0.0), ("calls_total", &[], 0.0)]);
    let log = reading.exporter.program.log();
    assert!(log.contains(&place) && log.contains("redirects are not followed"), "{log}");
    assert_eq!(target.n_asked(), 0, "it was followed, with the key");
}
