//! The settings in force as a configuration file, keys and users masked: it may be shown, and read
//! again.

use std::fmt::Write;

use super::duration;
use super::settings::{ApiRegion, AppSettings, CountFrom, KeySource, Settings, StateSettings};
use crate::call::Outcome;

/// What stands in place of a key.
const MASK: &str = "<secret>";

/// Writes the settings that a file can hold.
pub fn effective(settings: &Settings) -> String {
    let mut yaml = String::from("apps:\n");
    let users: Vec<_> = settings.apps.iter().map(|app| app.on_behalf_of.as_deref()).collect();
    for app in &settings.apps {
        write_app(&mut yaml, app, &users);
    }
    let (poll, seconds) = (&settings.poll, |s: i64| duration::format(s.saturating_mul(1000)));
    let mut line = |text: String| {
        yaml.push_str(&text);
        yaml.push('\n');
    };
    line("poll:".into());
    line(format!("  interval: {}", duration::format(poll.interval_ms)));
    let timeout_ms = i64::try_from(poll.timeout_ms).unwrap_or(i64::MAX);
    line(format!("  timeout: {}", duration::format(timeout_ms)));
    line(format!("  per_page: {}", poll.per_page));
    line(format!("  settle: {}", seconds(poll.settle_s)));
    line(format!("  lookback: {}", seconds(poll.lookback_s)));
    line(format!("  max_open: {}", seconds(poll.max_open_s)));
    line(format!("  rate_limit: {}", poll.rate_limit_per_minute));
    line(format!("  rate_limit_share: {}", poll.rate_limit_share));
    line("count:".into());
    line(format!("  from: {}", count_from(settings.count.from)));
    line(format!("  failure_statuses: [{}]", failure_words(settings).join(", ")));
    line(format!("recent:\n  window: {}", seconds(settings.recent_window_s)));
    line(format!("metrics:\n  breakdown: [{}]", breakdown_words(settings).join(", ")));
    line(format!("  exemplars: {}", settings.exemplars));
    line(format!("  created: {}", settings.created));
    let state = match &settings.state {
        StateSettings::Memory => "memory".to_owned(),
        StateSettings::File(path) => quoted(&path.display().to_string()),
    };
    line(format!("state:\n  path: {state}"));
    yaml
}

/// `users` are those of all apps: the number of a user is the place of the first app that has it,
/// so that who may not know them still sees which are the same.
fn write_app(yaml: &mut String, app: &AppSettings, users: &[Option<&str>]) {
    let mut fields = vec![("name", quoted(&app.name)), ("app_id", quoted(&app.app_id))];
    match app.api_region {
        ApiRegion::Custom => fields.push(("base_url", quoted(&app.base_url))),
        ApiRegion::Us | ApiRegion::Eu | ApiRegion::In => {
            fields.push(("region", quoted(app.api_region.label())));
        }
    }
    fields.push(match &app.key {
        KeySource::File(path) => ("api_key_file", quoted(&path.display().to_string())),
        KeySource::Inline(_) => ("api_key", quoted(MASK)),
    });
    if let Some(user) = app.on_behalf_of.as_deref() {
        let number = users.iter().position(|it| *it == Some(user)).map_or(0, |idx| idx + 1);
        fields.push(("on_behalf_of", quoted(&format!("<user-{number}>"))));
    }
    if let Some(group) = &app.budget_group {
        fields.push(("budget_group", quoted(group)));
    }
    for (idx, (key, value)) in fields.into_iter().enumerate() {
        let lead = if idx == 0 { "  - " } else { "    " };
        writeln!(yaml, "{lead}{key}: {value}").expect("a string takes all that is written to it");
    }
}

fn count_from(from: CountFrom) -> String {
    match from {
        CountFrom::Now => "now".into(),
        CountFrom::Ago(s) => duration::format(s.saturating_mul(1000)),
        CountFrom::At(at) => jiff::Timestamp::from_second(at.0)
            .map_or_else(|_| at.0.to_string(), |at| at.to_string()),
    }
}

fn failure_words(settings: &Settings) -> Vec<&'static str> {
    let failures = &settings.count.failures;
    let outcomes = Outcome::ALL.into_iter().filter(|outcome| failures.outcomes[outcome.index()]);
    let mut words: Vec<_> = outcomes.map(Outcome::label).collect();
    words.extend(failures.unconnected.then_some("unconnected"));
    words.extend(failures.abandoned.then_some("abandoned"));
    words
}

fn breakdown_words(settings: &Settings) -> Vec<&'static str> {
    let it = settings.breakdown;
    [("call_type", it.call_type), ("mode", it.mode), ("receiver_type", it.receiver_type)]
        .into_iter()
        .filter_map(|(word, is_shown)| is_shown.then_some(word))
        .collect()
}

/// Text in double quotes: JSON's are YAML's, and what has no shape of its own is escaped.
fn quoted(text: &str) -> String {
    let json = serde_json::to_string(text).expect("text becomes JSON");
    let mut yaml = String::with_capacity(json.len());
    for char in json.chars() {
        match char {
            '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {
                write!(yaml, "\\u{:04x}", u32::from(char)).expect("a string takes all");
            }
            other => yaml.push(other),
        }
    }
    yaml
}
