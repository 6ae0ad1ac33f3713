//! Containers out of a folder: looked at again when the folder has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mandate_authz::container::PinnedKey;

use super::container::{Container, Rejected};
use super::history::History;

/// A folder of files whose names end in `.mandate`.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keys: Vec<PinnedKey>,
    /// What was read, by file.
    known: BTreeMap<PathBuf, Known>,
    /// What was complained about already.
    told: BTreeSet<String>,
}

#[derive(Debug)]
struct Known {
    mark: Mark,
    container: Option<Container>,
}

/// Tells whether a file is another one than before.
type Mark = (u64, Option<SystemTime>);

/// How the names of containers end: docs/feed.md.
pub const EXTENSION: &str = "mandate";

/// Bytes of the longest file: a snapshot of 1 GiB with its header.
const LONGEST: u64 = mandate_authz::limits::SNAPSHOT_BYTES + 128 * 1024;

impl Folder {
    /// A folder whose files must be signed by one of the keys.
    #[must_use]
    pub const fn new(path: PathBuf, keys: Vec<PinnedKey>) -> Self {
        Self { path, keys, known: BTreeMap::new(), told: BTreeSet::new() }
    }

    /// Looks at the folder: what it serves now, if anything has changed. `complain` is given one
    /// line about each file that is not served, once.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn look(&mut self, complain: &mut dyn FnMut(&str)) -> io::Result<Option<History>> {
        let found = self.files()?;
        let changed = found.len() != self.known.len()
            || found
                .iter()
                .any(|(path, mark)| self.known.get(path).is_none_or(|known| known.mark != *mark));
        if !changed {
            return Ok(None);
        }
        let mut complaints = Vec::new();
        let mut known = BTreeMap::new();
        for (path, mark) in found {
            let before = self.known.remove(&path).filter(|known| known.mark == mark);
            let read = before.unwrap_or_else(|| self.read(&path, mark, &mut complaints));
            known.insert(path, read);
        }
        self.known = known;
        let history = self.arrange(&mut complaints);
        for line in complaints {
            if self.told.insert(line.clone()) {
                complain(&line);
            }
        }
        Ok(Some(history))
    }

    fn files(&self) -> io::Result<BTreeMap<PathBuf, Mark>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(&self.path)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            // A file that has gone in the meantime is not there.
            let Ok(data) = fs::metadata(&path) else { continue };
            if data.is_file() {
                files.insert(path, (data.len(), data.modified().ok()));
            }
        }
        Ok(files)
    }

    fn read(&self, path: &Path, mark: Mark, complaints: &mut Vec<String>) -> Known {
        let container = match read(path, mark.0) {
            Ok(bytes) => Container::verify(bytes, &self.keys).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let container = container.map_err(|problem| complaints.push(line(path, &problem))).ok();
        Known { mark, container }
    }

    fn arrange(&self, complaints: &mut Vec<String>) -> History {
        let usable: Vec<(&PathBuf, &Container)> = self
            .known
            .iter()
            .filter_map(|(path, known)| Some((path, known.container.as_ref()?)))
            .collect();
        let containers: Vec<Container> =
            usable.iter().map(|(_, container)| (*container).clone()).collect();
        let published = History::arrange(&containers);
        for (at, rejected) in published.rejected {
            if let Some((path, _)) = usable.get(at) {
                complaints.push(line(path, &Rejected::to_string(&rejected)));
            }
        }
        published.history
    }
}

fn read(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    if length > LONGEST {
        return Err(io::Error::other("it is larger than the limit"));
    }
    fs::read(path)
}

fn line(path: &Path, problem: &str) -> String {
    format!("`{}` is not served: {problem}", path.display())
}
