//! Properties of the parts of the planner; `tests/it/simulation` drives the whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::call::{Amounts, Call, CallKey, Kind, Moment, Outcome, Status, Timestamp, UnknownWords};
use crate::ledger::{FailureStatuses, Phase, Rules};

fn span() -> impl Strategy<Value = Span> {
    (0_i64..60, 0_i64..12).prop_map(|(from, n)| Span::new(Timestamp(from), Timestamp(from + n)))
}

fn seconds(spans: impl IntoIterator<Item = Span>) -> BTreeSet<i64> {
    spans.into_iter().flat_map(|span| span.from.0..span.to.0).collect()
}

proptest! {
    #[test]
    fn spans_hold_the_seconds_that_were_added(added in prop::collection::vec(span(), 0..12)) {
        let set: Spans = added.iter().copied().collect();
        prop_assert_eq!(seconds(set.iter()), seconds(added));
        let list: Vec<Span> = set.iter().collect();
        for pair in list.windows(2) {
            prop_assert!(pair[0].to < pair[1].from, "{list:?} overlap or touch");
        }
        for at in -1..80 {
            prop_assert_eq!(set.contains(Timestamp(at)), seconds(set.iter()).contains(&at));
        }
    }

    #[test]
    fn gaps_are_what_is_missing(added in prop::collection::vec(span(), 0..8), within in span()) {
        let set: Spans = added.into_iter().collect();
        let missing: BTreeSet<i64> =
            seconds([within]).difference(&seconds(set.iter())).copied().collect();
        prop_assert_eq!(seconds(set.gaps(within)), missing);
    }

    /// What left the ledger under one lookback must never be counted anew under another.
    #[test]
    fn what_is_sealed_stays_sealed_under_another_lookback(
        reads in prop::collection::vec((span(), 0_i64..20_000), 0..10),
        old_lookback in 1_i64..10_000,
        new_lookback in 1_i64..10_000,
    ) {
        let mut old = ReadTime::new(old_lookback);
        for (span, asked_at) in reads {
            old.add(span, Timestamp(asked_at).start());
        }
        let new = old.under_lookback(new_lookback);
        let sealed = seconds(new.sealed().iter());
        prop_assert!(sealed.is_superset(&seconds(old.sealed().iter())));
        for pair in new.by_age.windows(2) {
            let (young, late) = (seconds(pair[0].1.iter()), seconds(pair[1].1.iter()));
            prop_assert!(young.is_superset(&late), "read late and not early: {new:?}");
        }
        prop_assert_eq!(new.lookback_s(), new_lookback);
    }

    #[test]
    fn due_times_lie_on_multiples_and_never_in_the_past(
        interval_s in 1_i64..90, phase in 0_i64..90_000, now in 0_i64..10_000_000, steps in 0_u32..6,
    ) {
        let interval_ms = interval_s * 1000;
        let grid = Grid { interval_ms, phase_ms: phase % interval_ms };
        let step_ms = interval_ms << steps;
        let due = grid.after(Moment(now), step_ms);
        prop_assert!(due.0 > now && due.0 <= now + step_ms);
        prop_assert_eq!((due.0 - grid.phase_ms).rem_euclid(step_ms), 0);
    }
}

#[test]
fn the_older_an_open_call_is_the_later_is_its_next_look() {
    let grid = Grid { interval_ms: 30_000, phase_ms: 0 };
    let next = |age_s: i64| {
        let now = Timestamp(age_s).start();
        grid.next_look(Timestamp(0), Phase::Open, 7_200, now).floor().0
    };
    // At every poll while it is young and up to seven minutes, then at multiples of a step that
    // doubles up to eight minutes.
    let looks = [0, 60, 119, 120, 420, 421, 600, 1_200, 3_600, 100_000];
    assert_eq!(looks.map(next), [30, 90, 120, 150, 450, 480, 660, 1_320, 3_840, 100_320]);
}

/// A page of one call, as a list shows it that is newest first.
fn page_of(initiated_at: i64) -> Page {
    Page { calls: vec![call_of(initiated_at)], defects: Vec::new() }
}

fn call_of(initiated_at: i64) -> Call {
    Call {
        key: CallKey { initiated_at: Timestamp(initiated_at), session_id: "s".into() },
        kind: Kind::documented().next().expect("there are documented kinds"),
        status: Status::Ongoing,
        started_at: None,
        ended_at: None,
        amounts: Amounts::default(),
        people: 0,
        people_present: 0,
        entries: [0; Outcome::ALL.len()],
        unknown: UnknownWords::default(),
    }
}

