//! What the command line takes and refuses.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use expect_test::{Expect, expect, expect_file};

use super::*;
use crate::config::settings::{Listen, ListenAddress};

fn parse(line: &str) -> Result<Command, clap::Error> {
    let words = std::iter::once("cometchat-exporter").chain(line.split_whitespace());
    Cli::try_parse_from(words).map(Cli::into_command)
}

fn run_args(line: &str) -> RunArgs {
    let Ok(Command::Run(args)) = parse(line) else { unreachable!("{line}: not run") };
    args
}

#[track_caller]
fn refused(line: &str, expected: Expect) {
    let error = parse(line).expect_err("it is refused");
    assert_eq!(error.exit_code(), 2, "{line}");
    let text = error.to_string();
    expected.assert_eq(text.lines().next().unwrap_or_default());
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
}

#[test]
fn without_a_command_it_runs() {
    let bare = run_args("--config.file=x.yaml --log.level=debug --log.format=json");
    let named = run_args("run --config.file=x.yaml --log.level=debug --log.format=json");
    assert_eq!(format!("{bare:?}"), format!("{named:?}"));
    assert_eq!(bare.config_file, Some("x.yaml".into()));
    assert_eq!((bare.log_level, bare.log_format), (LogLevel::Debug, LogFormat::Json));
    assert!(matches!(
        parse("check-config --config.file=x"),
        Ok(Command::CheckConfig(args)) if args.run.config_file == Some("x".into())
    ));
}

#[test]
fn the_defaults_are_those_of_the_documents() {
    let args = run_args("");
    assert_eq!(
        args.web.at.listen,
        [Listen::Tcp(ListenAddress { host: None, port: super::super::settings::LISTEN_PORT })]
    );
    assert_eq!((args.web.telemetry_path.as_str(), args.web.max_requests), ("/metrics", 40));
    assert!(!args.web.open_health && !args.web.systemd_socket);
    assert_eq!((args.log_level, args.log_format), (LogLevel::default(), LogFormat::default()));
    let Ok(Command::Simulate(args)) = parse("simulate") else { unreachable!("not simulate") };
    assert_eq!(args.listen.to_string(), "127.0.0.1:18080");
    assert!(args.late_recordings && !args.live_totals);
    let Ok(Command::Demo(args)) = parse("demo --speed=60 --seed=7") else {
        unreachable!("not demo")
    };
    assert_eq!((args.listen[0].to_string().as_str(), args.world.seed), (":10180", 7));
}

#[test]
fn the_help_names_the_same_defaults_as_the_settings() {
    use super::super::{duration, settings};
    let help = Cli::command().render_long_help().to_string().replace('\n', " ");
    for default in [duration::format(settings::POLL_INTERVAL_MS).as_str(), settings::STATE_PATH] {
        assert!(help.contains(&format!("[default: {default}]")), "{default}");
    }
}

#[test]
fn flags_are_repeatable_where_they_say_so() {
    let args = run_args(
        "--web.listen-address=:1 --web.listen-address=[::1]:2 --web.listen-address localhost:3 \
         --web.listen-address=unix:/run/x.sock",
    );
    let shown: Vec<String> = args.web.at.listen.iter().map(ToString::to_string).collect();
    assert_eq!(shown, [":1", "[::1]:2", "localhost:3", "unix:/run/x.sock"]);
}

#[test]
fn the_prefix_of_paths_is_that_of_the_external_url_unless_it_is_given() {
    for (line, route, link) in [
        ("", "", ""),
        ("--web.route-prefix=/", "", ""),
        ("--web.route-prefix=a/b/", "/a/b", "/a/b"),
        ("--web.external-url=https://example.org", "", ""),
        ("--web.external-url=https://example.org:8443/cometchat/", "/cometchat", "/cometchat"),
        ("--web.external-url=http://x/cometchat --web.route-prefix=/", "", "/cometchat"),
    ] {
        let at = run_args(line).web.at;
        assert_eq!(
            (at.route_prefix().as_str(), at.link_prefix().as_str()),
            (route, link),
            "{line}"
        );
    }
}

#[test]
fn switches_of_the_simulator_are_understood() {
    let Ok(Command::Simulate(args)) = parse(
        "simulate --live-totals --late-recordings=false --never-ending=5 --order=oldest-first \
         --history=2d --stop-after=1h --per-page-max=25 --rate-limit=60 --duration-scale=100 \
         --calls-per-day=0 --app-id=a --api-key=k --seed=3 --speed=0.5",
    ) else {
        unreachable!("not simulate")
    };
    assert!(args.live_totals && !args.late_recordings);
    assert_eq!((args.history_s, args.stop_after_s, args.calls_per_day), (172_800, Some(3600), 0));
    assert_eq!((args.order, args.never_ending_permille), (Order::OldestFirst, 5));
}

