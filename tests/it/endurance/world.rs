//! An app of any size whose calls are made from their numbers: a page costs no more than its rows,
//! however long the list is, and a recount needs no memory.

use std::collections::BTreeMap;

use cometchat_exporter::call::{
    Amount, Amounts, Call, CallKey, CallType, Kind, Mode, Moment, Outcome, ReceiverType, Status,
    Timestamp, UnknownWords,
};
use cometchat_exporter::ledger::{Counter, Histogram, Tally, Totals};

/// Calls in each hour of the day (UTC), in parts of [`PARTS`].
const RHYTHM: [u64; 24] =
    [4, 3, 2, 2, 2, 3, 5, 8, 10, 12, 13, 13, 13, 13, 14, 14, 14, 13, 12, 11, 10, 9, 7, 5];
/// The sum of [`RHYTHM`].
const PARTS: u64 = 212;
const DAY_S: u64 = 86_400;
const HOUR_S: u64 = 3_600;

/// Calls from a midnight on, numbered in the order in which they begin, listed newest first.
pub(super) struct World {
    /// When the first of them may begin: a midnight.
    pub(super) first: Timestamp,
    pub(super) per_day: u64,
    /// How many there will ever be.
    pub(super) n_calls: u64,
}

impl World {
    /// How many calls begin before this second.
    pub(super) fn n_begun(&self, at: Timestamp) -> u64 {
        self.begun(seconds(at.since_s(self.first))).min(self.n_calls)
    }

    fn begun(&self, second: u64) -> u64 {
        let (day, of_day) = (second / DAY_S, second % DAY_S);
        let hour = usize::try_from(of_day / HOUR_S).unwrap();
        let parts: u64 = RHYTHM[..hour].iter().sum();
        let parts_s = parts * HOUR_S + RHYTHM[hour] * (of_day % HOUR_S);
        day * self.per_day + self.per_day * parts_s / (PARTS * HOUR_S)
    }

    /// The second in which this call begins.
    fn second_of(&self, idx: u64) -> u64 {
        let day = idx / self.per_day;
        let (mut from, mut to) = (day * DAY_S, (day + 1) * DAY_S);
        while to - from > 1 {
            let middle = u64::midpoint(from, to);
            if self.begun(middle) <= idx { from = middle } else { to = middle }
        }
        from
    }

    /// A page of the list, counted from 1; page 0 is another name of the first. A row is listed from
    /// the end of its second on.
    pub(super) fn list(&self, now: Moment, page: u32, per_page: u32) -> Vec<Call> {
        let skip = u64::from(page.saturating_sub(1)) * u64::from(per_page);
        let top = self.n_begun(now.floor()).saturating_sub(skip);
        let rows = top.saturating_sub(per_page.into())..top;
        let mut second = if rows.is_empty() { 0 } else { self.second_of(top - 1) };
        let row = |idx| {
            while self.begun(second) > idx {
                second -= 1;
            }
            self.row(idx, second, now)
        };
        rows.rev().map(row).collect()
    }

    /// The call with this session id, once it is listed.
    pub(super) fn get(&self, now: Moment, session_id: &str) -> Option<Call> {
        let (_, idx) = session_id.rsplit_once('.')?;
        let idx = u64::from_str_radix(idx, 16).ok()?;
        (idx < self.n_begun(now.floor())).then(|| self.row(idx, self.second_of(idx), now))
    }

    fn row(&self, idx: u64, second: u64, now: Moment) -> Call {
        let (life, second) = (Life::of(idx), second.cast_signed());
        let age_s = seconds(now.floor().since_s(self.first.plus_s(second)));
        let session_id = format!("v1.us.0123456789abcdef.{idx:013x}").into();
        let key = CallKey { initiated_at: self.first.plus_s(second), session_id };
        let after = |seconds: u64| Some(key.initiated_at.plus_s(seconds.cast_signed()));
        let is_final = life.final_s.is_some_and(|final_s| age_s > final_s);
        let started_s = life.started_s.filter(|&started_s| age_s >= started_s);
        let (mut entries, mut people) = ([0; Outcome::ALL.len()], 0);
        if is_final {
            entries[life.outcome.index()] = 2;
            people = if life.started_s.is_some() { 2 } else { 0 };
        }
        Call {
            kind: life.kind,
            status: match started_s {
                _ if is_final => Status::Final(life.outcome),
                Some(_) => Status::Ongoing,
                None => Status::Initiated,
            },
            started_at: started_s.and_then(after),
            ended_at: started_s.and(life.final_s).filter(|_| is_final).and_then(after),
            amounts: if is_final { life.amounts(age_s) } else { Amounts::default() },
            people,
            people_present: if started_s.is_some() && !is_final { 2 } else { 0 },
            entries,
            unknown: UnknownWords::default(),
            key,
        }
    }

