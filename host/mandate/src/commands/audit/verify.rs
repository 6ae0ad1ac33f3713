//! `mandate audit verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, ensure};
use clap::Args;
use mandate_registry::audit::{Checkpoint, Verdict};
use serde_json::{Value, json};

use super::named;
use crate::commands::input_file;
use crate::commands::registry_option::ConfigOption;
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::output::{self, Page};

/// Verify the chain of every tenant, or of one: 0 where nothing is wrong, 1 with the first record that
/// is.
///
/// Without a checkpoint from elsewhere nobody can know that the whole chain was not written anew.
#[derive(Args, Clone, Debug)]
pub(super) struct VerifyCommand {
    /// Of this tenant alone; an empty one for what has none.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Checkpoints, one a line, as `audit checkpoint` gave them.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Public key (JWK) that may have signed checkpoints. Default: the one of `feed.key`.
    #[arg(long, value_name = "PUBLIC", requires = "checkpoint")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl VerifyCommand {
    pub(super) fn verify(&self) -> anyhow::Result<ExitCode> {
        let checkpoints = self.checkpoints()?;
        let mut registry = self.config.open()?;
        let mut tenants = match &self.tenant {
            Some(tenant) => vec![tenant.clone()],
            None => registry.audit_tenants()?,
        };
        // A chain that is gone is missed by its checkpoint alone.
        let vouched = checkpoints.iter().map(|checkpoint| checkpoint.tenant.clone());
        tenants.extend(vouched.filter(|_| self.tenant.is_none()));
        tenants.sort();
        tenants.dedup();
        let mut page = Page::new();
        let (mut values, mut is_intact) = (Vec::new(), true);
        for tenant in tenants {
            let ours = checkpoints.iter().filter(|checkpoint| checkpoint.tenant == tenant);
            let newest = ours.max_by_key(|checkpoint| checkpoint.sequence);
            let verdict = registry.verify_audit(&tenant, newest)?;
            is_intact &= matches!(verdict, Verdict::Intact(_));
            page.line(&format!("{}: {}", named(&tenant), text(&verdict)));
            values.push(value(&tenant, &verdict));
        }
        let printed =
            output::print_either(self.json, &json!({"intact": is_intact, "chains": values}), &page);
        let refused = printed == ExitCode::SUCCESS && !is_intact;
        Ok(if refused { ExitCode::from(output::DENY) } else { printed })
    }

    fn checkpoints(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let Some(path) = &self.checkpoint else { return Ok(Vec::new()) };
        let keys = if self.key.is_empty() {
            PinnedKeys::of(&self.config.read()?.feed()?.read_key()?)?
        } else {
            PinnedKeys::read(&self.key)?
        };
        let text = input_file::read_text("checkpoint", path)?;
        let lines = (1_u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let checkpoints = lines.map(|(number, line)| {
            let opened = Checkpoint::open(line, &keys.keys);
            opened.map_err(|problem| {
                anyhow!("checkpoint `{}`: line {number}: {problem}", path.display())
            })
        });
        let checkpoints = checkpoints.collect::<Result<Vec<_>, _>>()?;
        ensure!(!checkpoints.is_empty(), "checkpoint `{}` is empty", path.display());
        Ok(checkpoints)
    }
}

fn text(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Broken(broken) => format!("BROKEN: {broken}"),
        Verdict::Intact(intact) => match intact.vouched {
            None => format!(
                "{} records, intact; no checkpoint vouches that it is the chain of before",
                intact.records
            ),
            Some(sequence) => format!(
                "{} records, intact; the checkpoint vouches for those up to {sequence}",
                intact.records
            ),
        },
    }
}

fn value(tenant: &str, verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Broken(broken) => {
            json!({"tenant": tenant, "intact": false, "problem": broken.to_string()})
        }
        Verdict::Intact(intact) => json!({
            "tenant": tenant, "intact": true, "records": intact.records, "vouched": intact.vouched,
        }),
    }
}
