//! The API, as little of it as is known: rows that appear, change, move and vanish, behind a paged
//! list and a Get. Time is injected; every quirk that matters to counting is a field of `Quirks`.

use cometchat_exporter::call::{
    Amount, Amounts, Call, CallKey, CallType, Kind, Mode, Moment, Outcome, ReceiverType, Status,
    Timestamp, UnknownWords,
};

use super::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListOrder {
    New,
    Old,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PastEnd {
    Empty,
    NotFound,
    LastPage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    Empty,
    NotFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GetQuirk {
    /// Of a session id that was used again, the newest.
    Newest,
    Oldest,
    Never,
    Refused,
}

#[derive(Clone, Debug)]
pub(super) struct Quirks {
    pub(super) order: ListOrder,
    pub(super) first_page: u32,
    /// What page 0 is on a list that starts at 1.
    pub(super) page_0: PastEnd,
    pub(super) per_page_max: usize,
    /// Other such caps, each from a moment on, in milliseconds.
    pub(super) caps_later: Vec<(i64, usize)>,
    pub(super) past_end: PastEnd,
    pub(super) get: GetQuirk,
    pub(super) fail_percent: i64,
    /// How far a row may stand from where its time belongs, in seconds.
    pub(super) disorder_s: i64,
    /// Which answer with a page, by its number from 1 on, shows no row by mistake, and how.
    pub(super) mistake: Option<(u64, Mistake)>,
}

impl Quirks {
    pub(super) fn random(random: &mut Random) -> Self {
        use ListOrder::{New, Old};
        Self {
            order: random.pick(&[New, New, New, Old, Old]),
            first_page: random.pick(&[1, 1, 0]),
            page_0: random.pick(&[PastEnd::LastPage, PastEnd::Empty, PastEnd::NotFound]),
            per_page_max: random.pick(&[100, 100, 3, 5]),
            caps_later: Vec::new(),
            past_end: random.pick(&[PastEnd::Empty, PastEnd::NotFound, PastEnd::LastPage]),
            get: random.pick(&[
                GetQuirk::Newest,
                GetQuirk::Newest,
                GetQuirk::Oldest,
                GetQuirk::Never,
                GetQuirk::Refused,
            ]),
            fail_percent: random.pick(&[0, 0, 10, 30]),
            disorder_s: random.pick(&[0, 0, 0, 1, 3, 10]),
            // One of the first answers: a later one may cost rows, as the bounds say.
            mistake: random
                .pick(&[None, None, Some(Mistake::Empty), Some(Mistake::NotFound)])
                .map(|shows| (u64::try_from(random.between(1, 12)).unwrap(), shows)),
        }
    }

    fn cap(&self, now_ms: i64) -> usize {
        let begun = self.caps_later.iter().rev().find(|(from_ms, _)| *from_ms <= now_ms);
        begun.map_or(self.per_page_max, |(_, cap)| *cap)
    }
}

/// One call's life: what the list shows of it from when on, in milliseconds.
pub(super) struct Life {
    pub(super) key: CallKey,
    pub(super) rows: Vec<(i64, Option<Call>)>,
    /// Up to when changes are promised to be counted.
    pub(super) bound_ms: i64,
}

pub(super) enum Answer {
    Rows(Vec<Call>),
    NotFound,
    Failure,
}

pub(super) struct World {
    pub(super) quirks: Quirks,
    pub(super) lives: Vec<Life>,
    pub(super) outages: Vec<(i64, i64)>,
    pub(super) now_ms: i64,
    /// From here on every request is answered.
    pub(super) faults_end_ms: i64,
    events: Vec<(i64, usize, Option<Call>)>,
    n_applied: usize,
    n_listed: u64,
    /// The list, oldest first but for the disorder.
    rows: Vec<((Timestamp, usize), Call)>,
    random: Random,
}

impl Life {
    pub(super) fn vanishes(&self) -> bool {
        self.rows.iter().any(|(_, row)| row.is_none())
    }
}

impl World {
    pub(super) fn new(lives: Vec<Life>, quirks: Quirks, random: Random) -> Self {
        let mut events: Vec<_> = lives
            .iter()
            .enumerate()
            .flat_map(|(uid, life)| life.rows.iter().map(move |(at, row)| (*at, uid, row.clone())))
            .collect();
        events.sort_by_key(|&(at, uid, _)| (at, uid));
        let (outages, rows) = (Vec::new(), Vec::new());
        Self {
            quirks,
            lives,
            outages,
            now_ms: 0,
            faults_end_ms: i64::MAX,
            events,
            n_applied: 0,
            n_listed: 0,
            rows,
            random,
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment(self.now_ms)
    }

    pub(super) fn advance(&mut self, to_ms: i64) {
        self.now_ms = self.now_ms.max(to_ms);
        while let Some((at, uid, row)) = self.events.get(self.n_applied) {
            if *at > self.now_ms {
                break;
            }
            let place = (self.place(*uid), *uid);
            let found = self.rows.binary_search_by_key(&place, |(place, _)| *place);
            match (found, row) {
                (Ok(idx), Some(row)) => self.rows[idx].1 = row.clone(),
                (Err(idx), Some(row)) => self.rows.insert(idx, (place, row.clone())),
                (Ok(idx), None) => drop(self.rows.remove(idx)),
                (Err(_), None) => {}
            }
            self.n_applied += 1;
        }
    }

    /// The second by which a call stands in the list.
    fn place(&self, uid: usize) -> Timestamp {
        let away_s = Random::new(uid as u64).below(self.quirks.disorder_s + 1);
        self.lives[uid].key.initiated_at.plus_s(away_s)
    }

    fn is_down(&mut self) -> bool {
        let now = self.now_ms;
        self.outages.iter().any(|&(from, to)| from <= now && now < to)
            || now < self.faults_end_ms && self.random.chance(self.quirks.fail_percent)
    }

    pub(super) fn list(&mut self, page: u32, per_page: usize) -> Answer {
        if self.is_down() {
            return Answer::Failure;
        }
        self.n_listed += 1;
        match self.quirks.mistake.filter(|(number, _)| *number == self.n_listed) {
            Some((_, Mistake::NotFound)) => return Answer::NotFound,
            Some((_, Mistake::Empty)) => return Answer::Rows(Vec::new()),
            None => {}
        }
        let size = per_page.min(self.quirks.cap(self.now_ms));
        let mut page = page;
        if self.quirks.first_page == 1 && page == 0 {
            match self.quirks.page_0 {
                PastEnd::Empty => return Answer::Rows(Vec::new()),
                PastEnd::NotFound => return Answer::NotFound,
                PastEnd::LastPage => page = 1,
            }
        }
        let last = self.rows.len().saturating_sub(1) / size;
        let mut idx = (page - self.quirks.first_page) as usize;
        if idx > last {
            match self.quirks.past_end {
                PastEnd::Empty => return Answer::Rows(Vec::new()),
                PastEnd::NotFound => return Answer::NotFound,
                PastEnd::LastPage => idx = last,
            }
        }
        let row = |(_, row): &(_, Call)| row.clone();
        let rows = self.rows.iter();
        Answer::Rows(match self.quirks.order {
            ListOrder::New => rows.rev().skip(idx * size).take(size).map(row).collect(),
            ListOrder::Old => rows.skip(idx * size).take(size).map(row).collect(),
        })
    }

    pub(super) fn get(&mut self, session_id: &str) -> Answer {
        if self.is_down() {
            return Answer::Failure;
        }
        let found = self.rows.iter().map(|(_, row)| row);
        let mut found = found.filter(|row| &*row.key.session_id == session_id);
        let row = match self.quirks.get {
            GetQuirk::Newest => found.next_back(),
            GetQuirk::Oldest => found.next(),
            GetQuirk::Never => None,
            GetQuirk::Refused => return Answer::Failure,
        };
        row.map_or(Answer::NotFound, |row| Answer::Rows(vec![row.clone()]))
    }
}

/// The three bounds of the promise, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) lookback_s: i64,
    pub(super) settle_s: i64,
    pub(super) max_open_s: i64,
}

/// A small world, with session ids that are used again, calls beyond the bounds, and calls that are
/// no longer listed one day where `rows_vanish`.
pub(super) fn small(seed: u64, n_calls: i64, bounds: Bounds, rows_vanish: bool) -> World {
    let mut random = Random::new(seed);
    let (mut lives, mut sids): (Vec<Life>, Vec<Box<str>>) = (Vec::new(), Vec::new());
    let mut at_s = 1;
    for uid in 0..n_calls {
        at_s += random.pick(&[0, 0, 0, 1, 1, 3, 10, 30]);
        let own: Box<str> = format!("s{uid}").into();
        let reused = if random.chance(10) { sids.last().cloned() } else { None };
        let taken = |sid: &str| {
            let mut same = lives.iter().map(|life: &Life| &life.key);
            same.any(|key| key.initiated_at.0 == at_s && &*key.session_id == sid)
        };
        let session_id = reused.filter(|sid| !taken(sid)).unwrap_or(own);
        sids.push(session_id.clone());
        let key = CallKey { initiated_at: Timestamp(at_s), session_id };
        lives.push(life(&mut random, key, bounds, rows_vanish));
    }
    let quirks = Quirks::random(&mut random);
    let outages = (0..random.below(3)).map(|_| {
        let from = random.below((at_s + 60) * 1000);
        (from, from + random.pick(&[5_000, 30_000, 80_000, 150_000]))
    });
    let outages = outages.collect();
    let mut world = World::new(lives, quirks, Random::new(seed ^ 0xA11));
    world.outages = outages;
    world
}

pub(super) fn row(key: &CallKey, status: Status, random: &mut Random) -> Call {
    Call {
        key: key.clone(),
        kind: Kind {
            call_type: random.pick(&CallType::ALL),
            mode: random.pick(&Mode::ALL),
            receiver: random.pick(&ReceiverType::ALL),
        },
        status,
        started_at: None,
        ended_at: None,
        amounts: Amounts::default(),
        people: 0,
        people_present: 0,
        entries: [0; Outcome::ALL.len()],
        unknown: UnknownWords::default(),
    }
}

fn life(random: &mut Random, key: CallKey, bounds: Bounds, vanishes: bool) -> Life {
    let start_ms = key.initiated_at.0 * 1000;
    let lookback_ms = bounds.lookback_s * 1000;
    let mut appears_ms = start_ms;
    appears_ms += match random.below(7) {
        0..=2 => 0,
        3 | 4 => 400,
        5 => random.below(20_000),
        _ => random.below(lookback_ms),
    };
    if random.chance(5) {
        appears_ms = start_ms + lookback_ms + random.below(lookback_ms);
    }
    let ring_ms = random.below(15_000);
    let talk_ms = if random.chance(50) {
        random.below(10_000)
    } else {
        random.below((bounds.max_open_s - 20) * 1000)
    };
    let mut full = Amounts::default();
    for amount in [Amount::AudioMs, Amount::Participants, Amount::Recordings] {
        full.set(amount, u64::try_from(random.between(1, 1 << 30)).unwrap());
    }
    let mut now = row(&key, Status::Initiated, random);
    let mut rows = vec![(start_ms, Some(now.clone()))];
    let (mut at_ms, bound_ms);
    if random.chance(30) {
        at_ms = start_ms + ring_ms;
        bound_ms = at_ms.max(start_ms + bounds.settle_s * 1000);
        now.status = Status::Final(random.pick(&Outcome::ALL[1..5]));
    } else {
        let ended = (start_ms + ring_ms + talk_ms) / 1000;
        now.status = Status::Ongoing;
        now.started_at = Some(Timestamp((start_ms + ring_ms) / 1000));
        rows.push((start_ms + ring_ms, Some(now.clone())));
        if random.chance(40) {
            now.amounts.set(Amount::AudioMs, 1);
            rows.push((start_ms + ring_ms + talk_ms / 2, Some(now.clone())));
        }
        let delay_ms =
            random.pick(&[200, 500, random.clone().below(bounds.settle_s.min(8) * 1000)]);
        at_ms = (ended * 1000 + delay_ms).max(start_ms + ring_ms + talk_ms);
        bound_ms = at_ms.max((ended + bounds.settle_s) * 1000);
        now.status = Status::Final(Outcome::Ended);
        now.ended_at = Some(Timestamp(ended));
        now.people = 2;
    }
    if random.chance(4) {
        return seen_late(key, rows, appears_ms, bound_ms); // open for good
    }
    rows.push((at_ms, Some(now.clone())));
    let later = |random: &mut Random, at: i64| at + random.below((bound_ms - at).max(1) * 99 / 100);
    for amount in [Amount::AudioMs, Amount::Participants, Amount::Recordings] {
        if random.chance(60) {
            at_ms = later(random, at_ms);
            now.amounts.set(amount, full.get(amount));
            rows.push((at_ms, Some(now.clone())));
        }
    }
    match random.below(100) {
        0..8 => {
            at_ms = later(random, at_ms);
            now.amounts.set(Amount::AudioMs, 0);
            rows.push((at_ms, Some(now.clone())));
        }
        8..14 => {
            at_ms = later(random, at_ms);
            now.status = random.pick(&[
                Status::Final(Outcome::Ended),
                Status::Final(Outcome::Busy),
                Status::Ongoing,
            ]);
            rows.push((at_ms, Some(now.clone())));
        }
        14..18 if vanishes => rows.push((at_ms + random.below(200_000), None)),
        _ => {}
    }
    seen_late(key, rows, appears_ms, bound_ms)
}

/// The list shows nothing of a call before it appears, and of two changes at once the second.
pub(super) fn seen_late(
    key: CallKey,
    rows: Vec<(i64, Option<Call>)>,
    appears_ms: i64,
    bound_ms: i64,
) -> Life {
    let mut seen: Vec<(i64, Option<Call>)> = Vec::new();
    for (at_ms, row) in rows {
        let at_ms = at_ms.max(appears_ms);
        seen.retain(|(at, _)| *at < at_ms);
        seen.push((at_ms, row));
    }
    Life { key, rows: seen, bound_ms }
}
