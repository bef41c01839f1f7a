//! The gauges: open calls now, and the calls of the recent window.

use std::collections::BTreeMap;

use super::{Entry, Phase};
use crate::call::{Amount, Kind, Outcome, Status, Timestamp};

/// Open calls right now. Kept by adding each new entry and taking back the one it replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenCalls {
    /// Open calls by breakdown and status.
    pub calls: BTreeMap<(Kind, Status), u64>,
    /// People that have joined and not left, by breakdown; never 0.
    pub people: BTreeMap<Kind, u64>,
    by_second: BTreeMap<Timestamp, u64>,
}

impl OpenCalls {
    /// Adds an entry; one that is not open changes nothing.
    pub fn add(&mut self, initiated_at: Timestamp, entry: &Entry) {
        if entry.phase == Phase::Open {
            *self.calls.entry((entry.kind, entry.status)).or_default() += 1;
            if entry.people_present > 0 {
                *self.people.entry(entry.kind).or_default() += u64::from(entry.people_present);
            }
            *self.by_second.entry(initiated_at).or_default() += 1;
        }
    }

    /// Takes back an entry that was added.
    pub fn remove(&mut self, initiated_at: Timestamp, entry: &Entry) {
        if entry.phase == Phase::Open {
            take(&mut self.calls, &(entry.kind, entry.status), 1);
            take(&mut self.people, &entry.kind, u64::from(entry.people_present));
            take(&mut self.by_second, &initiated_at, 1);
        }
    }

    /// When the oldest open call was initiated.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.by_second.keys().next().copied()
    }

    /// A copy that of all times knows only the oldest: what is shown.
    pub fn without_times(&self) -> Self {
        let oldest = self.by_second.iter().next().map(|(&second, &n)| (second, n));
        let (calls, people) = (self.calls.clone(), self.people.clone());
        Self { calls, people, by_second: oldest.into_iter().collect() }
    }

    /// How many calls are open.
    pub fn count(&self) -> u64 {
        self.calls.values().sum()
    }
}

fn take<K: Ord>(map: &mut BTreeMap<K, u64>, key: &K, by: u64) {
    if let Some(value) = map.get_mut(key) {
        *value = value.saturating_sub(by);
        if *value == 0 {
            map.remove(key);
        }
    }
}

/// What the calls of the recent window sum up to, as they are now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// By breakdown; what is not in the map is 0.
    pub by_kind: BTreeMap<Kind, RecentTally>,
}

/// The recent window of one breakdown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecentTally {
    /// Calls by status label: `initiated`, `ongoing`, then [`Outcome::ALL`].
    pub calls: [u64; 2 + Outcome::ALL.len()],
    /// The calls' own audio, ms.
    pub audio_ms: u64,
    /// The calls' own video, ms.
    pub video_ms: u64,
    /// Participants as the API counts them.
    pub participants: u64,
    /// Calls with a recording.
    pub recorded: u64,
}

impl RecentTally {
    /// Position of a status in [`Self::calls`].
    pub const fn slot(status: Status) -> usize {
        match status {
            Status::Initiated => 0,
            Status::Ongoing => 1,
            Status::Final(outcome) => 2 + outcome.index(),
            Status::Unknown => 2 + Outcome::Other.index(),
        }
    }
}

impl Recent {
    /// Adds a call of the window; one that was given up is left out.
    pub fn add(&mut self, entry: &Entry) {
        if entry.phase == Phase::GivenUp {
            return;
        }
        let tally = self.by_kind.entry(entry.kind).or_default();
        tally.calls[RecentTally::slot(entry.shown_status())] += 1;
        tally.audio_ms += entry.newest.get(Amount::AudioMs);
        tally.video_ms += entry.newest.get(Amount::VideoMs);
        tally.participants += entry.newest.get(Amount::Participants);
        tally.recorded += entry.newest.get(Amount::Recorded);
    }
}
