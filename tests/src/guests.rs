//! The guests that `cargo xtask guests` built.

use std::path::PathBuf;

use mandate::conformance::patient_limits;
use mandate_host::{CoreModule, Plugin, PluginOptions, Sha256Digest};

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

/// The plugin; where it was not built, says aloud that `part` is skipped.
///
/// # Panics
/// As [`read`], and when it does not load.
#[must_use]
pub fn plugin(part: &str) -> Option<Plugin> {
    let bytes = read(PLUGIN, part)?;
    let digest = Sha256Digest::of(&bytes);
    let plugin = Plugin::from_bytes(&bytes, &digest, &PluginOptions::default());
    Some(plugin.expect("the plugin loads"))
}

/// The core module in the plugin, under patient limits.
///
/// # Panics
/// As [`plugin`].
#[must_use]
pub fn core_module(part: &str) -> Option<CoreModule> {
    let bytes = read(PLUGIN, part)?;
    let digest = Sha256Digest::of(&bytes);
    let options = PluginOptions::default();
    let module = CoreModule::from_bytes(&bytes, &digest, &options, patient_limits());
    Some(module.expect("the module loads"))
}

const PLUGIN: &str = "mandate-policy.wasm";

const IN_CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/guests");