/// That page as a walk takes it.
fn leaf_of(number: u32, initiated_at: i64, asked_at: Moment) -> ends::Leaf {
    let (oldest, newest) = (Timestamp(initiated_at), Timestamp(initiated_at));
    let ends = ends::Ends { oldest, newest, from: oldest.plus_s(1), to: newest };
    let fingerprint = initiated_at.cast_unsigned();
    ends::Leaf { number, n_rows: 1, fingerprint, ends: Some(ends), asked_at }
}

/// Walks a list from its first page to its end; `shows` has the one row of each request's page.
/// Returns which pages were asked for, and whether the last of them proved the end.
fn walk_to_the_end(shows: &[i64]) -> (Vec<u32>, bool) {
    let (mut walks, census, order) = (walk::Walks::new(1), Census::default(), Order::default());
    let (mut pages, mut is_read) = (Vec::new(), false);
    for (&initiated_at, asked_s) in shows.iter().zip(1000..) {
        assert!(!is_read, "asked on after the end: {pages:?}");
        let target = (walk::Walk::Head, Timestamp::MAX);
        let page = walks.seek(order, (&census, &Spans::default()), target.0, target.1, Moment::MIN);
        let asked_at = Timestamp(asked_s).start();
        let leaf = leaf_of(page, initiated_at, asked_at);
        let step = walks.take(order, true, target, &leaf);
        pages.push(page);
        is_read = step.proof.is_some_and(|proof| proof.span.from == Timestamp::MIN);
    }
    (pages, is_read)
}

#[test]
fn a_page_that_repeats_the_one_before_and_still_stands_there_is_the_last() {
    assert_eq!(walk_to_the_end(&[9, 8, 8, 8]), (vec![1, 2, 3, 2], true));
}

#[test]
fn a_page_that_repeats_since_rows_came_in_is_not_the_end() {
    // One row comes in before each of the requests for page 3, 2 and 4.
    assert_eq!(walk_to_the_end(&[9, 8, 8, 10, 8, 8]), (vec![1, 2, 3, 2, 3, 4], false));
    // The old list goes on below: it is still found, and its end too.
    let rows = [9, 8, 8, 9, 8, 7, 7, 7];
    assert_eq!(walk_to_the_end(&rows), (vec![1, 2, 3, 2, 3, 4, 5, 4], true));
}

#[test]
fn read_time_counts_only_what_had_reached_the_age() {
    let mut read = ReadTime::new(300);
    read.add(Span::new(Timestamp(0), Timestamp(1000)), Timestamp(1000).start());
    let shown: Vec<(i64, i64)> = read
        .by_age
        .iter()
        .map(|(age, spans)| (*age, spans.newest().map_or(0, |span| span.to.0)))
        .collect();
    assert_eq!(shown, [(0, 1000), (120, 880), (300, 700)]);
}

#[test]
fn a_shorter_lookback_reads_again_what_it_has_to_seal() {
    let mut read = ReadTime::new(86_400);
    read.add(Span::new(Timestamp(0), Timestamp(100_000)), Timestamp(100_000).start());
    let shorter = read.under_lookback(3600);
    let ends =
        |read: &ReadTime| [read.sealed(), read.covered()].map(|it| it.newest().unwrap().to.0);
    assert_eq!(ends(&shorter), [13_600, 100_000]);
    assert_eq!(ends(&shorter.under_lookback(86_400)), [13_600, 100_000]);
}

/// Its first page alone reaches past the epoch, and is not all that there is.
#[test]
fn a_list_that_is_oldest_first_is_complete_with_its_last_page() {
    let mut sweep = with_an_old_gap();
    let read = ReadTime::new(sweep.options.lookback_s);
    let progress = Progress { read, order: Order::default(), ..sweep.progress.clone() };
    sweep = Sweep::new(sweep.options, Saved { progress, totals: sweep.totals });
    let rows = |page: u32| {
        let first = i64::from(page.checked_sub(1)?) * 100;
        Some(
            (first..first + 100)
                .step_by(10)
                .filter(|at| *at < 300)
                .flat_map(|at| page_of(at).calls),
        )
    };
    let now = Timestamp(2_000).start();
    let (mut known, show) = (Known::new(), |page| rows(page).into_iter().flatten().collect());
    while exchange(&mut sweep, &mut known, now, show) {
        let read = sweep.progress().read.covered().newest();
        let is_read = read.is_some_and(|read| read.contains(Timestamp(290)));
        assert!(is_read || !sweep.progress().complete, "complete, and only {read:?} is read");
    }
    assert!(sweep.progress().complete);
}

