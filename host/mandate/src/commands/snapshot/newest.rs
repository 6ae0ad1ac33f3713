//! The newest snapshot in a folder.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use mandate_authz::container::{Header, Kind, PinnedKey, Position, VerifiedHeader};
use mandate_authz::limits;

use crate::feed::EXTENSION;

/// The position of the newest snapshot of a deployment and slice that one of the keys has signed.
/// Headers are enough: they are signed, and bodies may be large.
pub(super) fn newest(
    folder: &Path,
    deployment: &str,
    slice: &str,
    keys: &[PinnedKey],
) -> anyhow::Result<Option<Position>> {
    let unreadable = || format!("folder `{}` cannot be read", folder.display());
    let mut newest = None;
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.extension().is_none_or(|extension| extension != EXTENSION) {
            continue;
        }
        let Some(header) = read_header(&path, keys) else { continue };
        let statement = &header.header().statement;
        if (statement.deployment.as_str(), statement.slice.as_str()) == (deployment, slice)
            && statement.kind == Kind::Snapshot
        {
            newest = newest.max(Some(statement.position));
        }
    }
    Ok(newest)
}

fn read_header(path: &Path, keys: &[PinnedKey]) -> Option<VerifiedHeader> {
    let longest = u64::try_from(limits::HEADER_BYTES).ok()?.saturating_add(SIGNATURE_BYTES);
    let mut start = Vec::new();
    fs::File::open(path).ok()?.take(longest).read_to_end(&mut start).ok()?;
    let total = Header::total_bytes(&start).ok()?;
    VerifiedHeader::verify(start.get(..total)?, keys).ok()
}

const SIGNATURE_BYTES: u64 = 64;
