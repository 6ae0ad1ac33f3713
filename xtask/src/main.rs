//! The developer tool: set-up, guest builds, checks, demo, test, campaigns. One entry for people and CI.

mod checkout;
mod demo;
mod digest;
mod generate;
mod guests;
mod process;
mod say;
mod setup;
mod unavailable;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use checkout::Checkout;
use unavailable::Unavailable;

/// Mandate's developer tool: one entry for people and CI.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Finds or installs the wasm toolchain and tools, and says what it did
    Setup,
    /// Writes what is generated from contract/: the reason codes as a Rust enum and as a page
    Generate {
        /// Writes nothing and fails when a file differs
        #[arg(long)]
        check: bool,
    },
    /// Builds the guests into target/guests: core module, component, digests
    Guests,
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("xtask: {error:#}");
            // 2: usage or configuration, as in the `mandate` command.
            ExitCode::from(if error.is::<Unavailable>() { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let checkout = Checkout::find()?;
    match command {
        Command::Setup => setup::run(&checkout),
        Command::Generate { check } => generate::run(&checkout, check),
        Command::Guests => guests::run(&checkout).map(drop),
    }
}
