//! Files of sealed segments, held against the registry.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mandate_authz::container::PinnedKey;
use mandate_registry::Registry;
use mandate_registry::audit::{Checkpoint, Segment, SegmentFile};
use mandate_registry::error::RegistryError;
use serde_json::{Value, json};

use super::named;
use crate::output::Page;

/// Each file that was given, with its segment or with what is wrong.
#[derive(Debug)]
pub(super) struct Files(Vec<(PathBuf, Result<Segment, String>)>);

impl Files {
    /// Reads the files. Segments of the registry join to each other and to the records after them:
    /// a file that is one of these does as well.
    pub(super) fn check(
        paths: &[PathBuf],
        registry: &mut Registry,
        keys: &[PinnedKey],
        checkpoints: &[Checkpoint],
    ) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        for path in paths {
            let checked = match read(path, keys, checkpoints)? {
                Ok(segment) => is_sealed(registry, keys, segment)?,
                Err(problem) => Err(problem),
            };
            files.push((path.clone(), checked));
        }
        Ok(Self(files))
    }

    pub(super) fn are_sound(&self) -> bool {
        self.0.iter().all(|(_, checked)| checked.is_ok())
    }

    /// Whether a record was read in one of them, and is the one of its checkpoint.
    pub(super) fn have(&self, tenant: &str, sequence: u64) -> bool {
        let has = |segment: &Segment| {
            segment.tenant == tenant && (segment.first..=segment.last).contains(&sequence)
        };
        self.0.iter().any(|(_, checked)| checked.as_ref().is_ok_and(has))
    }

    pub(super) fn tell(&self, page: &mut Page) {
        for (path, checked) in &self.0 {
            let told = match checked {
                Ok(segment) => format!("{segment} of {}, intact", named(&segment.tenant)),
                Err(problem) => format!("BROKEN: {problem}"),
            };
            page.line(&format!("segment {}: {told}", path.display()));
        }
    }

    pub(super) fn value(&self) -> Value {
        let value = |(path, checked): &(PathBuf, Result<Segment, String>)| match checked {
            Ok(segment) => json!({
                "file": path, "intact": true, "tenant": segment.tenant, "first": segment.first,
                "last": segment.last,
            }),
            Err(problem) => json!({"file": path, "intact": false, "problem": problem}),
        };
        self.0.iter().map(value).collect()
    }
}

fn read(
    path: &Path,
    keys: &[PinnedKey],
    checkpoints: &[Checkpoint],
) -> anyhow::Result<Result<Segment, String>> {
    let unread = || format!("segment `{}` cannot be read", path.display());
    let file = File::open(path).with_context(unread)?;
    let read = SegmentFile::read(BufReader::new(file), keys, checkpoints);
    Ok(read.map(|file| file.segment).map_err(|fault| fault.to_string()))
}

fn is_sealed(
    registry: &mut Registry,
    keys: &[PinnedKey],
    segment: Segment,
) -> anyhow::Result<Result<Segment, String>> {
    let segments = match registry.audit_segments(&segment.tenant, keys) {
        Err(RegistryError::Conflict(problem)) => return Ok(Err(problem)),
        other => other?,
    };
    let problem = || {
        format!("the registry has not sealed {segment} of `{}` as they are here", segment.tenant)
    };
    Ok(if segments.contains(&segment) { Ok(segment) } else { Err(problem()) })
}
