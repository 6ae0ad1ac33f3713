//! The developer tool: set-up, guest builds, checks, demo, test, campaigns. One entry for people and CI.

mod checkout;
mod generate;
mod say;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use checkout::Checkout;

/// Mandate's developer tool: one entry for people and CI.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes what is generated from contract/: the reason codes as a Rust enum and as a page
    Generate {
        /// Writes nothing and fails when a file differs
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let checkout = Checkout::find()?;
    match command {
        Command::Generate { check } => generate::run(&checkout, check),
    }
}
