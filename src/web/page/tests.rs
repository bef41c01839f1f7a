//! What the page says, and that it is safe to show.

use super::*;
use crate::metrics::fixture::{NOW, World};
use crate::metrics::{Breakdown, Lines, render_app};
use crate::web::{AppEntry, ExporterFacts, FirstRead, Publisher, Trouble};

fn page(apps: Vec<AppEntry>) -> String {
    let publisher = Publisher::new(Lines::default(), NOW);
    publisher.publish_apps(apps);
    let state_path = Some("/tmp/<i>.redb".into());
    publisher.publish_exporter(ExporterFacts { state_path, ..ExporterFacts::default() });
    let html = render(&Site::new("0.1.0", "/metrics?\"<".into()), &publisher.view(), NOW);
    breakable(&html)
}

/// A figure and its unit stay in one line; here they are written with any space.
fn breakable(text: &str) -> String {
    text.replace('\u{a0}', " ")
}

fn entry(name: &str) -> AppEntry {
    let lines = render_app(&World::small().view(name), Breakdown::default());
    AppEntry { lines, up: true, tried: true, ..AppEntry::default() }
}

#[test]
fn a_row_says_what_is_wrong_since_when_and_what_to_do() {
    let trouble = Trouble {
        what: "the API refused the key (HTTP 401) <script>: check the file & its key".into(),
        since: NOW.plus_ms(-3_900_000),
    };
    let down = AppEntry { up: false, trouble: Some(trouble), ..entry("<b>\"production\"") };
    let note = Some("reading back to 2026-01-01: 5 of about 60 calls".into());
    let new = AppEntry { up: false, tried: false, note, ..entry("new") };
    let html = page(vec![entry("a"), new, down]);
    for expected in [
        "<title>(1) cometchat-exporter</title>",
        "data-name=\"&lt;b&gt;&quot;production&quot;\"",
        "(HTTP 401) &lt;script&gt;: check the file &amp; its key<br><small>For 1 h 5 min, since",
        "<p>reading back to 2026-01-01: 5 of about 60 calls</p>",
        "<b>/tmp/&lt;i&gt;.redb</b>",
        "href=\"./metrics?&quot;&lt;\"",
        "href=\"./config\"",
        "✕ cannot be written",
    ] {
        assert!(html.contains(expected), "no {expected} in {html}");
    }
    let at = |name: &str| html.find(&format!("data-name=\"{name}")).expect("a row");
    assert!(at("&lt;b") < at("new") && at("new") < at("a"), "problems first");
    assert!(!html.contains("<b>\""));
}

#[test]
fn a_first_start_and_a_long_first_read_say_what_is_awaited() {
    let new = AppEntry { up: false, tried: false, ..entry("new") };
    let html = page(vec![new.clone()]);
    assert!(html.contains("<p>The first answer of the API is awaited.</p>"), "{html}");
    assert!(html.contains("data-label=\"Open\">–</td>"), "0 is not known yet: {html}");
    let note = Some("reading back".into());
    let html = page(vec![AppEntry {
        note,
        first_read: Some(FirstRead { n_read: 30, n_about: 120 }),
        ..new
    }]);
    let expected = "max=\"120\" value=\"30\"></progress> 25 % · reading back</p>";
    assert!(html.contains(expected), "{html}");
}

#[test]
fn names_with_numbers_stand_in_the_order_people_count() {
    let names = ["a10", "b", "a2", "a", "2", "99999999999999999999999", "10"];
    let html = page(names.map(entry).into());
    let at = |name: &str| html.find(&format!("data-name=\"{name}\"")).expect("a row");
    let mut sorted = names;
    sorted.sort_by_key(|name| at(name));
    assert_eq!(sorted, ["2", "10", "99999999999999999999999", "a", "a2", "a10", "b"]);
}

#[test]
fn a_page_without_apps_says_so() {
    assert!(page(Vec::new()).contains("<p>This exporter reads no app.</p>"));
}

#[test]
fn figures_are_written_for_people() {
    let spans = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 8_640_000]
        .map(|s| breakable(&Span(s).to_string()));
    let expected = ["0 s", "59 s", "1 min", "59 min 59 s", "1 h", "23 h 59 min", "1 d", "100 d"];
    assert_eq!(spans, expected);
    assert_eq!(
        [0, 999, 1_000, 1_234_567].map(|n| Grouped(n).to_string()).join(" "),
        "0 999 1,000 1,234,567"
    );
    assert_eq!([Share(1, 3), Share(0, 0)].map(|it| it.to_string()), ["33 %", "–"]);
    let sizes = [7, 1536, 1_601_536, 3 << 30].map(|n| Bytes(n).to_string());
    assert_eq!(sizes, ["7 B", "1.5 KiB", "1.5 MiB", "3.0 GiB"]);
    assert_eq!(Clock(NOW).to_string(), "2025-10-09 09:53:20 UTC");
}

#[test]
fn the_security_policy_allows_one_style_one_script_and_nothing_from_elsewhere() {
    let html = page(Vec::new());
    for (open, close, directive) in
        [("<style>", "</style>", "style-src"), ("<script>", "</script>", "script-src")]
    {
        let (_, rest) = html.split_once(open).expect("it is there");
        let (text, _) = rest.split_once(close).expect("it ends");
        let allowed = format!("{directive} '{}';", hash::source(text));
        assert!(SECURITY_POLICY.contains(&allowed), "the policy must say {allowed}");
        assert_eq!(html.matches(open).count(), 1);
    }
    assert!(!SECURITY_POLICY.contains("unsafe") && !SECURITY_POLICY.contains("http"));
    assert!(!html.contains("style=\"") && !html.contains("http"), "nothing inline, no address");
}
