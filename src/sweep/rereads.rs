//! Pages with a row that could not be read: asked for again, but not for ever.

use std::collections::{BTreeMap, VecDeque};

use super::Page;
use super::walk::Walk;

/// A page is read again this often for the sake of one row.
const REREADS: u32 = 3;
/// Rows remembered.
const ROWS_MAX: usize = 1024;

/// How often each unreadable row was seen, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rereads {
    seen: VecDeque<(u64, u32)>,
    /// How often in a row each walk was held up.
    held_up: BTreeMap<Walk, u32>,
}

impl Rereads {
    /// Notes the unreadable rows of a page; true where one of them deserves another try, so that
    /// the time of the page does not count as read yet. No walk stands still for rows that are new
    /// each time.
    pub fn wants(&mut self, walk: Walk, page: &Page) -> bool {
        let mut wants = false;
        let lost = page.defects.iter().filter(|defect| defect.is_no_call());
        for defect in lost.take(ROWS_MAX) {
            let old = self.seen.iter().position(|(hash, _)| *hash == defect.row_hash);
            let n_seen = old.and_then(|at| self.seen.remove(at)).map_or(1, |(_, n)| n + 1);
            self.seen.push_back((defect.row_hash, n_seen));
            wants |= n_seen <= REREADS;
        }
        while self.seen.len() > ROWS_MAX {
            self.seen.pop_front();
        }
        let n_held_up = self.held_up.remove(&walk).unwrap_or(0) + 1;
        if !wants || n_held_up > REREADS {
            return false;
        }
        self.held_up.insert(walk, n_held_up);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Defect, Reason};
    use super::*;

    /// How often a page is read before its time counts as read; `rows` are those of each try.
    fn n_reads(rows: impl Fn(u64) -> Vec<u64>) -> u64 {
        let mut rereads = Rereads::default();
        let defect = |row_hash| Defect { reason: Reason::NoInitiatedAt, row_hash };
        let page =
            |nth| Page { calls: Vec::new(), defects: rows(nth).into_iter().map(defect).collect() };
        let wants = |nth: &u64| rereads.wants(Walk::Head, &page(*nth));
        1 + (0..1000).take_while(wants).count() as u64
    }

    #[test]
    fn a_page_with_a_bad_row_is_read_three_times_more_and_then_no_longer() {
        assert_eq!(n_reads(|_| vec![]), 1);
        assert_eq!(n_reads(|_| vec![7]), 4);
    }

    #[test]
    fn bad_rows_that_are_new_each_time_hold_nothing_up() {
        assert_eq!(n_reads(|nth| vec![nth]), 4);
    }

    #[test]
    fn more_bad_rows_than_are_remembered_hold_nothing_up() {
        assert_eq!(n_reads(|_| (0..3 * ROWS_MAX as u64).collect()), 4);
    }
}
