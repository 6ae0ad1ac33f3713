//! `mandate audit verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, ensure};
use clap::Args;
use mandate_authz::container::PinnedKey;
use mandate_registry::Registry;
use mandate_registry::audit::{Checkpoint, Verdict};
use serde_json::json;

use super::named;
use super::segment_files::Files;
use crate::commands::input_file;
use crate::commands::registry_option::ConfigOption;
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::output::{self, Page};
use crate::registry_json;

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
    /// Files of sealed segments, as `audit seal` wrote them.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    segment: Vec<PathBuf>,
    /// Public key (JWK) that may have signed checkpoints and segments. Default: the one of `feed.key`.
    #[arg(long, value_name = "PUBLIC")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl VerifyCommand {
    pub(super) fn verify(&self) -> anyhow::Result<ExitCode> {
        let mut registry = self.config.open()?;
        let keys = self.keys(&mut registry)?;
        let checkpoints = self.checkpoints(&keys)?;
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
        let files = Files::check(&self.segment, &mut registry, &keys, &checkpoints)?;
        files.tell(&mut page);
        let (mut values, mut is_intact) = (Vec::new(), files.are_sound());
        for tenant in tenants {
            let ours = checkpoints.iter().filter(|checkpoint| checkpoint.tenant == tenant);
            let newest = ours.max_by_key(|checkpoint| checkpoint.sequence);
            let mut verdict = registry.verify_audit(&tenant, newest, &keys)?;
            if let (Verdict::Intact(intact), Some(newest)) = (&mut verdict, newest)
                && files.have(&tenant, newest.sequence)
            {
                intact.vouched = Some(newest.sequence);
            }
            is_intact &= matches!(verdict, Verdict::Intact(_));
            page.line(&format!("{}: {}", named(&tenant), text(&verdict, newest)));
            values.push(registry_json::audit_verdict(&tenant, &verdict));
        }
        let mut all = json!({"intact": is_intact, "chains": values});
        if let (Some(members), false) = (all.as_object_mut(), self.segment.is_empty()) {
            members.insert("segments".to_owned(), files.value());
        }
        let printed = output::print_either(self.json, &all, &page);
        let refused = printed == ExitCode::SUCCESS && !is_intact;
        Ok(if refused { ExitCode::from(output::DENY) } else { printed })
    }

    /// The keys that may have signed, where anything is signed.
    fn keys(&self, registry: &mut Registry) -> anyhow::Result<Vec<PinnedKey>> {
        if !self.key.is_empty() {
            return Ok(PinnedKeys::read(&self.key)?.keys);
        }
        let is_signed = self.checkpoint.is_some() || !self.segment.is_empty();
        if is_signed || registry.has_audit_segments()? {
            return Ok(PinnedKeys::of(&self.config.read()?.feed()?.read_key()?)?.keys);
        }
        Ok(Vec::new())
    }

    fn checkpoints(&self, keys: &[PinnedKey]) -> anyhow::Result<Vec<Checkpoint>> {
        let Some(path) = &self.checkpoint else { return Ok(Vec::new()) };
        let text = input_file::read_text("checkpoint", path)?;
        let lines = (1_u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let checkpoints = lines.map(|(number, line)| {
            let opened = Checkpoint::open(line, keys);
            opened.map_err(|problem| {
                anyhow!("checkpoint `{}`: line {number}: {problem}", path.display())
            })
        });
        let checkpoints = checkpoints.collect::<Result<Vec<_>, _>>()?;
        ensure!(!checkpoints.is_empty(), "checkpoint `{}` is empty", path.display());
        Ok(checkpoints)
    }
}

fn text(verdict: &Verdict, checkpoint: Option<&Checkpoint>) -> String {
    let intact = match verdict {
        Verdict::Broken(broken) => return format!("BROKEN: {broken}"),
        Verdict::Intact(intact) => intact,
    };
    let sealed = intact.sealed.map_or_else(String::new, |sealed| {
        format!(", those up to {sealed} by their signed segments")
    });
    let vouched = match (intact.vouched, checkpoint) {
        (Some(sequence), _) => format!("the checkpoint vouches for those up to {sequence}"),
        (None, Some(checkpoint)) => {
            format!(
                "record {} of the checkpoint is sealed: give its `--segment`",
                checkpoint.sequence
            )
        }
        (None, None) => "no checkpoint vouches that it is the chain of before".to_owned(),
    };
    format!("{} records, intact{sealed}; {vouched}", intact.records)
}
