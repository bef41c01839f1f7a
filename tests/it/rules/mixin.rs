//! The mixin renders to the same rules, and its settings do what they say.

use serde_json::Value;

use super::{RULES, run, yaml};

/// What the mixin renders to with these settings.
fn render(config: &str) -> Value {
    let json = run("PYTHON", "python3", &["tests/tools/render_mixin.py", config]);
    serde_json::from_str(&json).unwrap()
}

/// The rule of this name.
fn find<'a>(file: &'a Value, kind: &str, name: &str) -> Option<&'a Value> {
    let groups = file["groups"].as_array().unwrap();
    let mut rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.find(|rule| rule[kind] == name)
}

#[test]
fn without_settings_it_renders_to_the_files() {
    let rendered = render("{}");
    assert_eq!(rendered["rules"], yaml(RULES[0]));
    assert_eq!(rendered["alerts"], yaml(RULES[1]));
}

#[test]
fn settings_change_bounds_quotas_job_and_address() {
    let rendered = render(
        "{ bounds: { 'cometchat:calls_in_1h:guard': 50 }, quotas: { production: 10000 }, \
         job: 'calls', runbooks: 'https://wiki.example/calls', without: ['CometChatNoCalls'] }",
    );
    let guard = find(&rendered["rules"], "record", "cometchat:calls_in_1h:guard").unwrap();
    assert_eq!(guard["expr"], "vector(50)");
    let quota = find(&rendered["rules"], "record", "cometchat_app:participant_minutes:quota");
    assert_eq!(quota.unwrap()["labels"]["cometchat_app"], "production");
    let down = find(&rendered["alerts"], "alert", "CometChatExporterDown").unwrap();
    let expression = down["expr"].as_str().unwrap();
    assert_eq!(expression.matches("job=~\"calls\"").count(), 2, "{expression}");
    let url = &down["annotations"]["runbook_url"];
    assert_eq!(url, "https://wiki.example/calls#cometchatexporterdown");
    assert!(find(&rendered["alerts"], "alert", "CometChatNoCalls").is_none());
}
