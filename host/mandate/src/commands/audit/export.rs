//! `mandate audit export`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use mandate_registry::Registry;
use mandate_registry::audit::{AuditFilter, Place};

use crate::commands::registry_option::ConfigOption;

/// Export records with their hashes, one line of JSON each, in the order of the chains: enough to
/// verify them elsewhere (docs/audit.md#chain).
#[derive(Args, Clone, Debug)]
pub(super) struct ExportCommand {
    /// Of this tenant alone; an empty one for what has none.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// After this number of its chain.
    #[arg(long, value_name = "NUMBER", requires = "tenant")]
    after: Option<u64>,
    /// New file to write, in place of stdout.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigOption,
}

/// Records that are read at a time.
const PAGE: u64 = 1000;

impl ExportCommand {
    pub(super) fn export(&self) -> anyhow::Result<ExitCode> {
        let mut registry = self.config.open()?;
        match &self.output {
            None => self.write(&mut registry, std::io::stdout().lock())?,
            Some(path) => {
                let unwritten = || format!("export `{}` cannot be written", path.display());
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let file = options.open(path).with_context(unwritten)?;
                let written = self.write(&mut registry, &file);
                let written = written.and_then(|()| file.sync_all().with_context(unwritten));
                if written.is_err() {
                    // Half an export would pass for a whole one.
                    let _ = std::fs::remove_file(path);
                }
                written?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, registry: &mut Registry, to: impl Write) -> anyhow::Result<()> {
        let mut to = BufWriter::new(to);
        let place = |sequence| {
            let tenant = self.tenant.clone().unwrap_or_default();
            Place { tenant, sequence }
        };
        let mut after = self.after.map(place);
        loop {
            let filter = AuditFilter {
                tenant: self.tenant.clone(),
                after: after.clone(),
                most: PAGE,
                ..AuditFilter::default()
            };
            let entries = registry.audit(&filter)?;
            for entry in &entries {
                writeln!(to, "{}", entry.to_line()).context("the export cannot be written")?;
            }
            match entries.into_iter().next_back() {
                Some(last) => after = Some(last.place),
                None => break,
            }
        }
        to.flush().context("the export cannot be written")
    }
}
