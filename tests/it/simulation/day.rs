//! Large worlds: days of an app with a daily rhythm, for what the reading costs.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "an invented rhythm need not be exact"
)]

use std::f64::consts::TAU;

use cometchat_exporter::call::{Amount, CallKey, Outcome, Status, Timestamp};

use super::random::Random;
use super::world::{GetQuirk, Life, ListOrder, PastEnd, Quirks, World, row};

const DAY_S: f64 = 86_400.0;

/// `days` days of about `per_day` calls: daytime busier than night, 65 % answered, 6 minutes in
/// the mean, 10 % recorded.
pub(super) fn days(seed: u64, per_day: f64, days: f64) -> World {
    let mut random = Random::new(seed);
    let mut unit = move || (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut lives = Vec::new();
    let mut at_s = 0.0;
    while at_s < days * DAY_S {
        let rhythm = 1.0 + 0.8 * (TAU * (at_s / DAY_S - 0.25)).sin();
        at_s += -unit().max(1e-12).ln() * DAY_S / (per_day * rhythm);
        lives.push(life(lives.len(), at_s, &mut unit));
    }
    let quirks = Quirks {
        order: ListOrder::New,
        first_page: 1,
        page_0: PastEnd::LastPage,
        per_page_max: 100,
        caps_later: Vec::new(),
        past_end: PastEnd::Empty,
        get: GetQuirk::Newest,
        fail_percent: 0,
        disorder_s: 0,
        mistake: None,
    };
    World::new(lives, quirks, Random::new(seed))
}

fn life(uid: usize, at_s: f64, unit: &mut impl FnMut() -> f64) -> Life {
    let ms = |seconds: f64| (seconds * 1000.0) as i64;
    let key =
        CallKey { initiated_at: Timestamp(at_s as i64), session_id: format!("c{uid}").into() };
    let mut now = row(&key, Status::Initiated, &mut Random::new(uid as u64));
    let mut rows = vec![(ms(at_s), Some(now.clone()))];
    let answered_s = at_s + 3.0 + unit() * 25.0;
    if unit() < 0.65 {
        let ended_s = answered_s + (-unit().max(1e-12).ln() * 360.0).min(6.0 * 3600.0);
        now.status = Status::Ongoing;
        now.started_at = Some(Timestamp(answered_s as i64));
        rows.push((ms(answered_s), Some(now.clone())));
        now.status = Status::Final(Outcome::Ended);
        now.ended_at = Some(Timestamp(ended_s as i64));
        now.amounts.set(Amount::AudioMs, (ended_s - answered_s) as u64 * 1000);
        rows.push((ms(ended_s + 1.0), Some(now.clone())));
        if unit() < 0.1 {
            now.amounts.set(Amount::Recordings, 1);
            let late_s = 30.0 - unit().max(1e-12).ln() * 600.0;
            rows.push((ms(ended_s + late_s), Some(now.clone())));
        }
    } else {
        now.status = Status::Final(Outcome::Unanswered);
        rows.push((ms(answered_s), Some(now)));
    }
    Life { key, rows, bound_ms: i64::MAX }
}
