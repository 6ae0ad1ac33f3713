//! `mandate relationship`: what the model evaluates.

mod listing;
mod watch;
mod writing;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use mandate_authz::name::{ObjectName, Subject};
use mandate_registry::relationship::Key;

use self::listing::ListCommand;
use self::watch::WatchCommand;
use self::writing::{DeleteCommand, WriteCommand};
use crate::output;

/// Relationships: write, end, list and follow them.
#[derive(Args, Clone, Debug)]
pub struct RelationshipCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Delete(DeleteCommand),
    List(ListCommand),
    Watch(WatchCommand),
    Write(WriteCommand),
}

impl RelationshipCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Delete(command) => command.delete(),
            Action::List(command) => command.list(),
            Action::Watch(command) => command.watch(),
            Action::Write(command) => command.write(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// `board:roadmap#viewer@user:anne`.
fn key(text: &str) -> anyhow::Result<Key> {
    let parsed = text.split_once('#').and_then(|(object, rest)| {
        let (relation, subject) = rest.split_once('@')?;
        let relation = Some(relation.to_owned()).filter(|relation| !relation.is_empty())?;
        Some(Key {
            object: ObjectName::parse(object)?,
            relation,
            subject: Subject::parse(subject)?,
        })
    });
    parsed.with_context(|| format!("`{text}` is no `OBJECT#RELATION@SUBJECT`"))
}
