//! The one rule of counting: a new sight of a call against what was counted of it.

use super::{Counter, Entry, FirstFinal, Phase, Rules, Totals};
use crate::call::{
    Amount, Amounts, Call, Kind, Moment, Outcome, Status, Timestamp, UnknownWords, WordField,
};

/// What one sight of one call adds to the totals of its app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Under which breakdown.
    pub kind: Kind,
    /// By how much each counter rises.
    pub adds: Vec<(Counter, u64)>,
    /// What the histograms observe, for a call that is seen `ended` for the first time.
    pub observed: Option<Observed>,
    /// Values that fell below what was counted.
    pub corrections: u64,
    /// 1 when the call is given up.
    pub abandoned: u64,
    /// Fields with an unknown word, counted now.
    pub unknown: UnknownWords,
}

/// What the histograms take from an ended call with both times present and in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Start to end, seconds.
    pub duration_s: u64,
    /// Ringing to answer, seconds; only where something rang.
    pub answer_s: Option<u64>,
    /// People.
    pub people: u64,
}

impl Posting {
    pub(super) const fn nothing(kind: Kind) -> Self {
        Self {
            kind,
            adds: Vec::new(),
            observed: None,
            corrections: 0,
            abandoned: 0,
            unknown: UnknownWords::from_bits(0),
        }
    }

    /// Whether the totals stay as they are.
    pub fn is_empty(&self) -> bool {
        *self == Self::nothing(self.kind)
    }

    fn add(&mut self, counter: Counter, by: u64) {
        if by > 0 {
            self.adds.push((counter, by));
        }
    }
}

impl Totals {
    /// Adds a posting. There is no way to take one back.
    pub fn apply(&mut self, posting: &Posting) {
        if !posting.adds.is_empty() {
            let tally = self.by_kind.entry(posting.kind).or_default();
            for &(counter, by) in &posting.adds {
                tally.add(counter, by);
            }
        }
        if let Some(observed) = posting.observed {
            let of_type = &mut self.distributions[posting.kind.call_type.index()];
            of_type.duration_s.observe(observed.duration_s);
            of_type.people.observe(observed.people);
            if let Some(answer_s) = observed.answer_s {
                of_type.answer_s.observe(answer_s);
            }
        }
        self.corrections += posting.corrections;
        self.abandoned += posting.abandoned;
        for field in WordField::ALL {
            self.unknown[field.index()] += u64::from(posting.unknown.contains(field));
        }
    }
}

/// Returns what is known of a call after `seen`, and what that adds.
///
/// `asked_at` is the start of the request that showed it, on the API's clock. The difference to
/// what was posted is posted, never the row: reading a page twice adds nothing. A value that falls
/// posts nothing and keeps the larger figure, as counters cannot fall. The entry's `due` is left as
/// it was.
pub fn post(
    rules: &Rules,
    prior: Option<&Entry>,
    seen: &Call,
    asked_at: Moment,
) -> (Entry, Posting) {
    let fresh;
    let before = match prior {
        Some(entry) => entry,
        None => {
            fresh = first_sight(rules, seen);
            &fresh
        }
    };
    let mut entry = Entry {
        status: seen.status,
        newest: seen.amounts,
        people_present: seen.people_present,
        ..before.clone()
    };
    let mut posting = Posting::nothing(entry.kind);
    if before.phase == Phase::GivenUp {
        return (entry, posting);
    }
    if entry.counted {
        if prior.is_none() {
            posting.add(Counter::Initiated, 1);
        }
        post_amounts(&mut entry, &mut posting, seen);
    }
    match outcome(rules, seen, asked_at).or(before.first_final.map(|first| first.outcome)) {
        None if asked_at >= gives_up_at(rules, seen.key.initiated_at) => {
            give_up(rules, &mut entry, &mut posting);
        }
        None => {}
        Some(outcome) => {
            if before.first_final.is_none() {
                post_final(rules, &mut entry, &mut posting, seen, outcome, asked_at);
                entry.phase = Phase::Settling { until: settles_at(rules, prior, seen, asked_at) };
            }
            settle(&mut entry, asked_at);
        }
    }
    (entry, posting)
}

/// Returns what is known of a call after a look that showed its whole second and not the call, and
/// what that adds.
pub fn absent(
    rules: &Rules,
    entry: &Entry,
    initiated_at: Timestamp,
    asked_at: Moment,
) -> (Entry, Posting) {
    let mut entry = entry.clone();
    let mut posting = Posting::nothing(entry.kind);
    if entry.phase == Phase::Open && asked_at >= gives_up_at(rules, initiated_at) {
        give_up(rules, &mut entry, &mut posting);
    }
    settle(&mut entry, asked_at);
    (entry, posting)
}

fn first_sight(rules: &Rules, seen: &Call) -> Entry {
    Entry {
        phase: Phase::Open,
        due: Moment::MAX,
        kind: seen.kind,
        status: seen.status,
        counted: seen.key.initiated_at >= rules.epoch,
        first_final: None,
        posted: Amounts::default(),
        newest: seen.amounts,
        people_present: seen.people_present,
        corrected: 0,
        unknown: UnknownWords::default(),
    }
}

