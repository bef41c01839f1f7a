//! What a backfill asks of the API, by the count and the clock of the API.

use std::fs;

use super::stage::{Stage, date, now_s};

/// Nothing begins any more; the API states its limit in each answer.
const WORLD: [&str; 5] =
    ["--history=4h", "--stop-after=0s", "--steady", "--calls-per-day=18000", "--rate-limit=9000"];
/// A tenth of the stated limit: half of the share of a fifth.
const PER_S: f64 = 15.0;
/// What is in the bucket at the start.
const AT_START: f64 = 2.0;

#[test]
fn two_apps_with_one_budget_keep_to_half_of_the_share_between_them() {
    let stage = Stage::limited(&WORLD, "per_page: 20", "now");
    let config = fs::read_to_string(&stage.config).unwrap();
    let (apps, rest) = config.split_once("]\n").unwrap();
    let again = apps
        .replace("apps: [", ", ")
        .replace("shop", "again")
        .replace("app_id: sim", "app_id: again, budget_group: sim");
    stage.folder.config("exporter.yml", &format!("{apps}{again}]\n{rest}"));
    let (from, to) = (now_s() - 3 * 3600, now_s() - 60);
    let before = stage.truth(from);

    let output = stage.folder.path().join("history.om");
    let flags = [format!("--from={}", date(from)), format!("--to={}", date(to))];
    let said = stage.backfill(&output, &[&flags[0], &flags[1], "--step=5m"]);

    let after = stage.truth(from);
    let gained = |name: &str| after[name].as_f64().unwrap() - before[name].as_f64().unwrap();
    let (n_asked, elapsed_s) = (gained("requests"), gained("now"));
    let n_pages = 2.0 * after["calls"].as_f64().unwrap() / 20.0;
    assert!(n_asked >= n_pages && n_pages > 100.0, "{n_asked} requests, {n_pages} pages: {said}");
    let allowed = AT_START + PER_S * elapsed_s;
    assert!(n_asked <= allowed, "{n_asked} requests in {elapsed_s} s, {allowed} are its share");
}
