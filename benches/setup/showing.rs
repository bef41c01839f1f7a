//! What is shown of an app with a busy month behind it, and of the exporter.

use std::sync::Arc;

use cometchat_exporter::call::{Kind, Outcome, Timestamp};
use cometchat_exporter::ledger::{Counter, OpenCalls, Recent, Totals};
use cometchat_exporter::metrics::{
    AppView, Breakdown, BuildInfo, Health, Lines, Moment, ProcessView, ReloadView, Shard,
    StateView, render_process,
};

/// When it is scraped.
pub(crate) const NOW: Moment = Moment(1_760_003_600_000);

/// What one app owns: every documented kind seen, with figures of a busy month.
pub(crate) struct World {
    totals: Arc<Totals>,
    open: OpenCalls,
    recent: Recent,
    health: Health,
}

pub(crate) fn world() -> World {
    let mut totals = Totals::default();
    for (n, kind) in (1..).zip(Kind::documented()) {
        let tally = totals.by_kind.entry(kind).or_default();
        tally.add(Counter::Calls(Outcome::Ended), 12_345 * n);
        tally.add(Counter::AudioMs, 123_456_789 * n);
        tally.add(Counter::UserVideoMs, 987_654_321 * n);
        for seconds in 0..500 {
            totals.distributions[kind.call_type.index()].duration_s.observe(seconds * n);
        }
    }
    World {
        totals: totals.into(),
        open: OpenCalls::default(),
        recent: Recent::default(),
        health: Health::default(),
    }
}

pub(crate) fn view<'a>(world: &'a World, name: &'a str) -> AppView<'a> {
    AppView {
        name,
        app_id: "0123456789abcdef",
        api_region: "eu",
        totals: Some(&world.totals),
        open: &world.open,
        recent: Some(&world.recent),
        epoch: Timestamp(1_760_000_000),
        covered_until: Some(Timestamp(1_760_003_590)),
        skew_ms: Some(120),
        tracked_calls: 10_000,
        health: &world.health,
        examples: None,
    }
}

pub(crate) fn process() -> Lines {
    let process = ProcessView {
        recent_window_s: 3600,
        poll_interval_ms: 30_000,
        state: StateView {
            size_bytes: Some(1_601_536),
            commit_duration_us: Some(1_250),
            writable: true,
            commit_failures: 0,
        },
        reload: ReloadView { successful: true, success_at: NOW },
        shard: Shard::default(),
        build: BuildInfo { version: "0.1.0", revision: "0000000", rust_version: "1.95.0" },
    };
    render_process(&process, Breakdown::default())
}
