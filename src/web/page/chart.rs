//! Small charts as inline SVG: a bar a minute, a part of it darker, the newest at the right.

use std::fmt::Write;

use super::super::history::{MINUTES, Minute};

/// Height in units of the drawing.
const HEIGHT: u32 = 20;

/// A chart with its title below.
pub(super) fn titled(
    title: &str,
    minutes: &[Minute],
    value: impl Fn(&Minute) -> (u32, u32),
) -> String {
    format!("{}<p class=\"caption\">{title}</p>", bars(title, minutes, value))
}

/// Draws what `value` says of each minute: the whole, and the part of it that is darker.
pub(super) fn bars(
    title: &str,
    minutes: &[Minute],
    value: impl Fn(&Minute) -> (u32, u32),
) -> String {
    let max = minutes.iter().map(|minute| value(minute).0).max().unwrap_or(0);
    let now = minutes.last().map_or(0, |minute| value(minute).0);
    let label = format!("{title}, last hour by minute: at most {max}, now {now}");
    let (mut all, mut part) = (String::new(), String::new());
    for (idx, minute) in minutes.iter().enumerate() {
        let x = MINUTES - minutes.len() + idx;
        let (whole, dark) = value(minute);
        bar(&mut all, x, whole, max);
        bar(&mut part, x, dark, max);
    }
    format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {MINUTES} {HEIGHT}\" \
         preserveAspectRatio=\"none\"><title>{label}</title>\
         <path class=\"base\" d=\"M0 {HEIGHT}H{MINUTES}\"/>\
         <path class=\"all\" d=\"{all}\"/><path class=\"part\" d=\"{part}\"/></svg>"
    )
}

fn bar(path: &mut String, x: usize, n: u32, max: u32) {
    if n > 0 {
        // A tenth of a unit is fine enough; a bar that is there can be seen.
        let tenths = (u64::from(n) * u64::from(HEIGHT) * 10 / u64::from(max.max(1))).max(8);
        let _ = write!(path, "M{x} {HEIGHT}v-{}.{}h.8V{HEIGHT}z", tenths / 10, tenths % 10);
    }
}
