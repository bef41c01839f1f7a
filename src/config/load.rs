//! Flags, variables and the file, put together: flag over variable over file.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

use crate::ledger::FailureStatuses;
use crate::metrics::{Breakdown, Shard};

use super::cli::{RunArgs, WebArgs};
use super::duration;
use super::fault::{Collector, Faults};
use super::keys;
use super::raw::{self, Document};
use super::settings::{
    AppSettings, CountSettings, FailureWord, PollSettings, RECENT_WINDOW_S, Settings, WebSettings,
};
use super::shard::owns;
use super::surroundings::Surroundings;
use super::values;
use super::web_file::{self, boolean};

mod apps;
mod repeats;

/// A valid configuration, and what should be said about it once.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What the program runs on.
    pub settings: Settings,
    /// Lines for the log: nothing is wrong, but something may not be as it was meant.
    pub notices: Vec<String>,
    /// Stands for the text of the file: another one has another. Absent without a file.
    pub fingerprint: Option<u64>,
}

/// What stands for the text of a file as it is now; absent where it cannot be read.
pub fn fingerprint(path: &Path, around: &dyn Surroundings) -> Option<u64> {
    around.read(path).ok().map(|text| print_of(&text))
}

fn print_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Reads the whole configuration, or lists everything that is wrong with it.
///
/// # Errors
/// Every fault, each with its place.
pub fn load(args: &RunArgs, around: &dyn Surroundings) -> Result<Loaded, Faults> {
    let file = args.config_file.as_deref();
    let mut faults =
        Collector::new(file.map_or_else(String::new, |path| path.display().to_string()));
    let Some((document, fingerprint)) = read_file(file, around, &mut faults) else {
        return faults.finish(None);
    };
    let mut notices = Vec::new();
    if args.auto_reload && file.is_none() {
        notices.push("--config.auto-reload does nothing without --config.file".to_owned());
    }
    let apps = apps::read(args, document.apps.as_ref(), around, &mut faults, &mut notices);
    let poll = read_poll(&document, args, &mut faults);
    let recent_window_s = read_recent(&document, poll.lookback_s, &mut faults);
    let in_file = document.section(keys::STATE).value("path", &mut faults, values::state);
    let state = args.state.clone().or(in_file).unwrap_or_default();
    let count = read_count(&document, args, &mut faults);
    let breakdown = read_breakdown(&document, &mut faults);
    let mut is_on =
        |key| document.section(keys::METRICS).value(key, &mut faults, boolean).unwrap_or_default();
    let (exemplars, created) = (is_on("exemplars"), is_on("created"));
    let web = read_web(&args.web, around, &mut faults, &mut notices);
    let log = args.log();
    let apps = apps.map(|apps| of_shard(args.shard, apps, &mut notices));
    let loaded = apps.map(|apps| Loaded {
        settings: Settings {
            apps,
            shard: args.shard,
            poll,
            count,
            recent_window_s,
            breakdown,
            exemplars,
            created,
            state,
            web,
            log,
        },
        notices,
        fingerprint,
    });
    faults.finish(loaded)
}

/// Those that this exporter reads.
fn of_shard(
    shard: Shard,
    mut apps: Vec<AppSettings>,
    notices: &mut Vec<String>,
) -> Vec<AppSettings> {
    let n_all = apps.len();
    apps.retain(|app| owns(shard, app.budget_name()));
    if apps.is_empty() && n_all > 0 {
        notices.push(format!(
            "no app belongs to --shard={shard}, of {n_all} in the configuration: nothing is read here"
        ));
    }
    apps
}

/// What the flags say; the web configuration file is only checked here, since it is read again and
/// again while the exporter runs.
fn read_web(
    args: &WebArgs,
    around: &dyn Surroundings,
    faults: &mut Collector,
    notices: &mut Vec<String>,
) -> WebSettings {
    match args.at.web_config_file.as_deref().map(|path| web_file::load(path, around)) {
        None => {}
        Some(Ok(web_file)) => notices.extend(web_file.notices),
        Some(Err(found)) => faults.take_over(&found),
    }
    WebSettings {
        listen: args.at.listen.clone(),
        systemd_socket: args.systemd_socket,
        config_file: args.at.web_config_file.clone(),
        telemetry_path: args.telemetry_path.clone(),
        route_prefix: args.at.route_prefix(),
        link_prefix: args.at.link_prefix(),
        max_requests: args.max_requests,
        open_health: args.open_health,
        enable_lifecycle: args.enable_lifecycle,
    }
}

