//! One answer: what it proves, which calls have to be looked up, and what it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::first_page::{Finding, Shown};
use super::plan::{Ask, Purpose, Sweep};
use super::walk::{LANES, Proof, Walk};
use super::{Changes, Page, Refusal, Reply, Request, Saved, Span, Spans};
use crate::call::{Call, CallKey, Moment, Timestamp};
use crate::ledger::{Entry, Posting, absent, post};

/// What to ask for where the API refuses the page size.
const SMALLER_PAGES: [u32; 4] = [50, 30, 25, 10];
/// Requests that look for the calls of one second in vain before they are put off.
const MISSES_MAX: u32 = 64;
/// Seconds of `initiatedAt` closer than this are looked up in one go.
const NEAR_S: i64 = 60;

/// A known call, by its key.
pub type Known = BTreeMap<CallKey, Entry>;

/// An answer that was understood. [`Sweep::apply`] wants it together with the known calls of
/// [`Digest::needs`].
#[derive(Clone, Debug)]
pub struct Digest {
    purpose: Purpose,
    asked_at: Moment,
    calls: Vec<Call>,
    proof: Option<Proof>,
    newly_sealed: Spans,
    has_missed: bool,
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

/// What an answer came to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// What has to be committed before anything of it is shown.
    pub changes: Changes,
    /// What each call added to the totals.
    pub postings: Vec<(CallKey, Posting)>,
    /// Whether this ended a poll: the head was read down to what had been read before.
    pub ends_poll: bool,
}

