//! What a change and a scrape cost: rendering one app, joining many, the part made at the scrape.
//!
//! `cargo bench --bench render`. Items are series, so the throughput reads as series per second.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]

#[path = "setup/showing.rs"]
mod showing;

use std::hint::black_box;

use cometchat_exporter::metrics::{
    AppLines, Breakdown, Format, ProcessStats, join, live, render_app,
};
use divan::counter::ItemsCount;
use showing::{NOW, process, view, world};

fn main() {
    divan::main();
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
    let stats = ProcessStats::default();
    bencher.bench_local(|| live(black_box(apps.iter()), &process, &stats, NOW, Format::Text));
}

#[divan::bench]
fn process_values_of_a_scrape() -> ProcessStats {
    cometchat_exporter::web::process::stats()
}
