//! `mandate credential`: what identities authenticate with.

mod add;
mod legacy;
mod listing;
mod material;
pub(super) mod report;
mod revoke;
mod rotate;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::add::AddCommand;
use self::legacy::ImportCommand;
use self::listing::ListCommand;
use self::revoke::RevokeCommand;
use self::rotate::RotateCommand;
use crate::output;

/// Credentials: issue, look at, replace and revoke what identities authenticate with.
#[derive(Args, Clone, Debug)]
pub struct CredentialCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Add(AddCommand),
    ImportLegacy(ImportCommand),
    List(ListCommand),
    Revoke(RevokeCommand),
    Rotate(RotateCommand),
}

impl CredentialCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Add(command) => command.add(),
            Action::ImportLegacy(command) => command.import(),
            Action::List(command) => command.list(),
            Action::Revoke(command) => command.revoke(),
            Action::Rotate(command) => command.rotate(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}
