//! The flags of `doctor` and `check-config`: those of `run`, so that what is looked at is what would run.

use clap::Args;

use super::RunArgs;
use crate::config::values;

/// The flags of `doctor`.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Name of an app to examine, repeatable [default: all of them]
    #[arg(long = "app", value_name = "NAME")]
    pub apps: Vec<String>,

    /// text, or json for a report: without keys and ids
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub output: Output,

    /// Longest time for the whole examination; what is not asked by then is left out
    #[arg(
        long = "time-limit",
        value_name = "DURATION",
        default_value = "2m",
        value_parser = values::duration_s::<1>
    )]
    pub time_limit_s: i64,

    #[command(flatten)]
    /// The flags of the exporter.
    pub run: RunArgs,
}

/// The flags of `check-config`.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// text, or json for programs: every fault with its line and column
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub output: Output,

    #[command(flatten)]
    /// The flags of the exporter.
    pub run: RunArgs,
}

/// How what was found is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}
