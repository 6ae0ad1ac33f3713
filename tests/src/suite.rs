//! Outside test suites: files that nobody here wrote.

use std::path::PathBuf;

use serde_json::Value;

use crate::skip::skip;

/// One outside suite: a folder of `MANDATE_SUITES`.
#[derive(Clone, Debug)]
pub struct Suite {
    folder: PathBuf,
}

impl Suite {
    /// Opens a suite; without `MANDATE_SUITES` it says aloud that `part` is skipped.
    ///
    /// # Panics
    /// When `MANDATE_SUITES` is set and the suite is not in it: whoever set it wants it to run.
    #[must_use]
    pub fn open(name: &str, part: &str) -> Option<Self> {
        let Some(suites) = std::env::var_os("MANDATE_SUITES") else {
            skip(part, "MANDATE_SUITES names no folder of outside suites");
            return None;
        };
        let folder = PathBuf::from(suites).join(name);
        assert!(folder.is_dir(), "MANDATE_SUITES has no folder `{name}`");
        Some(Self { folder })
    }

    /// Reads a file of the suite, which must be JSON.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn json(&self, file: &str) -> Value {
        let text = std::fs::read_to_string(self.folder.join(file));
        let text = text.unwrap_or_else(|error| panic!("cannot read `{file}`: {error}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{file}`: {error}"))
    }

    /// Every JSON file of the suite, by its path inside, sorted.
    ///
    /// # Panics
    /// When the folder cannot be read.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
                let path = entry.expect("the entry can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "json") {
                    let inside = path.strip_prefix(&self.folder).expect("inside the suite");
                    files.push(inside.display().to_string());
                }
            }
        }
        files.sort();
        files
    }
}
