//! Whether the first page is 0 or 1: asked once per process, since no document says so.

use crate::call::Moment;

/// The pages asked for: each twice, so that a list that shifts meanwhile and an answer that is a mistake
/// are noticed.
const QUESTIONS: [u32; 6] = [0, 1, 2, 0, 1, 2];

/// A page with fewer rows may be pushed on by a whole page between two requests.
const LONG_ROWS: usize = 20;

/// How often all is asked again, since the list moved meanwhile or an answer was a mistake.
const ROUNDS_MAX: u32 = 4;

/// What one of these pages showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Rows, in their order, by their fingerprints.
    Rows(Vec<u64>),
    /// An answer without rows.
    Nothing,
    /// HTTP 404, or 400 for a page number that the API does not take.
    Refused,
}

impl Shown {
    /// Whether `later` shows the same page, but for rows that came in at its top meanwhile.
    ///
    /// Where it is the next page instead, as many rows would have to have come in as a page has, and
    /// half as many more at most: of a long page that is not to be believed.
    fn has_moved_to(&self, later: &Self) -> bool {
        let (Self::Rows(old), Self::Rows(new)) = (self, later) else { return false };
        let n_new = new.iter().position(|row| Some(row) == old.first());
        let n_new = n_new.filter(|&n_new| old.len() >= LONG_ROWS && n_new <= new.len() / 2);
        n_new.is_some_and(|n_new| old.starts_with(&new[n_new..]))
    }

    const fn has_rows(&self) -> bool {
        matches!(self, Self::Rows(_))
    }

    fn shares_rows(&self, other: &Self) -> bool {
        let (Self::Rows(rows), Self::Rows(others)) = (self, other) else { return false };
        rows.iter().any(|row| others.contains(row))
    }
}

/// The answers so far, and how often they had to be asked for again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstPage {
    shown: Vec<Shown>,
    /// When the first of them was asked for.
    asked_at: Moment,
    n_rounds: u32,
}

/// What the answers so far tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The number of the first page.
    Is(u32),
    /// More has to be asked.
    Open,
    /// The list was empty at this moment: there was nothing to number.
    EmptyList(Moment),
    /// Neither page exists: this is no list of calls.
    NoList,
}

impl FirstPage {
    /// The page to ask for next.
    pub fn question(&self) -> u32 {
        QUESTIONS[self.shown.len() % QUESTIONS.len()]
    }

