//! `mandate outbox`: who was told, and who is still to be (docs/notifications.md).

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use mandate_registry::Registry;
use mandate_registry::outbox::{Attempt, Delivery};
use serde_json::{Value, json};

use crate::commands::private_file::write_private;
use crate::commands::registry_option::ConfigOption;
use crate::commands::session::now;
use crate::moment;
use crate::output::{self, Page};
use crate::webhook::{Hook, deliver_due, new_secret};

/// Messages to those who asked to be told: list, deliver.
#[derive(Args, Clone, Debug)]
pub struct OutboxCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    Deliver(DeliverCommand),
    List(ListCommand),
    NewSecret(NewSecretCommand),
}

impl OutboxCommand {
    /// Runs the verb: 0 done, 1 somebody was not told, 2 not done.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::Deliver(command) => command.deliver(),
            Action::List(command) => command.list(),
            Action::NewSecret(command) => command.write(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// Deliver what is due, once. `mandate serve` does so all the time.
#[derive(Args, Clone, Debug)]
struct DeliverCommand {
    /// Also what waits for its next attempt or was given up.
    #[arg(long)]
    retry: bool,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl DeliverCommand {
    fn deliver(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let hooks = Hook::open_all(&configuration.notify)?;
        let mut registry = configuration.open_registry()?;
        if self.retry {
            for hook in &hooks {
                registry.retry_deliveries(hook.name(), now(None)?)?;
            }
        }
        let mut page = Page::new();
        let told = deliver(&mut registry, &hooks, &mut page)?;
        if told.is_empty() {
            page.line("nothing is due");
        }
        let is_told = told.iter().all(|told| told.get("delivered") == Some(&json!(true)));
        let said = output::print_either(self.json, &json!({"told": told}), &page);
        Ok(if is_told { said } else { ExitCode::FAILURE })
    }
}

/// Delivers what is due and says what became of it.
pub(super) fn deliver(
    registry: &mut Registry,
    hooks: &[Hook],
    page: &mut Page,
) -> anyhow::Result<Vec<Value>> {
    let clock = || now(None).unwrap_or_default();
    let mut told = Vec::new();
    deliver_due(registry, hooks, clock, |delivery, attempt| {
        let Delivery { hook, message, .. } = delivery;
        let (is_delivered, problem) = match attempt {
            Attempt::Delivered => (true, None),
            Attempt::Failed(problem) | Attempt::Refused(problem) => (false, Some(problem.clone())),
        };
        page.line(&match &problem {
            None => format!("told `{hook}`"),
            Some(problem) => format!("`{hook}` was not told: {problem}"),
        });
        told.push(json!({
            "hook": hook, "message": message, "delivered": is_delivered, "problem": problem,
        }));
    })?;
    Ok(told)
}

/// List messages, the newest first.
#[derive(Args, Clone, Debug)]
struct ListCommand {
    /// As many as that.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u64,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ListCommand {
    fn list(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let deliveries = configuration.open_registry()?.deliveries(self.limit)?;
        let head = ["message", "hook", "written", "attempts", "state", "problem"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        table.extend(deliveries.iter().map(|delivery| {
            vec![
                delivery.message.clone(),
                delivery.hook.clone(),
                moment::utc(delivery.created_at),
                delivery.attempts.to_string(),
                state(delivery),
                delivery.problem.clone().unwrap_or_default(),
            ]
        }));
        let mut page = Page::new();
        page.table(&table);
        let values: Vec<Value> = deliveries
            .iter()
            .map(|delivery| {
                json!({
                    "message": delivery.message, "hook": delivery.hook,
                    "payload": delivery.payload, "created_at": delivery.created_at,
                    "attempts": delivery.attempts, "next_at": delivery.next_at,
                    "delivered_at": delivery.delivered_at, "problem": delivery.problem,
                })
            })
            .collect();
        Ok(output::print_either(self.json, &json!({"messages": values}), &page))
    }
}

fn state(delivery: &Delivery) -> String {
    match (delivery.delivered_at, delivery.next_at) {
        (Some(at), _) => format!("delivered {}", moment::utc(at)),
        (None, Some(at)) => format!("due {}", moment::utc(at)),
        (None, None) => "given up".to_owned(),
    }
}

/// Write a new secret for a hook to a new file: 256 bits, `whsec_…`. Its receiver needs it as well.
#[derive(Args, Clone, Debug)]
struct NewSecretCommand {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl NewSecretCommand {
    fn write(&self) -> anyhow::Result<ExitCode> {
        let file = self.file.display();
        write_private(&self.file, &format!("{}\n", new_secret()?))
            .with_context(|| format!("secret file `{file}` cannot be written"))?;
        Ok(output::print(&format!("secret written to {file}\n")))
    }
}
