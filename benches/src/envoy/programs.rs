//! The programs that are needed: Envoy, and the filter as it is shipped.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Envoy.
    pub envoy: PathBuf,
    /// `mandate-envoy.wasm`.
    pub module: PathBuf,
}

impl Programs {
    /// Those that `MANDATE_ENVOY` and `MANDATE_GUESTS` name.
    ///
    /// # Errors
    /// What is missing.
    pub fn find() -> Result<Self> {
        let envoy = std::env::var_os("MANDATE_ENVOY").context("MANDATE_ENVOY is not set")?;
        let guests = std::env::var_os("MANDATE_GUESTS").context("MANDATE_GUESTS is not set")?;
        let module = PathBuf::from(guests).join("mandate-envoy.wasm");
        ensure!(module.exists(), "MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)");
        Ok(Self { envoy: envoy.into(), module })
    }
}
