//! `mandate registry`: the registry as a whole.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::registry_option::{ActOptions, ConfirmOption, finish};
use crate::output::{self, Page};
use crate::registry_json;

/// The registry as a whole.
#[derive(Args, Clone, Debug)]
pub struct RegistryCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    NewEra(NewEraCommand),
}

impl RegistryCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let Action::NewEra(command) = self.action;
        command.begin().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// Begin a new era after a restore from a backup, before anything else is written (docs/rollback.md).
///
/// Consumers forget what came after the backup, revocations too: revoke again.
#[derive(Args, Clone, Debug)]
struct NewEraCommand {
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl NewEraCommand {
    fn begin(&self) -> anyhow::Result<ExitCode> {
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let before = registry.position()?;
        let written = registry.new_era(&act)?;
        let era = written.position.era;
        let mut page = Page::new();
        page.line(&format!("era {era} begins after {before}"));
        self.confirm.explain(&mut page);
        let value = json!({"before": registry_json::position(before)});
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