/// A list that was read from 1000 s on, a moment ago, and not before.
fn with_an_old_gap() -> Sweep {
    that_has_read([Span::new(Timestamp(1_000), Timestamp(2_000))])
}

/// A list that is newest first, of which this was read, with the head read at 2000 s.
fn that_has_read(spans: impl IntoIterator<Item = Span>) -> Sweep {
    let (epoch, now) = (Timestamp(0), Timestamp(2_000));
    let failures = crate::ledger::FailureStatuses::default();
    let rules = crate::ledger::Rules { epoch, settle_s: 60, max_open_s: 600, failures };
    let grid = Grid { interval_ms: 30_000, phase_ms: 0 };
    let options = Options { rules, grid, per_page: 100, lookback_s: 300 };
    let mut read = ReadTime::new(options.lookback_s);
    spans.into_iter().for_each(|span| read.add(span, now.plus_s(1_000).start()));
    let mut order = Order::default();
    order.learn(&[page_of(1_900), page_of(1_500)].map(|page| page.calls).concat());
    let progress =
        Progress { epoch, epoch_settled: true, floor: epoch, complete: false, read, order };
    let mut sweep = Sweep::new(options, Saved { progress, totals: Arc::default() });
    sweep.hints.first_page = None;
    sweep.hints.head_from = now;
    sweep.hints.head_at = now.plus_s(30).start();
    sweep
}

#[test]
fn where_the_limit_is_nearly_used_up_an_old_gap_waits() {
    let now = Timestamp(2_001).start();
    let of_gap = |plan| matches!(plan, Plan::Ask(Ask { purpose: Purpose::Gap { .. }, .. }));
    assert!(of_gap(with_an_old_gap().plan(now, false)));
    assert_eq!(with_an_old_gap().plan(now, true), Plan::Wait(Timestamp(2_030).start()));
}

#[test]
fn work_that_found_the_budget_spent_goes_before_the_next_poll_once() {
    let after_a_poll = || {
        let mut sweep = with_an_old_gap();
        sweep.head_was_read(Timestamp(2_000).start());
        sweep
    };
    let mut sweep = after_a_poll();
    let (now, late) = (Timestamp(2_001).start(), Timestamp(2_031).start());
    let Plan::Ask(planned) = sweep.plan(now, false) else { panic!("there is a gap") };
    let Plan::Ask(again) = sweep.plan(late, false) else { panic!("there is a gap") };
    assert_eq!(again.purpose, planned.purpose);
    let refused = sweep.digest(&again, Err(Refusal::Unavailable), late);
    assert!(refused.is_err());
    let poll = sweep.plan(late, false);
    assert!(matches!(poll, Plan::Ask(ask) if ask.purpose.is_poll()));
    // Where the limit is nearly used up it waits.
    let mut sweep = after_a_poll();
    sweep.plan(now, false);
    assert!(matches!(sweep.plan(late, true), Plan::Ask(ask) if ask.purpose.is_poll()));
}

#[test]
fn pages_that_are_refused_are_asked_for_shorter_and_at_last_without_a_length() {
    let mut sweep = with_an_old_gap();
    let late = Timestamp(2_031).start();
    let asked = [(); 6].map(|()| {
        let Plan::Ask(ask) = sweep.plan(late, false) else { panic!("the head is due") };
        assert_eq!(sweep.digest(&ask, Err(Refusal::Rejected), late).err(), Some(Refusal::Rejected));
        let Request::List { per_page, .. } = ask.request else { panic!("the head is a list") };
        per_page
    });
    assert_eq!(asked, [Some(100), Some(50), Some(30), Some(25), Some(10), None]);
}

#[test]
fn get_call_is_used_where_it_answers_with_the_call_that_was_asked_for() {
    let asked_for = page_of(1_500);
    let key = asked_for.calls[0].key.clone();
    let ask = Ask {
        request: Request::Get { session_id: key.session_id.clone() },
        purpose: Purpose::Get(key),
    };
    let works_after = |pages: &[&Page]| {
        let mut sweep = with_an_old_gap();
        for page in pages {
            let reply = Ok(Reply::Get((*page).clone()));
            let digest = sweep.digest(&ask, reply, Timestamp(2_001).start());
            assert!(digest.expect("no refusal").is_some(), "it is an observation");
        }
        sweep.hints.get_works
    };
    let other = page_of(1_501);
    assert_eq!(works_after(&[]), None);
    assert_eq!(works_after(&[&asked_for]), Some(true));
    assert_eq!(works_after(&[&other]), Some(false));
    // Once it has worked, an answer with another call is no reason to give it up.
    assert_eq!(works_after(&[&asked_for, &other]), Some(true));
}

