//! What the text says of small worlds, and that it is valid for every world.

mod exposition;
mod formats;
mod past;
mod protocol;

use std::borrow::Cow;
use std::sync::Arc;

use expect_test::{expect, expect_file};
use proptest::prelude::*;

use self::exposition::check_exposition;
use super::catalog::families;
use super::fixture::{EPOCH, NOW, World, entry, kind, process, stats};
use super::*;
use crate::call::{Kind, Outcome, Status};
use crate::ledger::Counter;

/// The whole exposition of these apps at [`NOW`].
fn exposition(apps: &[AppLines]) -> String {
    text(&bytes(apps, &render_process(&process(), Shown::default()), Format::Text))
}

fn bytes(apps: &[AppLines], process: &Lines, format: Format) -> Vec<u8> {
    let live = live(apps.iter(), process, &stats(), NOW, format);
    [join(apps.iter(), process, format).to_vec(), live].concat()
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).expect("UTF-8").to_owned()
}

/// The sample lines of one family.
fn samples_of(text: &str, family: &str) -> String {
    let of_family =
        |line: &&str| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' ']));
    text.lines().filter(of_family).flat_map(|line| [line, "\n"]).collect()
}

/// The sum over the series of one family.
fn sum_of(text: &str, family: &str) -> f64 {
    let value = |line: &str| line.rsplit(' ').next().and_then(|word| word.parse::<f64>().ok());
    samples_of(text, family).lines().filter_map(value).sum()
}

#[track_caller]
fn check_family(
    app: &AppView<'_>,
    breakdown: Breakdown,
    family: &str,
    expected: expect_test::Expect,
) {
    expected.assert_eq(&samples_of(&exposition(&[render_app(app, breakdown)]), family));
}

#[test]
fn a_small_world_reads_as_follows() {
    let breakdown = Breakdown { call_type: true, mode: false, receiver_type: false };
    let (small, fresh) = (World::small(), World::empty());
    let reading_back = AppView {
        totals: None,
        recent: None,
        covered_until: None,
        skew_ms: None,
        ..fresh.view("a \"new\" app,\nback\\slashed")
    };
    let apps =
        [render_app(&small.view("production"), breakdown), render_app(&reading_back, breakdown)];
    let text = exposition(&apps);
    check_exposition(&text).expect("a valid exposition");
    expect_file!["../../tests/data/small-world.prom"].assert_eq(&text);
}

#[test]
fn every_documented_combination_stands_at_0_from_the_first_scrape() {
    let world = World::empty();
    let text = exposition(&[render_app(&world.view("a"), Breakdown::default())]);
    let n_series = |family: &str| samples_of(&text, family).lines().count();
    for (family, n) in [
        ("cometchat_calls_total", 12 * 5),
        ("cometchat_participant_entries_total", 12 * 6),
        ("cometchat_calls_failed_total", 12),
        ("cometchat_calls_initiated_total", 12),
        ("cometchat_call_audio_seconds_total", 12),
        ("cometchat_calls_open", 12 * 2),
        ("cometchat_participants_open", 12),
        ("cometchat_recent_calls", 12 * 7),
        ("cometchat_recent_recorded_calls", 12),
        ("cometchat_call_duration_seconds_count", 2),
        ("cometchat_call_answer_seconds_bucket", 2 * 13),
        ("cometchat_unknown_values_total", 5),
        ("cometchat_api_requests_total", 2 * 13),
        ("cometchat_api_errors_total", 20),
        ("cometchat_records_invalid_total", 5),
        ("cometchat_api_request_duration_seconds_count", 2),
    ] {
        assert_eq!(n_series(family), n, "{family}");
    }
    let nonzero =
        text.lines().filter(|line| line.starts_with("cometchat_") && !line.ends_with(" 0"));
    let names: Vec<_> = nonzero.filter_map(|line| line.split(['{', ' ']).next()).collect();
    assert!(names.iter().all(|name| !name.ends_with("_total")), "{names:?}");
    // The API leaves the state of a participant out as a matter of course.
    assert_eq!(text.matches("\"other\"").count(), 12);
    assert_eq!(text.matches("state=\"other\"").count(), 12);
}

#[test]
fn labels_stand_in_the_order_of_the_catalog() {
    let mut world = World::empty();
    let tally =
        Arc::make_mut(&mut world.totals).by_kind.entry(kind("video presenter group")).or_default();
    tally.add(Counter::Calls(Outcome::Busy), 7);
    let text = exposition(&[render_app(&world.view("a"), Breakdown::default())]);
    assert!(text.contains(
        "cometchat_calls_total{cometchat_app=\"a\",call_type=\"video\",mode=\"presenter\",\
         receiver_type=\"group\",status=\"busy\"} 7\n"
    ));
}

