//! Pages with a row that could not be read: asked for again, but not for ever.

use std::collections::VecDeque;

use super::Page;

/// A page is read again this often for the sake of one row.
const REREADS: u32 = 3;
/// Rows remembered.
const ROWS_MAX: usize = 1024;

/// How often each unreadable row was seen, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rereads {
    seen: VecDeque<(u64, u32)>,
}

impl Rereads {
    /// Notes the unreadable rows of a page; true where one of them deserves another try, so that
    /// the time of the page does not count as read yet.
    pub fn wants(&mut self, page: &Page) -> bool {
        let mut wants = false;
        for defect in page.defects.iter().filter(|defect| defect.is_no_call()) {
            let old = self.seen.iter().position(|(hash, _)| *hash == defect.row_hash);
            let n_seen = old.and_then(|at| self.seen.remove(at)).map_or(1, |(_, n)| n + 1);
            self.seen.push_back((defect.row_hash, n_seen));
            wants |= n_seen <= REREADS;
        }
        while self.seen.len() > ROWS_MAX {
            self.seen.pop_front();
        }
        wants
    }
}
