//! Each alert has its section in `docs/runbooks.md`, and each query there runs.

use std::collections::BTreeSet;
use std::env;

use super::{RULES, alert_names, alerts, text};
use crate::process::{Folder, until_ok};
use crate::prometheus::{Prometheus, tool};

const PAGE: &str = "docs/runbooks.md";

/// The sections of alerts: their name and their text.
fn sections(page: &str) -> Vec<(&str, &str)> {
    page.split("\n### ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .map(|(name, body)| (name, body.split("\n## ").next().unwrap()))
        .collect()
}

/// The lines of the blocks in a language.
fn queries(section: &str) -> Vec<&str> {
    section
        .split("```promql\n")
        .skip(1)
        .flat_map(|block| block.split("```").next().unwrap().lines())
        .collect()
}

#[test]
fn each_alert_has_its_section_and_each_section_its_alert() {
    let page = text(PAGE);
    let sections = sections(&page);
    let named: BTreeSet<String> = sections.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named, alert_names(), "left: sections, right: alerts");
    assert_eq!(sections.len(), named.len(), "a section is there twice");
    for (name, body) in sections {
        for mark in ["For callers: ", "```promql\n", "\nCauses", "\nDo: ", "\nSilence: "] {
            assert!(body.contains(mark), "{name}: no `{}`", mark.trim());
        }
    }
}

#[test]
fn each_alert_leads_to_its_section() {
    let mut bases = BTreeSet::new();
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        let url = alert["annotations"]["runbook_url"].as_str().unwrap();
        let (base, anchor) = url.split_once('#').unwrap();
        assert_eq!(anchor, name.to_lowercase(), "a heading's anchor is its text in lower case");
        bases.insert(base.to_owned());
    }
    assert_eq!(bases.len(), 1, "{bases:?}");
    let base = bases.first().unwrap();
    assert!(base.ends_with(&format!("/{PAGE}")), "{base}");
    let (home, _) = base.split_once("cometchat-exporter/").unwrap();
    assert!(text(PAGE).contains(&format!("sed -i 's,{home},")), "the page says how to change it");
    // One command changes it everywhere: what leads to the page leads to the same one.
    for path in
        ["mixin/mixin.libsonnet", "tests/calls.yml", "tests/exporter.yml", "tests/weeks.yml"]
    {
        let text = text(&format!("prometheus/{path}"));
        let n_here = text.matches(base.as_str()).count();
        assert!(n_here > 0 && n_here == text.matches(PAGE).count(), "{path} leads elsewhere");
    }
}

#[test]
fn each_query_runs_on_both_generations_of_prometheus() {
    let page = text(PAGE);
    let all: Vec<_> = sections(&page).into_iter().flat_map(|(_, body)| queries(body)).collect();
    assert!(all.len() > alert_names().len(), "only {} queries", all.len());
    let newer = env::var("PROMETHEUS_NEWER").expect("run tests/run, which brings it");
    let recorded = text(RULES[0]);
    for program in [tool("PROMETHEUS", "prometheus"), newer] {
        let folder = Folder::new();
        let prometheus = Prometheus::start(&program, &folder, "scrape_configs: []\n");
        until_ok("an answer", || prometheus.result("1"));
        for query in &all {
            assert!(prometheus.result(query).is_ok(), "{query}: {:?}", prometheus.result(query));
            let words =
                query.split(|char: char| !(char.is_ascii_alphanumeric() || "_:".contains(char)));
            for word in words.filter(|word| word.starts_with("cometchat") && word.contains(':')) {
                assert!(recorded.contains(&format!("record: {word}\n")), "{word} is not recorded");
            }
        }
    }
}
