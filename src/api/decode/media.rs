//! `recordings` and `transcriptions`.

use serde_json::value::RawValue;

use super::fields::{Findings, media_ms};

/// What `recordings` says.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    /// How many there are.
    pub(super) count: u64,
    /// Their length summed, ms.
    pub(super) length_ms: u64,
}

/// Reads `recordings`. `own_length_s` is how long the call itself lasted, in seconds.
pub(super) fn recordings(
    recordings: Option<&RawValue>,
    own_length_s: Option<u64>,
    found: &mut Findings,
) -> Recordings {
    let mut all = Recordings::default();
    let names = ["startTime", "endTime", "duration"];
    for [start, end, duration] in found.objects(recordings, &names) {
        all.count += 1;
        let (start, end) = (found.seconds(start), found.seconds(end));
        let duration = found.length(duration);
        let length_ms = match (start, end) {
            (Some(start), Some(end)) if start <= end => media_ms((end - start) / 60.0),
            _ => duration.and_then(|duration| duration_ms(duration, own_length_s)),
        };
        all.length_ms = all.length_ms.saturating_add(length_ms.unwrap_or_default());
    }
    all
}

/// `duration` is minutes in the REST documentation and seconds in that of the SDKs. Minutes, unless
/// a recording would then outlast its call by more than a minute while in seconds it does not.
fn duration_ms(duration: f64, own_length_s: Option<u64>) -> Option<u64> {
    let (as_minutes, as_seconds) = (media_ms(duration)?, media_ms(duration / 60.0)?);
    let max_ms = own_length_s.map_or(u64::MAX, |s| s.saturating_add(60).saturating_mul(1000));
    Some(if as_minutes > max_ms && as_seconds <= max_ms { as_seconds } else { as_minutes })
}

/// Counts the objects in `transcriptions`.
pub(super) fn transcriptions(transcriptions: Option<&RawValue>, found: &mut Findings) -> usize {
    found.objects(transcriptions, &[]).len()
}
