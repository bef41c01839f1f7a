//! What taking calls in costs: bytes to rows, rows to a committed ledger, and a poll with nothing new.
//!
//! `cargo bench --bench ingest`. Items are calls, so the throughput reads as calls per second.

#![expect(clippy::unwrap_used, reason = "a bench that cannot do its work has nothing to measure")]

use std::fmt::Write;
use std::hint::black_box;

use cometchat_exporter::api::decode;
use cometchat_exporter::call::{Moment, Outcome, Timestamp};
use cometchat_exporter::ledger::{Counter, FailureStatuses, Rules, Totals};
use cometchat_exporter::store::{AppId, FileStore, MemoryStore, Store};
use cometchat_exporter::sweep::{
    Ask, Grid, Known, Options, Order, Page, Plan, Progress, ReadTime, Reply, Request, Saved, Sweep,
};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use tempfile::TempDir;

const PAGE: u32 = 100;
const N_CALLS: u32 = 20_000;
/// Seconds from one call to the next.
const STEP_S: i64 = 2;
/// When the first request is made.
const NOW: Timestamp = Timestamp(1_760_000_000);
const LOOKBACK_S: i64 = 86_400;
/// Behind the lookback, so that what was read leaves the ledger at once.
const OLD: i64 = 2 * LOOKBACK_S;
/// Within the lookback, so that what was read stays known; settled, so that no look is due.
const YOUNG: i64 = 4 * 3600;
const INTERVAL_MS: i64 = 30_000;

fn main() {
    divan::main();
}

#[divan::bench]
fn decode_a_page(bencher: Bencher<'_, '_>) {
    decode_page(bencher, Rows::Full);
}

#[divan::bench]
fn decode_a_lean_page(bencher: Bencher<'_, '_>) {
    decode_page(bencher, Rows::Lean);
}

fn decode_page(bencher: Bencher<'_, '_>, rows: Rows) {
    let body = body(0..PAGE, OLD, rows);
    bencher
        .counter(ItemsCount::new(PAGE))
        .counter(BytesCount::of_slice(&body))
        .bench_local(|| decode::page(black_box(&body), NOW).unwrap());
}

/// A first read of calls that were decoded before: planning, counting and a ledger in memory.
#[divan::bench(args = [OLD, YOUNG], sample_count = 20)]
fn count_in_memory(bencher: Bencher<'_, '_>, age_s: i64) {
    let pages: Vec<Page> = bodies(age_s).iter().map(|body| decoded(body)).collect();
    bencher
        .counter(ItemsCount::new(N_CALLS))
        .with_inputs(|| (Reader::new(MemoryStore::new()), pages.clone()))
        .bench_local_values(|(mut reader, mut pages)| {
            reader.read(|number| match pages.get_mut(number) {
                // The search for the first page asks for these again.
                Some(page) if number < 3 => page.clone(),
                Some(page) => std::mem::take(page),
                None => Page::default(),
            });
            assert_eq!(reader.n_counted(), u64::from(N_CALLS));
            reader
        });
}

/// A first read from bytes to a ledger in memory.
#[divan::bench(args = [OLD, YOUNG], sample_count = 20)]
fn read_in_memory(bencher: Bencher<'_, '_>, age_s: i64) {
    let bodies = bodies(age_s);
    bencher
        .counter(ItemsCount::new(N_CALLS))
        .with_inputs(|| Reader::new(MemoryStore::new()))
        .bench_local_values(|mut reader| {
            reader.read_bodies(&bodies);
            assert_eq!(reader.n_counted(), u64::from(N_CALLS));
            reader
        });
}

/// A first read from bytes to a file, each page a commit that is durable before the next request.
#[divan::bench(args = [OLD, YOUNG], sample_count = 10)]
fn read_durably(bencher: Bencher<'_, '_>, age_s: i64) {
    let bodies = bodies(age_s);
    bencher
        .counter(ItemsCount::new(N_CALLS))
        .with_inputs(|| {
            let folder = TempDir::new().unwrap();
            let store = FileStore::open(folder.path().join("state.redb")).unwrap();
            (Reader::new(store), folder)
        })
        .bench_local_values(|(mut reader, folder)| {
            reader.read_bodies(&bodies);
            assert_eq!(reader.n_counted(), u64::from(N_CALLS));
            (reader, folder)
        });
}

/// The head asked for again, and what else falls due with time, while no call begins.
#[divan::bench]
fn poll_with_nothing_new(bencher: Bencher<'_, '_>) {
    let bodies = bodies(YOUNG);
    let mut reader = Reader::new(MemoryStore::new());
    reader.read_bodies(&bodies);
    bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
        reader.now = reader.now.plus_ms(INTERVAL_MS);
        reader.read_bodies(&bodies);
    });
}

/// The loop of one app without a network: plan, ask, digest, look up, apply, commit.
struct Reader<S> {
    sweep: Sweep,
    store: S,
    id: AppId,
    now: Moment,
}