    /// Takes an answer to a request that began at `asked_at`. The list is empty, or there is none, where
    /// pages 0 and 1 show no rows in turn. Else the first page is 0, unless page 0 shows no rows twice,
    /// or pages 0 and 1 show the same rows twice while page 2 shows others. Where pages 0 and 1 share
    /// only some rows, the list moved; where one of two answers for a page has rows and the other has
    /// none, one of them was a mistake. Then all of it is asked again.
    pub fn take(&mut self, shown: Shown, asked_at: Moment) -> Finding {
        if self.shown.is_empty() {
            self.asked_at = asked_at;
        }
        self.shown.push(shown);
        let finding = match &self.shown[..] {
            [Shown::Refused, Shown::Refused] => Finding::NoList,
            [Shown::Nothing | Shown::Refused, Shown::Nothing | Shown::Refused] => {
                // Page 1 may have been asked for long after page 0.
                Finding::EmptyList(self.asked_at.min(asked_at))
            }
            [zero, one, two, zero_again, one_again, two_again] => {
                let doubled = zero == zero_again && zero == one && one == one_again
                    || zero.has_moved_to(one) && zero_again.has_moved_to(one_again);
                let moved = zero.shares_rows(one) && zero_again.shares_rows(one_again) && !doubled;
                let pairs = [(zero, zero_again), (one, one_again), (two, two_again)];
                let is_mistake = pairs.iter().any(|(it, again)| it.has_rows() != again.has_rows());
                if (moved || is_mistake) && self.n_rounds < ROUNDS_MAX {
                    self.n_rounds += 1;
                    self.shown.clear();
                    Finding::Open
                } else if !zero.has_rows() && !zero_again.has_rows()
                    || doubled && one != two && one_again != two_again
                {
                    Finding::Is(1)
                } else {
                    Finding::Is(0)
                }
            }
            _ => Finding::Open,
        };
        if finding != Finding::Open {
            self.shown.clear();
        }
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found out about a list numbered from `first`, to the top of which rows are added
    /// before each request, by turns as many as `n_new` says.
    fn found(first: u32, page_0_is_page_1: bool, page_rows: u64, n_new: &[u64]) -> Finding {
        let mut it = FirstPage::default();
        let mut top = 10_000;
        for n_new in n_new.iter().cycle() {
            let mut page = it.question();
            top += n_new;
            if first == 1 && page == 0 && page_0_is_page_1 {
                page = 1;
            }
            let shown = page.checked_sub(first).map_or(Shown::Nothing, |idx| {
                let newest = top - u64::from(idx) * page_rows;
                Shown::Rows((newest - page_rows..newest).rev().collect())
            });
            let finding = it.take(shown, Moment(0));
            if finding != Finding::Open {
                return finding;
            }
        }
        unreachable!("it comes to an end")
    }

    /// Lists numbered from 0 and 1, with what they show of the other number and past their end.
    #[test]
    fn one_wrong_answer_changes_nothing() {
        let rows = |rows: [u64; 2]| Shown::Rows(rows.into());
        let (a, b) = (rows([1, 2]), rows([3, 4]));
        for (first, pages) in [
            (1, [Shown::Nothing, a.clone(), b.clone()]),
            (1, [Shown::Refused, a.clone(), Shown::Nothing]),
            (1, [a.clone(), a.clone(), b.clone()]),
            (0, [a.clone(), b.clone(), Shown::Nothing]),
            (0, [a.clone(), Shown::Refused, Shown::Refused]),
            (0, [a.clone(), a.clone(), a.clone()]),
        ] {
            for (wrong, at) in [Shown::Nothing, Shown::Refused]
                .iter()
                .flat_map(|it| (0..6).map(move |at| (it, at)))
            {
                let mut it = FirstPage::default();
                let mut answers = (0..).map(|n| {
                    let usual = &pages[it.question() as usize];
                    it.take(if n == at { wrong } else { usual }.clone(), Moment(0))
                });
                let finding = answers.find(|finding| matches!(finding, Finding::Is(_)));
                assert_eq!(finding, Some(Finding::Is(first)), "{pages:?}, answer {at} {wrong:?}");
            }
        }
    }

    /// A list numbered from 0 whose short pages never stand still, so that no round is left.
    #[test]
    fn one_wrong_answer_in_the_last_round_changes_nothing() {
        let n_questions = QUESTIONS.len() * (ROUNDS_MAX as usize + 1);
        for at in n_questions - QUESTIONS.len()..n_questions {
            let (mut it, mut top) = (FirstPage::default(), 10_000_u64);
            let answers = (0..n_questions).map(|n| {
                top += 1;
                let newest = top - 3 * u64::from(it.question());
                let rows = Shown::Rows((newest - 3..newest).rev().collect());
                it.take(if n == at { Shown::Nothing } else { rows }, Moment(0))
            });
            assert_eq!(answers.last(), Some(Finding::Is(0)), "answer {at}");
        }
    }

    #[test]
    fn the_first_page_is_found_while_rows_come_in() {
        for n_new in [0, 1, 5, 40] {
            assert_eq!(found(0, false, 100, &[n_new]), Finding::Is(0), "{n_new} new rows");
            assert_eq!(found(1, false, 100, &[n_new]), Finding::Is(1), "{n_new} new rows");
            assert_eq!(found(1, true, 100, &[n_new]), Finding::Is(1), "{n_new} new rows");
        }
    }

    #[test]
    fn short_pages_that_move_are_looked_at_until_they_stand_still() {
        assert_eq!(found(1, true, 3, &[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), Finding::Is(1));
        assert_eq!(found(0, false, 3, &[1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), Finding::Is(0));
    }

    #[test]
    fn short_pages_that_move_on_by_more_than_a_page_are_not_taken_for_one() {
        for n_new in [1, 2, 4, 5, 7] {
            assert_eq!(found(0, false, 3, &[n_new]), Finding::Is(0), "{n_new} new rows");
        }
    }
}
