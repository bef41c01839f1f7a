//! What is made of the definition of the command line beside `--help`: completions, and a man page.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;

/// The flags of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    shell: Shell,
}

/// The completions, as the shell reads them.
pub fn completions(args: CompletionsArgs) -> String {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cometchat-exporter", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The man page, in roff: the exporter, then each command with its flags.
///
/// # Errors
/// None that a buffer in memory has.
pub fn man() -> io::Result<String> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name().to_uppercase();
        page.extend_from_slice(format!(".SH \"COMMAND {name}\"\n").as_bytes());
        let command = clap_mangen::Man::new(command.clone());
        command.render_description_section(&mut page)?;
        command.render_options_section(&mut page)?;
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn completions_and_the_man_page_have_every_command_and_flag() {
        let man = man().expect("a page").replace("\\-", "-");
        let root = Cli::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            assert!(man.contains(command.get_name()), "{}", command.get_name());
            let flags = command.get_arguments().filter_map(|argument| argument.get_long());
            for flag in flags {
                assert!(man.contains(&format!("--{flag}")), "no --{flag} in the man page");
                for shell in Shell::value_variants() {
                    let script = completions(CompletionsArgs { shell: *shell });
                    assert!(script.contains(flag), "no --{flag} for {shell}");
                }
            }
        }
    }
}
