//! What clients send, and what they get.

use super::*;

fn headers(name: HeaderName, value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().expect("a header"));
    headers
}

#[track_caller]
fn check_format(accept: &str, expected: Format) {
    assert_eq!(format(&headers(ACCEPT, accept)), expected, "{accept}");
}

/// As Prometheus 2.42 sends it, without and with native histograms, and 3.5 by default and with
/// native histograms.
const PROMETHEUS: [(&str, Format); 4] = [
    (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
         q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        Format::OpenMetrics,
    ),
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,\
         application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;\
         version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        Format::Protobuf,
    ),
    (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
         application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;\
         escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        Format::OpenMetrics,
    ),
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited;escaping=allow-utf-8;q=0.6,application/openmetrics-text;\
         version=1.0.0;escaping=allow-utf-8;q=0.5,*/*;q=0.1",
        Format::Protobuf,
    ),
];

#[test]
fn every_prometheus_gets_what_it_likes_best() {
    for (accept, expected) in PROMETHEUS {
        check_format(accept, expected);
    }
}

#[test]
fn the_text_format_is_for_everybody_else() {
    assert_eq!(format(&HeaderMap::new()), Format::Text);
    for accept in [
        "*/*",
        "",
        ",",
        "text/*",
        "text/plain",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
        "application/json",
        "text/plain;version=1.0.0",
        "application/vnd.google.protobuf",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
        "application/openmetrics-text;version=0.0.1",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=high",
        "not a range",
    ] {
        check_format(accept, Format::Text);
    }
}

#[test]
fn the_most_welcome_format_is_taken_and_among_equals_the_first() {
    for (accept, expected) in [
        ("application/openmetrics-text", Format::OpenMetrics),
        ("APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"; Q=0.001", Format::OpenMetrics),
        ("text/plain;q=0.5, application/openmetrics-text;q=0.51", Format::OpenMetrics),
        ("text/plain, application/openmetrics-text", Format::Text),
        ("application/openmetrics-text, text/plain", Format::OpenMetrics),
        ("text/plain;q=0, */*", Format::OpenMetrics),
        ("application/*", Format::OpenMetrics),
        ("application/openmetrics-text;q=0.1, application/*;q=0.9", Format::Protobuf),
        ("text/plain;q=1.5, application/openmetrics-text;q=0.1", Format::Text),
    ] {
        check_format(accept, expected);
    }
}

#[test]
fn the_content_type_says_how_names_are_escaped_to_those_who_ask() {
    for (accept, expected) in [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        (PROMETHEUS[0].0, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (
            PROMETHEUS[2].0,
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ),
        (
            PROMETHEUS[3].0,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; \
             encoding=delimited; escaping=allow-utf-8",
        ),
        (
            "text/plain;version=0.0.4;escaping=underscores",
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
        ),
        ("text/plain;escaping=dots", "text/plain; version=0.0.4; charset=utf-8"),
    ] {
        let headers = headers(ACCEPT, accept);
        assert_eq!(content_type(&headers, format(&headers)), expected, "{accept}");
    }
}

#[test]
fn a_coding_is_taken_where_it_is_welcome() {
    assert_eq!(coding(&HeaderMap::new()), Ok(Coding::Identity));
    for (accept, expected) in [
        ("gzip", Ok(Coding::Gzip)),
        ("x-gzip", Ok(Coding::Gzip)),
        ("GZIP", Ok(Coding::Gzip)),
        ("gzip, deflate, br, zstd", Ok(Coding::Zstd)),
        ("zstd;q=0.5, gzip", Ok(Coding::Gzip)),
        ("*", Ok(Coding::Zstd)),
        ("*, zstd;q=0", Ok(Coding::Gzip)),
        ("", Ok(Coding::Identity)),
        ("identity", Ok(Coding::Identity)),
        ("identity, gzip", Ok(Coding::Gzip)),
        ("identity, gzip;q=0.5", Ok(Coding::Identity)),
        ("br", Ok(Coding::Identity)),
        ("gzip;q=0", Ok(Coding::Identity)),
        ("*;q=0, gzip;q=0.1", Ok(Coding::Gzip)),
        ("identity;q=0, gzip;q=0.001", Ok(Coding::Gzip)),
        ("identity;q=0", Err(())),
        ("*;q=0", Err(())),
        ("br, identity;q=0", Err(())),
    ] {
        assert_eq!(coding(&headers(ACCEPT_ENCODING, accept)), expected, "{accept}");
    }
}
