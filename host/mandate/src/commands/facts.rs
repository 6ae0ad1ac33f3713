//! `mandate facts apply`: a facts file, taken over by the registry.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use mandate_authz::facts::Facts;
use mandate_authz::limits;
use serde_json::json;

use super::input_file;
use super::registry_option::{ActOptions, finish};
use crate::output::{self, Page};
use crate::registry_json;

/// Facts: who and what there is, in one YAML file (docs/facts.md).
#[derive(Args, Clone, Debug)]
pub struct FactsCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Apply(ApplyCommand),
}

impl FactsCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let Action::Apply(command) = self.action;
        command.apply().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// Take over what a facts file says: everything in one write, or nothing.
///
/// Applied twice it changes nothing. It adds and changes; what the file does not name stays. Only the
/// local operator may.
#[derive(Args, Clone, Debug)]
struct ApplyCommand {
    /// The facts; `-` for stdin.
    #[arg(value_name = "FILE")]
    facts: PathBuf,
    /// The organization of facts that name none.
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// The owner of agents that name none.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    /// Change nothing, and tell what would change.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    act: ActOptions,
}

impl ApplyCommand {
    fn apply(&self) -> anyhow::Result<ExitCode> {
        use mandate_registry::confirm::Confirm;
        let name = self.facts.display();
        let longest = u64::try_from(limits::FACTS_BYTES)?;
        let text = input_file::read_text_within("facts", &self.facts, longest)?;
        let (_, policy, model) = self.act.config.read()?.rules()?;
        let wrong = |error| anyhow!("facts `{name}`: {error}");
        let loaded = Facts::parse(&text)
            .map(|facts| facts.with_defaults(self.organization.as_deref(), self.owner.as_deref()))
            .and_then(|facts| facts.into_world(model, &policy))
            .map_err(wrong)?;
        // By itself it has to make a snapshot: errors of that are told with their line.
        loaded.build([0; 16]).map_err(wrong)?;
        let confirm = if self.dry_run { Confirm::DryRun } else { Confirm::Confirmed };
        let (mut registry, act) = self.act.open_as(confirm)?;
        let written = registry.apply_facts(&act, &loaded.world);
        let written = written.with_context(|| format!("facts `{name}`"))?;
        let applied = written.outcome;
        for note in &loaded.notes {
            output::warn(&format!("facts `{name}`: {note}"));
        }
        let counts = [
            ("objects", applied.objects),
            ("people", applied.people),
            ("identities", applied.identities),
            ("credentials", applied.credentials),
            ("relationships", applied.relationships),
        ];
        let mut page = Page::new();
        if applied.is_nothing() {
            page.line("nothing to do: everything is so already");
        } else {
            page.line(if self.dry_run { "would change" } else { "changed" });
            page.rows(&counts.map(|(name, count)| (name, count.to_string())));
        }
        let value = json!({"changed": registry_json::applied(&applied)});
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
