//! All formats say the same, each in its own way.

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::{expect, expect_file};

use super::exposition::{Labels, sample};
use super::protocol::Field;
use super::*;
use crate::call::{CallKey, CallType};
use crate::ledger::Posting;
use crate::ledger::posting::Observed;

/// Every sample by its name and labels; the bound of a bucket in one spelling.
pub(super) type Series = BTreeMap<(String, Labels), f64>;

fn insert(series: &mut Series, name: &str, mut labels: Labels, value: f64) {
    for (_, le) in labels.iter_mut().filter(|(label, _)| label == "le") {
        *le = le.parse::<f64>().expect("a bound").to_string();
    }
    let double = series.insert((name.to_owned(), labels), value);
    assert_eq!(double, None, "{name} stands twice");
}

pub(super) fn of_text(text: &str) -> Series {
    let mut series = Series::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, labels, value) = sample(line).expect("a sample");
        insert(&mut series, name, labels, value);
    }
    series
}

pub(super) fn of_protobuf(bytes: &[u8]) -> Series {
    let mut series = Series::new();
    for family in families_of(bytes) {
        let name = family.text(1);
        assert!(!family.text(2).is_empty(), "{name} has a HELP");
        for metric in family.messages(4) {
            let labels = labels_of(&metric);
            if let [histogram] = metric.messages(7).as_slice() {
                for bucket in histogram.messages(3) {
                    let mut labels = labels.clone();
                    labels.push(("le".into(), bucket.double(2).to_string()));
                    let count = samples::whole(bucket.number(1));
                    insert(&mut series, &format!("{name}_bucket"), labels, count);
                }
                insert(&mut series, &format!("{name}_sum"), labels.clone(), histogram.double(2));
                let count = samples::whole(histogram.number(1));
                insert(&mut series, &format!("{name}_count"), labels, count);
            } else {
                // A gauge stands in field 2, a counter in field 3; the type says which.
                let field = if family.number(3) == 0 { 3 } else { 2 };
                let [value] = &metric.messages(field)[..] else { panic!("{name} has no value") };
                insert(&mut series, &name, labels, value.double(1));
            }
        }
    }
    series
}

fn labels_of(metric: &Field<'_>) -> Labels {
    metric.messages(1).iter().map(|label| (label.text(1), label.text(2))).collect()
}

fn families_of(bytes: &[u8]) -> Vec<Field<'_>> {
    let mut rest = bytes;
    let mut families = Vec::new();
    while !rest.is_empty() {
        let n_bytes = protocol::varint(&mut rest).expect("a length");
        let (family, after) = rest.split_at(usize::try_from(n_bytes).expect("a length"));
        families.push(Field::Bytes(family));
        rest = after;
    }
    families
}

/// A world in which every histogram and counter of calls has an example.
fn exemplified() -> (World, Examples) {
    let mut examples = Examples::default();
    let key = |id: &str| CallKey { initiated_at: EPOCH, session_id: id.into() };
    let posting = |duration_s| Posting {
        kind: kind("audio call user"),
        adds: vec![(Counter::Calls(Outcome::Ended), 1), (Counter::AudioMs, 5)],
        observed: Some(Observed { duration_s, answer_s: Some(9), people: 2 }),
        corrections: 0,
        abandoned: 0,
        unknown: Default::default(),
    };
    for (n, (id, duration_s)) in
        [("v1.us.\"old\"", 60), ("v1.us.new", 60), ("v1.us.long", 99_999)].into_iter().enumerate()
    {
        examples.note(&key(id), &posting(duration_s), NOW.plus_ms(n as i64));
    }
    examples.note(&key(&"x".repeat(119)), &posting(1), NOW.plus_ms(9));
    (World::small(), examples)
}

fn in_full(format: Format) -> Vec<u8> {
    let (world, examples) = exemplified();
    let breakdown = Breakdown { call_type: true, mode: false, receiver_type: false };
    let shown = Shown { breakdown, created_from: Some(EPOCH.plus_s(7).start()) };
    let app = AppView { examples: Some(&examples), ..world.view("production") };
    bytes(&[render_app(&app, shown)], &render_process(&process(), shown), format)
}

#[test]
fn a_small_world_reads_in_openmetrics_as_follows() {
    let text = text(&in_full(Format::OpenMetrics));
    expect_file!["../../../tests/data/small-world.openmetrics"].assert_eq(&text);
}

#[test]
fn created_and_exemplars_are_no_part_of_the_text_format() {
    let (text, open) = (text(&in_full(Format::Text)), text(&in_full(Format::OpenMetrics)));
    assert_eq!(check_exposition(&text), Ok(()));
    let plain: String = open
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("_created"))
        .map(|line| line.split(" # {").next().unwrap_or_default().to_owned() + "\n")
        .collect();
    assert_eq!(of_text(&plain), of_text(&text));
}

