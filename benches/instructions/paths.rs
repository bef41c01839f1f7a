//! The hot paths: what each sets up, and what it then does again and again.

use std::hint::black_box;

use cometchat_exporter::api::decode;
use cometchat_exporter::ledger::Phase;
use cometchat_exporter::metrics::{Breakdown, Format, ProcessStats, render_app};
use cometchat_exporter::store::{FileStore, MemoryStore, Store};
use cometchat_exporter::sweep::Page;
use cometchat_exporter::web::{Publisher, route};
use tempfile::TempDir;

use crate::reading::{INTERVAL_MS, NOW, PAGE, Reader, Rows, YOUNG, bodies, body, decoded};
use crate::serving::{entry, publisher, request, site};
use crate::{ledger, showing};

/// One repetition of a path.
type Work = Box<dyn FnMut()>;

pub(crate) struct HotPath {
    pub(crate) name: &'static str,
    /// How often it is done in the shorter of two runs; in the longer one twice as often.
    pub(crate) n_times: usize,
    /// Does the same however often the work is done afterwards, so that it falls out of the
    /// difference between two runs.
    pub(crate) set_up: fn() -> Work,
}

const fn path(name: &'static str, n_times: usize, set_up: fn() -> Work) -> HotPath {
    HotPath { name, n_times, set_up }
}

pub(crate) const ALL: [HotPath; 14] = [
    path("decode_a_page", 10, || decode(Rows::Full)),
    path("decode_a_lean_page", 20, || decode(Rows::Lean)),
    path("count_20_pages", N_READS, count_20_pages),
    path("poll_with_nothing_new", N_POLLS, poll_with_nothing_new),
    path("commit_a_page_to_a_file", N_COMMITS, commit_a_page_to_a_file),
    path("start_with_10_000_calls", 2, start_with_10_000_calls),
    path("render_an_app_as_text", 5, || render(Format::Text)),
    path("render_an_app_as_openmetrics", 5, || render(Format::OpenMetrics)),
    path("render_an_app_as_protobuf", 5, || render(Format::Protobuf)),
    path("scrape_after_a_change", 5, || scrape_after_a_change("identity")),
    path("scrape_after_a_change_in_gzip", 2, || scrape_after_a_change("gzip")),
    path("scrape_after_a_change_in_zstd", 2, || scrape_after_a_change("zstd")),
    path("scrape_unchanged", 20, || scrape_unchanged("identity")),
    path("scrape_unchanged_in_gzip", 20, || scrape_unchanged("gzip")),
];

const N_READS: usize = 2;
/// How often a first read asks for a page at most: the search for the first one does so twice.
const READS_OF_A_PAGE: usize = 3;
const N_POLLS: usize = 10;
const N_COMMITS: usize = 20;
const N_APPS: usize = 16;
/// What Prometheus asks for first.
const ACCEPT: &str = "application/openmetrics-text";

fn decode(rows: Rows) -> Work {
    let body = body(0..PAGE, YOUNG, rows);
    Box::new(move || {
        black_box(decode::page(black_box(&body), NOW).unwrap());
    })
}

/// A list of 2,000 calls, decoded already, to be read so and so often.
struct Pages(Vec<Vec<Page>>);

impl Pages {
    fn new(n_reads: usize) -> Self {
        let pages = bodies(20 * PAGE, YOUNG).into_iter().map(|body| decoded(&body));
        Self(pages.map(|page| vec![page; n_reads]).collect())
    }

    fn take(&mut self, number: usize) -> Page {
        self.0.get_mut(number).map(|copies| copies.pop().unwrap()).unwrap_or_default()
    }
}

/// A first read of what is decoded already: plan, digest, look up, apply, commit in memory.
fn count_20_pages() -> Work {
    let mut pages = Pages::new(2 * N_READS * READS_OF_A_PAGE);
    Box::new(move || {
        let mut reader = Reader::new(MemoryStore::new());
        reader.read(|number| pages.take(number));
        assert_eq!(reader.n_counted(), u64::from(20 * PAGE));
    })
}

/// The head asked for again, and what else falls due with time, while no call begins.
fn poll_with_nothing_new() -> Work {
    let mut pages = Pages::new(2 * N_POLLS + READS_OF_A_PAGE);
    let mut reader = Reader::new(MemoryStore::new());
    reader.read(|number| pages.take(number));
    Box::new(move || {
        reader.now = reader.now.plus_ms(INTERVAL_MS);
        reader.read(|number| pages.take(number));
    })
}

/// Durable, each page by itself; the file grows.
fn commit_a_page_to_a_file() -> Work {
    let folder = TempDir::new().unwrap();
    let store = FileStore::open(folder.path().join("state.redb")).unwrap();
    let pages = (0..).step_by(PAGE as usize).map(|first| ledger::changes(first..first + PAGE));
    let mut pages: Vec<_> = pages.take(2 * N_COMMITS).collect();
    Box::new(move || {
        let _folder = &folder;
        store.commit(&ledger::app(), &pages.pop().unwrap()).unwrap();
    })
}

/// The file opened and checked, and every call of it looked at.
fn start_with_10_000_calls() -> Work {
    const N_CALLS: u32 = 10_000;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.redb");
    let store = FileStore::open(&path).unwrap();
    store.commit(&ledger::app(), &ledger::changes(0..N_CALLS)).unwrap();
    drop(store);
    Box::new(move || {
        let _folder = &folder;
        let store = FileStore::open(&path).unwrap();
        let (mut n_calls, mut n_open) = (0, 0);
        store
            .glance(&ledger::app(), ledger::EVER, &mut |glimpse| {
                n_calls += 1;
                n_open += u32::from(glimpse.phase == Phase::Open);
            })
            .unwrap();
        assert_eq!((n_calls, n_open), (N_CALLS, N_CALLS / 100));
    })
}

/// What the poller does for an app that changed.
fn render(format: Format) -> Work {
    let world = showing::world();
    Box::new(move || {
        let view = showing::view(&world, "customer-000");
        render_app(black_box(&view), Breakdown::default()).prepare(format);
    })
}

/// What all scrapes share is joined and compressed. The app that changed is rendered already.
fn scrape_after_a_change(coding: &'static str) -> Work {
    let (publisher, mut scrape) = scraped(coding);
    let changed = entry(0);
    changed.lines.prepare(Format::OpenMetrics);
    Box::new(move || {
        publisher.publish_app(changed.clone());
        scrape();
    })
}

fn scrape_unchanged(coding: &'static str) -> Work {
    scraped(coding).1
}

/// Apps that were scraped once, and a further scrape. The process values are left out: how long
/// the texts are that the kernel gives differs by machine.
fn scraped(coding: &'static str) -> (Publisher, Work) {
    let (publisher, site) = (publisher(N_APPS), site());
    let served = publisher.clone();
    let scrape = move || {
        let request = request(ACCEPT, coding);
        black_box(route(&request, &site, &served.view(), showing::NOW, ProcessStats::default));
    };
    scrape();
    (publisher, Box::new(scrape))
}
