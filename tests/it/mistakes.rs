//! The mistakes that everybody makes once, through the real binary: the exact words that are read
//! then, the exit code, and that no key shows. Each says what happened, where, and what to do.

mod process;

use std::net::TcpListener;

use expect_test::{Expect, expect};
use serde_json::Value;

use process::{Folder, KEY, Running, refusing_api};

/// An app that is given by flags, with its key in the file `key`.
const APP: [&str; 2] = ["--cometchat.app-id=0123456789abcdef", "--cometchat.api-key-file=key"];
/// A port that nobody listens on.
const CLOSED: &str = "http://127.0.0.1:1/v3";
/// Nothing that a test starts is in the way of anything else.
const APART: [&str; 2] = ["--web.listen-address=127.0.0.1:0", "--state.path=memory"];

/// The program ends by itself with this exit code, and this is all that is read.
#[track_caller]
fn ends(folder: &Folder, args: &[&str], code: i32, expected: Expect) {
    let (status, text) = folder.run(args);
    expected.assert_eq(&text);
    assert_eq!(status, Some(code), "{text}");
}

/// The program stays, and says what is wrong in the log, in the metrics and on the page.
#[track_caller]
fn stays(base_url: &str, n_requests: u64, code: &str, log: Expect, page: Expect) {
    let folder = Folder::with_key();
    let base_url = format!("--cometchat.base-url={base_url}");
    let exporter = Running::start(&folder, &[&APP[..], &APART, &[&base_url]].concat());
    let requests = format!(
        "cometchat_api_requests_total{{cometchat_app=\"0123456789abcdef\",endpoint=\"list\",code=\"{code}\"}}"
    );
    let metrics = exporter.wait_for("/metrics", |text| {
        process::value(text, &requests).is_some_and(|n| n >= n_requests)
    });
    assert_eq!(
        process::value(&metrics, "cometchat_up{cometchat_app=\"0123456789abcdef\"}"),
        Some(0)
    );
    assert!(metrics.contains("\ncometchat_calls_total{"), "counters stand at 0: {metrics}");
    page.assert_eq(&process::troubles(&exporter.get("/").body));
    assert_eq!(exporter.get("/-/ready").body, "ready\n", "failed once, so ready");
    log.assert_eq(&exporter.end());
}

