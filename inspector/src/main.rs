//! The `streamem` command: an ordinary client that shows and tries everything a broker serves.
//!
//! Owns the process: arguments in, exit code out; never speaks to the broker other than through the
//! client library, so it can do nothing that another client could not.

mod cli;
mod command;
mod failure;
mod output;
mod picture;
mod record;

use clap::Parser;
use clap::error::{Error, ErrorKind};
use failure::Failure;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return told(&error),
    };
    let mut output = output::Output::standard(cli.json);
    match command::run(&cli, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.to_string());
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Help and version as they are; what is wrong with the words in one line.
fn told(error: &Error) -> ExitCode {
    let is_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if is_help || !error.use_stderr() {
        error.exit();
    }
    let failure = Failure::Usage(in_one_line(&error.to_string()));
    output::complain(&failure.to_string());
    ExitCode::from(failure.exit_code())
}

/// What clap says, up to its usage and hints.
fn in_one_line(said: &str) -> String {
    let cause = said.strip_prefix("error: ").unwrap_or(said);
    let cause = cause.split("\n\nUsage:").next().unwrap_or(cause);
    let cause = cause.split("\n\nFor more").next().unwrap_or(cause);
    let words: Vec<&str> = cause.split_whitespace().collect();
    format!("{}; see 'streamem --help'", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_is_one_line_with_the_next_step() {
        for words in [
            vec!["streamem", "bogus"],
            vec!["streamem", "info", "../x"],
            vec!["streamem", "grab"],
        ] {
            let error = cli::Cli::try_parse_from(words).unwrap_err();
            let line = in_one_line(&error.to_string());
            assert!(!line.contains('\n') && !line.contains("Usage"), "{line}");
            assert!(line.ends_with("; see 'streamem --help'"), "{line}");
        }
    }
}
