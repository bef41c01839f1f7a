//! What the page says, and that it is safe to show.

use expect_test::expect;

use super::*;
use crate::metrics::fixture::{NOW, World};
use crate::metrics::{Breakdown, Lines, render_app};
use crate::web::{Publisher, Trouble};

fn rows(apps: Vec<AppEntry>) -> String {
    let publisher = Publisher::new(Lines::default(), NOW);
    publisher.publish_apps(apps);
    let site = Site::new("0.1.0", "/metrics?\"<".into());
    let page = render(&site, &publisher.view(), NOW);
    page.lines()
        .skip_while(|line| !line.starts_with("<nav>"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn a_row_says_what_is_wrong_since_when_and_what_to_do() {
    let trouble = Trouble {
        what: "the API refused the key (HTTP 401) <script>: check the file & its key".into(),
        since: NOW.plus_ms(-3_900_000),
    };
    let world = World::small();
    let lines = |name| render_app(&world.view(name), Breakdown::default());
    let down = AppEntry {
        lines: lines("<b>\"production\""),
        tried: true,
        trouble: Some(trouble),
        ..AppEntry::default()
    };
    let up = AppEntry { lines: lines("staging"), up: true, tried: true, ..AppEntry::default() };
    let note = Some("reading back to 2026-01-01: 5 of about 60 calls".into());
    let new = AppEntry { lines: lines("new"), note, ..AppEntry::default() };
    expect![[r#"
        <nav><a href="/metrics?&quot;&lt;">Metrics</a><a href="/-/healthy">Health</a><a href="/-/ready">Readiness</a></nav>
        <table>
        <thead><tr><th>App</th><th>Up</th><th>Behind</th><th>State</th></tr></thead>
        <tbody>
        <tr><td>&lt;b&gt;&quot;production&quot;</td><td class="down">no</td><td>10 s</td><td>the API refused the key (HTTP 401) &lt;script&gt;: check the file &amp; its key<br>For 1 h 5 min.<br></td></tr>
        <tr><td>staging</td><td>yes</td><td>10 s</td><td></td></tr>
        <tr><td>new</td><td>not yet read</td><td>10 s</td><td>reading back to 2026-01-01: 5 of about 60 calls</td></tr>
        </tbody>
        </table>
        </body>
        </html>
    "#]].assert_eq(&rows(vec![down, up, new]));
}

#[test]
fn a_page_without_apps_says_so() {
    assert!(rows(Vec::new()).contains("<p>This exporter reads no app.</p>"));
}

#[test]
fn spans_show_their_two_greatest_units() {
    let shown = [0, 59, 60, 3_599, 3_600, 86_399, 86_400, 8_640_000].map(|s| Span(s).to_string());
    let expected = [
        "0 s",
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "23 h 59 min",
        "1 d 0 h",
        "100 d 0 h",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn the_security_policy_allows_the_style_of_the_page_by_its_hash() {
    let rustls::SupportedCipherSuite::Tls13(suite) =
        rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256
    else {
        unreachable!("a suite of TLS 1.3");
    };
    let hash = suite.common.hash_provider.hash(STYLE.as_bytes());
    let allowed = format!("style-src 'sha256-{}'", base64(hash.as_ref()));
    assert!(SECURITY_POLICY.contains(&allowed), "the policy must say {allowed}");
    assert!(!SECURITY_POLICY.contains("unsafe"));
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - three.len()));
        for digit in 0..4 {
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if digit > three.len() { '=' } else { char::from(DIGITS[value as usize]) });
        }
    }
    text
}
