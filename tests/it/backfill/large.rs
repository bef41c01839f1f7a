//! Five weeks of calls, on Prometheus: over all of them the increases are the recount, series by series.
//!
//! `BACKFILL_CALLS_PER_DAY=29000` in the environment makes it a million calls.

use std::env;

use super::stage::{Stage, check_increase, date, make_blocks, now_s, rising};
use crate::process::{Folder, until_ok};
use crate::prometheus::{Prometheus, tool};

#[test]
fn the_increases_over_five_weeks_are_the_recount() {
    let per_day = env::var("BACKFILL_CALLS_PER_DAY").unwrap_or_else(|_| "600".to_owned());
    let per_day = format!("--calls-per-day={per_day}");
    let world = ["--history=36d", "--stop-after=0s", "--duration-scale=3", &per_day];
    let stage = Stage::new(&world, "rate_limit_share: 1", "now");
    let from = now_s() - 35 * 86_400;
    let truth = until_ok("the rest of the world", || {
        let truth = stage.truth(from);
        if truth["at_rest"] == true { Ok(truth) } else { Err(truth["next_event_at"].to_string()) }
    });
    let n_calls = truth["calls"].as_u64().unwrap();
    assert!(n_calls > 10_000, "{n_calls} calls show little");
    let to = now_s();
    let output = stage.folder.path().join("history.om");
    let (from_flag, to_flag) = (format!("--from={}", date(from)), format!("--to={}", date(to)));
    let said = stage.backfill(&output, &[&from_flag, &to_flag, "--step=1h"]);
    assert!(said.contains(&format!("{n_calls} calls")), "{said}");
    let folder = Folder::new();
    make_blocks("PROMTOOL_NEWER", &output, &folder);
    let program = tool("PROMETHEUS_NEWER", "prometheus");
    let prometheus = Prometheus::start(&program, &folder, "scrape_configs: []\n");
    until_ok("the blocks", || prometheus.value("count(cometchat_calls_total)", None));
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let at = to as f64;
    check_increase("35 days", &prometheus, &rising(&truth), (from, at));
}
