//! `mandate relationship watch`.

use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use mandate_authz::container::Position;
use mandate_authz::row::Row;
use mandate_registry::Registry;
use mandate_registry::change::Change;
use serde_json::json;

use crate::commands::registry_option::ConfigOption;
use crate::commands::snapshot::row_text;
use crate::output;
use crate::stop::stop_on_signal;

/// Follow relationships: one line for each that is written (`+`) or ended (`-`), with its position.
///
/// Runs until SIGTERM or SIGINT; with --once it ends where the log ends.
#[derive(Args, Clone, Debug)]
pub(super) struct WatchCommand {
    /// After this position of the log. Default: from now on.
    #[arg(long, value_name = "ERA.EPOCH")]
    from: Option<String>,
    /// End at the end of the log.
    #[arg(long, requires = "from")]
    once: bool,
    #[command(flatten)]
    config: ConfigOption,
    /// Print JSON, one line for each.
    #[arg(long)]
    json: bool,
}

/// How often the log is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// Rows that are read at a time.
const PAGE: u64 = 1000;

impl WatchCommand {
    pub(super) fn watch(&self) -> anyhow::Result<ExitCode> {
        let mut registry = self.config.open()?;
        let position = registry.position()?;
        let mut at = match &self.from {
            None => position,
            Some(text) => {
                let from = Position::parse(text);
                from.with_context(|| format!("`--from`: `{text}` is no ERA.EPOCH"))?
            }
        };
        ensure!(at <= position, "`--from` {at} is after the registry's {position}");
        let (stop, stopped) = channel();
        stop_on_signal(stop).context("signals cannot be waited for")?;
        loop {
            while let Some(next) = self.page(&mut registry, at)? {
                at = next;
            }
            if self.once || stopped.recv_timeout(PAUSE).is_ok() {
                return Ok(ExitCode::SUCCESS);
            }
            let now = registry.position()?;
            ensure!(at.era == now.era, "a new era has begun: the log goes on at {now}");
        }
    }

    /// Prints what comes after a position; where it ends, if there was anything.
    fn page(&self, registry: &mut Registry, at: Position) -> anyhow::Result<Option<Position>> {
        let changes = registry.changes_after(at, PAGE)?;
        let mut text = String::new();
        for Change { position, row } in &changes {
            if let Some(line) = self.line(*position, row) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        if !text.is_empty() && output::print(&text) != ExitCode::SUCCESS {
            anyhow::bail!("nobody reads");
        }
        Ok(changes.last().map(|change| change.position))
    }

    fn line(&self, position: Position, row: &Row) -> Option<String> {
        let (change, object, relation, subject) = match row {
            Row::WriteTuple(tuple) => ("write", &tuple.object, &tuple.relation, &tuple.subject),
            Row::DeleteTuple { object, relation, subject } => ("delete", object, relation, subject),
            Row::DeleteCredential { .. }
            | Row::DeleteIdentity { .. }
            | Row::DeleteObject { .. }
            | Row::PutCredential(_)
            | Row::PutIdentity(_)
            | Row::PutObject { .. } => return None,
        };
        Some(if self.json {
            let value = json!({
                "era": position.era, "epoch": position.epoch, "change": change,
                "object": object.to_string(), "relation": relation,
                "subject": subject.to_string(),
            });
            value.to_string()
        } else {
            format!("{position} {}", output::printable(&row_text::row(row)))
        })
    }
}
