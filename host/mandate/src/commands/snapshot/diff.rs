//! `mandate snapshot diff`: what changed between two snapshots, and the delta that tells it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{bail, ensure};
use clap::Args;
use mandate_authz::container::{Kind, Position, Statement, seal};
use mandate_authz::delta;
use mandate_authz::snapshot::Snapshot;
use serde_json::{Map, Value, json};

use super::container_file::ContainerFile;
use super::difference::{Changes, Difference, require_leads};
use super::key_file::{PinnedKeys, read_signing_key};
use super::row_text;
use crate::commands::output_file;
use crate::commands::session::now;
use crate::output::{self, Page};

/// Show what changed from one snapshot to another; with --output, write the delta that tells it.
///
/// A delta needs the signing key, which must have signed both snapshots, and a later snapshot of
/// the same era, deployment, slice, contract and model.
#[derive(Args, Clone, Debug)]
pub(super) struct DiffCommand {
    /// The earlier snapshot.
    #[arg(value_name = "A")]
    earlier: PathBuf,
    /// The later snapshot.
    #[arg(value_name = "B")]
    later: PathBuf,
    /// Write the delta to this file, or into this folder as `delta-ERA.FROM-TO.mandate`.
    #[arg(long, short, value_name = "PATH", requires = "key")]
    output: Option<PathBuf>,
    /// The private key that signs the delta.
    #[arg(long, value_name = "FILE", requires = "output")]
    key: Option<PathBuf>,
    /// The oldest epoch of a snapshot that the delta can be applied to. Default: that of A.
    #[arg(long, value_name = "EPOCH", requires = "output")]
    base: Option<u64>,
    /// When the delta is issued, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl DiffCommand {
    /// Compares: 0 done, whether or not they differ, 2 not comparable.
    pub(super) fn run(self) -> ExitCode {
        self.compare().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn compare(&self) -> anyhow::Result<ExitCode> {
        let (earlier, later) =
            (ContainerFile::read(&self.earlier)?, ContainerFile::read(&self.later)?);
        let (before, after) = (earlier.snapshot()?, later.snapshot()?);
        let difference = Difference::between(&before, &after)?;
        let written = match (&self.output, &self.key) {
            (Some(path), Some(key)) => {
                let delta =
                    Delta { earlier: &earlier, later: &later, before: &before, after: &after };
                Some(self.write(&delta, &difference, path, key)?)
            }
            _ => None,
        };
        let (value, page) = report(&difference, written.as_deref());
        Ok(output::print_either(self.json, &value, &page))
    }

    fn write(
        &self,
        delta: &Delta<'_>,
        difference: &Difference,
        path: &Path,
        key: &Path,
    ) -> anyhow::Result<PathBuf> {
        let key = read_signing_key(key)?;
        let pinned = PinnedKeys::of(&key)?;
        delta.earlier.require_verified(&pinned.keys)?;
        delta.later.require_verified(&pinned.keys)?;
        let statement = delta.statement(self.base, now(self.now)?)?;
        let rows = difference.rows();
        require_leads(delta.before, delta.after, &rows)?;
        let container = seal(&statement, &delta::encode(&rows)?, &key)?;
        let Position { era, epoch } = statement.position;
        let from = delta.earlier.header.statement.position.epoch;
        let name = format!("delta-{era}.{from}-{epoch}.mandate");
        let path = if path.is_dir() { path.join(name) } else { path.to_owned() };
        output_file::replace("delta", &path, &container)?;
        Ok(path)
    }
}

/// The two snapshots that a delta leads between.
struct Delta<'d> {
    earlier: &'d ContainerFile,
    later: &'d ContainerFile,
    before: &'d Snapshot,
    after: &'d Snapshot,
}

impl Delta<'_> {
    fn statement(&self, base: Option<u64>, issued_at: u64) -> anyhow::Result<Statement> {
        let (earlier, later) = (&self.earlier.header.statement, &self.later.header.statement);
        let differs =
            |what: &str| format!("a delta cannot change the {what}: publish the snapshot");
        ensure!(earlier.position.era == later.position.era, differs("era"));
        ensure!(earlier.deployment == later.deployment, differs("deployment"));
        ensure!(earlier.slice == later.slice, differs("slice"));
        ensure!(earlier.contract_version == later.contract_version, differs("contract"));
        ensure!(earlier.raw == later.raw, differs("flag `raw`"));
        let from = earlier.position.epoch;
        if later.position.epoch <= from {
            bail!("B is of epoch {}, not after A's {from}", later.position.epoch);
        }
        let base = base.unwrap_or(from);
        ensure!(base <= from, "`--base` {base} is after A's epoch {from}");
        Ok(Statement { kind: Kind::Delta { base, from }, issued_at, ..later.clone() })
    }
}

/// One kind of change, each in one line.
struct Section {
    name: &'static str,
    added: Vec<String>,
    changed: Vec<String>,
    removed: Vec<String>,
}

impl Section {
    fn new<K, V>(
        name: &'static str,
        changes: &Changes<K, V>,
        text: impl Fn(&K, &V) -> String,
    ) -> Self {
        let texts = |items: &[(K, V)]| items.iter().map(|(key, value)| text(key, value)).collect();
        Self {
            name,
            added: texts(&changes.added),
            changed: texts(&changes.changed),
            removed: texts(&changes.removed),
        }
    }

    fn all(difference: &Difference) -> [Self; 4] {
        let Difference { relationships, objects, identities, credentials } = difference;
        [
            Self::new("relationships", relationships, |key, condition| {
                row_text::relationship(key, condition.as_ref())
            }),
            Self::new("objects", objects, |object, tenant| {
                row_text::object(object, tenant.as_deref())
            }),
            Self::new("identities", identities, |_, identity| row_text::identity(identity)),
            Self::new("credentials", credentials, |_, credential| row_text::credential(credential)),
        ]
    }

    /// `-` gone, `~` different, `+` new.
    fn lines(&self) -> impl Iterator<Item = String> {
        let signed = |sign, lines: &[String]| {
            lines.iter().map(|line| format!("  {sign} {line}")).collect::<Vec<_>>()
        };
        let (removed, changed) = (signed('-', &self.removed), signed('~', &self.changed));
        removed.into_iter().chain(changed).chain(signed('+', &self.added))
    }
}

fn report(difference: &Difference, written: Option<&Path>) -> (Value, Page) {
    let mut page = Page::new();
    let mut members = Map::new();
    for section in Section::all(difference) {
        let Section { name, added, changed, removed } = &section;
        members.insert(
            (*name).to_owned(),
            json!({ "added": added, "changed": changed, "removed": removed }),
        );
        let lines: Vec<String> = section.lines().collect();
        if !lines.is_empty() {
            page.line(&format!("{name}: {}", lines.len()));
            lines.iter().for_each(|line| page.line(line));
        }
    }
    if difference.len() == 0 {
        page.line("no difference");
    }
    if let Some(path) = written {
        page.line(&format!("delta written to {}", path.display()));
        members.insert("delta".to_owned(), json!(path));
    }
    (Value::Object(members), page)
}
