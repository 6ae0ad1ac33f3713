//! `mandate identity suspend`, `resume`, `retire` and `scope`.

use std::process::ExitCode;

use clap::Args;

use super::report;
use crate::commands::registry_option::{ActOptions, finish, object};
use crate::commands::scope_option::ScopeOptions;
use crate::output::Page;
use crate::registry_json;

/// One identity, and in whose name it is changed.
#[derive(Args, Clone, Debug)]
pub(super) struct LifeCommand {
    /// The identity, `agent:ID` or `service:ID`.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    #[command(flatten)]
    act: ActOptions,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Life {
    Resume,
    Retire,
    Suspend,
}

impl LifeCommand {
    pub(super) fn pass(&self, life: Life) -> anyhow::Result<ExitCode> {
        let identity = object("IDENTITY", &self.identity)?;
        let (mut registry, act) = self.act.open()?;
        let written = match life {
            Life::Resume => registry.resume_identity(&act, &identity)?,
            Life::Retire => registry.retire_identity(&act, &identity)?,
            Life::Suspend => registry.suspend_identity(&act, &identity)?,
        };
        let mut page = Page::new();
        let status = registry_json::status(written.outcome.status);
        page.line(&format!("identity {identity} is {status}"));
        let value = registry_json::identity(&written.outcome);
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}

/// Replace the scope of an identity: whole, so what is not given here is none.
#[derive(Args, Clone, Debug)]
pub(super) struct ScopeCommand {
    /// The identity, `agent:ID` or `service:ID`.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    #[command(flatten)]
    scope: ScopeOptions,
    #[command(flatten)]
    act: ActOptions,
}

impl ScopeCommand {
    pub(super) fn scope(&self) -> anyhow::Result<ExitCode> {
        let identity = object("IDENTITY", &self.identity)?;
        let (mut registry, act) = self.act.open()?;
        let written = registry.scope_identity(&act, &identity, &self.scope.scope())?;
        let mut page = Page::new();
        page.line(&format!("scope of identity {identity} replaced"));
        page.rows(&report::rows(&written.outcome));
        let value = registry_json::identity(&written.outcome);
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
