//! Who takes part in a call, on which devices, and when each joins and leaves.

use super::outline::{Fate, Outline};
use super::rng::Rng;

/// Everybody in one call.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    /// `uid` of the caller.
    pub(super) initiator: String,
    /// `uid` or group id.
    pub(super) receiver: String,
    /// Entries of `participants`.
    pub(super) devices: Vec<Device>,
    /// Whether the row shows them.
    pub(super) listed: Listed,
}

/// One entry of `participants`: one device of one person.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// Whose device it is.
    pub(super) uid: String,
    /// `deviceId`.
    pub(super) id: u64,
    /// When it is in the call; `None` for one that never joins.
    pub(super) stay: Option<Stay>,
    /// The last `state` of one that never joins; it may be missing.
    pub(super) refusal: Option<&'static str>,
}

/// A stay in the call, in Unix seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    /// `joinedAt`.
    pub(super) from: i64,
    /// `leftAt`, or the last change of one that never leaves.
    pub(super) until: i64,
    /// False for the last person in a call that never ends.
    pub(super) leaves: bool,
}

/// How the row shows `participants`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// As they are.
    Everybody,
    /// As `[]`, however many there are.
    Empty,
    /// Not at all: the field is missing.
    Missing,
}

/// People of the app; a prime, so that a walk with any step meets nobody twice.
const N_PEOPLE: u32 = 4999;
const N_GROUPS: u32 = 300;
/// The API's own limit.
const DEVICES_MAX: usize = 50;
const NAMES: [&str; 16] = [
    "ada", "bo", "cleo", "dev", "eve", "finn", "gus", "hana", "ivo", "jun", "kim", "lea", "max",
    "nia", "omar", "pia",
];

impl Cast {
    /// The people of this call.
    pub(super) fn of(outline: &Outline) -> Self {
        let mut rng = Rng::of(&[outline.key, 1]);
        let (first, step) = (rng.below(N_PEOPLE), 1 + rng.below(N_PEOPLE - 1));
        let person = |n: u32| uid((first + n * step) % N_PEOPLE);
        let group = outline.receiver_type == "group";
        let receiver = if group { format!("group-{}", rng.below(N_GROUPS)) } else { person(1) };
        let mut devices = Vec::new();
        match outline.fate {
            Fate::Missed { status, .. } => {
                let n_called = if group { 2 + rng.below(5) } else { 1 };
                devices.push(absent(&mut rng, person(0), Some(status)));
                for n in 1..=n_called {
                    push_called(&mut rng, &mut devices, &person(n), status);
                }
            }
            Fate::Talk { started_at, last_at, ends } => {
                let n_joined = n_joined(&mut rng, group);
                let host = Stay { from: started_at, until: last_at, leaves: ends };
                devices.push(present(&mut rng, person(0), host));
                for n in 1..n_joined {
                    push_joined(&mut rng, &mut devices, &person(n), host, group);
                }
                if outline.mode == "call" && devices.len() < DEVICES_MAX - 3 {
                    // Devices that rang on, and members who did not come.
                    let n_rest = if group || n_joined == 1 { 1 + rng.below(2) } else { 0 };
                    for n in n_joined..n_joined + n_rest {
                        push_called(&mut rng, &mut devices, &person(n), "unanswered");
                    }
                    if !group && n_joined == 2 && rng.permille(300) {
                        devices.push(absent(&mut rng, person(1), Some("unanswered")));
                    }
                }
            }
        }
        let answered = matches!(outline.fate, Fate::Talk { .. });
        let listed = match rng.below(200) {
            0 if answered => Listed::Empty,
            1 if answered => Listed::Missing,
            _ => Listed::Everybody,
        };
        Self { initiator: person(0), receiver, devices, listed }
    }
}

/// How many people come into an answered call; now and then nobody but the first.
fn n_joined(rng: &mut Rng, group: bool) -> u32 {
    if rng.permille(40) {
        1
    } else if group {
        (2 + rng.log_normal(3.0, 1.1)).min(50)
    } else {
        2
    }
}

/// A person who comes and goes between the first and the last second of the host, perhaps on one
/// device after the other. In a group some come late or leave early.
fn push_joined(rng: &mut Rng, devices: &mut Vec<Device>, uid: &str, host: Stay, group: bool) {
    if devices.len() >= DEVICES_MAX {
        return;
    }
    let lasts = u32::try_from(host.until - host.from).unwrap_or_default();
    let mut apart = || {
        let far = group && rng.permille(300);
        i64::from(rng.below(if far { lasts / 2 } else { lasts.min(8) / 2 } + 1))
    };
    let (from, until) = (host.from + apart(), host.until - apart());
    let stay = Stay { from, until, leaves: true };
    if until - from < 4 || devices.len() + 1 >= DEVICES_MAX || !rng.permille(120) {
        devices.push(present(rng, uid.to_owned(), stay));
        return;
    }
    let change = from + (until - from) / 2;
    devices.push(present(rng, uid.to_owned(), Stay { until: change, ..stay }));
    // Either a change of device or a second one beside the first.
    let from = change - i64::from(rng.below(2));
    devices.push(present(rng, uid.to_owned(), Stay { from, ..stay }));
}

/// A person who was called in vain, on up to three devices; not each entry has a state.
fn push_called(rng: &mut Rng, devices: &mut Vec<Device>, uid: &str, status: &'static str) {
    for _ in 0..=rng.pick(&[700, 200, 100]) {
        let state = [Some(status), Some("unanswered"), None][rng.pick(&[500, 200, 300])];
        devices.push(absent(rng, uid.to_owned(), state));
    }
}

fn absent(rng: &mut Rng, uid: String, refusal: Option<&'static str>) -> Device {
    Device { uid, id: rng.next_u64(), stay: None, refusal }
}

fn present(rng: &mut Rng, uid: String, stay: Stay) -> Device {
    Device { uid, id: rng.next_u64(), stay: Some(stay), refusal: None }
}

fn uid(n: u32) -> String {
    let name = NAMES[n as usize % NAMES.len()];
    format!("{name}-{n}")
}
