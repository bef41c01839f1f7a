//! What one answer proves, and which calls have to be looked up.

use std::collections::BTreeSet;

use super::first_page::{Finding, Shown};
use super::plan::{Ask, Purpose, Sweep};
use super::walk::{Proof, Walk};
use super::{Order, Page, Refusal, Reply, Request, Span, Spans};
use crate::call::{Call, CallKey, Moment, Timestamp};

/// What to ask for where the API refuses the page size.
const SMALLER_PAGES: [u32; 4] = [50, 30, 25, 10];
/// Seconds of `initiatedAt` closer than this are looked up in one go.
const NEAR_S: i64 = 60;

/// An answer that was understood. [`Sweep::apply`] wants it together with the known calls of
/// [`Digest::needs`].
#[derive(Clone, Debug)]
pub struct Digest {
    pub(super) purpose: Purpose,
    pub(super) asked_at: Moment,
    pub(super) calls: Vec<Call>,
    pub(super) proof: Option<Proof>,
    pub(super) newly_sealed: Spans,
    pub(super) has_missed: bool,
    /// Which known calls have to be looked up.
    pub needs: Spans,
    /// Whether a search through the list was given up at its cap.
    pub is_cut: bool,
}

impl Digest {
    /// Leaves out the calls in `seen`, and adds the others to it.
    ///
    /// Of answers that were under way together nobody knows which is newer: what the second one says
    /// of a call may be what was true before the first. So the first one that is taken counts.
    pub fn leave_out(&mut self, seen: &mut BTreeSet<CallKey>) {
        let shown: Vec<CallKey> = self.calls.iter().map(|call| call.key.clone()).collect();
        self.calls.retain(|call| !seen.contains(&call.key));
        seen.extend(shown);
    }
}

impl Sweep {
    /// Takes what came back from a request that began at `asked_at` (the API's clock). Returns
    /// nothing where it tells nothing; the request will be planned again.
    ///
    /// # Errors
    /// Gives a refusal back that says nothing about the list.
    pub fn digest(
        &mut self,
        ask: &Ask,
        answer: Result<Reply, Refusal>,
        asked_at: Moment,
    ) -> Result<Option<Digest>, Refusal> {
        if !ask.purpose.is_poll() {
            self.hints.owes_work = false;
            self.hints.has_looked = ask.purpose.is_look();
        }
        let page = match (answer, &ask.request) {
            (Ok(Reply::List(page) | Reply::Get(page)), _) => Some(page),
            (Err(Refusal::NotFound), _) => None,
            (Err(Refusal::Rejected), Request::List { page: 0, .. })
                if ask.purpose == Purpose::FirstPage =>
            {
                None
            }
            (Err(Refusal::Rejected), Request::List { .. }) => {
                self.ask_for_less();
                return Err(Refusal::Rejected);
            }
            (Err(refusal), _) => {
                if let Purpose::Get(key) = &ask.purpose {
                    // What Get Call does not tell, the list does.
                    *self.hints.n_missed.entry(key.initiated_at).or_default() += 1;
                    // A full rate limit says nothing about Get Call.
                    if refusal != Refusal::Later {
                        self.hints.get_works.get_or_insert(false);
                    }
                }
                return Err(refusal);
            }
        };
        match (&ask.request, &ask.purpose) {
            (Request::Get { .. }, Purpose::Get(key)) => {
                Ok(Some(self.digest_get(key, page.unwrap_or_default(), asked_at)))
            }
            (Request::List { .. }, Purpose::FirstPage) => {
                self.digest_first_page(page, asked_at).map(Some)
            }
            (Request::List { page: number, .. }, _) => {
                // A 404 is the end of the list, but there is no list without a first page.
                if page.is_none() && *number == self.hints.walks.first_page {
                    return Err(Refusal::NotFound);
                }
                Ok(self.digest_list(ask, *number, page.unwrap_or_default(), asked_at))
            }
            (Request::Get { .. }, _) => Ok(None),
        }
    }

    fn ask_for_less(&mut self) {
        let now = self.hints.per_page.unwrap_or(0);
        self.hints.per_page = SMALLER_PAGES.into_iter().find(|&rows| rows < now);
    }

    fn digest_first_page(
        &mut self,
        page: Option<Page>,
        asked_at: Moment,
    ) -> Result<Digest, Refusal> {
        let shown = match &page {
            None => Shown::Refused,
            Some(page) if page.n_rows() == 0 => Shown::Nothing,
            Some(page) => Shown::Rows(super::prints::prints(page)),
        };
        let page = page.unwrap_or_default();
        let finding =
            self.hints.first_page.as_mut().map_or(Finding::Open, |it| it.take(shown, asked_at));
        let mut proof = None;
        match finding {
            Finding::Open => {}
            Finding::NoList => return Err(Refusal::NotFound),
            Finding::Is(number) => {
                self.hints.first_page = None;
                self.hints.walks = super::walk::Walks::new(number);
            }
            Finding::EmptyList(empty_at) => {
                // It may be a mistake, which must not count for old time that is read but once. So such
                // time waits for a second finding, a poll later, which confirms the one before: what
                // is wrong for a moment is right again by then.
                let before = self.hints.empty_at.replace(empty_at);
                let confirmed_to = before.map_or(Timestamp::MIN, Moment::floor);
                let span = Span::new(confirmed_to, empty_at.floor());
                if self.unread(span, empty_at).is_empty() {
                    self.head_was_read(empty_at);
                    let span = Span::new(Timestamp::MIN, empty_at.floor());
                    proof = Some(Proof { span, asked_at: empty_at });
                } else {
                    let grid = self.options.grid;
                    self.hints.head_at = grid.after(empty_at, grid.interval_ms);
                }
            }
        }
        self.learn_order(&page);
        Ok(self.digest_proof(Purpose::FirstPage, page, proof, asked_at))
    }