#[test]
fn a_poll_ends_once() {
    let mut sweep = with_an_old_gap();
    let late = Timestamp(2_031).start();
    let ends: Vec<bool> = [1_990, 900]
        .into_iter()
        .map(|at| {
            let Plan::Ask(ask) = sweep.plan(late, false) else { panic!("there is work") };
            let reply = Ok(Reply::List(page_of(at)));
            let digest = sweep.digest(&ask, reply, late).expect("no refusal").expect("a page");
            sweep.apply(&digest, Known::new()).ends_poll
        })
        .collect();
    assert_eq!(ends, [true, false], "the head, and then the gap");
}

#[test]
fn of_many_gaps_as_many_as_there_are_lanes_are_filled_at_once_each_on_its_own() {
    let spans =
        (0..15).map(|idx| Span::new(Timestamp(500 + 100 * idx), Timestamp(550 + 100 * idx)));
    let mut sweep = that_has_read(spans);
    // Between the gaps stands a page each, as long as pages have one row.
    for idx in 0..15 {
        sweep.recall(Timestamp(520 + 100 * idx), "over", Phase::Settled, Moment::MAX);
    }
    let now = Timestamp(2_001).start();
    let Plan::Ask(first) = sweep.plan(now, false) else { panic!("there are gaps") };
    let mut asks = vec![first];
    while let Some(ask) = sweep.plan_beside(now, &asks) {
        asks.push(ask);
    }
    assert_eq!(asks.len(), walk::LANES);
    let walks: BTreeSet<_> = asks.iter().filter_map(|ask| ask.purpose.walk()).collect();
    assert_eq!(walks.len(), asks.len(), "{walks:?}");
    let lanes: BTreeSet<_> = walks.iter().map(|(walk, _)| walk).collect();
    assert_eq!(lanes.len(), asks.len(), "{walks:?}");
}

/// Lets the head be read at 2031 s, by a page of so many rows.
fn read_head(sweep: &mut Sweep, n_rows: i64) {
    let at = Timestamp(2_031).start();
    let Plan::Ask(ask) = sweep.plan(at, false) else { panic!("the head is due") };
    let calls = (0..n_rows).flat_map(|idx| page_of(2_031 - idx * 2).calls).collect();
    let reply = Ok(Reply::List(Page { calls, defects: Vec::new() }));
    let digest = sweep.digest(&ask, reply, at).expect("no refusal").expect("a page");
    sweep.apply(&digest, Known::new());
}

#[test]
fn calls_that_may_stand_on_one_page_are_looked_at_by_one_request() {
    let looks = |n_between: i64| {
        let mut sweep = that_has_read([Span::new(Timestamp(0), Timestamp(2_000))]);
        sweep.hints.get_works = Some(false);
        read_head(&mut sweep, 20);
        for at in [600, 1_200] {
            sweep.recall(Timestamp(at), "open", Phase::Open, Moment(0));
        }
        for at in 0..n_between {
            sweep.recall(Timestamp(700 + at), "over", Phase::Settled, Moment::MAX);
        }
        let now = Timestamp(2_032).start();
        let Plan::Ask(first) = sweep.plan(now, false) else { panic!("two looks are due") };
        let second = sweep.plan_beside(now, std::slice::from_ref(&first));
        let is_look = |ask: &Ask| matches!(ask.purpose, Purpose::Look { .. });
        [Some(first), second].into_iter().flatten().filter(is_look).count()
    };
    assert_eq!([looks(0), looks(15), looks(25)], [1, 1, 2]);
}