impl<S: Store> Reader<S> {
    /// Counts from before the oldest call.
    fn new(store: S) -> Self {
        let epoch = NOW.plus_s(-OLD - i64::from(N_CALLS) * STEP_S);
        let rules = Rules {
            epoch,
            settle_s: 7200,
            max_open_s: 604_800,
            failures: FailureStatuses::default(),
        };
        let progress = Progress {
            epoch,
            epoch_settled: true,
            floor: epoch,
            complete: false,
            read: ReadTime::new(LOOKBACK_S),
            order: Order::default(),
        };
        let options = Options {
            rules,
            grid: Grid { interval_ms: INTERVAL_MS, phase_ms: 0 },
            per_page: PAGE,
            lookback_s: LOOKBACK_S,
        };
        let sweep = Sweep::new(options, Saved { progress, totals: Totals::default() });
        let id = AppId { app_id: "0123456789abcdef".into(), on_behalf_of: None };
        Self { sweep, store, id, now: NOW.start() }
    }

    fn read_bodies(&mut self, bodies: &[Vec<u8>]) {
        self.read(|number| bodies.get(number).map(|body| decoded(body)).unwrap_or_default());
    }

    /// Reads until nothing is due.
    fn read(&mut self, mut page: impl FnMut(usize) -> Page) {
        while let Plan::Ask(ask) = self.sweep.plan(self.now, false) {
            let number = match ask.request {
                Request::List { page, .. } => page as usize,
                Request::Get { .. } => unreachable!("no call is beyond the lookback and not done"),
            };
            self.take(&ask, page(number));
        }
    }

    fn take(&mut self, ask: &Ask, page: Page) {
        let Ok(Some(digest)) = self.sweep.digest(ask, Ok(Reply::List(page)), self.now) else {
            return;
        };
        let mut known = Known::new();
        for span in digest.needs.iter() {
            let add = &mut |key, entry| {
                known.insert(key, entry);
            };
            self.store.calls(&self.id, span, add).unwrap();
        }
        let applied = self.sweep.apply(&digest, known);
        self.store.commit(&self.id, &applied.changes).unwrap();
    }

    fn n_counted(&self) -> u64 {
        self.sweep.totals().sum(Counter::Calls(Outcome::Ended))
    }
}

fn decoded(body: &[u8]) -> Page {
    decode::page(body, NOW).unwrap()
}

/// All pages of a list, newest first.
fn bodies(age_s: i64) -> Vec<Vec<u8>> {
    let firsts = (0..N_CALLS).step_by(PAGE as usize);
    firsts.map(|first| body(first..first + PAGE, age_s, Rows::Full)).collect()
}

#[derive(Clone, Copy)]
enum Rows {
    /// Two participants, and a recording for one call in ten: about 1.2 KB.
    Full,
    /// Nothing but what makes a call.
    Lean,
}

fn body(calls: std::ops::Range<u32>, age_s: i64, rows: Rows) -> Vec<u8> {
    let mut body = String::from(r#"{"data":["#);
    for idx in calls {
        let at = NOW.plus_s(-age_s - i64::from(idx) * STEP_S).0;
        match rows {
            Rows::Full => full_row(&mut body, idx, at),
            Rows::Lean => write!(
                body,
                r#"{{"sessionId":"v1.us.0123456789abcdef.{idx:040x}","initiatedAt":{at},"startedAt":{},"endedAt":{},"status":"ended","type":"audio","mode":"call","receiverType":"user"}},"#,
                at + 9,
                at + 609,
            )
            .unwrap(),
        }
    }
    body.pop();
    body.push_str(r#"],"meta":{"pagination":{"total":20000,"count":100,"per_page":100}}}"#);
    body.into_bytes()
}

fn full_row(body: &mut String, idx: u32, at: i64) {
    let length_s = u64::from(idx % 600);
    #[expect(clippy::cast_precision_loss, reason = "at most 599")]
    let minutes = length_s as f64 / 60.0;
    let (started_at, ended_at) = (at + 9, at + 9 + i64::from(idx % 600));
    let call_type = ["audio", "video"][idx as usize % 2];
    write!(
        body,
        r#"{{"sessionId":"v1.us.0123456789abcdef.{idx:040x}","mid":"{idx:08x}-0000-4000-8000-0123456789ab","totalAudioMinutes":{minutes},"totalVideoMinutes":{minutes},"totalDuration":"00:05:00","totalDurationInMinutes":{minutes},"hasTranscription":false,"initiatedAt":{at},"startedAt":{started_at},"endedAt":{ended_at},"initiator":"user-{idx}","receiver":"user-1","receiverType":"user","mode":"call","type":"{call_type}","status":"ended","totalParticipants":2,"#
    )
    .unwrap();
    if idx.is_multiple_of(10) {
        write!(
            body,
            r#""hasRecording":true,"recordings":[{{"rid":"{idx:08x}-0000-4000-8000-0123456789ac","recording_url":"https://recordings.example/{idx:032x}/recording.mp4","startTime":{started_at},"endTime":{ended_at},"duration":{minutes}}}],"#
        )
        .unwrap();
    }
    body.push_str(r#""participants":["#);
    for n in 0..2 {
        write!(
            body,
            r#"{{"uid":"user-{}","isJoined":true,"state":"ended","joinedAt":{started_at},"leftAt":{ended_at},"totalAudioMinutes":{minutes},"totalVideoMinutes":{minutes},"totalDuration":{minutes},"mid":"{idx:08x}-0000-4000-8000-0123456789ab","deviceId":"0123456789abcdef@rtc-us.example/{idx:08x}"}},"#,
            idx + n,
        )
        .unwrap();
    }
    body.pop();
    body.push_str("]},");
}