#[test]
fn a_shard_that_there_is_not_is_told_how_shards_are_named() {
    refused(
        "--shard=3/3",
        expect![
            "error: invalid value '3/3' for '--shard <INDEX/COUNT>': must be INDEX/COUNT, such as 0/3, 1/3 and 2/3 for three exporters: INDEX from 0 to COUNT - 1, COUNT at most 1000"
        ],
    );
}

#[test]
fn a_bad_flag_is_refused_by_its_name() {
    refused(
        "--poll.interval=10ms",
        expect![
            "error: invalid value '10ms' for '--poll.interval <DURATION>': must be at least 1s"
        ],
    );
    refused(
        "check-config --poll.interval=often",
        expect![
            "error: invalid value 'often' for '--poll.interval <DURATION>': must be a duration such as 30s, 5m or 1h30m"
        ],
    );
    refused(
        "--count.from=2026-01-31",
        expect![
            "error: invalid value '2026-01-31' for '--count.from <WHEN>': must say a time and a zone too, such as 2026-01-31T00:00:00Z"
        ],
    );
    refused(
        "--cometchat.region=mars",
        expect![
            "error: invalid value 'mars' for '--cometchat.region <REGION>': must be us, eu or in"
        ],
    );
    refused(
        "--web.listen-address=10180",
        expect![
            "error: invalid value '10180' for '--web.listen-address <ADDRESS>': must be :PORT, HOST:PORT, [::1]:PORT or unix:PATH, such as :10180"
        ],
    );
    refused(
        "--web.max-requests=-1",
        expect![
            "error: invalid value '-1' for '--web.max-requests <NUMBER>': -1 is not in 0..=4294967295"
        ],
    );
    refused(
        "--web.external-url=example.org",
        expect![
            "error: invalid value 'example.org' for '--web.external-url <URL>': must begin with https:// or http://"
        ],
    );
    refused(
        "healthcheck --url=localhost",
        expect![
            "error: invalid value 'localhost' for '--url <URL>': must be a whole address, such as http://localhost:10180/-/healthy"
        ],
    );
    refused("--log.level=loud", expect!["error: invalid value 'loud' for '--log.level <LEVEL>'"]);
    refused(
        "--state.path=",
        expect![
            "error: invalid value '' for '--state.path <FILE|memory>': must be the path of a file, or memory"
        ],
    );
    refused(
        "simulate --never-ending=1001",
        expect![
            "error: invalid value '1001' for '--never-ending <PERMILLE>': 1001 is not in 0..=1000"
        ],
    );
    refused("--config.fil=x", expect!["error: unexpected argument '--config.fil' found"]);
    refused(
        "--config.file=x check-config",
        expect!["error: the subcommand 'check-config' cannot be used with '--config.file <PATH>'"],
    );
}

#[test]
fn a_flag_before_a_command_is_told_where_to_stand() {
    let tip = "flags of a command stand behind its name";
    let told = |line| advised(parse(line).expect_err("it is refused")).to_string();
    assert!(told("--config.file=x check-config").contains(tip));
    assert!(told("--seed=1 demo").lines().count() > 1, "not a flag of run at all");
    assert!(!told("demo --seed=1 --seed=2").contains(tip), "nothing stands before the command");
    let tip = "tip: a file is given by its flag: --config.file=my.yaml";
    assert!(told("check-config my.yaml").contains(tip), "{}", told("check-config my.yaml"));
    assert!(told("my.yaml").contains(tip), "{}", told("my.yaml"));
    assert!(!told("check-config --my-flag").contains("a file is given"));
}

#[test]
fn a_key_on_the_command_line_is_refused_and_not_repeated() {
    for line in ["--cometchat.api-key=hush-hush", "--cometchat.api-key hush-hush"] {
        let error = parse(line).expect_err("it is refused");
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    assert_eq!(parse("--version").expect_err("it is shown").kind(), ErrorKind::DisplayVersion);
    assert_eq!(parse("--help").expect_err("it is shown").exit_code(), 0);
    assert_eq!(parse("check-config -h").expect_err("it is shown").exit_code(), 0);
}

#[test]
fn the_short_help_reads_well() {
    expect_file!["help.txt"].assert_eq(&Cli::command().term_width(100).render_help().to_string());
}
