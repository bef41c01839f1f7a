//! The recording rules and alerts in `prometheus/`: promtool accepts them, their tests pass, and
//! every metric in them exists.

use std::collections::BTreeSet;
use std::process::Command;

use cometchat_exporter::metrics::catalog;

use crate::prometheus::tool;

const RULES: [&str; 2] = ["prometheus/cometchat.rules.yml", "prometheus/cometchat.alerts.yml"];

fn promtool(variable: &str, arguments: &[&str]) {
    let output = Command::new(tool(variable, "promtool"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{variable}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn promtool_accepts_the_rules_and_their_tests_pass() {
    for variable in ["PROMTOOL", "PROMTOOL_NEWER"] {
        promtool(variable, &["check", "rules", "--lint=all", "--lint-fatal", RULES[0], RULES[1]]);
        promtool(variable, &["test", "rules", "prometheus/tests/exporter.yml"]);
    }
}

#[test]
fn every_metric_in_the_rules_exists() {
    let known: BTreeSet<&str> = catalog::families().map(|family| family.name).collect();
    let mut n_found = 0;
    for file in RULES {
        let text = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR")));
        for line in text.unwrap().lines().filter(|line| !line.trim_start().starts_with('#')) {
            let words =
                line.split(|char: char| !(char.is_ascii_alphanumeric() || "_:".contains(char)));
            // A recorded name holds colons, a group or a label does not end like a metric.
            for word in words.filter(|word| word.starts_with("cometchat_") && !word.contains(':')) {
                let is_name = line.contains("- name:") || word == "cometchat_app";
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| word.strip_suffix(end).filter(|base| known.contains(base)));
                assert!(
                    is_name || known.contains(word) || base.is_some(),
                    "{file}: there is no metric `{word}`"
                );
                n_found += u32::from(!is_name);
            }
        }
    }
    assert!(n_found > 20, "only {n_found} metrics found: is the scan still right?");
}
