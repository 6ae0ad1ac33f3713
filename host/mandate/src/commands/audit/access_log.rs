//! An access log of Envoy, line by line, from a position that is kept in a file.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::commands::output_file;

/// Where reading goes on: in which file, after which byte.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
struct Position {
    /// Tells the file from the one that takes its name when logs are rotated.
    file: u64,
    offset: u64,
}

/// A log that is read.
#[derive(Debug)]
pub(super) struct AccessLog {
    path: PathBuf,
    kept: Option<PathBuf>,
    position: Position,
    reader: BufReader<File>,
}

/// The longest line that is waited for: a record has 8 KiB, and a line the caller's words beside it.
const LONGEST: u64 = 256 * 1024;

impl AccessLog {
    /// Opens a log where reading ended last. Where another file has its name by now, from its start.
    pub(super) fn open(path: &Path, kept: Option<&Path>) -> anyhow::Result<Self> {
        let unreadable = || format!("access log `{}` cannot be read", path.display());
        let before = match kept {
            Some(kept) if kept.exists() => {
                let text = crate::commands::input_file::read_text("position", kept)?;
                let position: Result<Position, _> = serde_json::from_str(&text);
                position.with_context(|| format!("`--position`: `{}`", kept.display()))?
            }
            Some(_) | None => Position::default(),
        };
        let mut file = File::open(path).with_context(unreadable)?;
        let data = file.metadata().with_context(unreadable)?;
        let is_same = before.file == identity(&data) && before.offset <= data.len();
        let offset = if is_same { before.offset } else { 0 };
        file.seek(SeekFrom::Start(offset)).with_context(unreadable)?;
        let position = Position { file: identity(&data), offset };
        let kept = kept.map(Path::to_owned);
        Ok(Self { path: path.to_owned(), kept, position, reader: BufReader::new(file) })
    }

    /// The next whole lines, as many as that; none at the end of what is there.
    pub(super) fn lines(&mut self, most: usize) -> anyhow::Result<Vec<String>> {
        let unreadable = || format!("access log `{}` cannot be read", self.path.display());
        let mut lines = Vec::new();
        while lines.len() < most {
            let mut line = Vec::new();
            let mut bounded = io::Read::take(&mut self.reader, LONGEST);
            let length = bounded.read_until(b'\n', &mut line).with_context(unreadable)?;
            let length = u64::try_from(length).unwrap_or(u64::MAX);
            if line.last() != Some(&b'\n') && length < LONGEST {
                // Half a line: the rest is still to be written.
                self.reader.seek(SeekFrom::Start(self.position.offset)).with_context(unreadable)?;
                break;
            }
            self.position.offset = self.position.offset.saturating_add(length);
            lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        Ok(lines)
    }

    /// Keeps where reading goes on: after the records are in the chain, never before.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        match &self.kept {
            None => Ok(()),
            Some(path) => {
                let text = format!("{}\n", serde_json::to_string(&self.position)?);
                output_file::replace("position", path, text.as_bytes())
            }
        }
    }

    /// Goes over to the file that has the name now, once it is another one.
    pub(super) fn follow_rotation(&mut self) -> anyhow::Result<()> {
        // Between two files there may be none for a moment.
        let Ok(data) = std::fs::metadata(&self.path) else { return Ok(()) };
        let is_other = identity(&data) != self.position.file || data.len() < self.position.offset;
        if is_other {
            let file = File::open(&self.path)
                .with_context(|| format!("access log `{}` cannot be read", self.path.display()))?;
            self.position = Position { file: identity(&file.metadata()?), offset: 0 };
            self.reader = BufReader::new(file);
        }
        Ok(())
    }
}

#[cfg(unix)]
fn identity(data: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> u64 {
    1
}

/// The record at the end of a line, where there is one. A line that is a record alone is one too.
pub(super) fn record(line: &str) -> Option<&str> {
    if line.starts_with('{') {
        return Some(line);
    }
    // A reason stands in braces too, right after its word.
    let at = line.find(" {\"")?;
    line.get(at.saturating_add(1)..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_stands_at_the_end_of_a_line_or_alone() {
        let denied = "t 403 mandate_denied{no-relation} {\"a\":1}";
        assert_eq!(record(denied), Some("{\"a\":1}"));
        assert_eq!(record("{\"a\":1}"), Some("{\"a\":1}"));
        assert_eq!(record("t 200 via_upstream -"), None);
    }
}
