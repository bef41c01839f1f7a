//! What one answer changes: calls, totals, and what is to be done next.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::digest::Digest;
use super::plan::{Purpose, Sweep};
use super::walk::{LANES, Proof};
use super::{Changes, Saved, Span};
use crate::call::{Call, CallKey, Timestamp};
use crate::ledger::{Entry, Posting, absent, post};

/// Requests that look for the calls of one second in vain before they are put off.
const MISSES_MAX: u32 = 64;

/// A known call, by its key.
pub type Known = BTreeMap<CallKey, Entry>;

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
            let is_due =
                |second| !self.agenda.due_within(Span::second(second), digest.asked_at).is_empty();
            self.hints.n_missed.retain(|second, _| is_due(*second));
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