#[test]
fn a_kind_with_other_appears_once_seen_and_its_gauges_stay_at_0() {
    let mut world = World::empty();
    let tally =
        Arc::make_mut(&mut world.totals).by_kind.entry(kind("hologram call user")).or_default();
    tally.add(Counter::Calls(Outcome::Other), 1);
    let breakdown = Breakdown { call_type: true, mode: false, receiver_type: false };
    check_family(
        &world.view("a"),
        breakdown,
        "cometchat_calls_total",
        expect![[r#"
            cometchat_calls_total{cometchat_app="a",call_type="audio",status="ended"} 0
            cometchat_calls_total{cometchat_app="a",call_type="audio",status="unanswered"} 0
            cometchat_calls_total{cometchat_app="a",call_type="audio",status="rejected"} 0
            cometchat_calls_total{cometchat_app="a",call_type="audio",status="canceled"} 0
            cometchat_calls_total{cometchat_app="a",call_type="audio",status="busy"} 0
            cometchat_calls_total{cometchat_app="a",call_type="video",status="ended"} 0
            cometchat_calls_total{cometchat_app="a",call_type="video",status="unanswered"} 0
            cometchat_calls_total{cometchat_app="a",call_type="video",status="rejected"} 0
            cometchat_calls_total{cometchat_app="a",call_type="video",status="canceled"} 0
            cometchat_calls_total{cometchat_app="a",call_type="video",status="busy"} 0
            cometchat_calls_total{cometchat_app="a",call_type="other",status="ended"} 0
            cometchat_calls_total{cometchat_app="a",call_type="other",status="unanswered"} 0
            cometchat_calls_total{cometchat_app="a",call_type="other",status="rejected"} 0
            cometchat_calls_total{cometchat_app="a",call_type="other",status="canceled"} 0
            cometchat_calls_total{cometchat_app="a",call_type="other",status="busy"} 0
            cometchat_calls_total{cometchat_app="a",call_type="other",status="other"} 1
        "#]],
    );
    check_family(
        &world.view("a"),
        breakdown,
        "cometchat_calls_open",
        expect![[r#"
            cometchat_calls_open{cometchat_app="a",call_type="audio",status="initiated"} 0
            cometchat_calls_open{cometchat_app="a",call_type="audio",status="ongoing"} 0
            cometchat_calls_open{cometchat_app="a",call_type="video",status="initiated"} 0
            cometchat_calls_open{cometchat_app="a",call_type="video",status="ongoing"} 0
            cometchat_calls_open{cometchat_app="a",call_type="other",status="initiated"} 0
            cometchat_calls_open{cometchat_app="a",call_type="other",status="ongoing"} 0
        "#]],
    );
}

#[test]
fn an_open_call_of_an_unknown_status_is_shown_as_other() {
    let mut world = World::empty();
    world.open.add(EPOCH, &entry(kind("audio call user"), Status::Unknown));
    let none = Breakdown { call_type: false, mode: false, receiver_type: false };
    check_family(
        &world.view("a"),
        none,
        "cometchat_calls_open",
        expect![[r#"
            cometchat_calls_open{cometchat_app="a",status="initiated"} 0
            cometchat_calls_open{cometchat_app="a",status="ongoing"} 0
            cometchat_calls_open{cometchat_app="a",status="other"} 1
        "#]],
    );
}

#[test]
fn fewer_breakdown_labels_leave_the_sums() {
    let world = World::small();
    let none = Breakdown { call_type: false, mode: false, receiver_type: false };
    for family in [
        "cometchat_calls_total",
        "cometchat_call_video_seconds_total",
        "cometchat_recent_audio_seconds",
        "cometchat_call_duration_seconds_sum",
        "cometchat_call_participants_count",
    ] {
        let sum =
            |breakdown| sum_of(&exposition(&[render_app(&world.view("a"), breakdown)]), family);
        assert_eq!(sum(none), sum(Breakdown::default()), "{family}");
    }
    let text = exposition(&[render_app(&world.view("a"), none)]);
    for label in ["call_type=", "mode=", "receiver_type="] {
        assert!(!text.contains(label), "{label}");
    }
}

#[test]
fn counters_and_histograms_are_absent_until_the_first_read_is_complete() {
    let world = World::small();
    let app = AppView { totals: None, ..world.view("a") };
    let text = exposition(&[render_app(&app, Breakdown::default())]);
    for absent in [
        "cometchat_calls_total",
        "cometchat_call_duration_seconds",
        "cometchat_corrections_total",
        "cometchat_unknown_values_total",
    ] {
        assert!(!text.contains(absent), "{absent}");
    }
    assert!(text.contains("cometchat_api_requests_total{"));
    assert!(text.contains("cometchat_calls_open{"));
}

#[test]
fn what_is_not_known_is_absent_and_not_0() {
    let world = World::empty();
    let app = AppView { recent: None, skew_ms: None, ..world.view("a") };
    let memory = StateView { size_bytes: None, commit_duration_us: None, ..process().state };
    let process = ProcessView { state: memory, ..process() };
    let apps = [render_app(&app, Breakdown::default())];
    let process = render_process(&process, Shown::default());
    let live = live(apps.iter(), &process, &ProcessStats::default(), NOW, Format::Text);
    let text = text(&[join(apps.iter(), &process, Format::Text).to_vec(), live].concat());
    for absent in [
        "cometchat_recent_calls",
        "cometchat_recent_audio_seconds",
        "cometchat_oldest_open_call_timestamp_seconds",
        "cometchat_last_success_timestamp_seconds",
        "cometchat_poll_duration_seconds",
        "cometchat_api_rate_limit",
        "cometchat_api_clock_skew_seconds",
        "cometchat_state_size_bytes",
        "cometchat_state_commit_duration_seconds",
        "process_",
    ] {
        assert!(!text.contains(absent), "{absent}");
    }
    assert!(text.contains("cometchat_recent_window_seconds 3600\n"));
}

#[test]
fn the_lag_is_taken_at_the_scrape_on_the_clock_of_the_api() {
    let world = World::empty();
    let lag = |app: AppView<'_>, now_ms| {
        let apps = [render_app(&app, Breakdown::default())];
        let (process, stats) = (Lines::default(), ProcessStats::default());
        let samples = [Format::Text, Format::OpenMetrics].map(|format| {
            let live = live(apps.iter(), &process, &stats, Moment(now_ms), format);
            text(&live).lines().find(|line| !line.starts_with('#')).map(String::from)
        });
        assert_eq!(samples[0], samples[1]);
        samples[0].clone()
    };
    let at = |lag: &str| Some(format!("cometchat_poll_lag_seconds{{cometchat_app=\"a\"}} {lag}"));
    let covered = AppView { skew_ms: Some(2_000), ..world.view("a") };
    assert_eq!(lag(covered, 1_760_003_600_500), at("8.5"));
    assert_eq!(lag(covered, 1_760_003_700_500), at("108.5"), "a hung poll shows");
    assert_eq!(lag(covered, 1_760_003_590_000), at("0"), "never negative");
    let unread = AppView { covered_until: None, ..covered };
    assert_eq!(lag(unread, 1_760_000_003_000), at("1"), "before the first read, less the epoch");
}

#[test]
fn the_catalog_keeps_the_rules_of_naming() {
    let mut names = std::collections::BTreeSet::new();
    let mut live_seen = false;
    for family in families() {
        let name = family.name;
        assert!(names.insert(name), "{name} stands twice");
        let counter = family.kind == catalog::FamilyType::Counter;
        assert_eq!(counter, name.ends_with("_total"), "{name}");
        let per_app = family.labels.first() == Some(&catalog::Label::CometchatApp);
        assert_eq!(family.is_per_app(), per_app, "{name}");
        assert!(family.help.ends_with('.') && !family.help.contains(['\\', '\n', '"']), "{name}");
        let configured = [
            "cometchat_app_info",
            "cometchat_count_from_timestamp_seconds",
            "cometchat_api_budget_requests_per_minute",
        ];
        let polled = per_app && !configured.contains(&name);
        assert_eq!(family.help.contains("in the background"), polled, "{name}");
        live_seen |= family.is_live();
        assert_eq!(family.is_live(), live_seen, "{name}: what is live stands last");
    }
}

#[test]
fn the_documentation_holds_the_catalog() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let page = std::fs::read_to_string(path).expect("docs/metrics.md");
    let (begin, end) = ("<!-- catalog: generated -->\n", "<!-- end of catalog -->");
    let (before, rest) = page.split_once(begin).expect("the mark before the tables");
    let (_, after) = rest.split_once(end).expect("the mark behind the tables");
    let tables = catalog_as_markdown();
    expect_file![path].assert_eq(&format!("{before}{begin}{tables}{end}{after}"));
}

fn catalog_as_markdown() -> String {
    let mut text = String::new();
    for (title, per_app) in [("Of each app", true), ("Of the exporter itself", false)] {
        text +=
            &format!("\n### {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n");
        for family in families().filter(|family| family.is_per_app() == per_app) {
            let labels: Vec<_> =
                family.labels.iter().map(|label| format!("`{}`", label.name())).collect();
            let live = if family.is_live() { " *Taken at the scrape.*" } else { "" };
            text += &format!(
                "| `{}` | {} | {} | {}{live} |\n",
                family.name,
                family.kind.word(),
                labels.join(", "),
                family.help,
            );
        }
    }
    text + "\n"
}

fn kinds() -> impl Strategy<Value = Kind> {
    (0..Kind::COUNT).prop_map(|index| Kind::from_index(index).expect("below the count"))
}

fn statuses() -> impl Strategy<Value = Status> {
    let finals = (0..Outcome::ALL.len()).prop_map(|index| Status::Final(Outcome::ALL[index]));
    let open = (0..Status::OPEN.len()).prop_map(|index| Status::OPEN[index]);
    prop_oneof![finals, open]
}

fn worlds() -> impl Strategy<Value = World> {
    let calls = proptest::collection::vec((kinds(), statuses(), 0..100_000_u64), 0..12);
    calls.prop_map(|calls| {
        let mut world = World::empty();
        for (kind, status, n) in calls {
            let entry = entry(kind, status);
            world.open.add(EPOCH, &entry);
            world.recent.add(&entry);
            if let Status::Final(outcome) = status {
                let tally = Arc::make_mut(&mut world.totals).by_kind.entry(kind).or_default();
                tally.add(Counter::Calls(outcome), 1);
                tally.add(Counter::Entries(outcome), n);
                tally.add(Counter::AudioMs, n);
                Arc::make_mut(&mut world.totals).distributions[kind.call_type.index()]
                    .duration_s
                    .observe(n);
            }
            world.health.requested("get", Cow::Owned((100 + n % 500).to_string()), n);
            world.health.refused(if n % 2 == 0 { "ERR_EXCEPTION" } else { "ERR_NEW" });
        }
        world
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_world_is_a_valid_exposition_and_the_same_in_every_format(
        worlds in proptest::collection::vec((worlds(), any::<[bool; 3]>()), 0..4),
        shown in any::<[bool; 3]>(),
        suffix in "\\PC{0,8}",
    ) {
        let [call_type, mode, receiver_type] = shown;
        let breakdown = Breakdown { call_type, mode, receiver_type };
        let render = |(idx, (world, [totals, recent, read])): (usize, &(World, [bool; 3]))| {
            let name = format!("{idx}{suffix}");
            let view = world.view(&name);
            let app = AppView {
                totals: view.totals.filter(|_| *totals),
                recent: view.recent.filter(|_| *recent),
                covered_until: view.covered_until.filter(|_| *read),
                ..view
            };
            render_app(&app, breakdown)
        };
        let apps: Vec<_> = worlds.iter().enumerate().map(render).collect();
        let plain = exposition(&apps);
        prop_assert_eq!(check_exposition(&plain), Ok(()));
        let process = render_process(&process(), Shown::default());
        let open = text(&bytes(&apps, &process, Format::OpenMetrics));
        let protobuf = bytes(&apps, &process, Format::Protobuf);
        prop_assert_eq!(&formats::of_text(&open), &formats::of_text(&plain));
        prop_assert_eq!(&formats::of_protobuf(&protobuf), &formats::of_text(&plain));
    }

    #[test]
    fn no_breakdown_loses_or_doubles_a_call(world in worlds(), shown in any::<[bool; 3]>()) {
        let [call_type, mode, receiver_type] = shown;
        let breakdown = Breakdown { call_type, mode, receiver_type };
        let text = exposition(&[render_app(&world.view("a"), breakdown)]);
        let sum = |family| sum_of(&text, family);
        let ended: u64 = Outcome::ALL.map(|o| world.totals.sum(Counter::Calls(o))).iter().sum();
        let media_ms = world.totals.sum(Counter::AudioMs);
        let media_s = sum("cometchat_call_audio_seconds_total");
        prop_assert_eq!(sum("cometchat_calls_total"), samples::whole(ended));
        prop_assert_eq!(sum("cometchat_call_duration_seconds_count"), samples::whole(ended));
        prop_assert_eq!(sum("cometchat_calls_open"), samples::whole(world.open.count()));
        prop_assert_eq!(sum("cometchat_recent_calls"), samples::whole(ended + world.open.count()));
        prop_assert!((media_s - samples::seconds(media_ms)).abs() < 1e-6, "{media_s} {media_ms}");
    }
}
