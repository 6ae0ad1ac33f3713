//! `mandate credential list`.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::report;
use crate::commands::registry_option::{ConfigOption, object};
use crate::commands::session::now;
use crate::output::{self, Page};
use crate::registry_json;

/// List the credentials of an identity, revoked ones too.
#[derive(Args, Clone, Debug)]
pub(super) struct ListCommand {
    /// Whose, `agent:ID` or `service:ID`.
    #[arg(value_name = "IDENTITY")]
    identity: String,
    /// After this one: the last of the page before.
    #[arg(long, value_name = "CREDENTIAL")]
    after: Option<String>,
    /// As many as that.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u64,
    #[command(flatten)]
    config: ConfigOption,
    /// By which moment the state is told, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ListCommand {
    pub(super) fn list(&self) -> anyhow::Result<ExitCode> {
        let identity = object("IDENTITY", &self.identity)?;
        let mut registry = self.config.open()?;
        registry.identity(&identity)?;
        let after = self.after.as_deref();
        let credentials = registry.credentials(&identity, after, self.limit)?;
        let mut page = Page::new();
        page.table(&report::table(&credentials, now(self.now)?));
        let values: Vec<Value> = credentials.iter().map(registry_json::credential).collect();
        Ok(output::print_either(self.json, &json!({"credentials": values}), &page))
    }
}
