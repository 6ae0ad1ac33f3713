//! `mandate migrate`: the schema of the registry, forward and back.

use std::process::ExitCode;

use clap::Args;
use mandate_registry::confirm::Confirm;
use mandate_registry::migration::{self, Direction};
use mandate_registry::random::SystemRandomness;
use mandate_registry::{Registry, error::RegistryError};
use serde_json::{Value, json};

use super::registry_option::{ConfigOption, ConfirmOption};
use crate::commands::session::now;
use crate::output::{self, Page};

/// Bring the registry's schema to a migration: docs/rollback.md.
///
/// All steps are one transaction. A database without a registry gets one. Stop every server before
/// going back.
#[derive(Args, Clone, Debug)]
pub struct MigrateCommand {
    #[command(flatten)]
    config: ConfigOption,
    /// The migration, 0 for an empty database. Default: the last one of this program.
    #[arg(long, value_name = "NUMBER")]
    to: Option<u32>,
    #[command(flatten)]
    confirm: ConfirmOption,
    /// When it is done, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl MigrateCommand {
    /// Migrates: 0 done, or told what would be; 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.migrate().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn migrate(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let (_, policy, model) = configuration.rules()?;
        let (now, confirm) = (now(self.now)?, self.confirm.confirm());
        let mut database = configuration.open_database()?;
        let target = self.to.unwrap_or_else(migration::latest);
        let steps = migration::apply(&mut *database, target, now, confirm)?;
        if confirm == Confirm::Confirmed && target == migration::latest() {
            let randomness = Box::new(SystemRandomness::new());
            let mut registry = Registry::open(database, model, policy, randomness)?;
            match registry.initialize(&configuration.deployment, now) {
                // There is one already.
                Ok(()) | Err(RegistryError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut page = Page::new();
        if steps.is_empty() {
            page.line(&format!("the database is at migration {target}"));
        } else {
            steps.iter().for_each(|step| page.line(&step.to_string()));
            self.confirm.explain(&mut page);
        }
        let rows: Vec<Value> = steps
            .iter()
            .map(|step| {
                let direction = match step.direction {
                    Direction::Down => "down",
                    Direction::Up => "up",
                };
                json!({"direction": direction, "migration": step.number, "name": step.name})
            })
            .collect();
        let value = json!({"confirmed": confirm == Confirm::Confirmed, "steps": rows});
        Ok(output::print_either(self.json, &value, &page))
    }
}
