//! What comes to a call after its end: recordings, a transcription, a correction of its totals.

use super::outline::{Fate, Outline};
use super::rng::Rng;
use super::{Fault, Options};

/// All that comes to one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachments {
    /// In the order in which they were made.
    pub(super) recordings: Vec<Recording>,
    /// When the transcription appears, if there is one.
    pub(super) transcribed_at: Option<i64>,
    /// When its totals change once more, and whether they rise.
    pub(super) corrected: Option<(i64, Change)>,
}

/// What a correction does to the totals of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It doubles them.
    Raised,
    /// It halves them.
    Lowered,
}

/// One entry of `recordings`. Unix seconds.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    /// `rid`.
    pub(super) rid: u64,
    /// `startTime`.
    pub(super) from: i64,
    /// `endTime`.
    pub(super) until: i64,
    /// When it appears in the row.
    pub(super) appears_at: i64,
}

impl Attachments {
    /// What this call leaves behind: nothing, unless it was answered and ended.
    pub(super) fn of(options: &Options, outline: &Outline) -> Self {
        let Fate::Talk { started_at, last_at, ends: true } = outline.fate else {
            return Self::default();
        };
        let mut rng = Rng::of(&[outline.key, 2]);
        let mut attachments = Self::default();
        if rng.permille(100) {
            attachments.recordings = recordings(options, &mut rng, started_at, last_at);
        }
        if rng.permille(60) {
            attachments.transcribed_at = Some(last_at + delay(options, &mut rng));
        }
        let mut rng = Rng::of(&[outline.key, 4]);
        let at = last_at + 30 + i64::from(rng.below(11));
        if rng.permille(options.share(Fault::Raised)) {
            attachments.corrected = Some((at, Change::Raised));
        } else if rng.permille(options.share(Fault::Lowered)) {
            attachments.corrected = Some((at, Change::Lowered));
        }
        attachments
    }

    /// When the last of it appears.
    pub(super) fn last_at(&self) -> Option<i64> {
        self.appearances().max()
    }

    /// When each part of it appears.
    pub(super) fn appearances(&self) -> impl Iterator<Item = i64> {
        let recordings = self.recordings.iter().map(|recording| recording.appears_at);
        recordings.chain(self.transcribed_at).chain(self.corrected.map(|(at, _)| at))
    }
}

/// One recording, or two with a break between them.
fn recordings(options: &Options, rng: &mut Rng, from: i64, until: i64) -> Vec<Recording> {
    let lasts = u32::try_from(until - from).unwrap_or_default();
    let cut = from + i64::from(1 + rng.below(lasts.saturating_sub(2)));
    let spans = if lasts >= 6 && rng.permille(250) {
        vec![(from, cut), (cut + 1, until)]
    } else {
        vec![(from, until)]
    };
    spans
        .into_iter()
        .map(|(from, end)| {
            let appears_at = until + delay(options, rng);
            Recording { rid: rng.next_u64(), from, until: end, appears_at }
        })
        .collect()
}

/// How long after the end something is delivered.
fn delay(options: &Options, rng: &mut Rng) -> i64 {
    if !options.late_recordings {
        return 0;
    }
    let delay_max_s = options.recording_delay_max_s;
    i64::from(options.scaled(delay_max_s / 20 + rng.below(delay_max_s - delay_max_s / 20 + 1)))
}
