//! Small worlds for tests: of the metrics, and of what shows them.

use std::borrow::Cow;
use std::sync::Arc;

use super::{
    AppView, BuildInfo, Health, Moment, ProcessStats, ProcessView, ReloadView, Shard, StateView,
};
use crate::call::{
    Amount, Amounts, CallType, Kind, Mode, Outcome, ReceiverType, Status, Timestamp, UnknownWords,
};
use crate::ledger::{Counter, Entry, FirstFinal, OpenCalls, Phase, Recent, Totals};

/// Since when the worlds count.
pub(crate) const EPOCH: Timestamp = Timestamp(1_760_000_000);
/// An hour later, on the local clock.
pub(crate) const NOW: Moment = Moment(1_760_003_600_000);

/// Everything that an app owns and its view borrows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) totals: Arc<Totals>,
    pub(crate) open: OpenCalls,
    pub(crate) recent: Recent,
    pub(crate) health: Health,
}

impl World {
    pub(crate) fn empty() -> Self {
        Self {
            totals: Arc::default(),
            open: OpenCalls::default(),
            recent: Recent::default(),
            health: Health::default(),
        }
    }

    /// Three calls that ended, one that was missed, one that goes on; distinct figures all over.
    pub(crate) fn small() -> Self {
        let mut world = Self::empty();
        let totals = Arc::make_mut(&mut world.totals);
        for (n, kind) in [kind("audio call user"), kind("video meet group")].into_iter().enumerate()
        {
            let n = n as u64 + 1;
            let tally = totals.by_kind.entry(kind).or_default();
            tally.add(Counter::Calls(Outcome::Ended), n);
            tally.add(Counter::Calls(Outcome::Unanswered), 2 - n);
            tally.add(Counter::Entries(Outcome::Ended), 2 * n);
            tally.add(Counter::Entries(Outcome::Other), n);
            tally.add(Counter::Failed, 2 - n);
            tally.add(Counter::Initiated, 10 + n);
            tally.add(Counter::AudioMs, 60_000 * n + 1);
            tally.add(Counter::VideoMs, 61_500 * n);
            tally.add(Counter::UserAudioMs, 120_000 * n);
            tally.add(Counter::UserVideoMs, 123_000 * n);
            tally.add(Counter::Participants, 20 + n);
            tally.add(Counter::Recorded, 30 + n);
            tally.add(Counter::Transcribed, 40 + n);
            tally.add(Counter::Recordings, 50 + n);
            tally.add(Counter::RecordingMs, 21_433 * n);
            tally.add(Counter::WithoutParticipants, 60 + n);
            tally.add(Counter::Unconnected, 70 + n);
            let spread = &mut totals.distributions[kind.call_type.index()];
            spread.duration_s.observe(59 + n);
            spread.people.observe(2 * n);
        }
        totals.distributions[CallType::Audio.index()].answer_s.observe(9);
        totals.corrections = 1;
        totals.abandoned = 2;
        totals.reconcile_differences = 3;
        totals.unknown = [4, 5, 6, 7, 8];
        let open = entry(kind("audio call user"), Status::Ongoing);
        world.open.add(EPOCH.plus_s(3500), &open);
        world.recent.add(&open);
        world.recent.add(&entry(kind("video meet group"), Status::Final(Outcome::Ended)));
        let health = &mut world.health;
        health.up = true;
        health.last_success = Some(Moment(1_760_003_595_250));
        health.poll_duration_ms = Some(180);
        health.requested("list", Cow::Borrowed("200"), 80);
        health.requested("list", Cow::Borrowed("200"), 50);
        health.requested("list", Cow::Borrowed("418"), 20_000);
        health.refused("ERR_TOO_MANY_REQUESTS");
        health.skipped("bad_field");
        health.rate_limit = Some(500);
        health.rate_limit_remaining = Some(421);
        health.budget_milli_per_minute = 100_000;
        health.budget_wait_ms = 1_500;
        health.pages_truncated = 1;
        health.restarts = 2;
        world
    }

    pub(crate) fn view<'a>(&'a self, name: &'a str) -> AppView<'a> {
        AppView {
            name,
            app_id: "0123456789abcdef",
            api_region: "eu",
            totals: Some(&self.totals),
            open: &self.open,
            recent: Some(&self.recent),
            epoch: EPOCH,
            covered_until: Some(EPOCH.plus_s(3590)),
            skew_ms: Some(-250),
            tracked_calls: 42,
            health: &self.health,
            examples: None,
        }
    }
}

pub(crate) fn kind(words: &str) -> Kind {
    let mut words = words.split(' ');
    let mut word = || words.next().expect("three words");
    Kind {
        call_type: CallType::from_word(word()),
        mode: Mode::from_word(word()),
        receiver: ReceiverType::from_word(word()),
    }
}

pub(crate) fn entry(kind: Kind, status: Status) -> Entry {
    let mut newest = Amounts::default();
    newest.set(Amount::AudioMs, 30_000);
    newest.set(Amount::VideoMs, 31_000);
    newest.set(Amount::Participants, 3);
    newest.set(Amount::Recorded, 1);
    let first_final = match status {
        Status::Final(outcome) => Some(FirstFinal { outcome, seen_at: EPOCH }),
        Status::Initiated | Status::Ongoing | Status::Unknown => None,
    };
    Entry {
        phase: if first_final.is_some() { Phase::Settled } else { Phase::Open },
        due: Moment::MAX,
        kind,
        status,
        counted: true,
        first_final,
        posted: newest,
        newest,
        people_present: 2,
        corrected: 0,
        unknown: UnknownWords::default(),
    }
}

pub(crate) fn process() -> ProcessView {
    ProcessView {
        recent_window_s: 3600,
        poll_interval_ms: 30_000,
        state: StateView {
            size_bytes: Some(1_601_536),
            commit_duration_us: Some(1_250),
            writable: true,
            commit_failures: 0,
        },
        reload: ReloadView { successful: true, success_at: Moment(1_760_000_000_000) },
        shard: Shard { index: 1, count: 3 },
        build: BuildInfo { version: "0.1.0", revision: "8ac6a87", rust_version: "1.95.0" },
    }
}

pub(crate) fn stats() -> ProcessStats {
    ProcessStats {
        cpu_ms: Some(1_230),
        open_fds: Some(12),
        max_fds: Some(1024),
        resident_bytes: Some(9_437_184),
        virtual_bytes: Some(81_788_928),
        started_at_ms: Some(1_760_000_000_120),
        threads: Some(3),
    }
}
