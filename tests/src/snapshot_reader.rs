//! The second reader of snapshots: docs/snapshot.md#second-reader.

use std::path::{Path, PathBuf};

use super::skip::skip;

/// Program and arguments; where there is no Python, says aloud that `part` is skipped.
///
/// # Panics
/// When `MANDATE_PYTHON` is set and wrong: whoever set it wants it to run.
#[must_use]
pub fn command(part: &str) -> Option<Vec<String>> {
    let python = std::env::var_os("MANDATE_PYTHON").map(PathBuf::from);
    let Some(python) = python else {
        skip(&format!("{part} with the second reader"), "MANDATE_PYTHON is not set");
        return None;
    };
    assert!(python.exists(), "MANDATE_PYTHON names nothing");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let script = root.map(|folder| folder.join(READER)).find(|script| script.is_dir());
    let script = script.expect("the reader stands in the checkout");
    // Whatever runs from the tree leaves nothing in it.
    Some([python, PathBuf::from("-B"), script].map(|part| part.display().to_string()).to_vec())
}

const READER: &str = "contract/peers/snapshot_reader";
