//! A list of calls as the API writes it, and the loop of one app without a network.

use std::fmt::Write;
use std::sync::Arc;

use cometchat_exporter::api::decode;
use cometchat_exporter::call::{Moment, Outcome, Timestamp};
use cometchat_exporter::ledger::{Counter, FailureStatuses, Rules};
use cometchat_exporter::store::{AppId, Store};
use cometchat_exporter::sweep::{
    Ask, Grid, Known, Options, Order, Page, Plan, Progress, ReadTime, Reply, Request, Saved, Sweep,
};

pub(crate) const PAGE: u32 = 100;
/// The most calls that a list has.
pub(crate) const N_CALLS: u32 = 20_000;
/// Seconds from one call to the next.
const STEP_S: i64 = 2;
/// When the first request is made.
pub(crate) const NOW: Timestamp = Timestamp(1_760_000_000);
const LOOKBACK_S: i64 = 86_400;
/// Behind the lookback, so that what was read leaves the ledger at once.
pub(crate) const OLD: i64 = 2 * LOOKBACK_S;
/// Within the lookback, so that what was read stays known; settled, so that no look is due.
pub(crate) const YOUNG: i64 = 4 * 3600;
pub(crate) const INTERVAL_MS: i64 = 30_000;

/// The loop of one app without a network: plan, ask, digest, look up, apply, commit.
pub(crate) struct Reader<S> {
    sweep: Sweep,
    store: S,
    id: AppId,
    pub(crate) now: Moment,
}

impl<S: Store> Reader<S> {
    /// Counts from before the oldest call.
    pub(crate) fn new(store: S) -> Self {
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
        let sweep = Sweep::new(options, Saved { progress, totals: Arc::default() });
        let id = AppId { app_id: "0123456789abcdef".into(), on_behalf_of: None };
        Self { sweep, store, id, now: NOW.start() }
    }

    pub(crate) fn read_bodies(&mut self, bodies: &[Vec<u8>]) {
        self.read(|number| bodies.get(number).map(|body| decoded(body)).unwrap_or_default());
    }

    /// Reads until nothing is due.
    pub(crate) fn read(&mut self, mut page: impl FnMut(usize) -> Page) {
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

    pub(crate) fn n_counted(&self) -> u64 {
        self.sweep.totals().sum(Counter::Calls(Outcome::Ended))
    }
}

pub(crate) fn decoded(body: &[u8]) -> Page {
    decode::page(body, NOW).unwrap()
}

/// All pages of a list of as many calls, newest first.
pub(crate) fn bodies(n_calls: u32, age_s: i64) -> Vec<Vec<u8>> {
    let firsts = (0..n_calls).step_by(PAGE as usize);
    firsts.map(|first| body(first..first + PAGE, age_s, Rows::Full)).collect()
}

#[derive(Clone, Copy)]
pub(crate) enum Rows {
    /// Two participants, and a recording for one call in ten: about 1.2 KB.
    Full,
    /// Nothing but what makes a call.
    Lean,
}

pub(crate) fn body(calls: std::ops::Range<u32>, age_s: i64, rows: Rows) -> Vec<u8> {
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