/// What one page changes, while it is applied.
#[derive(Debug, Default)]
struct PageChanges {
    touched: BTreeMap<CallKey, Option<Entry>>,
    postings: Vec<(CallKey, Posting)>,
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
        self.hints.owes_work &= ask.purpose.is_poll();
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
            (Err(refusal), _) => return Err(refusal),
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
        let finding = self.hints.first_page.as_mut().map_or(Finding::Open, |it| it.take(shown));
        let mut proof = None;
        match finding {
            Finding::Open => {}
            Finding::NoList => return Err(Refusal::NotFound),
            Finding::Is(number) => {
                self.hints.first_page = None;
                self.hints.walks = super::walk::Walks::new(number);
            }
            Finding::EmptyList => {
                self.head_was_read(asked_at);
                let span = Span::new(Timestamp::MIN, asked_at.floor());
                proof = Some(Proof { span, asked_at });
            }
        }
        self.progress.order.learn(&page.calls);
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
        self.progress.order.learn(&page.calls);
        let may_end = self.may_end(&page, asked_at);
        if self.hints.rereads.wants(target.0, &page) || self.doubts(target.0, &page, may_end) {
            return Some(self.digest_proof(ask.purpose.clone(), page, None, asked_at));
        }
        let order = self.progress.order;
        let step = self.hints.walks.take(order, may_end, target, (number, &page), asked_at);
        if target.0 == Walk::Head && step.has_arrived {
            self.head_was_read(asked_at);
        }
        let mut digest = self.digest_proof(ask.purpose.clone(), page, step.proof, asked_at);
        digest.is_cut = step.is_cut;
        digest.has_missed = matches!(ask.purpose, Purpose::Look { .. });
        Some(digest)
    }

    fn head_was_read(&mut self, asked_at: Moment) {
        let grid = self.options.grid;
        let newest = self.progress.read.covered().newest();
        self.hints.head_at = grid.after(asked_at, grid.interval_ms);
        self.hints.head_from = newest.map_or(self.progress.floor, |span| span.to);
        self.hints.is_polling = true;
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

    /// Applies an answer to what is known: `known` holds every call of the ledger within
    /// [`Digest::needs`]. The state moves at once; it is shown only after `changes` is committed.
    pub fn apply(&mut self, digest: &Digest, mut known: Known) -> Applied {
        let mut page = PageChanges::default();
        for call in &digest.calls {
            self.see(digest, call, &mut known, &mut page);
        }
        if let Some(proof) = digest.proof {
            self.miss(proof, &mut known, &mut page);
        }
        self.retire(digest, &known, &mut page);
        self.note_misses(digest);
        let ends_poll = self.ends_poll();
        let covered = self.progress.read.covered();
        let has_read_head = self.hints.head_from < Timestamp::MAX && !self.hints.is_polling;
        self.progress.complete |= has_read_head
            && covered.newest().is_some_and(|newest| newest.contains(self.progress.epoch));
        Applied {
            changes: Changes {
                calls: page.touched.into_iter().collect(),
                saved: Saved { progress: self.progress.clone(), totals: Arc::clone(&self.totals) },
            },
            postings: page.postings,
            ends_poll,
        }
    }

    /// One row: known calls are compared, new ones counted unless their moment was sealed before.
    fn see(&mut self, digest: &Digest, call: &Call, known: &mut Known, page: &mut PageChanges) {
        let at = call.key.initiated_at;
        self.hints.missed_once.remove(&call.key);
        let prior = known.get(&call.key);
        let was_sealed =
            self.progress.read.sealed().contains(at) && !digest.newly_sealed.contains(at);
        if at < self.progress.floor || prior.is_none() && was_sealed {
            return;
        }
        let rules = self.options.rules;
        let (mut entry, posting) = post(&rules, prior, call, digest.asked_at);
        let is_looked_at =
            prior.is_none_or(|prior| prior.due <= digest.asked_at || prior.phase != entry.phase);
        if is_looked_at {
            let grid = self.options.grid;
            entry.due = grid.next_look(at, entry.phase, rules.settle_s, digest.asked_at);
        }
        if !posting.is_empty() {
            let is_reconcile = matches!(digest.purpose, Purpose::Again { .. });
            let totals = Arc::make_mut(&mut self.totals);
            totals.reconcile_differences += u64::from(is_reconcile);
            totals.apply(&posting);
            page.postings.push((call.key.clone(), posting));
        }
        if prior != Some(&entry) {
            self.replace(&call.key, prior, Some(&entry));
            known.insert(call.key.clone(), entry.clone());
            page.touched.insert(call.key.clone(), Some(entry));
        }
    }

    /// Calls whose whole second was shown without them, after their look had fallen due.
    ///
    /// One that nothing more is expected of is looked for once more: a row that vanishes while the
    /// pages round its second are read hides a neighbour.
    fn miss(&mut self, proof: Proof, known: &mut Known, page: &mut PageChanges) {
        let Proof { span, asked_at } = proof;
        let rules = self.options.rules;
        let first = CallKey { initiated_at: span.from, session_id: "".into() };
        let missed: Vec<(CallKey, Entry)> = known
            .range(first..)
            .take_while(|(key, _)| span.contains(key.initiated_at))
            .filter(|(_, entry)| entry.due <= asked_at && !entry.phase.is_done())
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect();
        for (key, old) in missed {
            let grid = self.options.grid;
            let (mut entry, posting) = absent(&rules, &old, key.initiated_at, asked_at);
            if entry.phase.is_done() && self.hints.missed_once.insert(key.clone()) {
                entry = old.clone();
                entry.due = grid.after(asked_at, grid.interval_ms);
            } else {
                self.hints.missed_once.remove(&key);
                entry.due = grid.next_look(key.initiated_at, entry.phase, rules.settle_s, asked_at);
                if !posting.is_empty() {
                    Arc::make_mut(&mut self.totals).apply(&posting);
                    page.postings.push((key.clone(), posting));
                }
            }
            self.replace(&key, Some(&old), Some(&entry));
            known.insert(key.clone(), entry.clone());
            page.touched.insert(key, Some(entry));
        }
    }

    /// A call leaves the ledger when its moment is sealed and nothing more is expected of it.
    fn retire(&mut self, digest: &Digest, known: &Known, page: &mut PageChanges) {
        for (key, entry) in known {
            let at = key.initiated_at;
            let is_newly_sealed = digest.newly_sealed.contains(at);
            if !is_newly_sealed && !page.touched.contains_key(key)
                || !self.progress.read.sealed().contains(at)
            {
                continue;
            }
            if entry.phase.is_done() {
                self.replace(key, Some(entry), None);
                page.touched.insert(key.clone(), None);
            } else if is_newly_sealed {
                // Noted anew: from now on Get Call may look for it.
                self.replace(key, Some(entry), Some(entry));
            }
        }
    }

    /// A look that does not reach its call is tried again, in the end later.
    fn note_misses(&mut self, digest: &Digest) {
        let second = match digest.purpose {
            Purpose::Look { second, .. } => second,
            Purpose::Get(ref key) => key.initiated_at,
            Purpose::FirstPage
            | Purpose::Head { .. }
            | Purpose::Gap { .. }
            | Purpose::Again { .. } => return,
        };
        let n_missed = self.hints.n_missed.remove(&second).unwrap_or(0) + 1;
        let is_due = !self.agenda.due_within(Span::second(second), digest.asked_at).is_empty();
        if !(is_due && digest.has_missed) {
            return;
        }
        if n_missed > MISSES_MAX {
            self.agenda.postpone(second, digest.asked_at);
            return;
        }
        self.hints.n_missed.insert(second, n_missed);
        // Of calls that were seen by the way since, nobody takes the number back.
        if self.hints.n_missed.len() > LANES {
            self.hints.n_missed.pop_first();
        }
    }

    /// A poll ends when the head was read and nothing is missing down to what was read before.
    fn ends_poll(&mut self) -> bool {
        if !self.hints.is_polling {
            return false;
        }
        let covered = self.progress.read.covered();
        let Some(newest) = covered.newest() else { return false };
        let ends = newest.from <= self.hints.head_from;
        self.hints.is_polling = !ends;
        ends
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