#[test]
fn nothing_is_configured() {
    ends(
        &Folder::empty(),
        &[],
        1,
        expect![[r#"
        nothing is configured: there is no app to read. Either
          name a file:      cometchat-exporter --config.file=config.yaml
          or give one app:  cometchat-exporter --cometchat.app-id=ID --cometchat.region=us --cometchat.api-key-file=PATH
                            (or set COMETCHAT_APP_ID, COMETCHAT_REGION and COMETCHAT_API_KEY_FILE)
          or just look:     cometchat-exporter demo
    "#]],
    );
}

#[test]
fn the_key_file_is_missing_or_empty_or_the_key_stands_in_its_place() {
    let folder = Folder::empty();
    folder.write("empty", "\n");
    folder.write("two-lines", "line one\nline two\n");
    let check = |file: &str, expected: Expect| {
        let file = format!("--cometchat.api-key-file={file}");
        ends(&folder, &[APP[0], "--cometchat.region=us", &file], 1, expected);
    };
    check(
        "missing",
        expect![[r#"
        --cometchat.api-key-file names `missing`, which cannot be read: no such file
    "#]],
    );
    check(
        "empty",
        expect![[r#"
        --cometchat.api-key-file names `empty`, which is empty: write the app's REST API key into it, alone
    "#]],
    );
    check(
        "two-lines",
        expect![[r#"
        --cometchat.api-key-file names `two-lines`, which holds blanks, line breaks or other characters that no key has: write the app's REST API key into it, alone
    "#]],
    );
    check(
        ".",
        expect![[r#"
        --cometchat.api-key-file names `.`, which cannot be read: it is a folder
    "#]],
    );
    check(
        KEY,
        expect![[r#"
        --cometchat.api-key-file must be the path of a file, and looks like a key itself: write that into a file
    "#]],
    );
}

#[test]
fn the_api_does_not_know_the_key() {
    let base_url = refusing_api();
    stays(
        &base_url,
        1,
        "401",
        expect![[r#"
        level=info message="starting cometchat-exporter 0.1.0"
        level=info message="listening on 127.0.0.1:..."
        level=info message="app `0123456789abcdef`: counting calls since ..." app.name=0123456789abcdef
        level=error message="app `0123456789abcdef`: GET http://127.0.0.1:.../v3/calls?page=0&perPage=100: HTTP 401 AUTH_ERR_APIKEY_NOT_FOUND: the API key is not known to this app: check the key, the app id and the region" app.name=0123456789abcdef
    "#]],
        expect![
            "GET http://127.0.0.1:.../v3/calls?page=0&amp;perPage=100: HTTP 401 AUTH_ERR_APIKEY_NOT_FOUND: the API key is not known to this app: check the key, the app id and the region"
        ],
    );
}

/// Asked three times, told once.
#[test]
fn nobody_listens_where_the_api_should_be() {
    stays(
        CLOSED,
        3,
        "connect",
        expect![[r#"
        level=info message="starting cometchat-exporter 0.1.0"
        level=info message="listening on 127.0.0.1:..."
        level=info message="app `0123456789abcdef`: counting calls since ..." app.name=0123456789abcdef
        level=warn message="app `0123456789abcdef`: GET http://127.0.0.1:.../v3/calls?page=0&perPage=100: connection refused: check base_url and any proxy" app.name=0123456789abcdef
    "#]],
        expect![
            "GET http://127.0.0.1:.../v3/calls?page=0&amp;perPage=100: connection refused: check base_url and any proxy"
        ],
    );
}

#[test]
fn there_is_no_such_host_as_with_a_wrong_region() {
    let host = "http://0123456789abcdef.call-us.cometchat.invalid/v3";
    stays(
        host,
        1,
        "connect",
        expect![[r#"
        level=info message="starting cometchat-exporter 0.1.0"
        level=info message="listening on 127.0.0.1:..."
        level=info message="app `0123456789abcdef`: counting calls since ..." app.name=0123456789abcdef
        level=warn message="app `0123456789abcdef`: GET http://0123456789abcdef.call-us.cometchat.invalid/v3/calls?page=0&perPage=100: host not found (...): check the app id, the region and the DNS" app.name=0123456789abcdef
    "#]],
        expect![
            "GET http://0123456789abcdef.call-us.cometchat.invalid/v3/calls?page=0&amp;perPage=100: host not found (...): check the app id, the region and the DNS"
        ],
    );
}

#[test]
fn the_port_is_taken() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--web.listen-address={}", holder.local_addr().unwrap());
    let args = [&APP[..], &[&listen, "--cometchat.region=us", "--state.path=memory"]].concat();
    ends(
        &Folder::with_key(),
        &args,
        1,
        expect![[r#"
            level=info message="starting cometchat-exporter 0.1.0"
            level=error message="cannot listen on 127.0.0.1:...: address already in use: another program holds this port; choose another with --web.listen-address"
        "#]],
    );
}

/// Whoever collects the log reads every line as JSON, and the reason of an end above all.
#[test]
fn a_log_in_json_is_json_to_the_last_word() {
    let folder = Folder::with_key();
    folder.write("config.yaml", "poll:\n  interval: 30 parsecs\n  lookbak: 24h\n");
    let check = |args: &[&str], expected: Expect| {
        let (code, text) = folder.run(&[args, &["--log.format=json"]].concat());
        assert_eq!(code, Some(1), "{text}");
        let said = |line| {
            let line: Value = serde_json::from_str(line).expect(line);
            format!("{} {}\n", line["level"].as_str().unwrap(), line["message"].as_str().unwrap())
        };
        expected.assert_eq(&text.lines().map(said).collect::<String>());
    };
    check(
        &["--config.file=config.yaml"],
        expect![[r#"
        ERROR config.yaml:1:1: there is no app to read: list them below `apps`, or give one by --cometchat.app-id
        ERROR config.yaml:2:13: poll.interval must be a duration such as 30s, 5m or 1h30m, not `30 parsecs`
        ERROR config.yaml:3:3: unknown key `lookbak` in poll; did you mean `lookback`?
    "#]],
    );
    let state = ["--cometchat.region=us", APART[0], "--state.path=missing/state.redb"];
    check(
        &[&APP[..], &state].concat(),
        expect![[r#"
        INFO starting cometchat-exporter 0.1.0
        ERROR cannot use state file DIR/missing/state.redb: No such file or directory; create the folder DIR/missing, or give another --state.path
    "#]],
    );
}

#[test]
fn the_state_cannot_be_where_it_should() {
    let folder = Folder::with_key();
    folder.write("notes.txt", "This is not a ledger.\n");
    let check = |path: &str, expected: Expect| {
        let state = format!("--state.path={path}");
        let args = [&APP[..], &["--cometchat.region=us", APART[0], &state]].concat();
        ends(&folder, &args, 1, expected);
    };
    check(
        "missing/state.redb",
        expect![[r#"
            level=info message="starting cometchat-exporter 0.1.0"
            level=error message="cannot use state file DIR/missing/state.redb: No such file or directory; create the folder DIR/missing, or give another --state.path"
        "#]],
    );
    check(
        ".",
        expect![[r#"
            level=info message="starting cometchat-exporter 0.1.0"
            level=error message="cannot use state file DIR: is a directory; --state.path names a folder: add the name of a file"
        "#]],
    );
    check(
        "notes.txt",
        expect![[r#"
            level=info message="starting cometchat-exporter 0.1.0"
            level=error message="DIR/notes.txt is no state file of cometchat-exporter (Not a redb database: magic number mismatch); it is left as it is: give another --state.path"
        "#]],
    );
    check(
        "notes.txt/state.redb",
        expect![[r#"
            level=info message="starting cometchat-exporter 0.1.0"
            level=error message="cannot use state file DIR/notes.txt/state.redb: Not a directory; DIR/notes.txt is no folder: give another --state.path"
        "#]],
    );
}

#[test]
fn another_exporter_holds_the_state() {
    let folder = Folder::with_key();
    let base_url = format!("--cometchat.base-url={CLOSED}");
    let args = [&APP[..], &[APART[0], "--state.path=state.redb", &base_url]].concat();
    let first = Running::start(&folder, &args);
    ends(
        &folder,
        &args,
        1,
        expect![[r#"
            level=info message="starting cometchat-exporter 0.1.0"
            level=error message="state file DIR/state.redb is in use by another exporter: stop it or give this one another --state.path"
        "#]],
    );
    first.end();
}

#[test]
fn the_file_has_a_typo_and_a_bad_duration() {
    let folder = Folder::with_key();
    folder.write(
        "config.yaml",
        "apps:\n  - name: production\n    app_id: 0123456789abcdef\n    region: us\n    \
         api_key_fil: key\npoll:\n  interval: 30 parsecs\n  lookbak: 24h\n",
    );
    let expected = expect![[r#"
        config.yaml:5:5: unknown key `api_key_fil` of an app; did you mean `api_key_file`?
        config.yaml:7:13: poll.interval must be a duration such as 30s, 5m or 1h30m, not `30 parsecs`
        config.yaml:8:3: unknown key `lookbak` in poll; did you mean `lookback`?
    "#]];
    let (status, text) = folder.run(&["--config.file=config.yaml"]);
    expected.assert_eq(&text);
    assert_eq!(status, Some(1));
    let checked = folder.run(&["check-config", "--config.file=config.yaml"]);
    assert_eq!(checked, (Some(1), text), "check-config says the same");
    ends(
        &folder,
        &["--config.file=konfig.yaml"],
        1,
        expect![[r#"
        konfig.yaml: the configuration file cannot be read: no such file
    "#]],
    );
}

#[test]
fn a_flag_is_wrong() {
    let folder = Folder::with_key();
    ends(
        &folder,
        &["--poll.interval=30"],
        2,
        expect![[r#"
        error: invalid value '30' for '--poll.interval <DURATION>': must be a duration such as 30s, 5m or 1h30m

        For more information, try '--help'.
    "#]],
    );
    ends(
        &folder,
        &["--poll.intervall=30s"],
        2,
        expect![[r#"
        error: unexpected argument '--poll.intervall' found

          tip: a similar argument exists: '--poll.interval'

        Usage: cometchat-exporter [run] [OPTIONS]
               cometchat-exporter <COMMAND> [OPTIONS]

        For more information, try '--help'.
    "#]],
    );
    ends(
        &folder,
        &["--cometchat.region=mars"],
        2,
        expect![[r#"
        error: invalid value 'mars' for '--cometchat.region <REGION>': must be us, eu or in

        For more information, try '--help'.
    "#]],
    );
    ends(
        &folder,
        &["--log.level=loud"],
        2,
        expect![[r#"
        error: invalid value 'loud' for '--log.level <LEVEL>'
          [possible values: trace, debug, info, warn, error]

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn a_flag_stands_before_the_command_or_is_a_key() {
    let folder = Folder::with_key();
    ends(
        &folder,
        &["--config.file=config.yaml", "check-config"],
        2,
        expect![[r#"
        error: the subcommand 'check-config' cannot be used with '--config.file <PATH>'

          tip: flags of a command stand behind its name: cometchat-exporter check-config [OPTIONS]; `cometchat-exporter check-config --help` lists them

        Usage: cometchat-exporter [run] [OPTIONS]
               cometchat-exporter <COMMAND> [OPTIONS]

        For more information, try '--help'.
    "#]],
    );
    ends(
        &folder,
        &[&format!("--cometchat.api-key={KEY}")],
        2,
        expect![[r#"
        error: unexpected argument '--cometchat.api-key' found

          tip: a similar argument exists: '--cometchat.api-key-file'

        Usage: cometchat-exporter [run] [OPTIONS]
               cometchat-exporter <COMMAND> [OPTIONS]

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn nothing_is_wrong() {
    let folder = Folder::with_key();
    folder.write(
        "config.yaml",
        "apps:\n  - { app_id: 0123456789abcdef, region: us, api_key_file: key }\n",
    );
    ends(
        &folder,
        &["check-config", "--config.file=config.yaml"],
        0,
        expect![[r#"
        the configuration is valid
        apps: 1
        state: cometchat-exporter.redb
        note: count.from is relative to the start of each exporter; two replicas need a date, such as 2026-01-31T00:00:00Z
    "#]],
    );
}
