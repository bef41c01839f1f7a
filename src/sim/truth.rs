//! What an exporter must have counted: a recount over the rows that the list has shown.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;

use super::World;
use super::outline::Outline;
use super::row::Row;
use super::tally::Tally;
use crate::call::{Moment, Timestamp};

/// What to recount. Times in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthQuery {
    /// Calls initiated at or after this second; `None`: all.
    pub from: Option<i64>,
    /// A call that is open longer counts as abandoned, with what it had by then.
    pub max_open_s: i64,
    /// What a call gains longer after its final status does not count; `None`: all of it does.
    pub settle_s: Option<i64>,
    /// The label `cometchat_app`; `None`: the app id.
    pub app: Option<String>,
}

impl Default for TruthQuery {
    fn default() -> Self {
        Self { from: None, max_open_s: 7 * 86_400, settle_s: None, app: None }
    }
}

/// The recount.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truth {
    /// The time of the recount, Unix seconds.
    pub now: Number,
    /// Whether nothing will ever change again: no call begins, changes or gains anything.
    pub at_rest: bool,
    /// When something changes next, Unix seconds.
    pub next_event_at: Option<Number>,
    /// Rows since `from` that the list has shown.
    pub calls: usize,
    /// Every series by its name and labels as in the text format.
    pub series: BTreeMap<String, Number>,
}

/// What `/truth` answers.
#[derive(Serialize)]
pub(super) struct Told {
    #[serde(flatten)]
    pub(super) truth: Truth,
    /// Requests for calls that the API has taken so far.
    pub(super) requests: u64,
}

impl World {
    /// Recounts the rows that the list has shown up to `now`.
    pub fn truth(&mut self, now: Moment, query: &TruthQuery) -> Truth {
        let app = query.app.clone().unwrap_or_else(|| self.options().app_id.clone());
        let from = query.from.map_or(Timestamp::MIN, Timestamp);
        self.reach(now.floor().0);
        let (mut calls, mut tally) = (0, Tally::new(&app));
        for outline in self.outlines(now, from) {
            let (at, given_up) = counted_as_of(&outline, now.floor().0, query);
            tally.add(&Row::at_most(self.options(), &outline, at), given_up);
            calls += 1;
        }
        let next_event_at = self.next_event_at(now);
        Truth {
            now: thousandths(now.0),
            at_rest: next_event_at.is_none(),
            next_event_at: next_event_at.map(|moment| thousandths(moment.0)),
            calls,
            series: tally.into_series(),
        }
    }
}

/// The second whose row counts, and whether the call was given up by then.
fn counted_as_of(outline: &Outline, now: i64, query: &TruthQuery) -> (i64, bool) {
    let gives_up_at = outline.initiated_at.saturating_add(query.max_open_s);
    match (outline.final_at(), query.settle_s) {
        (Some(final_at), None) if final_at <= gives_up_at => (now, false),
        (Some(final_at), Some(settle_s)) if final_at <= gives_up_at => {
            (now.min(final_at.saturating_add(settle_s)), false)
        }
        _ => (now.min(gives_up_at), now >= gives_up_at),
    }
}

/// Thousandths as an exact decimal; an integer when whole.
pub(super) fn thousandths(n: i64) -> Number {
    if n % 1000 == 0 {
        return Number::from(n / 1000);
    }
    // Below 2^53 the nearest double is written with the three digits it came from.
    #[expect(clippy::cast_precision_loss, reason = "below 2^53 for 285,000 years")]
    let seconds = n as f64 / 1000.0;
    Number::from_f64(seconds).unwrap_or_else(|| Number::from(n / 1000))
}