/// A first read of a list with a call each second.
#[test]
fn the_pages_that_tell_where_the_list_begins_do_not_make_the_past_look_longer() {
    const N_CALLS: i64 = 9_000;
    let (mut sweep, now) = (first_read(Timestamp(0)), Timestamp(N_CALLS).start());
    let (mut known, mut said) = (Known::new(), Vec::new());
    while said.len() < 4 {
        exchange(&mut sweep, &mut known, now, |page| {
            let newest = N_CALLS - i64::from(page.saturating_sub(1)) * 100;
            (newest - 100..newest).rev().map(call_of).collect()
        });
        said.extend(sweep.reading_back().map(|it| (it.n_read, it.n_about)));
    }
    // The pages 1 and 2 were seen before anything was proved. Calls are known by the minute.
    assert!(said.iter().all(|(_, n_about)| (8_100..9_900).contains(n_about)), "{said:?}");
}

/// A call each second: less than two minutes on a page, which is what rows may be out of place by.
#[test]
fn a_head_that_one_page_does_not_show_is_read_by_as_many_as_it_takes() {
    for newest_first in [true, false] {
        let mut sweep = first_read(Timestamp(0));
        let (less, more) = (1, 600);
        sweep.progress.order = if newest_first {
            Order { against_newest_first_s: less, against_oldest_first_s: more }
        } else {
            Order { against_newest_first_s: more, against_oldest_first_s: less }
        };
        let mut known = Known::new();
        for now in (1_000..2_000).step_by(30) {
            let show = |page: u32| -> Vec<Call> {
                let Some(page) = page.checked_sub(1) else { return Vec::new() };
                let rows = (0..100).map(|idx| i64::from(page) * 100 + idx);
                let rows = rows.map(|nth| if newest_first { now - nth } else { nth });
                rows.filter(|at| (0..=now).contains(at)).map(call_of).collect()
            };
            let at = Timestamp(now).start();
            let n_asked = (0..60).take_while(|_| exchange(&mut sweep, &mut known, at, show));
            assert!(n_asked.count() < 60, "there is an end of asking");
            let until = sweep.progress().read.covered().newest().map(|span| span.to.0);
            assert_eq!(until, Some(now), "up to the present, newest first: {newest_first}");
        }
    }
}

/// One request and its answer; none where nothing is due.
fn exchange(
    sweep: &mut Sweep,
    known: &mut Known,
    now: Moment,
    show: impl FnOnce(u32) -> Vec<Call>,
) -> bool {
    let Plan::Ask(ask) = sweep.plan(now, false) else { return false };
    let Request::List { page, .. } = ask.request else { unreachable!("nothing is far") };
    let answer = Ok(Reply::List(Page { calls: show(page), defects: Vec::new() }));
    if let Some(digest) = sweep.digest(&ask, answer, now).expect("it is a list") {
        for (key, entry) in sweep.apply(&digest, known.clone()).changes.calls {
            match entry {
                Some(entry) => known.insert(key, entry),
                None => known.remove(&key),
            };
        }
    }
    true
}

/// Rows that changed places where a page ends, and nowhere else: no page shows that there is disorder.
#[test]
fn rows_that_change_places_between_two_old_pages_are_counted() {
    let mut rows: Vec<i64> = (0..400).map(|idx| idx * 10).collect();
    [100, 200, 300].into_iter().for_each(|border| rows.swap(border - 1, border));
    for newest_first in [true, false] {
        rows.reverse();
        assert_eq!(rows[0] > rows[399], newest_first);
        let (mut sweep, now) = (first_read(Timestamp(0)), Timestamp(1_000_000).start());
        let mut known = Known::new();
        let show = |page: u32| {
            let first = page.checked_sub(1).map_or(rows.len(), |page| page as usize * 100);
            rows.iter().skip(first).take(100).map(|at| call_of(*at)).collect()
        };
        let n_asked = (0..40).take_while(|_| exchange(&mut sweep, &mut known, now, show)).count();
        assert!(n_asked < 40, "there is an end of asking");
        assert!(sweep.progress().complete, "newest first: {newest_first}");
        let counted = sweep.totals().sum(crate::ledger::Counter::Initiated);
        assert_eq!(counted, 400, "newest first: {newest_first}");
    }
}

fn first_read(epoch: Timestamp) -> Sweep {
    let progress = Progress {
        epoch,
        epoch_settled: true,
        floor: epoch,
        complete: false,
        read: ReadTime::new(86_400),
        order: Order::default(),
    };
    let rules =
        Rules { epoch, settle_s: 7_200, max_open_s: 604_800, failures: FailureStatuses::default() };
    let grid = Grid { interval_ms: 30_000, phase_ms: 0 };
    let options = Options { rules, grid, per_page: 100, lookback_s: 86_400 };
    Sweep::new(options, Saved { progress, totals: Arc::default() })
}
