//! What becomes of one call: its sort, its times, its end. Cheap to draw, without a list of people.

use super::faults::LATE_MAX_MS;
use super::rng::Rng;
use super::{Fault, Options, Quirk};
use crate::call::{Moment, Timestamp};

/// The course of one call. Times are whole Unix seconds, as the API has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    /// From this everything else about the call is drawn.
    pub(super) key: u64,
    /// `initiatedAt`.
    pub(super) initiated_at: i64,
    /// Which call of that second it is.
    pub(super) nth: u32,
    /// When the row appears in the list.
    pub(super) appears_at: Moment,
    /// `type`.
    pub(super) call_type: &'static str,
    /// `mode`.
    pub(super) mode: &'static str,
    /// `receiverType`.
    pub(super) receiver_type: &'static str,
    /// `status` while it rings.
    ringing: &'static str,
    /// How it goes on.
    pub(super) fate: Fate,
}

/// How a call goes on after it was initiated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It was answered, or is a meeting.
    Talk {
        /// `startedAt`.
        started_at: i64,
        /// `endedAt`, or the last change of one that never ends.
        last_at: i64,
        /// False for a call that stays `ongoing` for ever.
        ends: bool,
    },
    /// It rang, and nothing came of it.
    Missed {
        /// The final status.
        status: &'static str,
        /// When it takes that status.
        at: i64,
    },
}

/// Of calls to a user: answered, unanswered, rejected, canceled, busy.
const USER_PERMILLE: [u32; 5] = [650, 160, 80, 70, 40];
/// Of calls to a group, which cannot be rejected or busy (API documentation: webhooks).
const GROUP_PERMILLE: [u32; 5] = [650, 220, 0, 130, 0];
const OUTCOMES: [&str; 5] = ["ended", "unanswered", "rejected", "canceled", "busy"];
/// The client stops ringing by then (SDK: `initiateCall`).
const RING_MAX_S: u32 = 45;
const TALK_MAX_S: u32 = 8 * 3600;

impl Outline {
    /// The `nth` call of the second `initiated_at`.
    pub(super) fn of(options: &Options, initiated_at: i64, nth: u32) -> Self {
        let key =
            Rng::of(&[options.seed, initiated_at.cast_unsigned(), u64::from(nth) + 1]).next_u64();
        let mut rng = Rng::of(&[key]);
        let delay_ms = i64::from(rng.below(options.row_delay_max_ms.saturating_add(1)));
        let mode_idx = rng.pick(&[800, 150, 50]);
        let rings = mode_idx == 0;
        let group = rng.permille(if rings { 250 } else { 850 });
        let mut outline = Self {
            key,
            initiated_at,
            nth,
            appears_at: Timestamp(initiated_at).start().plus_ms(delay_ms),
            call_type: if rng.permille(550) { "video" } else { "audio" },
            mode: ["call", "meet", "presenter"][mode_idx],
            receiver_type: if group { "group" } else { "user" },
            ringing: "initiated",
            fate: fate(options, &mut rng, initiated_at, mode_idx, group),
        };
        outline.go_wrong(options);
        outline
    }

    /// Draws what goes wrong with it, apart from all else: the same calls are made without faults.
    fn go_wrong(&mut self, options: &Options) {
        let mut rng = Rng::of(&[self.key, 3]);
        if rng.permille(options.share(Fault::LateRow)) {
            self.appears_at = self.appears_at.plus_ms(rng.below(LATE_MAX_MS + 1).into());
        }
        if rng.permille(options.share(Fault::NewWords)) {
            match rng.below(4) {
                0 => self.call_type = "hologram",
                1 => self.mode = "broadcast",
                2 => self.receiver_type = "channel",
                _ => self.ringing = "connecting",
            }
        }
    }

    /// `status` at second `at`.
    pub(super) fn status(&self, at: i64) -> &'static str {
        match self.fate {
            Fate::Talk { started_at, .. } if at < started_at => self.ringing,
            Fate::Talk { last_at, ends: true, .. } if at >= last_at => "ended",
            Fate::Talk { .. } => "ongoing",
            Fate::Missed { at: missed_at, .. } if at < missed_at => self.ringing,
            Fate::Missed { status, .. } => status,
        }
    }

    /// When it was answered, if it ever was.
    pub(super) fn started_at(&self) -> Option<i64> {
        match self.fate {
            Fate::Talk { started_at, .. } => Some(started_at),
            Fate::Missed { .. } => None,
        }
    }

    /// When it takes its final status, if it ever does.
    pub(super) fn final_at(&self) -> Option<i64> {
        match self.fate {
            Fate::Talk { last_at, ends, .. } => ends.then_some(last_at),
            Fate::Missed { at, .. } => Some(at),
        }
    }

    /// When its last change comes, apart from recordings and transcriptions.
    pub(super) fn last_at(&self) -> i64 {
        match self.fate {
            Fate::Talk { last_at, .. } => last_at,
            Fate::Missed { at, .. } => at,
        }
    }
}

fn fate(options: &Options, rng: &mut Rng, initiated_at: i64, mode_idx: usize, group: bool) -> Fate {
    let ring_s = rng.log_normal(10.0, 0.7).min(RING_MAX_S - 1);
    let outcome = match (mode_idx, group) {
        (0, false) => rng.pick(&USER_PERMILLE),
        (0, true) => rng.pick(&GROUP_PERMILLE),
        // Meetings do not ring: their first visible status is `ongoing`.
        _ => 0,
    };
    let rung_s = match outcome {
        _ if mode_idx != 0 => 0,
        1 => RING_MAX_S,
        4 => 1,
        _ => ring_s,
    };
    let rung_at = initiated_at + i64::from(options.scaled(rung_s));
    if outcome != 0 {
        let rang_out = outcome == 1;
        let status = match OUTCOMES[outcome] {
            _ if rang_out && options.has(Quirk::RingEndsCancelled) => "cancelled",
            status => status,
        };
        return Fate::Missed { status, at: rung_at };
    }
    let mean_s = [240.0, 630.0, 780.0][mode_idx];
    let talk_s = rng.log_normal(mean_s, 1.1).min(TALK_MAX_S);
    Fate::Talk {
        started_at: rung_at,
        last_at: rung_at + i64::from(options.scaled(talk_s).max(1)),
        ends: !rng.permille(options.never_ending_permille),
    }
}
