//! A part of the tests that could not run here: said aloud and counted, never silent.

use std::io::Write as _;

/// Records that `part` did not run because of `reason`: on standard error past the test harness, and
/// in the file that `MANDATE_SKIPS` names, from which `cargo xtask test` prints its closing summary.
pub(crate) fn skip(part: &str, reason: &str) {
    let line = format!("skipped: {part}: {reason}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    let Some(path) = std::env::var_os("MANDATE_SKIPS") else { return };
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
    if let Ok(mut file) = file {
        let _ = file.write_all(line.as_bytes());
    }
}
