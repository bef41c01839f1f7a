//! APIs that differ from their documents, and APIs with faults: what is counted of them is exact.

use std::thread;

use super::stage::{Setting, Stage};

/// Runs one exporter from the start of each world to its rest, all at once.
#[track_caller]
fn check(settings: &[Setting<'_>]) {
    thread::scope(|scope| {
        for &setting in settings {
            scope.spawn(move || {
                eprintln!("{:?}", setting.world);
                let stage = Stage::new(setting);
                let exporter = stage.exporter();
                stage.compare_at_rest(&exporter);
                exporter.program.ends_on("TERM");
            });
        }
    });
}

fn world<'a>(world: &'a [&'a str]) -> Setting<'a> {
    Setting { world, ..Setting::default() }
}

#[test]
fn odd_lists_are_counted_exactly() {
    check(&[
        world(&["--seed=21", "--quirk=page-from-zero", "--per-page-max=9"]),
        world(&["--seed=22", "--quirk=page-from-zero", "--past-end=error", "--per-page-max=9"]),
        world(&["--seed=23", "--quirk=per-page-ignored", "--order=oldest-first"]),
        world(&["--seed=24", "--quirk=numbers-as-text", "--past-end=error"]),
        world(&["--seed=28", "--quirk=per-page-rejected", "--per-page-max=50"]),
    ]);
}

#[test]
fn odd_rows_are_counted_exactly() {
    check(&[
        world(&[
            "--seed=25",
            "--quirk=people-as-objects",
            "--quirk=minutes-by-person",
            "--quirk=recordings-odd",
            "--quirk=transcribed-unsaid",
            "--quirk=get-call-array",
        ]),
        world(&[
            "--seed=26",
            "--quirk=people-absent",
            "--quirk=participants-all",
            "--quirk=recordings-hidden",
            "--quirk=transcriptions-hidden",
            "--quirk=get-call-empty",
            "--quirk=mid-absent",
        ]),
        world(&[
            "--seed=27",
            "--quirk=words-in-capitals",
            "--quirk=ring-ends-cancelled",
            "--quirk=meetings-share-ids",
        ]),
    ]);
}

#[test]
fn answers_that_fail_cost_no_call() {
    check(&[
        world(&["--seed=31", "--fault=error:150", "--fault=gateway:100", "--quirk=errors-bare"]),
        world(&["--seed=32", "--fault=garbage:100", "--fault=truncated:100"]),
        world(&["--seed=33", "--fault=closed:200", "--quirk=errors-as-html"]),
        Setting {
            poll: "timeout: 500ms",
            ..world(&["--seed=34", "--fault=hang:60", "--fault=slow:60", "--latency=20ms"])
        },
    ]);
}

#[test]
fn refusals_for_want_of_budget_cost_no_call() {
    let throttled = |headers, quirk| [headers, quirk, "--seed=35", "--fault=throttled:200"];
    check(&[
        world(&throttled("--rate-limit-headers=dashed", "--quirk=errors-with-200")),
        world(&throttled("--rate-limit-headers=dashed-on-refusal", "--quirk=retry-after-date")),
        world(&throttled("--rate-limit-headers=joined", "--quirk=errors-as-html")),
        world(&throttled("--rate-limit-headers=joined-on-refusal", "--quirk=errors-bare")),
        world(&throttled("--rate-limit-headers=absent", "--quirk=retry-after-absent")),
    ]);
}

#[test]
fn rows_that_fail_cost_no_call() {
    check(&[
        Setting {
            loud: &["records_invalid_total"],
            ..world(&["--seed=41", "--fault=bad-row:20", "--per-page-max=20"])
        },
        world(&["--seed=42", "--fault=missing-row:20", "--per-page-max=20"]),
        world(&["--seed=43", "--fault=late-row:200", "--per-page-max=9"]),
        world(&["--seed=44", "--fault=vanishing:300", "--per-page-max=20"]),
    ]);
}

#[test]
fn what_is_corrected_counts_as_often_as_it_is_said_to() {
    check(&[
        world(&["--seed=45", "--fault=raised:300", "--speed=10", "--stop-after=2m"]),
        Setting {
            loud: &["corrections_total"],
            ..world(&["--seed=46", "--fault=lowered:300", "--speed=10", "--stop-after=2m"])
        },
        Setting {
            loud: &["unknown_values_total"],
            ..world(&["--seed=47", "--fault=new-words:300"])
        },
    ]);
}
