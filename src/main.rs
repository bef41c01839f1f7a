//! The command line: parse, match the command, exit code.

use std::process::ExitCode;

use cometchat_exporter::app::{demo, logging, run, simulate};
use cometchat_exporter::config::cli::{self, Cli, Command};
use cometchat_exporter::config::{self, Process};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line")]
#[tokio::main]
async fn main() -> ExitCode {
    cometchat_exporter::api::install_crypto();
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
        Command::Man => cli::man().map(|page| print!("{page}")).map_err(Into::into),
        Command::Healthcheck(args) => config::probe(args, &Process).ask().await.map_err(Into::into),
        Command::Run(args) => match config::load(&args, &Process) {
            Ok(loaded) => {
                logging::start(loaded.settings.log);
                run::run(args, loaded).await
            }
            Err(faults) => Err(faults.into()),
        },
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
