//! A snapshot or delta as a file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use mandate_authz::container::{ContainerProblem, Header, Kind, PinnedKey, Position, open};
use mandate_authz::limits;
use mandate_authz::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::commands::input_file;
use crate::moment;

/// A container whose header can be read. It proves nothing until it is verified.
#[derive(Debug)]
pub(in crate::commands) struct ContainerFile {
    pub(in crate::commands) path: PathBuf,
    pub(in crate::commands) bytes: Vec<u8>,
    pub(in crate::commands) header: Header,
    /// Where the body begins.
    start: usize,
}

/// Bytes of the longest container: a snapshot's body, its header and signature.
const LONGEST: u64 = limits::SNAPSHOT_BYTES + 2 * 64 * 1024;

impl ContainerFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is no container, or is shorter or longer than it says.
    pub(in crate::commands) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = input_file::read_within("snapshot", path, LONGEST)?;
        let name = format!("snapshot `{}`", path.display());
        Self::parse(path, bytes).map_err(|problem| anyhow!("{name}: {problem}"))
    }

    fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, ContainerProblem> {
        let start = Header::total_bytes(&bytes)?;
        let header = Header::read(&bytes)?;
        let present = bytes.len().checked_sub(start).ok_or(ContainerProblem::Truncated)?;
        match u64::try_from(present).map(|present| present.cmp(&header.body_bytes)) {
            Ok(std::cmp::Ordering::Equal) => {}
            Ok(std::cmp::Ordering::Less) => return Err(ContainerProblem::Truncated),
            Ok(std::cmp::Ordering::Greater) | Err(_) => return Err(ContainerProblem::Trailing),
        }
        Ok(Self { path: path.to_owned(), bytes, header, start })
    }

    /// `snapshot` or `delta`.
    pub(in crate::commands) const fn kind(&self) -> &'static str {
        match self.header.statement.kind {
            Kind::Delta { .. } => "delta",
            Kind::Snapshot => "snapshot",
        }
    }

    /// The body, verified or not.
    pub(in crate::commands) fn body(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Checks signature and digests.
    ///
    /// # Errors
    /// What is wrong: then nobody vouches for the file.
    pub(in crate::commands) fn verify(&self, keys: &[PinnedKey]) -> Result<(), ContainerProblem> {
        open(&self.bytes, keys).map(drop)
    }

    /// The same as one line about this file.
    pub(in crate::commands) fn require_verified(&self, keys: &[PinnedKey]) -> anyhow::Result<()> {
        self.verify(keys)
            .map_err(|problem| anyhow!("snapshot `{}`: {problem}", self.path.display()))
    }

    /// Opens the body of a snapshot, which validates all of it.
    ///
    /// # Errors
    /// A delta, or the first section that is malformed.
    pub(in crate::commands) fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let name = || format!("snapshot `{}`", self.path.display());
        if let Kind::Delta { .. } = self.header.statement.kind {
            return Err(anyhow!("it is a delta").context(name()));
        }
        Snapshot::from_body(self.body().to_vec()).with_context(name)
    }

    /// The header for people.
    pub(super) fn rows(&self, now: u64) -> Vec<(&'static str, String)> {
        let statement = &self.header.statement;
        let mut rows = vec![
            ("deployment", statement.deployment.clone()),
            ("slice", statement.slice.clone()),
            ("position", place(statement.position)),
        ];
        if let Kind::Delta { base, from } = statement.kind {
            rows.push(("follows on", place(Position::new(statement.position.era, from))));
            rows.push(("needs", format!("a snapshot of epoch {base} or later")));
        }
        rows.extend([
            ("contract", version(statement.contract_version)),
            ("issued", moment::described(statement.issued_at, now)),
            ("key", self.header.key.to_string()),
            ("body", format!("{} bytes", self.header.body_bytes)),
            ("digests", format!("{} of 1 MiB each", self.header.digests.len())),
        ]);
        if statement.raw {
            rows.push((
                "raw",
                "no tenants: serves relation-holds and list-objects only".to_owned(),
            ));
        }
        rows
    }

    /// The header for programs.
    pub(super) fn to_json(&self) -> Value {
        let statement = &self.header.statement;
        let mut value = json!({
            "kind": self.kind(),
            "raw": statement.raw,
            "deployment": statement.deployment,
            "slice": statement.slice,
            "era": statement.position.era,
            "epoch": statement.position.epoch,
            "contract_version": version(statement.contract_version),
            "issued_at": statement.issued_at,
            "key": self.header.key.to_string(),
            "body_bytes": self.header.body_bytes,
            "chunks": self.header.digests.len(),
        });
        if let (Kind::Delta { base, from }, Some(members)) = (statement.kind, value.as_object_mut())
        {
            members.insert("base".to_owned(), json!(base));
            members.insert("from".to_owned(), json!(from));
        }
        value
    }
}

fn place(position: Position) -> String {
    format!("era {}, epoch {}", position.era, position.epoch)
}

fn version(version: [u32; 3]) -> String {
    version.map(|number| number.to_string()).join(".")
}
