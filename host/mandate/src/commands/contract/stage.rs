//! `mandate contract freeze`, `deploy` and `status`: contract/CONTRACT.md#versions.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use mandate_registry::contract::{KnownContract, Stage};
use serde_json::{Value, json};

use crate::commands::contract_file::ContractFile;
use crate::commands::outbox;
use crate::commands::registry_option::{ActOptions, ConfigOption, ConfirmOption, finish};
use crate::commands::{input_file, output_file};
use crate::configuration::Configuration;
use crate::moment;
use crate::output::{self, Page};
use crate::webhook::{Hook, announcement};

/// The options of `freeze` and `deploy`.
#[derive(Args, Clone, Debug)]
pub(super) struct StageCommand {
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

impl StageCommand {
    pub(super) fn advance(&self, stage: Stage) -> anyhow::Result<ExitCode> {
        let configuration = self.act.config.read()?;
        // Before anything is changed: who cannot be told is known now.
        let hooks = Hook::open_all(&configuration.notify)?;
        let confirmed = self.confirm.is_given();
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let (file, _) = ContractFile::read_with_policy(&configuration.contract)?;
        let contract = file.as_version();
        let deployment = &configuration.deployment;
        let message = announcement(&configuration.notify, deployment, &contract, stage, act.now);
        let written = registry.advance_contract(&act, &contract, stage, &message)?;
        let status = match (stage, file.status()) {
            // What was deployed stays so.
            (Stage::Frozen, "deployed") => "deployed",
            (Stage::Deployed | Stage::Frozen, _) => stage.as_str(),
        };
        if confirmed {
            // After the registry: a crash between is mended by the same command.
            write_status(&configuration, &file, status)?;
        }
        let mut page = Page::new();
        let now = if written.outcome { "is now" } else { "was already" };
        page.line(&format!("contract {} {now} {}", contract.version, stage.as_str()));
        self.confirm.explain(&mut page);
        let told = if confirmed {
            outbox::deliver(&mut registry, &hooks, &mut page)?
        } else {
            message.hooks.iter().map(|hook| json!({"hook": hook})).collect()
        };
        let value = json!({
            "version": contract.version, "digest": contract.digest, "status": stage.as_str(),
            "changed": written.outcome, "told": told,
        });
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}

/// Show which versions were frozen and deployed, and where the contract of the configuration stands.
#[derive(Args, Clone, Debug)]
pub(super) struct StatusCommand {
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl StatusCommand {
    pub(super) fn show(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let (file, policy, model) = configuration.rules()?;
        let contract = file.as_version();
        let known = configuration.registry(&contract, policy, model)?.contracts()?;
        let recorded =
            known.iter().find(|known| known.contract == contract).map_or("draft", status);
        let mut page = Page::new();
        page.line(&format!(
            "contract {} of the configuration is {recorded}; its file says {}",
            contract.version,
            file.status()
        ));
        if !known.is_empty() {
            let head = ["version", "status", "frozen", "deployed", "digest"];
            let mut table = vec![head.map(str::to_owned).to_vec()];
            table.extend(known.iter().map(|known| {
                let deployed = known.deployed_at.map_or_else(String::new, moment::utc);
                let status = if known.is_in_force { "in force" } else { status(known) };
                vec![
                    known.contract.version.clone(),
                    status.to_owned(),
                    moment::utc(known.frozen_at),
                    deployed,
                    known.contract.digest.clone(),
                ]
            }));
            page.table(&table);
        }
        let versions: Vec<Value> = known
            .iter()
            .map(|known| {
                json!({
                    "version": known.contract.version, "digest": known.contract.digest,
                    "status": status(known), "in_force": known.is_in_force,
                    "frozen_at": known.frozen_at, "deployed_at": known.deployed_at,
                })
            })
            .collect();
        let value = json!({
            "version": contract.version, "digest": contract.digest, "status": recorded,
            "file_status": file.status(), "versions": versions,
        });
        Ok(output::print_either(self.json, &value, &page))
    }
}

const fn status(known: &KnownContract) -> &'static str {
    match known.deployed_at {
        Some(_) => Stage::Deployed.as_str(),
        None => Stage::Frozen.as_str(),
    }
}

/// Writes the status into the contract's file, and changes nothing else in it.
fn write_status(
    configuration: &Configuration,
    file: &ContractFile,
    status: &str,
) -> anyhow::Result<()> {
    if file.status() == status {
        return Ok(());
    }
    let path = &configuration.contract;
    let text = input_file::read_text("contract", path)?;
    let mut expected = file.value.clone();
    if let Some(members) = expected.as_object_mut() {
        members.insert("status".to_owned(), json!(status));
    }
    let before = json!(file.status()).to_string();
    let replaced = text.match_indices(&before).find_map(|(at, _)| {
        let (head, rest) = text.split_at(at);
        let candidate = format!("{head}{}{}", json!(status), rest.strip_prefix(&before)?);
        let read: Value = serde_json::from_str(&candidate).ok()?;
        (read == expected).then_some(candidate)
    });
    let replaced = replaced.with_context(|| {
        let (path, status) = (path.display(), json!(status));
        format!("contract `{path}`: `status`: write {status} there by hand; the registry has it")
    })?;
    output_file::replace("contract", path, replaced.as_bytes())
}
