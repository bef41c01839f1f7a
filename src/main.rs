//! The command line: parse, match the command, exit code.

use std::process::ExitCode;

use cometchat_exporter::app::{backfill, demo, doctor, logging, run, simulate};
use cometchat_exporter::config::cli::{self, Cli, Command};
use cometchat_exporter::config::{self, Process};

#[expect(clippy::print_stdout, reason = "this is the command line")]
#[tokio::main]
async fn main() -> ExitCode {
    cometchat_exporter::api::install_crypto();
    let mut log = None;
    let result = match Cli::of_process().into_command() {
        Command::Demo(args) => demo::demo(args).await,
        Command::Simulate(args) => simulate::simulate(args).await,
        Command::CheckConfig(args) => {
            let report = config::check(&args, &Process);
            println!("{}", report.text);
            return if report.is_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Command::Completions(args) => {
            print!("{}", cli::completions(args));
            Ok(())
        }
        Command::ConfigSchema => {
            print!("{}", config::SCHEMA);
            Ok(())
        }
        Command::Man => cli::man().map(|page| print!("{page}")).map_err(Into::into),
        Command::Doctor(args) => match config::load(&args.run, &Process) {
            Ok(loaded) => {
                match doctor::doctor(&loaded.settings, &args, &mut |text| println!("{text}")).await
                {
                    Ok(true) => Ok(()),
                    Ok(false) => return ExitCode::FAILURE,
                    Err(error) => Err(error),
                }
            }
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
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::last_word(&error, log);
            ExitCode::FAILURE
        }
    }
}
