//! The independent half: a naive recount of a world, and what the promise says about it.
//!
//! Each call is checked on its own, so that a loss and a double cannot cancel out. Where a call
//! broke a bound of the promise, anything between nothing and the most it ever showed may count.

use cometchat_exporter::call::{Amount, Call, Outcome, Status, Timestamp};
use cometchat_exporter::ledger::Counter;

use super::driver::Durable;
use super::world::{Bounds, Life, World};

/// What the promise demands of one call at least, and allows at most.
struct Share {
    must: Option<[u64; 3]>,
    may: [u64; 3],
    must_be_seen: bool,
    must_be_final: bool,
    may_be_abandoned: bool,
}

const AMOUNTS: [Amount; 3] = [Amount::AudioMs, Amount::Participants, Amount::Recordings];

fn share(life: &Life, bounds: Bounds) -> Share {
    let rows: Vec<&Call> = life.rows.iter().filter_map(|(_, row)| row.as_ref()).collect();
    let most = |amount| rows.iter().map(|row| row.amounts.get(amount)).max().unwrap_or(0);
    let may = AMOUNTS.map(most);
    let init_ms = life.key.initiated_at.0 * 1000;
    let in_time = life.rows[0].0 <= init_ms + bounds.lookback_s * 1000;
    let stays = !life.vanishes();
    let is_final =
        |row: &Option<Call>| row.as_ref().is_some_and(|row| matches!(row.status, Status::Final(_)));
    let final_at = life.rows.iter().find(|(_, row)| is_final(row)).map(|(at, _)| *at);
    let ends_in_time = final_at.filter(|at| *at < init_ms + bounds.max_open_s * 1000);
    let promised = in_time && stays;
    let bound_ms = life.bound_ms.max(final_at.unwrap_or(0)).max(life.rows[0].0);
    let inside = life.rows.iter().rev().find(|(at, _)| *at <= bound_ms).map(|(_, row)| row);
    // A call that went back to open: whether its final status was ever shown to us is chance.
    let settles = promised && ends_in_time.is_some() && inside.is_some_and(is_final);
    let must = inside.and_then(Option::as_ref).filter(|_| settles);
    Share {
        must: must.map(|row| AMOUNTS.map(|amount| row.amounts.get(amount))),
        may,
        must_be_seen: promised,
        must_be_final: settles,
        may_be_abandoned: !settles,
    }
}

/// Every breach of the promise, at rest, in words.
pub(super) fn breaches(
    world: &World,
    durable: &Durable,
    epoch: Timestamp,
    bounds: Bounds,
) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut sums = [0; 6];
    // A row that vanishes while a gap older than the lookback is read may hide one neighbour.
    let mut n_may_hide = world.lives.iter().filter(|life| life.vanishes()).count();
    for life in &world.lives {
        let counted = durable.audit.get(&life.key).cloned().unwrap_or_default();
        let parts = [counted.n_seen, counted.n_final, counted.n_abandoned];
        let amounts = [counted.audio_ms, counted.participants, counted.recordings];
        for (sum, part) in sums.iter_mut().zip(parts.into_iter().chain(amounts)) {
            *sum += part;
        }
        let mut between = |what: &str, low: u64, value: u64, high: u64| {
            if value < low || value > high {
                breaches.push(format!(
                    "{:?}: {what} {value} is not between {low} and {high}",
                    life.key
                ));
            }
        };
        if life.key.initiated_at < epoch {
            between("seen before the epoch", 0, parts.iter().chain(&amounts).sum(), 0);
            continue;
        }
        let share = share(life, bounds);
        if share.must_be_seen && counted.n_seen == 0 && n_may_hide > 0 {
            n_may_hide -= 1;
            continue;
        }
        between("seen", u64::from(share.must_be_seen), counted.n_seen, 1);
        between("final", u64::from(share.must_be_final), counted.n_final, 1);
        between("given up", 0, counted.n_abandoned, u64::from(share.may_be_abandoned));
        between("final or given up", 0, counted.n_final + counted.n_abandoned, counted.n_seen);
        for (idx, amount) in AMOUNTS.iter().enumerate() {
            let low = share.must.map_or(0, |must| must[idx]);
            between(&format!("{amount:?}"), low, amounts[idx], share.may[idx]);
        }
    }
    let totals = &durable.saved.totals;
    let finals = Outcome::ALL.iter().map(|&outcome| totals.sum(Counter::Calls(outcome))).sum();
    let shown = [
        totals.sum(Counter::Initiated),
        finals,
        totals.abandoned,
        totals.sum(Counter::AudioMs),
        totals.sum(Counter::Participants),
        totals.sum(Counter::Recordings),
    ];
    if shown != sums {
        breaches.push(format!("the totals {shown:?} are not the sums of the calls {sums:?}"));
    }
    breaches
}
