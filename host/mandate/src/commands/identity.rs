//! `mandate identity`: agents and services, one record each.

mod create;
mod life;
mod listing;
pub(super) mod report;
mod thread;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use self::create::CreateCommand;
use self::life::{Life, LifeCommand, ScopeCommand};
use self::listing::{ListCommand, ShowCommand};
use self::thread::ThreadCommand;
use crate::output;

/// Machine identities: make, look at, stop and limit agents and services.
#[derive(Args, Clone, Debug)]
pub struct IdentityCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Create(CreateCommand),
    List(ListCommand),
    /// Let a suspended identity act again.
    Resume(LifeCommand),
    /// End an identity for good. Its record stays, its name is never given again.
    Retire(LifeCommand),
    Scope(ScopeCommand),
    Show(ShowCommand),
    /// Stop an identity for now: its decisions are `identity-disabled`.
    Suspend(LifeCommand),
    Thread(ThreadCommand),
}

impl IdentityCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Create(command) => command.create(),
            Action::List(command) => command.list(),
            Action::Resume(command) => command.pass(Life::Resume),
            Action::Retire(command) => command.pass(Life::Retire),
            Action::Scope(command) => command.scope(),
            Action::Show(command) => command.show(),
            Action::Suspend(command) => command.pass(Life::Suspend),
            Action::Thread(command) => command.create(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}
