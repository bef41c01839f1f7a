//! Where in the list moments were seen, so that a search begins near what it looks for.

use std::collections::BTreeMap;

use super::Order;
use crate::call::Timestamp;

/// Enough for a page in each part of a long list, and little to remember.
const LANDMARKS_MAX: usize = 256;

/// On which page a row of some second was seen: hints, which new rows outdate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Landmarks(BTreeMap<Timestamp, u32>);

impl Landmarks {
    /// Notes on which page a row of this second stands. Of too many goes the one whose neighbours are
    /// nearest to each other.
    pub(super) fn note(&mut self, at: Timestamp, page: u32) {
        self.0.insert(at, page);
        if self.0.len() > LANDMARKS_MAX {
            let all: Vec<Timestamp> = self.0.keys().copied().collect();
            let least = all.windows(3).min_by_key(|near| near[2].since_s(near[0]));
            if let Some(near) = least {
                self.0.remove(&near[1]);
            }
        }
    }

    /// Forgets all, since they lead astray.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The page on which `target` may stand, between those next to it; `guess` is what is thought
    /// without them.
    pub(super) fn page_of(&self, order: Order, target: Timestamp, guess: u32) -> u32 {
        let older = self.0.range(..target).next_back();
        let newer = self.0.range(target..).next();
        let (Some((older_at, older_page)), Some((newer_at, newer_page))) = (older, newer) else {
            let (before, past) =
                if order.is_newest_first() { (newer, older) } else { (older, newer) };
            let guess = before.map_or(guess, |(_, page)| guess.max(*page));
            return past.map_or(guess, |(_, page)| guess.min(*page));
        };
        let (n_pages, away_s) =
            (i64::from(*newer_page) - i64::from(*older_page), target.since_s(*older_at));
        let ahead = n_pages.saturating_mul(away_s) / newer_at.since_s(*older_at).max(1);
        u32::try_from(i64::from(*older_page) + ahead).unwrap_or(guess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_looked_for_between_those_next_to_it() {
        let (mut landmarks, order) = (Landmarks::default(), Order::default());
        assert_eq!(landmarks.page_of(order, Timestamp(500), 7), 7);
        landmarks.note(Timestamp(1_000), 10);
        landmarks.note(Timestamp(0), 110);
        assert_eq!(landmarks.page_of(order, Timestamp(500), 7), 60);
        assert_eq!(landmarks.page_of(order, Timestamp(100), 7), 100);
        // Beyond both of them what was thought holds as far as they do not contradict.
        assert_eq!(landmarks.page_of(order, Timestamp(2_000), 3), 3);
        assert_eq!(landmarks.page_of(order, Timestamp(2_000), 50), 10);
        assert_eq!(landmarks.page_of(order, Timestamp(-1), 50), 110);
    }

    #[test]
    fn of_too_many_those_that_say_least_go() {
        let mut landmarks = Landmarks::default();
        (0..i64::from(u16::MAX)).for_each(|at| landmarks.note(Timestamp(at), 1));
        let (first, last) = (landmarks.0.keys().next(), landmarks.0.keys().next_back());
        assert_eq!(landmarks.0.len(), LANDMARKS_MAX);
        assert_eq!(last, Some(&Timestamp(i64::from(u16::MAX) - 1)));
        assert!(first < Some(&Timestamp(1_000)), "{first:?}");
    }
}
