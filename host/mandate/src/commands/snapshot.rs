//! `mandate snapshot`: make, sign, look at, compare and serve snapshots.

mod build;
mod census;
pub(super) mod container_file;
mod diff;
mod difference;
mod inspect;
pub(crate) mod key_file;
pub(super) mod keygen;
mod new_era;
mod newest;
mod publish;
pub(super) mod row_text;
mod serve;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

pub(crate) use self::difference::Difference;

use self::build::BuildCommand;
use self::diff::DiffCommand;
use self::inspect::InspectCommand;
use self::keygen::KeygenCommand;
use self::new_era::NewEraCommand;
use self::publish::PublishCommand;
use self::serve::ServeCommand;
use self::verify::VerifyCommand;

/// Make, sign, look at, compare and serve snapshots of relationships.
#[derive(Args, Clone, Debug)]
pub struct SnapshotCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Build(BuildCommand),
    Diff(DiffCommand),
    Inspect(InspectCommand),
    Keygen(KeygenCommand),
    NewEra(NewEraCommand),
    Publish(PublishCommand),
    Serve(ServeCommand),
    Verify(VerifyCommand),
}

impl SnapshotCommand {
    /// Runs the verb.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.action {
            Action::Build(command) => command.run(),
            Action::Diff(command) => command.run(),
            Action::Inspect(command) => command.run(),
            Action::Keygen(command) => command.run(),
            Action::NewEra(command) => command.run(),
            Action::Publish(command) => command.run(),
            Action::Serve(command) => command.run(),
            Action::Verify(command) => command.run(),
        }
    }
}
