//! `mandate snapshot new-era`: a snapshot that consumers take after a restore from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use mandate_authz::container::{Kind, Position, Statement, seal};
use serde_json::json;

use super::container_file::ContainerFile;
use super::key_file::{PinnedKeys, PrivateKeyOption};
use crate::commands::output_file;
use crate::commands::session::now;
use crate::output::{self, Page};

/// Begin a new era: sign a snapshot anew, so that it comes after everything before.
///
/// After a registry was restored from a backup, consumers refuse its snapshots: they have seen
/// later ones. In a new era they take them, and forget what happened between the backup and now:
/// revocations too. Look at what is lost first, and give --confirm.
#[derive(Args, Clone, Debug)]
pub(super) struct NewEraCommand {
    /// The snapshot, signed by the same key.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: PrivateKeyOption,
    /// Write to this file instead of replacing FILE.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The new era. Default: the one after the snapshot's.
    #[arg(long, value_name = "ERA")]
    era: Option<u64>,
    /// Yes, consumers shall forget what came after this snapshot.
    #[arg(long)]
    confirm: bool,
    /// When it is issued, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl NewEraCommand {
    /// Signs: 0 written, 2 not.
    pub(super) fn run(self) -> ExitCode {
        self.begin().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn begin(&self) -> anyhow::Result<ExitCode> {
        let file = ContainerFile::read(&self.file)?;
        let statement = &file.header.statement;
        if let Kind::Delta { .. } = statement.kind {
            bail!("snapshot `{}`: it is a delta", self.file.display());
        }
        let Position { era, epoch } = statement.position;
        let next = era.checked_add(1).context("there is no later era")?;
        let next = self.era.unwrap_or(next);
        ensure!(next > era, "`--era` {next} is not after the snapshot's era {era}");
        let key = self.key.read()?;
        // Only what this key vouched for already: bytes of others do not become ours.
        file.require_verified(&PinnedKeys::of(&key)?.keys)?;
        file.snapshot()?;
        ensure!(
            self.confirm,
            "after this, consumers forget everything that came after epoch {epoch} of era {era}, \
             revocations too: give `--confirm`"
        );
        let position = Position::new(next, epoch);
        let statement = Statement { position, issued_at: now(self.now)?, ..statement.clone() };
        let container = seal(&statement, file.body(), &key)?;
        let path = self.output.as_ref().unwrap_or(&self.file);
        output_file::replace("snapshot", path, &container)?;
        let mut page = Page::new();
        page.line(&format!("era {next} begins with epoch {epoch}: {}", path.display()));
        let value = json!({ "file": path, "era": next, "epoch": epoch });
        Ok(output::print_either(self.json, &value, &page))
    }
}