/// The final status that a row shows, if it shows one.
fn outcome(rules: &Rules, seen: &Call, asked_at: Moment) -> Option<Outcome> {
    match seen.status {
        Status::Initiated | Status::Ongoing => None,
        Status::Final(outcome) => Some(outcome),
        Status::Unknown => {
            let old = seen.key.initiated_at.plus_s(rules.settle_s).start() <= asked_at;
            (seen.ended_at.is_some() || old).then_some(Outcome::Other)
        }
    }
}

fn gives_up_at(rules: &Rules, initiated_at: Timestamp) -> Moment {
    initiated_at.plus_s(rules.max_open_s).start()
}

/// From the first sight of the final status where the call was known open before, else from
/// `endedAt`, else from `initiatedAt`; never from the future, or a wrong `endedAt` would keep the
/// call for ever.
fn settles_at(rules: &Rules, prior: Option<&Entry>, seen: &Call, asked_at: Moment) -> Moment {
    let from = match prior {
        Some(_) => asked_at,
        None => seen.ended_at.unwrap_or(seen.key.initiated_at).start().min(asked_at),
    };
    from.plus_ms(rules.settle_s.saturating_mul(1000))
}

fn settle(entry: &mut Entry, asked_at: Moment) {
    let over = match entry.phase {
        Phase::Settling { until } => asked_at >= until || !entry.counted,
        Phase::Open | Phase::Settled | Phase::GivenUp => false,
    };
    if over {
        entry.phase = Phase::Settled;
    }
}

fn give_up(rules: &Rules, entry: &mut Entry, posting: &mut Posting) {
    entry.phase = Phase::GivenUp;
    if entry.counted {
        posting.abandoned = 1;
        posting.add(Counter::Failed, u64::from(rules.failures.abandoned));
    }
}

fn post_amounts(entry: &mut Entry, posting: &mut Posting, seen: &Call) {
    for amount in Amount::ALL {
        let (posted, now) = (entry.posted.get(amount), seen.amounts.get(amount));
        posting.add(counter_of(amount), now.saturating_sub(posted));
        if now < posted && is_correctable(amount) {
            correct(entry, posting, 1 + amount.index());
        }
    }
    entry.posted = entry.posted.max(&seen.amounts);
    if let (Some(first), Status::Initiated | Status::Ongoing | Status::Final(_)) =
        (entry.first_final, seen.status)
        && seen.status != Status::Final(first.outcome)
    {
        correct(entry, posting, 0);
    }
    posting.unknown = seen.unknown.without(entry.unknown);
    entry.unknown = entry.unknown.union(seen.unknown);
}

fn post_final(
    rules: &Rules,
    entry: &mut Entry,
    posting: &mut Posting,
    seen: &Call,
    outcome: Outcome,
    asked_at: Moment,
) {
    entry.first_final = Some(FirstFinal { outcome, seen_at: asked_at.floor() });
    if !entry.counted {
        return;
    }
    let unconnected = outcome == Outcome::Ended && seen.people < 2;
    let failed =
        rules.failures.outcomes[outcome.index()] || unconnected && rules.failures.unconnected;
    let media = seen.amounts.get(Amount::AudioMs) + seen.amounts.get(Amount::VideoMs);
    let lasted = seen.duration_s().is_some_and(|duration| duration > 0) || media > 0;
    posting.add(Counter::Calls(outcome), 1);
    posting.add(Counter::Failed, u64::from(failed));
    posting.add(Counter::Unconnected, u64::from(unconnected));
    posting.add(Counter::WithoutParticipants, u64::from(lasted && seen.lists_nobody()));
    for state in Outcome::ALL {
        posting.add(Counter::Entries(state), u64::from(seen.entries[state.index()]));
    }
    if outcome == Outcome::Ended {
        posting.observed = seen.duration_s().map(|duration_s| Observed {
            duration_s,
            answer_s: seen.answer_s(),
            people: u64::from(seen.people),
        });
    }
}

/// Counts a correction once per call and field; bit 0 is the status, bit 1 + n the amount n.
fn correct(entry: &mut Entry, posting: &mut Posting, bit: usize) {
    posting.corrections += u64::from(entry.corrected & 1 << bit == 0);
    entry.corrected |= 1 << bit;
}

/// The two flags may flip without being a correction: their counters count calls, not values.
const fn is_correctable(amount: Amount) -> bool {
    !matches!(amount, Amount::Recorded | Amount::Transcribed)
}

const fn counter_of(amount: Amount) -> Counter {
    match amount {
        Amount::AudioMs => Counter::AudioMs,
        Amount::VideoMs => Counter::VideoMs,
        Amount::Participants => Counter::Participants,
        Amount::UserAudioMs => Counter::UserAudioMs,
        Amount::UserVideoMs => Counter::UserVideoMs,
        Amount::Recordings => Counter::Recordings,
        Amount::RecordingMs => Counter::RecordingMs,
        Amount::Recorded => Counter::Recorded,
        Amount::Transcribed => Counter::Transcribed,
    }
}
