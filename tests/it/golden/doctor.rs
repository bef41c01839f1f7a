//! What `doctor` says of a healthy API: the simulated one.

use expect_test::expect;

use crate::process::{Folder, Program, binary};

#[test]
fn a_healthy_api_is_described_in_full() {
    let mut world = Program::start(&[
        "simulate",
        "--web.listen-address=127.0.0.1:0",
        "--history=1h",
        "--steady",
        "--calls-per-day=100000",
        "--rate-limit=100000",
    ]);
    let base_url = world.says("base URL:");
    let text = format!(
        "poll: {{ rate_limit: 100000 }}\nstate: {{ path: memory }}\n\
         apps: [{{ name: x, app_id: simulated, base_url: '{base_url}', api_key: simulated-key }}]\n"
    );
    let folder = Folder::new();
    let config = format!("--config.file={}", folder.config("exporter.yaml", &text).display());
    let output = binary(&["doctor", &config]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    // The hour of the day decides how many calls there are, and of which sort.
    let lines = said.lines().map(|line| {
        let varies = ["status: ", "documented fields: "].into_iter();
        let head = varies.filter_map(|mark| Some((line.split_once(mark)?.0, mark))).next();
        let (head, mark) = head.map_or((line, ""), |(head, mark)| (head, mark));
        let rest = if mark.is_empty() { "" } else { "*" };
        numbers_hidden(head) + mark + rest
    });
    expect![[r#"
        the exporter
          note  state       in memory: counters start at N with each start

        app `x` (custom)
          ok    access      the API takes the key, and answers in N ms
          ok    paging      pages are numbered from N; a page holds N rows at most, however many are asked for; past the end it is empty
          ok    order       newest first by `initiatedAt`, without exception
          note  filters     status=ended works, status=ongoing works, hasRecording=true works, startedAt works, endedAt works. The exporter relies on none
          ok    Get Call    answers with the call that was asked for
          ok    rate limit  N requests a minute (X-Rate-Limit), N left of them; the exporter lets itself use N %: N
          ok    clock       the local clock and the API's agree
          ok    rows        N rows seen; never seen of the documented fields: *
          ok    words       status: *
          ok    cost        about N calls a day need about N requests a minute, of N; the numbers are about N s behind the API
    "#]].assert_eq(&lines.map(|line| line + "\n").collect::<String>());
    world.ends_on("TERM");
}

/// Every number as `N`.
fn numbers_hidden(line: &str) -> String {
    let mut hidden = String::new();
    for char in line.chars() {
        match char {
            '0'..='9' if hidden.ends_with('N') => {}
            '0'..='9' => hidden.push('N'),
            _ => hidden.push(char),
        }
    }
    hidden
}
