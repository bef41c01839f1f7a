//! Log lines: logfmt or JSON, to standard error.

use std::io::stderr;

use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Faults;
use crate::config::settings::{LogFormat, LogLevel, LogSettings};

use super::output;

/// Starts logging for the whole process. Libraries are heard from `warn` on at most, since their
/// lines are not written for operators.
pub fn start(settings: LogSettings) {
    let level = match settings.level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("cometchat_exporter", level);
    let layer = match settings.format {
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_target(false)
            .with_writer(stderr)
            .boxed(),
        LogFormat::Logfmt => tracing_logfmt::builder()
            .with_target(false)
            .with_span_name(false)
            .with_span_path(false)
            .layer()
            .with_writer(stderr)
            .boxed(),
    };
    // A second start, as in tests, changes nothing.
    let _already = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
}

/// Says why the process ends: in its log, if it has one, else in plain text.
///
/// What is wrong with a configuration is plain text even so, for the one who is just writing it,
/// unless every line has to be JSON.
pub fn last_word(error: &anyhow::Error, log: Option<LogSettings>) {
    match (log.map(|log| log.format), error.downcast_ref::<Faults>()) {
        (None, _) | (Some(LogFormat::Logfmt), Some(_)) => output::remark(&format!("{error:#}")),
        (Some(LogFormat::Json), Some(faults)) => {
            faults.iter().for_each(|fault| error!("{}", fault.text));
        }
        (Some(_), None) => error!("{error:#}"),
    }
}
