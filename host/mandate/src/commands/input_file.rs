//! Reading what the command line names, bounded.

use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, ensure};

/// Longest file or pipe that is read, in bytes: sixteen contracts of a hundred issuers.
const LONGEST: u64 = 1024 * 1024;

/// Reads a file, or stdin for `-`. `what` names it in errors.
pub(crate) fn read(what: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    read_within(what, path, LONGEST)
}

/// Reads a file, or stdin for `-`, of at most so many bytes.
pub(crate) fn read_within(what: &str, path: &Path, longest: u64) -> anyhow::Result<Vec<u8>> {
    if path == Path::new("-") {
        return read_bounded(&format!("{what} on stdin"), std::io::stdin().lock(), longest);
    }
    let name = format!("{what} `{}`", path.display());
    let file = std::fs::File::open(path).with_context(|| format!("{name} cannot be read"))?;
    read_bounded(&name, file, longest)
}

/// Reads a file of text.
pub(crate) fn read_text(what: &str, path: &Path) -> anyhow::Result<String> {
    read_text_within(what, path, LONGEST)
}

/// Reads a file of text of at most so many bytes.
pub(crate) fn read_text_within(what: &str, path: &Path, longest: u64) -> anyhow::Result<String> {
    let bytes = read_within(what, path, longest)?;
    String::from_utf8(bytes)
        .map_err(|_| anyhow::anyhow!("{what} `{}` is not UTF-8", path.display()))
}

/// Reads to the end, within the limit.
pub(crate) fn read_all(name: &str, source: impl Read) -> anyhow::Result<Vec<u8>> {
    read_bounded(name, source, LONGEST)
}

fn read_bounded(name: &str, source: impl Read, longest: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut bounded = source.take(longest.saturating_add(1));
    bounded.read_to_end(&mut bytes).with_context(|| format!("{name} cannot be read"))?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= longest);
    ensure!(fits, "{name} is longer than {longest} bytes");
    Ok(bytes)
}