/// The file as it is written, and its fingerprint; an empty one where none is named.
fn read_file(
    file: Option<&Path>,
    around: &dyn Surroundings,
    faults: &mut Collector,
) -> Option<(Document, Option<u64>)> {
    let Some(path) = file else {
        return Some((Document::default(), None));
    };
    match around.read(path) {
        Ok(text) => Some((raw::read(&text, faults)?, Some(print_of(&text)))),
        Err(error) => {
            let file = path.display();
            faults.plain(format_args!(
                "{file}: the configuration file cannot be read: {}",
                Why(&error)
            ));
            None
        }
    }
}

fn read_poll(document: &Document, args: &RunArgs, faults: &mut Collector) -> PollSettings {
    let default = PollSettings::default();
    let poll = document.section(keys::POLL);
    let interval_ms = poll.value("interval", faults, values::duration_ms::<1000>);
    let timeout_ms = poll.value("timeout", faults, values::duration_ms::<100>);
    PollSettings {
        interval_ms: args.poll_interval_ms.or(interval_ms).unwrap_or(default.interval_ms),
        timeout_ms: timeout_ms.map_or(default.timeout_ms, i64::unsigned_abs),
        per_page: poll.value("per_page", faults, values::count).unwrap_or(default.per_page),
        settle_s: poll.value("settle", faults, values::duration_s::<0>).unwrap_or(default.settle_s),
        lookback_s: poll
            .value("lookback", faults, values::duration_s::<1>)
            .unwrap_or(default.lookback_s),
        max_open_s: poll
            .value("max_open", faults, values::duration_s::<1>)
            .unwrap_or(default.max_open_s),
        rate_limit_per_minute: poll
            .value("rate_limit", faults, values::count)
            .unwrap_or(default.rate_limit_per_minute),
        rate_limit_share: poll
            .value("rate_limit_share", faults, values::share)
            .unwrap_or(default.rate_limit_share),
    }
}

fn read_recent(document: &Document, lookback_s: i64, faults: &mut Collector) -> i64 {
    let (poll, recent) = (document.section(keys::POLL), document.section(keys::RECENT));
    let in_file = recent.value("window", faults, values::duration_s::<1>);
    let window_s = in_file.unwrap_or(RECENT_WINDOW_S);
    // One that could not be read is a fault already, and says nothing about the other.
    let are_read = poll.is_right_or_absent("lookback", values::duration_s::<1>)
        && recent.is_right_or_absent("window", values::duration_s::<1>);
    if window_s > lookback_s && are_read {
        let sentence = format!(
            "recent.window ({}{}) must not be longer than poll.lookback ({})",
            duration::format(window_s.saturating_mul(1000)),
            if in_file.is_some() { "" } else { ", the default" },
            duration::format(lookback_s.saturating_mul(1000)),
        );
        // The defaults go together, so one of the two is written.
        if let Some(placed) = recent.scalar("window").or_else(|| poll.scalar("lookback")) {
            faults.at(placed.place, sentence);
        }
    }
    window_s
}

fn read_count(document: &Document, args: &RunArgs, faults: &mut Collector) -> CountSettings {
    let default = CountSettings::default();
    let count = document.section(keys::COUNT);
    let from = count.value("from", faults, values::count_from);
    let words = count.values("failure_statuses", faults, values::failure_word);
    CountSettings {
        from: args.count_from.or(from).unwrap_or(default.from),
        failures: words.map_or(default.failures, |words| failures(&words)),
    }
}

fn failures(words: &[FailureWord]) -> FailureStatuses {
    let mut set = FailureStatuses {
        outcomes: Default::default(),
        unconnected: words.contains(&FailureWord::Unconnected),
        abandoned: words.contains(&FailureWord::Abandoned),
    };
    for word in words {
        if let FailureWord::Outcome(outcome) = word {
            set.outcomes[outcome.index()] = true;
        }
    }
    set
}

fn read_breakdown(document: &Document, faults: &mut Collector) -> Breakdown {
    let words =
        document.section(keys::METRICS).values("breakdown", faults, values::breakdown_label);
    words.map_or_else(Breakdown::default, |words| Breakdown {
        call_type: words.iter().any(|word| word.call_type),
        mode: words.iter().any(|word| word.mode),
        receiver_type: words.iter().any(|word| word.receiver_type),
    })
}

/// Why a file cannot be read; the usual reasons without the number of the system's error.
pub(super) struct Why<'a>(pub(super) &'a io::Error);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = [
            (io::ErrorKind::NotFound, "no such file"),
            (io::ErrorKind::PermissionDenied, "permission denied"),
            (io::ErrorKind::IsADirectory, "it is a folder"),
            (io::ErrorKind::InvalidData, "it is not UTF-8 text"),
        ];
        match plain.iter().find(|(kind, _)| *kind == self.0.kind()) {
            Some((_, words)) => f.write_str(words),
            None => write!(f, "{}", self.0),
        }
    }
}
