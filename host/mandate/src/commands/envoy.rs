//! `mandate envoy`: configurations of Envoy around the filter.

mod config;
mod lint;
mod module_option;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::config::ConfigCommand;
use self::lint::LintCommand;
use crate::output;

/// Write or check a configuration of Envoy with the gate in it (docs/envoy.md).
#[derive(Args, Clone, Debug)]
pub struct EnvoyCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "one value a process")]
enum Action {
    Config(ConfigCommand),
    Lint(LintCommand),
    /// Print the JSON Schema (draft 2020-12) of the filter's configuration, for editors.
    Schema,
}

impl EnvoyCommand {
    /// Runs the verb.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.action {
            Action::Config(command) => command.run(),
            Action::Lint(command) => command.run(),
            Action::Schema => {
                output::print(include_str!("../../../../contract/schema/envoy.schema.json"))
            }
        }
    }
}
