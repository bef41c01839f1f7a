//! The flags of `doctor`.

use clap::Args;

use super::RunArgs;

/// The flags of `doctor`: those of `run`, so that what is examined is what would run.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Name of an app to examine, repeatable [default: all of them]
    #[arg(long = "app", value_name = "NAME")]
    pub apps: Vec<String>,

    /// text, or json for a report: without keys and ids
    #[arg(long, value_name = "FORMAT", default_value = "text", hide_possible_values = true)]
    pub output: DoctorOutput,

    #[command(flatten)]
    /// The flags of the exporter.
    pub run: RunArgs,
}

/// How the findings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum DoctorOutput {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}
