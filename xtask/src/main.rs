//! The developer tool: set-up, guest builds, checks, demo, test, campaigns. One entry for people and CI.

mod campaign;
mod check;
mod checkout;
mod demo;
mod digest;
mod fuel;
mod generate;
mod guests;
mod process;
mod repro;
mod say;
mod setup;
mod space;
mod stage;
mod summary;
mod test;
mod unavailable;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use campaign::Campaign;
use checkout::Checkout;
use summary::Summary;
use unavailable::Unavailable;

/// Mandate's developer tool: one entry for people and CI
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tokens of real issuers, accepted and attacked, and an agent behind Envoy
    Demo {
        /// With a Keycloak too, which `cargo xtask campaign keycloak` has fetched
        #[arg(long)]
        keycloak: bool,
    },
    /// Everything: set-up, checks, guests, tests, short campaigns, and what was skipped
    Test,
    /// Finds or installs the wasm toolchain and tools, and says what it did
    Setup,
    /// Builds the guests into target/guests: core module, component, digests
    Guests,
    /// Builds the guests twice in folders of different depth: equal digests
    Repro,
    /// Format, lints, documentation, licences, fixtures, fuel: all but the tests
    Check {
        /// Only these checks
        #[arg(value_name = "CHECK", value_parser = PossibleValuesParser::new(check::names()))]
        only: Vec<String>,
    },
    /// Writes what is generated from contract/: the reason codes as a Rust enum and as a page
    Generate {
        /// Writes nothing and fails when a file differs
        #[arg(long)]
        check: bool,
    },
    /// Runs `mandate conformance` with these arguments
    #[command(disable_help_flag = true)]
    Conformance {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Runs the benches with these arguments
    #[command(disable_help_flag = true)]
    Bench {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Compares the fuel of every fixture class with contract/fuel.json
    Fuel {
        /// Records what is measured now
        #[arg(long)]
        write: bool,
    },
    /// Long runs that look for what nobody thought of
    #[command(subcommand)]
    Campaign(Campaign),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    match run(command) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say!("xtask: {error:#}");
            // 2: usage or configuration, as in the `mandate` command.
            ExitCode::from(if error.is::<Unavailable>() { 2 } else { 1 })
        }
    }
}

/// The exit code: that of the command that was asked for, where it has an answer of its own.
fn run(command: Command) -> anyhow::Result<u8> {
    let checkout = Checkout::find()?;
    let done = match command {
        Command::Demo { keycloak } => stage::run(&checkout, keycloak),
        Command::Test => test::run(&checkout),
        Command::Setup => setup::run(&checkout),
        Command::Guests => guests::run(&checkout).map(drop),
        Command::Repro => repro::run(&checkout),
        Command::Check { only } => {
            let mut summary = Summary::new(&checkout)?;
            let result = check::run(&checkout, &mut summary, &only);
            summary.print();
            result
        }
        Command::Generate { check } => generate::run(&checkout, check),
        Command::Conformance { arguments } => return workspace::conformance(&checkout, &arguments),
        Command::Bench { arguments } => workspace::bench(&checkout, &arguments),
        Command::Fuel { write: true } => fuel::write(&checkout),
        Command::Fuel { write: false } => fuel::check(&checkout).map(drop),
        Command::Campaign(campaign) => campaign::run(&checkout, &campaign),
    };
    done.map(|()| 0)
}
