//! An OpenFGA server, built by Go: the oracle of relationships. Optional.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, anyhow};

use crate::checkout::{Checkout, variable};
use crate::process;
use crate::unavailable::Unavailable;

/// The server's package and version. What the naive evaluator of `core/authz/tests/oracle` says was
/// read in this version's source.
const PACKAGE: &str = "github.com/openfga/openfga/cmd/openfga";
const VERSION: &str = "v1.22.1";

/// The server's program: the one that `MANDATE_OPENFGA` names, else our own, built now if need be.
///
/// # Errors
/// [`Unavailable`] when there is no Go, or it cannot reach its proxy.
pub(crate) fn need_openfga(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    if let Some(program) = variable("MANDATE_OPENFGA") {
        return Ok(program.into());
    }
    let folder = checkout.cache("tools/bin");
    let program = folder.join(format!("openfga{}", std::env::consts::EXE_SUFFIX));
    let stamp = folder.join("openfga-version");
    let present = std::fs::read_to_string(&stamp).unwrap_or_default() == VERSION;
    if present && process::probe(&program, &["version"]).is_some() {
        return Ok(program);
    }
    if process::probe("go", &["version"]).is_none() {
        let remedy = "install Go (https://go.dev), or name a server in MANDATE_OPENFGA";
        return Err(anyhow!(Unavailable::new("OpenFGA", remedy)));
    }
    std::fs::create_dir_all(&folder).context("cannot make the folder of tools")?;
    crate::say!("setup: building OpenFGA {VERSION} in {} (takes minutes)", folder.display());
    let mut go = Command::new("go");
    go.arg("install").arg(format!("{PACKAGE}@{VERSION}")).env("GOBIN", &folder);
    // Flags of the caller's own module mean nothing here.
    process::step("setup", go.env_remove("GOFLAGS"))
        .context(Unavailable::new("OpenFGA", "Go's module proxy must be reachable once"))?;
    std::fs::write(&stamp, VERSION).context("cannot write the server's stamp")?;
    Ok(program)
}
