//! `mandate audit seal`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use mandate_authz::container::PinnedKey;
use mandate_registry::audit::{AuditFilter, Place, Segment, SegmentFile};
use mandate_registry::confirm::Confirm;
use mandate_registry::{Act, Registry};
use serde_json::{Value, json};

use super::named;
use crate::commands::instant::Instant;
use crate::commands::output_file;
use crate::commands::registry_option::{ActOptions, ConfirmOption, finish};
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::output::Page;

/// Move the oldest records of a chain into a file, signed with the key of the feed: those up to the
/// first that is of a moment or later.
///
/// They are deleted only once the file is on the disk. Where that was cut short, the same call goes
/// on from the file. Keep the file: `audit verify --segment` reads it.
#[derive(Args, Clone, Debug)]
pub(super) struct SealCommand {
    /// The segment's file, new.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Of this tenant; an empty one for what has none.
    #[arg(long, value_name = "ID")]
    tenant: String,
    /// What is older than this moment.
    #[arg(long, value_name = "MOMENT")]
    before: Instant,
    /// Public key (JWK) that may have signed earlier segments, besides `feed.key`.
    #[arg(long, value_name = "PUBLIC")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    confirm: ConfirmOption,
    #[command(flatten)]
    act: ActOptions,
}

/// Records that are read at a time.
const PAGE: u64 = 1000;

impl SealCommand {
    pub(super) fn seal(&self) -> anyhow::Result<ExitCode> {
        let key = self.act.config.read()?.feed()?.read_key()?;
        let mut keys = PinnedKeys::of(&key)?.keys;
        keys.extend(PinnedKeys::read(&self.key)?.keys);
        let (mut registry, act) = self.act.open_as(self.confirm.confirm())?;
        let before = self.before.at(act.now);
        let found = self.found(&keys)?;
        if let Some(found) = &found
            && registry.audit_segments(&self.tenant, &keys)?.contains(&found.segment)
        {
            return self.tell(&mut registry, &act, Some(&found.segment), "were sealed before");
        }
        let planned = registry.audit_segment_before(&self.tenant, before, &keys, act.now)?;
        if let Some(found) = &found {
            self.require_part(&found.segment, planned.as_ref())?;
        }
        if act.confirm == Confirm::DryRun {
            let segment = found.map(|found| found.segment).or(planned);
            return self.tell(&mut registry, &act, segment.as_ref(), "can be sealed");
        }
        let written = match (found, &planned) {
            (Some(found), _) => found,
            (None, Some(segment)) => {
                self.write(&mut registry, segment, &segment.seal(&key), &keys)?
            }
            (None, None) => return self.tell(&mut registry, &act, None, ""),
        };
        let sealed = registry.seal_audit(&act, &written.statement, &keys)?;
        self.tell(&mut registry, &act, Some(&sealed.outcome), "sealed")
    }

    /// The file of a call that was cut short.
    fn found(&self, keys: &[PinnedKey]) -> anyhow::Result<Option<SegmentFile>> {
        if !self.file.exists() {
            return Ok(None);
        }
        let name = || format!("segment `{}`", self.file.display());
        let file = File::open(&self.file).with_context(|| format!("{} cannot be read", name()))?;
        let read = SegmentFile::read(BufReader::new(&file), keys, &[]);
        let read = read.map_err(|fault| anyhow!("{}: {fault}", name()))?;
        // Whoever wrote it may not have come to this.
        file.sync_all().and_then(|()| output_file::sync_folder(&self.file)).with_context(name)?;
        Ok(Some(read))
    }

    /// Late records may have come in since: the file's are the beginning of what is sealed today.
    fn require_part(&self, found: &Segment, planned: Option<&Segment>) -> anyhow::Result<()> {
        let is_part = planned.is_some_and(|planned| {
            found.tenant == planned.tenant
                && found.deployment == planned.deployment
                && found.first == planned.first
                && found.last <= planned.last
        });
        ensure!(
            is_part,
            "segment `{}` holds {found} of `{}`, which are not what is to be sealed now",
            self.file.display(),
            found.tenant
        );
        Ok(())
    }

    /// Writes the file, reads it again, and has it on the disk under its name.
    fn write(
        &self,
        registry: &mut Registry,
        segment: &Segment,
        statement: &str,
        keys: &[PinnedKey],
    ) -> anyhow::Result<SegmentFile> {
        output_file::write_new_private("segment", &self.file, |file| {
            let mut to = BufWriter::new(&mut *file);
            writeln!(to, "{statement}")?;
            let mut after = segment.first.saturating_sub(1);
            while after < segment.last {
                let filter = AuditFilter {
                    tenant: Some(segment.tenant.clone()),
                    after: Some(Place { tenant: segment.tenant.clone(), sequence: after }),
                    most: PAGE.min(segment.last.saturating_sub(after)),
                    ..AuditFilter::default()
                };
                let entries = registry.audit(&filter)?;
                for entry in &entries {
                    writeln!(to, "{}", entry.to_line())?;
                }
                let Some(last) = entries.last() else { bail!("records are gone meanwhile") };
                after = last.place.sequence;
            }
            to.flush()?;
            drop(to);
            file.rewind()?;
            Ok(SegmentFile::read(BufReader::new(&*file), keys, &[])?)
        })
    }

    fn tell(
        &self,
        registry: &mut Registry,
        act: &Act,
        segment: Option<&Segment>,
        what: &str,
    ) -> anyhow::Result<ExitCode> {
        let mut page = Page::new();
        let tenant = named(&self.tenant);
        match segment {
            None => page.line(&format!("{tenant}: nothing to seal")),
            Some(segment) => {
                page.line(&format!("{tenant}: {segment} {what}: {}", self.file.display()));
            }
        }
        self.confirm.explain(&mut page);
        let segment = segment.map_or(Value::Null, |segment| {
            json!({"first": segment.first, "last": segment.last, "records": segment.records()})
        });
        let value = json!({"file": self.file, "segment": segment, "tenant": self.tenant});
        let position = registry.position()?;
        Ok(finish(self.act.json, act, page, value, position))
    }
}
