//! `mandate tenant`: tenants, which have to be there before anybody belongs to them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use mandate_authz::name::ObjectName;
use serde_json::json;

use super::registry_option::{ActOptions, finish};
use crate::output::{self, Page};

/// Tenants.
#[derive(Args, Clone, Debug)]
pub struct TenantCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Add(AddCommand),
}

impl TenantCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let Action::Add(command) = self.action;
        command.add().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// Register a tenant. One that is there already stays as it is.
#[derive(Args, Clone, Debug)]
struct AddCommand {
    /// Its id.
    #[arg(value_name = "ID")]
    tenant: String,
    #[command(flatten)]
    act: ActOptions,
}

impl AddCommand {
    fn add(&self) -> anyhow::Result<ExitCode> {
        let (_, policy, _) = self.act.config.read()?.rules()?;
        let (mut registry, act) = self.act.open()?;
        let tenant = ObjectName::new(&policy.types().tenant, &self.tenant);
        let written = registry.register_object(&act, &tenant)?;
        let mut page = Page::new();
        let was = if written.outcome { "registered" } else { "was there already" };
        page.line(&format!("tenant {tenant} {was}"));
        let value = json!({"tenant": tenant.to_string(), "new": written.outcome});
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
