//! The guests that `cargo xtask guests` built.

use std::path::PathBuf;

use crate::skip::skip;

/// Reads a guest; where it was not built, says aloud that `part` is skipped.
///
/// # Panics
/// When `MANDATE_GUESTS` is set and the guest is not in it: whoever set it wants it to run.
#[must_use]
pub fn read(file: &str, part: &str) -> Option<Vec<u8>> {
    let stated = std::env::var_os("MANDATE_GUESTS").map(PathBuf::from);
    let required = stated.is_some();
    let folder = stated.unwrap_or_else(|| PathBuf::from(IN_CHECKOUT));
    match std::fs::read(folder.join(file)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            assert!(!required, "MANDATE_GUESTS has no readable `{file}`: {error}");
            skip(part, "the guests are not built: run `cargo xtask guests`");
            None
        }
    }
}

const IN_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests");
