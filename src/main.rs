//! The command line: parse, match the command, exit code.

use std::process::ExitCode;

use cometchat_exporter::app::{backfill, demo, doctor, logging, output, run, simulate};
use cometchat_exporter::config::cli::{self, Cli, Command};
use cometchat_exporter::config::{self, Process};

#[tokio::main]
async fn main() -> ExitCode {
    cometchat_exporter::api::install_crypto();
    let (mut log, mut is_well) = (None, true);
    let result = match Cli::of_process().into_command() {
        Command::Demo(args) => demo::demo(args).await,
        Command::Simulate(args) => simulate::simulate(args).await,
        Command::CheckConfig(args) => {
            let report = config::check(&args, &Process);
            is_well = report.is_valid;
            output::say(&(report.text + "\n")).map_err(Into::into)
        }
        Command::Completions(args) => output::say(&cli::completions(args)).map_err(Into::into),
        Command::ConfigSchema => output::say(config::SCHEMA).map_err(Into::into),
        Command::Man => cli::man().and_then(|page| output::say(&page)).map_err(Into::into),
        Command::Doctor(args) => match config::load(&args.run, &Process) {
            Ok(loaded) => doctor::doctor(&loaded.settings, &args).await.map(|is_all_well| {
                is_well = is_all_well;
            }),
            Err(faults) => Err(faults.into()),
        },
        Command::Backfill(args) => match config::load(&args.run, &Process) {
            Ok(loaded) => backfill::backfill(&loaded.settings, &args).await,
            Err(faults) => Err(faults.into()),
        },
        Command::Healthcheck(args) => config::probe(args, &Process).ask().await.map_err(Into::into),
        Command::Run(args) => {
            logging::start(*log.insert(args.log()));
            match config::load(&args, &Process) {
                Ok(loaded) => run::run(args, loaded).await,
                Err(faults) => Err(faults.into()),
            }
        }
    };
    match result {
        Ok(()) if is_well => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) if output::is_unheard(&error) => ExitCode::FAILURE,
        Err(error) => {
            logging::last_word(&error, log);
            ExitCode::FAILURE
        }
    }
}
