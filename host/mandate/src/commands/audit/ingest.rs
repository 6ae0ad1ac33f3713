//! `mandate audit ingest`.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use mandate_registry::Registry;
use mandate_registry::audit::Event;
use mandate_registry::error::RegistryError;
use serde_json::json;

use super::access_log::{AccessLog, record};
use crate::commands::registry_option::ConfigOption;
use crate::output::{self, Page};
use crate::stop::stop_on_signal;

/// Take in records of decisions: lines of JSON, or an access log of Envoy with the record at the end
/// of its lines (`%FILTER_STATE(wasm.mandate:PLAIN)%`).
///
/// A record comes in once, however often it is read. What is no record is named with its line and
/// left out, and the exit code is 1.
#[derive(Args, Clone, Debug)]
pub(super) struct IngestCommand {
    /// The log; `-` for stdin.
    #[arg(value_name = "FILE")]
    log: PathBuf,
    /// Go on as the log grows, over its rotation, until SIGTERM or SIGINT.
    #[arg(long)]
    follow: bool,
    /// Keep in this file where reading goes on the next time.
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Records of one transaction.
const BATCH: usize = 500;

/// How often a log is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// What came of it.
#[derive(Debug, Default)]
struct Count {
    lines: u64,
    new: u64,
    passed_over: u64,
    conflicts: u64,
    refused: u64,
}

impl IngestCommand {
    pub(super) fn ingest(&self) -> anyhow::Result<ExitCode> {
        let mut registry = self.config.open()?;
        let mut count = Count::default();
        if self.log.as_os_str() == "-" {
            anyhow::ensure!(
                !self.follow && self.position.is_none(),
                "`--follow` and `--position` are for a file, not for stdin"
            );
            let mut lines = std::io::stdin().lock().lines();
            loop {
                let batch = lines.by_ref().take(BATCH).collect::<Result<Vec<_>, _>>();
                let batch = batch.context("stdin cannot be read")?;
                if batch.is_empty() {
                    break;
                }
                count.take(&mut registry, &batch)?;
            }
        } else {
            self.read(&mut registry, &mut count)?;
        }
        let counts = [
            ("lines", count.lines),
            ("new", count.new),
            ("passed_over", count.passed_over),
            ("conflicts", count.conflicts),
            ("refused", count.refused),
        ];
        let mut page = Page::new();
        page.line("records taken in");
        page.rows(&counts.map(|(name, count)| (name, count.to_string())));
        let value = json!(serde_json::Map::from_iter(
            counts.map(|(name, count)| (name.to_owned(), json!(count)))
        ));
        let printed = output::print_either(self.json, &value, &page);
        let is_refused = printed == ExitCode::SUCCESS && count.refused > 0;
        Ok(if is_refused { ExitCode::from(output::DENY) } else { printed })
    }

    fn read(&self, registry: &mut Registry, count: &mut Count) -> anyhow::Result<()> {
        let mut log = AccessLog::open(&self.log, self.position.as_deref())?;
        let (stop, stopped) = channel();
        stop_on_signal(stop).context("signals cannot be waited for")?;
        loop {
            let lines = log.lines(BATCH)?;
            if lines.is_empty() {
                if !self.follow || stopped.recv_timeout(PAUSE).is_ok() {
                    return Ok(());
                }
                log.follow_rotation()?;
                continue;
            }
            count.take(registry, &lines)?;
            log.keep()?;
        }
    }
}

impl Count {
    /// Appends the records of some lines in one transaction.
    fn take(&mut self, registry: &mut Registry, lines: &[String]) -> anyhow::Result<()> {
        let mut events = Vec::new();
        for line in lines {
            self.lines = self.lines.saturating_add(1);
            let Some(record) = record(line) else { continue };
            match Event::parse(record) {
                Ok(event) => events.push(event),
                Err(problem) => {
                    self.refused = self.refused.saturating_add(1);
                    output::warn(&format!("line {}: {problem}", self.lines));
                }
            }
        }
        if events.is_empty() {
            return Ok(());
        }
        let appended = match registry.append_audit(&events) {
            // Somebody else appended the same at the same time.
            Err(RegistryError::Conflict(_) | RegistryError::Busy) => registry.append_audit(&events),
            other => other,
        }?;
        self.new = self.new.saturating_add(appended.new);
        self.passed_over = self.passed_over.saturating_add(appended.passed_over);
        for id in &appended.conflicts {
            self.conflicts = self.conflicts.saturating_add(1);
            output::warn(&format!("another record came before under the id `{id}`: both are kept"));
        }
        Ok(())
    }
}
