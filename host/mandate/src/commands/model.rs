//! `mandate model`: authorization models in OpenFGA's language, their other forms, their mistakes,
//! their tests.

mod convert;
mod lint;
mod store_test;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::convert::ConvertCommand;
use self::lint::LintCommand;
use self::store_test::TestCommand;

/// Convert, check or test an authorization model (OpenFGA schema 1.1, and 1.2 modules).
#[derive(Args, Clone, Debug)]
pub struct ModelCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Convert(ConvertCommand),
    Lint(LintCommand),
    Test(TestCommand),
}

impl ModelCommand {
    /// Runs the verb.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.action {
            Action::Convert(command) => command.run(),
            Action::Lint(command) => command.run(),
            Action::Test(command) => command.run(),
        }
    }
}
