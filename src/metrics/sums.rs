//! One app summed up under the breakdown labels that are shown.

use std::collections::BTreeMap;

use super::examples::{Example, Histograms};
use super::{AppView, Breakdown};
use crate::call::{CallType, Kind, Outcome, Status};
use crate::ledger::recent::RecentTally;
use crate::ledger::{Counter, Distributions, Recent, Tally, Totals};

/// What the rows of the catalog read. Every documented kind is in each map; one with `other` is
/// there once it was seen.
pub(super) struct Sums<'a> {
    /// The app itself.
    pub(super) app: &'a AppView<'a>,
    /// Which labels are shown.
    pub(super) breakdown: Breakdown,
    /// The counters; `None` while they are absent.
    pub(super) counted: Option<BTreeMap<Kind, Tally>>,
    /// The histograms, those that share a label value together; `None` while they are absent.
    pub(super) spread: Option<BTreeMap<CallType, Vec<&'a Distributions>>>,
    /// Open calls by status.
    pub(super) open: BTreeMap<Kind, BTreeMap<Status, u64>>,
    /// People in open calls.
    pub(super) people_open: BTreeMap<Kind, u64>,
    /// The recent window; `None` while it is absent.
    pub(super) recent: Option<BTreeMap<Kind, RecentTally>>,
}

impl<'a> Sums<'a> {
    pub(super) fn new(app: &'a AppView<'a>, breakdown: Breakdown) -> Self {
        let counted = app.totals.map(|totals| counted(totals, breakdown));
        // A gauge of a kind that was counted once stays at 0 afterwards.
        let shown: Vec<Kind> = match &counted {
            Some(counted) => counted.keys().copied().collect(),
            None => Kind::documented().map(|kind| breakdown.project(kind)).collect(),
        };
        let mut open: BTreeMap<_, BTreeMap<_, _>> =
            shown.iter().map(|&kind| (kind, BTreeMap::new())).collect();
        for (&(kind, status), n) in &app.open.calls {
            *open.entry(breakdown.project(kind)).or_default().entry(status).or_default() += n;
        }
        let mut people_open: BTreeMap<_, _> = open.keys().map(|&kind| (kind, 0)).collect();
        for (&kind, n) in &app.open.people {
            *people_open.entry(breakdown.project(kind)).or_default() += n;
        }
        let recent = app.recent.map(|recent| summed_recent(recent, &shown, breakdown));
        let spread = app.totals.map(|totals| spread(totals, breakdown));
        Self { app, breakdown, counted, spread, open, people_open, recent }
    }
}

impl Sums<'_> {
    /// The newest example of a call of this kind with this final status, if examples are shown.
    pub(super) fn example(&self, kind: Kind, outcome: Outcome) -> Option<&Example> {
        let (project, examples) = (|kind| self.breakdown.project(kind), self.app.examples?);
        let calls = examples
            .calls
            .iter()
            .filter(|((of, status), _)| project(*of) == kind && *status == outcome);
        calls.map(|(_, example)| example).max_by_key(|example| example.seen_at)
    }

    /// The newest example in each bucket of a histogram; `None` for all call types together.
    pub(super) fn examples(
        &self,
        which: Histograms,
        call_type: Option<CallType>,
        n_buckets: usize,
    ) -> Vec<Option<&Example>> {
        let Some(examples) = self.app.examples else { return Vec::new() };
        let of_bucket = |bucket| {
            let types = CallType::ALL.into_iter().filter(|it| call_type.is_none_or(|of| of == *it));
            let found = types.filter_map(|it| examples.observed.get(&(which, it, bucket)));
            found.max_by_key(|example| example.seen_at)
        };
        (0..n_buckets).map(of_bucket).collect()
    }
}

fn counted(totals: &Totals, breakdown: Breakdown) -> BTreeMap<Kind, Tally> {
    let mut sums: BTreeMap<_, _> =
        Kind::documented().map(|kind| (breakdown.project(kind), Tally::default())).collect();
    for (&kind, tally) in &totals.by_kind {
        let sum = sums.entry(breakdown.project(kind)).or_default();
        for (sum, value) in sum.0.iter_mut().zip(tally.0) {
            *sum = sum.saturating_add(value);
        }
    }
    sums
}

fn spread(totals: &Totals, breakdown: Breakdown) -> BTreeMap<CallType, Vec<&Distributions>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for call_type in CallType::ALL {
        let seen = || totals.by_kind.keys().any(|kind| kind.call_type == call_type);
        if call_type != CallType::Other || !breakdown.call_type || seen() {
            let shown = if breakdown.call_type { call_type } else { CallType::ALL[0] };
            groups.entry(shown).or_default().push(&totals.distributions[call_type.index()]);
        }
    }
    groups
}

fn summed_recent(
    recent: &Recent,
    shown: &[Kind],
    breakdown: Breakdown,
) -> BTreeMap<Kind, RecentTally> {
    let mut sums: BTreeMap<_, _> =
        shown.iter().map(|&kind| (kind, RecentTally::default())).collect();
    for (&kind, tally) in &recent.by_kind {
        let sum = sums.entry(breakdown.project(kind)).or_default();
        for (sum, n) in sum.calls.iter_mut().zip(tally.calls) {
            *sum += n;
        }
        sum.audio_ms += tally.audio_ms;
        sum.video_ms += tally.video_ms;
        sum.participants += tally.participants;
        sum.recorded += tally.recorded;
    }
    sums
}

/// `(outcome, value)` of the calls that are over; `other` appears when seen.
pub(super) fn calls_by_outcome(tally: &Tally) -> impl Iterator<Item = (Outcome, u64)> {
    Outcome::ALL
        .map(|outcome| (outcome, tally.get(Counter::Calls(outcome))))
        .into_iter()
        .filter(|&(outcome, n)| outcome != Outcome::Other || n > 0)
}

/// `(label, value)` of the calls of the recent window; `other` appears when seen.
pub(super) fn recent_by_status(tally: &RecentTally) -> impl Iterator<Item = (&'static str, u64)> {
    let outcomes = Outcome::ALL.map(Status::Final);
    [Status::Initiated, Status::Ongoing]
        .into_iter()
        .chain(outcomes)
        .map(|status| (status, tally.calls[RecentTally::slot(status)]))
        .filter(|&(status, n)| status != Status::Final(Outcome::Other) || n > 0)
        .map(|(status, n)| (status.label(), n))
}

/// `(label, value)` of open calls; an unknown status appears when seen.
pub(super) fn open_by_status(
    open: &BTreeMap<Status, u64>,
) -> impl Iterator<Item = (&'static str, u64)> {
    Status::OPEN
        .map(|status| (status, open.get(&status).copied().unwrap_or_default()))
        .into_iter()
        .filter(|&(status, n)| status != Status::Unknown || n > 0)
        .map(|(status, n)| (status.label(), n))
}
