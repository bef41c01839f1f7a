//! The flags of `backfill`, and those of `run`, so that what is counted is what would be served.

use std::path::PathBuf;

use clap::Args;

use super::RunArgs;
use crate::config::settings::CountFrom;
use crate::config::values;

/// The flags of `backfill`.
#[derive(Args, Clone, Debug)]
pub struct BackfillArgs {
    /// Count calls from then on, as the exporter will: a duration back (30d) or a time
    /// (2026-01-31T00:00:00Z) [default: count.from]
    #[arg(long, value_name = "WHEN", value_parser = values::count_from)]
    pub from: Option<CountFrom>,

    /// Time of the last sample, likewise
    #[arg(long, value_name = "WHEN", default_value = "now", value_parser = values::count_from)]
    pub to: CountFrom,

    /// Time from sample to sample, at least 1s
    #[arg(
        long = "step",
        value_name = "DURATION",
        default_value = "1m",
        value_parser = values::duration_s::<1>
    )]
    pub step_s: i64,

    /// File to write to [default: standard output]
    #[arg(long, value_name = "FILE", value_parser = values::path)]
    pub output: Option<PathBuf>,

    /// A label that Prometheus will add to what it scrapes, repeatable: job=cometchat
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = values::label)]
    pub labels: Vec<(String, String)>,

    /// Name of an app to read, repeatable [default: all of them]
    #[arg(long = "app", value_name = "NAME")]
    pub apps: Vec<String>,

    #[command(flatten)]
    /// The flags of the exporter.
    pub run: RunArgs,
}
