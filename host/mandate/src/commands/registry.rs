//! `mandate registry`: the registry as a whole.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use mandate_registry::bootstrap::Bootstrap;
use serde_json::json;

use super::registry_option::{ActOptions, ConfirmOption, finish};
use super::secret_file::SecretFileOption;
use crate::moment;
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
    Bootstrap(BootstrapCommand),
    NewEra(NewEraCommand),
}

impl RegistryCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Bootstrap(command) => command.make(),
            Action::NewEra(command) => command.begin(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// Make the one-time credential by which a person of a tenant becomes its first administrator, at
/// the server, from this machine (docs/server.md#bootstrap).
///
/// It replaces the one before, is good for an hour, and ends when the tenant has an administrator.
#[derive(Args, Clone, Debug)]
struct BootstrapCommand {
    /// The tenant's id.
    #[arg(long, value_name = "ID")]
    tenant: String,
    #[command(flatten)]
    secret_file: SecretFileOption,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl BootstrapCommand {
    fn make(&self) -> anyhow::Result<ExitCode> {
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let file = self.secret_file.make(act.confirm)?;
        let written = registry.make_bootstrap(&act, &self.tenant)?;
        let Bootstrap { id, expires_at, secret } = written.outcome;
        let mut page = Page::new();
        let until = moment::utc(expires_at);
        page.line(&format!("bootstrap credential {id} of {}, good until {until}", self.tenant));
        let mut value = json!({ "bootstrap": id, "tenant": self.tenant, "expires_at": expires_at });
        file.deliver(secret.as_ref(), &id, &mut page, &mut value)?;
        self.confirm.explain(&mut page);
        Ok(finish(self.act.json, &act, page, value, written.position))
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