    /// Fails unless every total is what the calls sum up to, one by one.
    #[track_caller]
    pub(super) fn assert_counted(&self, totals: &Totals) {
        let truth = Truth::of(self.n_calls);
        assert_eq!(totals.by_kind, truth.by_kind, "counters by breakdown");
        assert_eq!(totals.abandoned, truth.abandoned, "given up");
        assert_eq!((totals.corrections, totals.unknown), (0, [0; 5]), "corrections, unknown words");
        for (of_type, truth) in totals.distributions.iter().zip(truth.distributions) {
            let sums = [&of_type.duration_s, &of_type.answer_s, &of_type.people]
                .map(|it: &Histogram| (it.count(), it.sum));
            assert_eq!(sums, truth, "observations and sums of the histograms");
        }
    }
}

/// What becomes of a call, in seconds after it began.
struct Life {
    kind: Kind,
    outcome: Outcome,
    started_s: Option<u64>,
    /// Never, for a few.
    final_s: Option<u64>,
    recorded_s: Option<u64>,
}

impl Life {
    /// Two in three are answered and last some minutes, a few an hour or two; one in ten of these is
    /// recorded, which is seen up to half an hour later.
    fn of(idx: u64) -> Self {
        let dice = mixed(idx);
        let throw = |shift: u32, sides: u64| (dice >> shift & 0xFFFF) % sides;
        let kind = Kind {
            call_type: [CallType::Audio, CallType::Video][usize::from(dice & 1 > 0)],
            mode: Mode::Call,
            receiver: [ReceiverType::User, ReceiverType::Group][usize::from(dice & 2 > 0)],
        };
        let ring_s = 3 + throw(2, 25);
        if throw(8, 100) >= 65 {
            let outcome = Outcome::Unanswered;
            return Self {
                kind,
                outcome,
                started_s: None,
                final_s: Some(ring_s),
                recorded_s: None,
            };
        }
        let talk_s = match mixed(dice) % 200_000 {
            0 => None,
            1..40 => Some(1_800 + throw(24, 5_400)),
            _ => Some(5 + throw(24, 256).pow(2) * 450 / 65_536),
        };
        let final_s = talk_s.map(|talk_s| ring_s + talk_s);
        let recorded_s =
            final_s.filter(|_| throw(40, 10) == 0).map(|at| at + 30 + throw(48, 1_800));
        Self { kind, outcome: Outcome::Ended, started_s: Some(ring_s), final_s, recorded_s }
    }

    fn talk_s(&self) -> u64 {
        self.started_s.zip(self.final_s).map_or(0, |(from, to)| to - from)
    }

    /// What a final row shows at this age.
    fn amounts(&self, age_s: u64) -> Amounts {
        let mut amounts = Amounts::default();
        let talk_ms = self.talk_s() * 1000;
        let video_ms = if self.kind.call_type == CallType::Video { talk_ms } else { 0 };
        amounts.set(Amount::AudioMs, talk_ms);
        amounts.set(Amount::VideoMs, video_ms);
        amounts.set(Amount::UserAudioMs, 2 * talk_ms);
        amounts.set(Amount::UserVideoMs, 2 * video_ms);
        amounts.set(Amount::Participants, 2);
        if self.recorded_s.is_some_and(|recorded_s| age_s >= recorded_s) {
            amounts.set(Amount::Recorded, 1);
            amounts.set(Amount::Recordings, 1);
            amounts.set(Amount::RecordingMs, talk_ms);
        }
        amounts
    }
}

/// The recount at rest: it knows what a call was in the end, and nothing of how it was read.
#[derive(Default)]
struct Truth {
    by_kind: BTreeMap<Kind, Tally>,
    abandoned: u64,
    /// By call type, of durations, answers and people: how many, and their sum.
    distributions: [[(u64, u64); 3]; CallType::ALL.len()],
}

impl Truth {
    fn of(n_calls: u64) -> Self {
        let mut truth = Self::default();
        for life in (0..n_calls).map(Life::of) {
            let tally = truth.by_kind.entry(life.kind).or_default();
            tally.add(Counter::Initiated, 1);
            if life.final_s.is_none() {
                truth.abandoned += 1;
                continue;
            }
            tally.add(Counter::Calls(life.outcome), 1);
            tally.add(Counter::Entries(life.outcome), 2);
            let amounts = life.amounts(u64::MAX);
            for (counter, amount) in [
                (Counter::AudioMs, Amount::AudioMs),
                (Counter::VideoMs, Amount::VideoMs),
                (Counter::UserAudioMs, Amount::UserAudioMs),
                (Counter::UserVideoMs, Amount::UserVideoMs),
                (Counter::Participants, Amount::Participants),
                (Counter::Recorded, Amount::Recorded),
                (Counter::Recordings, Amount::Recordings),
                (Counter::RecordingMs, Amount::RecordingMs),
            ] {
                tally.add(counter, amounts.get(amount));
            }
            let Some(ring_s) = life.started_s else {
                tally.add(Counter::Failed, 1);
                continue;
            };
            let of_type = &mut truth.distributions[life.kind.call_type.index()];
            for ((n, sum), value) in of_type.iter_mut().zip([life.talk_s(), ring_s, 2]) {
                *n += 1;
                *sum += value;
            }
        }
        truth
    }
}

fn seconds(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}

/// `SplitMix64` of one number.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
