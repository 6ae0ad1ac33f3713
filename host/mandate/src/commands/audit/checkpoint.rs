//! `mandate audit checkpoint`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::commands::output_file;
use crate::commands::registry_option::ConfigOption;
use crate::commands::session::now;
use crate::output;

/// Sign where the chains end, one line for each tenant, with the key of the feed.
///
/// Keep it where nobody who writes to the database can reach it: `audit verify --checkpoint` needs it.
#[derive(Args, Clone, Debug)]
pub(super) struct CheckpointCommand {
    /// Of this tenant alone; an empty one for what has none.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// File to write, in place of stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigOption,
    /// When it is signed, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
}

impl CheckpointCommand {
    pub(super) fn sign(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let key = configuration.feed()?.read_key()?;
        let mut registry = configuration.open_registry()?;
        let tenants = match &self.tenant {
            Some(tenant) => vec![tenant.clone()],
            None => registry.audit_tenants()?,
        };
        let now = now(self.now)?;
        let mut text = String::new();
        for tenant in tenants {
            text.push_str(&registry.checkpoint(&tenant, &key, now)?);
            text.push('\n');
        }
        match &self.output {
            None => Ok(output::print(&text)),
            Some(path) => {
                output_file::replace("checkpoint", path, text.as_bytes())?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
