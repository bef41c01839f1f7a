//! The command line, as typed. What a flag alone can get wrong is refused here, with exit code 2.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};

use super::settings::{ApiRegion, CountFrom, LogFormat, LogLevel, LogSettings, StateSettings};
use super::values;
use crate::metrics::Shard;

mod backfilling;
mod examining;
mod printed;
mod serving;
mod simulated;

pub use backfilling::BackfillArgs;
pub use examining::{CheckArgs, DoctorArgs, Output};
pub use printed::{CompletionsArgs, completions, man};
pub use serving::{HealthcheckArgs, WebArgs, WhereArgs};
pub use simulated::{
    DemoArgs, Order, Pagination, PastEnd, RateLimitHeaders, SimulateArgs, WorldArgs,
};

/// Prometheus exporter for the CometChat Calls API that counts every call exactly once.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "cometchat-exporter",
    version,
    args_conflicts_with_subcommands = true,
    subcommand_help_heading = "Commands (without one: run)",
    override_usage = "cometchat-exporter [run] [OPTIONS]\n       \
                      cometchat-exporter <COMMAND> [OPTIONS]",
    after_help = AFTER_HELP
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: RunArgs,
}

const AFTER_HELP: &str = "\
Flags of a command stand behind its name: `cometchat-exporter check-config --config.file=x.yaml`.

One app can also be given by the variables COMETCHAT_APP_ID, COMETCHAT_REGION and
COMETCHAT_API_KEY_FILE (or COMETCHAT_API_KEY). A flag overrides a variable, a variable overrides the file.";

impl Cli {
    /// Reads the command line of this process. What is wrong with it ends the process with exit
    /// code 2, and `--help` and `--version` end it with 0.
    pub fn of_process() -> Self {
        Self::try_parse().unwrap_or_else(|error| advised(error).exit())
    }

    /// The command that was asked for; `run` when none was named.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Run(self.run))
    }
}

/// Says where flags stand, to those who put one before the name of a command, and how a file is given.
fn advised(mut error: clap::Error) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let word = text(ContextKind::InvalidSubcommand);
    let unknown = [ErrorKind::UnknownArgument, ErrorKind::InvalidSubcommand];
    let tip = if error.kind() == ErrorKind::ArgumentConflict {
        word.map(|command| {
            format!(
                "flags of a command stand behind its name: cometchat-exporter {command} [OPTIONS]; \
                 `cometchat-exporter {command} --help` lists them"
            )
        })
    } else {
        word.or_else(|| text(ContextKind::InvalidArg))
            .filter(|_| unknown.contains(&error.kind()))
            .filter(|word| [".yaml", ".yml"].iter().any(|end| word.ends_with(end)))
            .map(|file| format!("a file is given by its flag: --config.file={file}"))
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Poll the API and serve /metrics
    Run(RunArgs),
    /// Try it out: a simulated API and the exporter in one process, nothing to configure
    Demo(DemoArgs),
    /// Serve a simulated Calls API, and nothing else
    Simulate(SimulateArgs),
    /// Name every problem of a configuration with its place, start nothing
    CheckConfig(CheckArgs),
    /// Ask the API of each app about 15 times; say what was found and what to fix
    Doctor(DoctorArgs),
    /// Write past calls as OpenMetrics with times, to give Prometheus a history
    Backfill(BackfillArgs),
    /// Print the completions for a shell: bash, elvish, fish, powershell or zsh
    Completions(CompletionsArgs),
    /// Print the man page
    Man,
    /// Print a JSON Schema of the configuration file, for editors
    ConfigSchema,
    /// Exit with 0 if the exporter answers; for health checks of containers
    Healthcheck(HealthcheckArgs),
}

/// The flags of `run`. Those that the file can say too are `None` unless given.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The file, in YAML
    #[arg(long = "config.file", value_name = "PATH", help_heading = FILE)]
    pub config_file: Option<PathBuf>,

    /// Read it again by itself when it has changed
    #[arg(long = "config.auto-reload", help_heading = FILE)]
    pub auto_reload: bool,

    /// How often to look, at least 1s
    #[arg(
        long = "config.auto-reload-interval",
        help_heading = FILE,
        value_name = "DURATION",
        default_value = "30s",
        value_parser = values::duration_ms::<1000>
    )]
    pub auto_reload_interval_ms: i64,

    /// The one app to read, without a file that lists apps
    #[arg(
        long = "cometchat.app-id",
        value_name = "ID",
        value_parser = values::app_id,
        help_heading = ONE_APP
    )]
    pub app_id: Option<String>,

    /// Its region: us, eu or in
    #[arg(
        long = "cometchat.region",
        value_name = "REGION",
        value_parser = values::region,
        help_heading = ONE_APP
    )]
    pub region: Option<ApiRegion>,

    /// File that holds its API key, read again when it changes
    #[arg(
        long = "cometchat.api-key-file",
        value_name = "PATH",
        help_heading = ONE_APP
    )]
    pub api_key_file: Option<PathBuf>,

    /// Address of the API [default: https://{appId}.call-{region}.cometchat.io/v3]
    #[arg(
        long = "cometchat.base-url",
        value_name = "URL",
        value_parser = values::base_url,
        help_heading = ONE_APP
    )]
    pub base_url: Option<String>,

    /// Time from poll to poll, at least 1s [default: 30s]
    #[arg(
        long = "poll.interval",
        value_name = "DURATION",
        value_parser = values::duration_ms::<1000>
    )]
    pub poll_interval_ms: Option<i64>,

    /// Count calls from then on: now, a duration back (30d) or a time (2026-01-31T00:00:00Z)
    /// [default: now]
    #[arg(long = "count.from", value_name = "WHEN", value_parser = values::count_from)]
    pub count_from: Option<CountFrom>,

    /// File that keeps the counts over a restart, or memory [default: cometchat-exporter.redb]
    #[arg(long = "state.path", value_name = "FILE|memory", value_parser = values::state)]
    pub state: Option<StateSettings>,

    /// Read only one part of the apps, of COUNT exporters that share one file; INDEX is 0 to COUNT - 1
    #[arg(
        long = "shard",
        value_name = "INDEX/COUNT",
        default_value = "0/1",
        hide_default_value = true,
        value_parser = values::shard
    )]
    pub shard: Shard,

    #[command(flatten)]
    /// What is served, and where.
    pub web: WebArgs,

    /// The least that is logged: trace, debug, info, warn or error
    #[arg(
        long = "log.level",
        value_name = "LEVEL",
        default_value = "info",
        hide_possible_values = true
    )]
    pub log_level: LogLevel,

    /// How a log line looks: logfmt or json
    #[arg(
        long = "log.format",
        value_name = "FORMAT",
        default_value = "logfmt",
        hide_possible_values = true
    )]
    pub log_format: LogFormat,
}

impl RunArgs {
    /// How it is logged. No file says that, so that there is a log before a file is read.
    pub const fn log(&self) -> LogSettings {
        LogSettings { level: self.log_level, format: self.log_format }
    }
}

/// A section of its own, since its longest flag would push all other texts to a next line.
const FILE: &str = "Configuration file";
const ONE_APP: &str = "One app without a file";

#[cfg(test)]
mod tests;
