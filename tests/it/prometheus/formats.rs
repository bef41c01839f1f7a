//! What a real Prometheus makes of the other formats.

use std::process::Command;

use super::{Prometheus, check_strictly, scrapes_with};
use crate::process::http::{get, get_as};
use crate::process::samples::Samples;
use crate::process::{Folder, until_ok};

/// As Prometheus asks for OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1";

/// The histograms that come in native buckets too.
const HISTOGRAMS: [&str; 3] = [
    "cometchat_call_duration_seconds",
    "cometchat_call_answer_seconds",
    "cometchat_call_participants",
];

/// What is served in each text format satisfies the reference parser of that format.
pub(super) fn check_strictly_in_each(target: &str) {
    check_strictly(&get(target, "/metrics").unwrap().body, &[]);
    let open = get_as(target, "/metrics", OPEN_METRICS).unwrap();
    assert!(open.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
    for part in [" # {session_id=\"", "cometchat_calls_created{", "# EOF\n"] {
        assert!(open.body.contains(part), "{part}: {}", open.body);
    }
    check_strictly(&open.body, &["openmetrics"]);
}

/// A Prometheus that asks for OpenMetrics, as it does by default, keeps the exemplars.
pub(super) fn check_exemplars(prometheus: &Prometheus) {
    for series in ["cometchat_calls_total", "cometchat_call_duration_seconds_bucket"] {
        until_ok("an exemplar", || {
            let path = format!("/api/v1/query_exemplars?query={series}&start=0&end=9999999999");
            let found = prometheus.api(&path)?;
            let exemplar = &found[0]["exemplars"][0];
            let id = exemplar["labels"]["session_id"].as_str().unwrap_or_default();
            if id.is_empty() { Err(found.to_string()) } else { Ok(()) }
        });
    }
}

/// A Prometheus that takes native histograms finds as many observations in them as there are in the
/// classic ones, and their quantiles in the right bucket.
pub(super) fn check_native(program: &str, target: &str) {
    let (folder, classic) = (Folder::new(), beside(program));
    let text = scrapes_with(target, classic);
    let prometheus = Prometheus::start_with(program, &folder, &text, "native-histograms");
    let exposition = get(target, "/metrics").unwrap().body;
    let samples = Samples::parse(&exposition);
    let sum = |name: &str| samples.sum(name, &[]).unwrap();
    for name in HISTOGRAMS {
        let (n, total) = (sum(&format!("{name}_count")), sum(&format!("{name}_sum")));
        assert!(n > 0.0, "{name}: nothing was observed");
        until_ok(&format!("the native {name}"), || {
            let native = prometheus.value(&format!("sum(histogram_count({name}))"), None)?;
            if native == n { Ok(()) } else { Err(format!("{native} of {n}")) }
        });
        let value = |expression: &str| prometheus.value(expression, None).unwrap();
        assert_eq!(value(&format!("sum(histogram_sum({name}))")), total, "{name}");
        for quantile in [0.25, 0.5, 0.9, 1.0] {
            let native = value(&format!("histogram_quantile({quantile}, sum({name}))"));
            // Where a rank falls between two observations, either of them is right.
            let rank = quantile * n;
            let (above, _) = bucket_of_rank(&exposition, name, rank - 1e-6);
            let (_, up_to) = bucket_of_rank(&exposition, name, (rank + 1e-6).min(n));
            // A native bucket is 9 percent wide, that of 0 next to nothing on both sides.
            assert!(
                native > above / 1.1 - 1e-9 && native <= up_to * 1.1,
                "{name}: the quantile {quantile} is {native}, not in {above} to {up_to}"
            );
        }
        if !classic.is_empty() {
            assert_eq!(
                value(&format!("sum({name}_count)")),
                n,
                "{name}, the classic one beside it"
            );
        }
    }
}

/// How a Prometheus is told to take native histograms and classic ones beside them; those before
/// 2.45 cannot take both.
fn beside(program: &str) -> &'static str {
    let output = Command::new(program).arg("--version").output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let (_, version) = text.split_once("version ").unwrap();
    let mut numbers = version.split(['.', '+', ' ']).map(|number| number.parse::<u32>().unwrap());
    match (numbers.next().unwrap(), numbers.next().unwrap()) {
        (2, ..45) => "",
        (2, _) => ", scrape_classic_histograms: true",
        (3, ..8) => ", always_scrape_classic_histograms: true",
        _ => ", scrape_native_histograms: true, always_scrape_classic_histograms: true",
    }
}

/// The bounds of the classic bucket, over all series, in which the observation of a rank lies.
fn bucket_of_rank(exposition: &str, name: &str, rank: f64) -> (f64, f64) {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for line in exposition.lines().filter(|line| line.starts_with(&format!("{name}_bucket{{"))) {
        let (_, rest) = line.split_once("le=\"").unwrap();
        let (le, _) = rest.split_once('"').unwrap();
        let le = if le == "+Inf" { f64::INFINITY } else { le.parse().unwrap() };
        let count: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        match buckets.iter_mut().find(|(bound, _)| *bound == le) {
            Some((_, sum)) => *sum += count,
            None => buckets.push((le, count)),
        }
    }
    let idx = buckets.iter().position(|(_, count)| *count >= rank.max(1.0)).unwrap();
    let above = if idx == 0 { 0.0 } else { buckets[idx - 1].0 };
    (above, buckets[idx].0)
}