    fn digest_get(&mut self, key: &CallKey, page: Page, asked_at: Moment) -> Digest {
        let has_missed = !page.calls.iter().any(|call| call.key == *key);
        if !has_missed {
            self.hints.get_works = Some(true);
        } else if self.hints.get_works.is_none() {
            self.hints.get_works = Some(false);
        }
        let mut digest = self.digest_proof(Purpose::Get(key.clone()), page, None, asked_at);
        digest.has_missed = has_missed;
        digest.needs.add(Span::second(key.initiated_at));
        digest
    }

    fn digest_list(
        &mut self,
        ask: &Ask,
        number: u32,
        page: Page,
        asked_at: Moment,
    ) -> Option<Digest> {
        let target = ask.purpose.walk()?;
        let is_look = ask.purpose.is_look();
        self.learn_order(&page);
        let ends = [self.hints.shown, page.ends()].into_iter().flatten();
        self.hints.shown = ends.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        let may_end = self.may_end(&page, asked_at);
        if self.hints.rereads.wants(target.0, &page) || self.doubts(target.0, &page, may_end) {
            let mut digest = self.digest_proof(ask.purpose.clone(), page, None, asked_at);
            digest.has_missed = is_look;
            return Some(digest);
        }
        let leaf = self.leaf(number, &page, asked_at);
        let order = self.progress.order;
        let step = self.hints.walks.take(order, may_end, target, &leaf);
        if target.0 == Walk::Head && step.has_arrived {
            self.head_was_read(asked_at);
            let shows_nothing = step.proof.is_none_or(|proof| proof.span.is_empty());
            self.hints.head_to = if shows_nothing { asked_at.floor() } else { Timestamp::MIN };
        }
        let mut digest = self.digest_proof(ask.purpose.clone(), page, step.proof, asked_at);
        digest.is_cut = step.is_cut;
        digest.has_missed = is_look;
        Some(digest)
    }

    /// What pages proved together rests on the direction and, once that is known, on the slack.
    fn learn_order(&mut self, page: &Page) {
        let sense =
            |order: Order| (order.is_newest_first(), order.is_known().then(|| order.slack_s()));
        let before = sense(self.progress.order);
        self.progress.order.learn(&page.calls);
        if sense(self.progress.order) != before {
            self.hints.walks.restart();
        }
    }

    pub(super) fn head_was_read(&mut self, asked_at: Moment) {
        let grid = self.options.grid;
        let newest = self.progress.read.covered().newest();
        self.hints.head_at = grid.after(asked_at, grid.interval_ms);
        self.hints.head_from = newest.map_or(self.progress.floor, |span| span.to);
        self.hints.is_polling = true;
        self.hints.owes_work = true;
    }

    /// Adds what was proved to the read time, and finds out which known calls that concerns.
    fn digest_proof(
        &mut self,
        purpose: Purpose,
        page: Page,
        proof: Option<Proof>,
        asked_at: Moment,
    ) -> Digest {
        let sealed_before = self.progress.read.sealed().clone();
        let floor = self.progress.floor;
        let proof = proof.map(|proof| Proof {
            span: Span::new(proof.span.from.max(floor), proof.span.to),
            ..proof
        });
        let mut needs = Spans::default();
        if let Some(proof) = proof {
            self.progress.read.add(proof.span, proof.asked_at);
            for second in self.agenda.due_within(proof.span, proof.asked_at) {
                needs.add(Span::second(second));
            }
        }
        let newly_sealed: Spans =
            self.progress.read.sealed().iter().flat_map(|span| sealed_before.gaps(span)).collect();
        newly_sealed.iter().for_each(|span| needs.add(span));
        for span in near_seconds(&page.calls, floor) {
            needs.add(span);
        }
        let calls = page.calls;
        Digest {
            purpose,
            asked_at,
            calls,
            proof,
            newly_sealed,
            has_missed: false,
            needs,
            is_cut: false,
        }
    }
}

/// The seconds of these calls, those near each other joined.
fn near_seconds(calls: &[Call], floor: Timestamp) -> Vec<Span> {
    let mut seconds: Vec<Timestamp> =
        calls.iter().map(|call| call.key.initiated_at).filter(|&at| at >= floor).collect();
    seconds.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for second in seconds {
        match spans.last_mut() {
            Some(span) if second.since_s(span.to) < NEAR_S => span.to = second.plus_s(1),
            _ => spans.push(Span::second(second)),
        }
    }
    spans
}
