//! The command line: arguments, dispatch and exit codes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// May this agent, acting for this user, with this credential, do this action, now?
#[derive(Debug, Parser)]
#[command(name = "mandate", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// One variant a verb; each verb lives in its own file under `commands/`.
#[derive(Debug, Subcommand)]
enum Command {}

/// Runs the command line and returns 0 for allow, 1 for deny, 2 for usage or configuration.
#[must_use]
pub fn main() -> ExitCode {
    match Arguments::parse().command {}
}
