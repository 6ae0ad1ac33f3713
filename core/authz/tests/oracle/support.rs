//! What the tests of the evaluators share: an oracle, random worlds, readers of outside suites.

#[path = "../../../../tests/src/random.rs"]
pub mod random;
#[path = "../../../../tests/src/skip.rs"]
pub mod skip;

pub(crate) mod conditions;
pub(crate) mod consolidated;
pub(crate) mod engine;
pub(crate) mod fast;
pub(crate) mod naive;
pub(crate) mod server;
pub(crate) mod validity;
pub(crate) mod worlds;

use std::path::PathBuf;

/// The folder of outside suites; says aloud that `part` is skipped where there is none.
pub(crate) fn suites(part: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MANDATE_SUITES").map(PathBuf::from);
    if folder.is_none() {
        skip::skip(part, "MANDATE_SUITES names no folder of outside suites");
    }
    folder
}
