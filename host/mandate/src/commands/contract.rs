//! `mandate contract`: is the contract sound, and what would surprise its operator?

mod stage;
mod summary;
mod warning;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use mandate_registry::contract::Stage;
use serde_json::{Value, json};

use self::stage::{StageCommand, StatusCommand};
use crate::commands::contract_file::ContractFile;
use crate::output::{self, Page};

/// Check a contract, or print its JSON Schema.
#[derive(Args, Clone, Debug)]
pub struct ContractCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Load a contract as the plugin would: 0 it loads, 2 it does not.
    ///
    /// Says what is wrong first, else what an operator may want to change.
    Check {
        /// The contract.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a version what services may be built on, and tell those who asked.
    ///
    /// Afterwards this version means this content: everything that reads the configuration refuses
    /// another one. Without `--confirm` nothing is changed. The status is written into the file.
    Freeze(StageCommand),
    /// Put a frozen version in force, and tell those who asked.
    Deploy(StageCommand),
    Status(StatusCommand),
    /// Print a JSON Schema (draft 2020-12), for editors; `check` is stricter.
    Schema {
        /// Of which document.
        #[arg(value_enum, default_value = "contract")]
        document: Document,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Document {
    /// contract.json
    Contract,
    /// The trust document: contract and key sets
    Trust,
}

impl Document {
    const fn schema(self) -> &'static str {
        match self {
            Self::Contract => {
                include_str!("../../../../contract/schema/contract.schema.json")
            }
            Self::Trust => include_str!("../../../../contract/schema/trust.schema.json"),
        }
    }
}

impl ContractCommand {
    /// Checks or prints.
    #[must_use]
    pub fn run(self) -> ExitCode {
        match self.action {
            Action::Check { file, json } => match ContractFile::read(&file) {
                Ok(contract) => report(&contract, json),
                Err(error) if json => {
                    let said = output::print(&format!(
                        "{}\n",
                        json!({ "error": format!("{error:#}"), "valid": false })
                    ));
                    if said == ExitCode::SUCCESS { ExitCode::from(output::USAGE) } else { said }
                }
                Err(error) => output::fail(&format!("{error:#}")),
            },
            Action::Deploy(command) => done(command.advance(Stage::Deployed)),
            Action::Freeze(command) => done(command.advance(Stage::Frozen)),
            Action::Schema { document } => output::print(document.schema()),
            Action::Status(command) => done(command.show()),
        }
    }
}

fn done(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
}

fn report(contract: &ContractFile, json: bool) -> ExitCode {
    let warnings = warning::all(contract);
    let mut page = Page::new();
    let (version, status) = (contract.version(), contract.status());
    page.line(&format!("contract {version} ({status}) is valid"));
    summary::write(contract, &mut page);
    if !warnings.is_empty() {
        page.line("");
        page.line(&format!("warnings: {}", warnings.len()));
        for warning in &warnings {
            page.line(&format!("  {}: {}", warning.path, warning.message));
        }
    }
    let warnings: Vec<Value> = warnings
        .iter()
        .map(|warning| json!({ "path": warning.path, "message": warning.message }))
        .collect();
    let value = json!({
        "valid": true,
        "version": version,
        "status": status,
        "issuers": summary::issuers_json(contract),
        "apps": summary::apps_json(contract),
        "warnings": warnings,
    });
    output::print_either(json, &value, &page)
}
