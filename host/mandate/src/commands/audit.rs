//! `mandate audit`: what was decided and what was changed (docs/audit.md).

mod access_log;
mod checkpoint;
mod export;
mod ingest;
mod query;
mod seal;
mod segment_files;
mod verify;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::checkpoint::CheckpointCommand;
use self::export::ExportCommand;
use self::ingest::IngestCommand;
use self::query::QueryCommand;
use self::seal::SealCommand;
use self::verify::VerifyCommand;
use crate::output;

/// The audit chain: look for records, take them in, verify, export and seal them.
#[derive(Args, Clone, Debug)]
pub struct AuditCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Checkpoint(CheckpointCommand),
    Export(ExportCommand),
    Ingest(IngestCommand),
    Query(QueryCommand),
    Seal(SealCommand),
    Verify(VerifyCommand),
}

impl AuditCommand {
    /// Runs the verb: 0 done, 1 something is wrong with the records, 2 not done.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Checkpoint(command) => command.sign(),
            Action::Export(command) => command.export(),
            Action::Ingest(command) => command.ingest(),
            Action::Query(command) => command.query(),
            Action::Seal(command) => command.seal(),
            Action::Verify(command) => command.verify(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// A chain as people call it.
fn named(tenant: &str) -> String {
    if tenant.is_empty() { "(no tenant)".to_owned() } else { tenant.to_owned() }
}
