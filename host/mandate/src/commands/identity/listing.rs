//! `mandate identity list` and `show`.

use std::process::ExitCode;

use clap::Args;
use mandate_registry::identity::IdentityFilter;
use serde_json::{Value, json};

use super::report;
use crate::commands::registry_option::{ConfigOption, object, optional_object};
use crate::output::{self, Page};
use crate::registry_json;

/// List identities, in the order of their names.
#[derive(Args, Clone, Debug)]
pub(super) struct ListCommand {
    /// Of this tenant.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Of this user.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// After this one: the last of the page before.
    #[arg(long, value_name = "IDENTITY")]
    after: Option<String>,
    /// As many as that.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u64,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ListCommand {
    pub(super) fn list(&self) -> anyhow::Result<ExitCode> {
        let filter = IdentityFilter {
            tenant: self.tenant.clone(),
            owner: optional_object("--owner", self.owner.as_deref())?,
            after: optional_object("--after", self.after.as_deref())?,
            most: self.limit,
        };
        let identities = self.config.open()?.identities(&filter)?;
        let head = ["identity", "tenant", "owner", "status", "expires", "last used"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        table.extend(identities.iter().map(|identity| {
            vec![
                identity.object.to_string(),
                identity.tenant.clone(),
                identity.owner.as_ref().map_or_else(String::new, ToString::to_string),
                registry_json::status(identity.status).to_owned(),
                report::moment(identity.expires_at),
                report::moment(identity.last_used_at),
            ]
        }));
        let mut page = Page::new();
        page.table(&table);
        let values: Vec<Value> = identities.iter().map(registry_json::identity).collect();
        Ok(output::print_either(self.json, &json!({"identities": values}), &page))
    }
}

/// Show one identity.
#[derive(Args, Clone, Debug)]
pub(super) struct ShowCommand {
    /// The identity, `agent:ID` or `service:ID`.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ShowCommand {
    pub(super) fn show(&self) -> anyhow::Result<ExitCode> {
        let identity = object("IDENTITY", &self.identity)?;
        let identity = self.config.open()?.identity(&identity)?;
        let mut page = Page::new();
        page.line(&identity.object.to_string());
        page.rows(&report::rows(&identity));
        Ok(output::print_either(self.json, &registry_json::identity(&identity), &page))
    }
}