#[test]
fn created_is_the_epoch_of_what_is_durable_and_else_the_start() {
    let text = text(&in_full(Format::OpenMetrics));
    let value = |name: &str| samples_of(&text, name).rsplit(' ').next().map(str::to_owned);
    let epoch = Some("1760000000\n".into());
    assert_eq!(value("cometchat_calls_created"), epoch);
    assert_eq!(value("cometchat_call_duration_seconds_created"), epoch);
    assert_eq!(value("cometchat_corrections_created"), epoch);
    let start = Some("1760000007\n".into());
    assert_eq!(value("cometchat_api_requests_created"), start);
    assert_eq!(value("cometchat_api_request_duration_seconds_created"), start);
    assert_eq!(value("cometchat_state_commit_failures_created"), start);
    assert_eq!(value("process_cpu_seconds_created"), Some("1760000000.12\n".into()));
    assert!(!text.contains("cometchat_up_created"), "a gauge is not created");
}

#[test]
fn exemplars_name_the_newest_call_of_each_place() {
    let text = text(&in_full(Format::OpenMetrics));
    let with: String = text
        .lines()
        .filter(|line| line.contains(" # {"))
        .fold(String::new(), |all, line| all + line.trim_start_matches("cometchat_") + "\n");
    expect![[r#"
        calls_total{cometchat_app="production",call_type="audio",status="ended"} 1 # {session_id="v1.us.long"} 1 1760003600.002
        call_duration_seconds_bucket{cometchat_app="production",call_type="audio",le="60.0"} 1 # {session_id="v1.us.new"} 60 1760003600.001
        call_duration_seconds_bucket{cometchat_app="production",call_type="audio",le="+Inf"} 1 # {session_id="v1.us.long"} 99999 1760003600.002
        call_answer_seconds_bucket{cometchat_app="production",call_type="audio",le="12.0"} 1 # {session_id="v1.us.long"} 9 1760003600.002
        call_participants_bucket{cometchat_app="production",call_type="audio",le="2.0"} 1 # {session_id="v1.us.long"} 2 1760003600.002
    "#]].assert_eq(&with);
    let bytes = in_full(Format::Protobuf);
    let families = families_of(&bytes);
    let calls = families.iter().find(|family| family.text(1) == "cometchat_calls_total");
    let mut counters = calls.expect("a family").messages(4).into_iter();
    let exemplar = counters.find_map(|metric| metric.messages(3)[0].messages(2).pop());
    let exemplar = exemplar.expect("an exemplar");
    let (label, at) = (exemplar.messages(1)[0], exemplar.messages(3)[0]);
    assert_eq!((label.text(1), label.text(2)), ("session_id".into(), "v1.us.long".into()));
    assert_eq!((at.number(1), at.number(2)), (1_760_003_600, 2_000_000));
    assert_eq!(exemplar.double(2), 1.0);
}

#[test]
fn native_buckets_are_those_of_the_ledger() {
    let mut world = World::small();
    let spread =
        &mut Arc::make_mut(&mut world.totals).distributions[CallType::Audio.index()].duration_s;
    for seconds in [0, 0, 1, 2, 3, 3, 59, 60, 61, 3600, 1 << 40] {
        spread.observe(seconds);
    }
    let expected = spread.clone();
    let app = render_app(&world.view("a"), Breakdown::default());
    let bytes = join([&app].into_iter(), &Lines::default(), Format::Protobuf).to_vec();
    let families = families_of(&bytes);
    let family = families.iter().find(|it| it.text(1) == "cometchat_call_duration_seconds");
    let metrics = family.expect("a family").messages(4);
    let histogram = metrics[0].messages(7).remove(0);
    assert_eq!(histogram.number(5), 6, "schema 3, as a number with a sign");
    assert_eq!(histogram.number(7), expected.native_zero);
    let mut deltas = histogram.bytes_of(13);
    let (mut counts, mut bucket, mut count) = (BTreeMap::new(), 0, 0);
    for span in histogram.messages(12) {
        bucket += protocol::signed(span.number(1));
        for _ in 0..span.number(2) {
            count += protocol::signed(protocol::varint(&mut deltas).expect("a delta"));
            counts.insert(u16::try_from(bucket).expect("above 0"), count.cast_unsigned());
            bucket += 1;
        }
    }
    assert_eq!(counts, expected.native);
    assert!(deltas.is_empty());
}

#[test]
fn openmetrics_ends_and_nothing_else_does() {
    for format in Format::ALL {
        let bytes = bytes(&[], &Lines::default(), format);
        assert_eq!(bytes.ends_with(b"# EOF\n"), format == Format::OpenMetrics);
    }
}
