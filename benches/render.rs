//! What a change and a scrape cost: rendering one app, joining many, the part made at the scrape.
//!
//! `cargo bench --bench render`. Items are series, so the throughput reads as series per second.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]

use std::hint::black_box;

use cometchat_exporter::call::{Kind, Outcome, Timestamp};
use cometchat_exporter::ledger::{Counter, OpenCalls, Recent, Totals};
use cometchat_exporter::metrics::{
    AppLines, AppView, Breakdown, BuildInfo, Format, Health, Lines, Moment, ProcessStats,
    ProcessView, ReloadView, StateView, join, live, render_app, render_process,
};
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// What one app owns: every documented kind seen, with figures of a busy month.
struct World {
    totals: Totals,
    open: OpenCalls,
    recent: Recent,
    health: Health,
}

fn world() -> World {
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
        totals,
        open: OpenCalls::default(),
        recent: Recent::default(),
        health: Health::default(),
    }
}

fn view<'a>(world: &'a World, name: &'a str) -> AppView<'a> {
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

fn process() -> Lines {
    let process = ProcessView {
        recent_window_s: 3600,
        poll_interval_ms: 30_000,
        state: StateView {
            size_bytes: Some(1_601_536),
            commit_duration_us: Some(1_250),
            writable: true,
            commit_failures: 0,
        },
        reload: ReloadView { successful: true, success_at: Moment(1_760_000_000_000) },
        build: BuildInfo { version: "0.1.0", revision: "0000000", rust_version: "1.95.0" },
    };
    render_process(&process, Breakdown::default())
}

fn apps(n_apps: usize) -> Vec<AppLines> {
    let world = world();
    let name = |app_idx| format!("customer-{app_idx:03}");
    (0..n_apps).map(|idx| render_app(&view(&world, &name(idx)), Breakdown::default())).collect()
}

fn n_series(apps: &[AppLines]) -> ItemsCount {
    let text = String::from_utf8(join(apps.iter(), &process(), Format::Text).to_vec()).unwrap();
    ItemsCount::new(text.lines().filter(|line| !line.starts_with('#')).count())
}

/// What the poller waits for: a copy of what is to be shown.
#[divan::bench]
fn take_one_app(bencher: divan::Bencher<'_, '_>) {
    let world = world();
    let take = || render_app(black_box(&view(&world, "customer-000")), Breakdown::default());
    bencher.bench_local(take);
}

#[divan::bench(args = [Format::Text, Format::OpenMetrics, Format::Protobuf])]
fn render_one_app(bencher: divan::Bencher<'_, '_>, format: Format) {
    let world = world();
    bencher
        .counter(n_series(&apps(1)))
        .with_inputs(|| render_app(&view(&world, "customer-000"), Breakdown::default()))
        .bench_local_refs(|app| black_box(app).prepare(format));
}

#[divan::bench(args = [1, 20, 200])]
fn join_apps(bencher: divan::Bencher<'_, '_>, n_apps: usize) {
    let (apps, process) = (apps(n_apps), process());
    let count = n_series(&apps);
    bencher
        .counter(count)
        .bench_local(|| join(black_box(apps.iter()), &process, Format::Text).to_vec());
}

#[divan::bench(args = [1, 20, 200])]
fn live_part_of_a_scrape(bencher: divan::Bencher<'_, '_>, n_apps: usize) {
    let (apps, process) = (apps(n_apps), process());
    let (stats, now) = (ProcessStats::default(), Moment(1_760_003_600_000));
    bencher.bench_local(|| live(black_box(apps.iter()), &process, &stats, now, Format::Text));
}

#[divan::bench]
fn process_values_of_a_scrape() -> ProcessStats {
    cometchat_exporter::web::process::stats()
}
