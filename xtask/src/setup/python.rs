//! A Python with PyJWT, joserfc and cryptography (oracles), SDKs of MCP and Permit, and schemathesis: never part of the product.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::checkout::Checkout;
use crate::digest;
use crate::process;
use crate::unavailable::Unavailable;

/// The interpreter of our own virtual environment.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// `python` of the environment.
    pub(crate) interpreter: PathBuf,
}

const REQUIREMENTS: &str = include_str!("../../tools/python/requirements.txt");

/// The environment, made or renewed when its requirements changed.
///
/// # Errors
/// [`Unavailable`] when there is no Python 3, or PyPI cannot be reached.
pub(crate) fn need_python(checkout: &Checkout) -> anyhow::Result<Python> {
    let folder = checkout.cache("venv");
    let interpreter = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let stamp = folder.join("mandate-requirements");
    let wanted = digest::text(REQUIREMENTS);
    let present = std::fs::read_to_string(&stamp).unwrap_or_default() == wanted;
    if present && process::probe(&interpreter, &["--version"]).is_some() {
        return Ok(Python { interpreter });
    }
    let system = ["python3", "python"]
        .into_iter()
        .find(|name| {
            process::probe(
                name,
                &["-c", "import venv, ensurepip, sys; assert sys.version_info >= (3, 10)"],
            )
            .is_some()
        })
        .ok_or_else(|| {
            Unavailable::new("Python 3.10 or later with venv", "install it (Debian: python3-venv)")
        })?;
    crate::say!("setup: making a Python environment in {}", folder.display());
    process::output(Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS).context("cannot write requirements.txt")?;
    let mut pip = Command::new(&interpreter);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    process::status(pip.arg(&requirements)).context(Unavailable::new(
        "PyJWT, joserfc, cryptography, mcp, permit and schemathesis",
        "PyPI must be reachable once",
    ))?;
    std::fs::write(&stamp, wanted).context("cannot write the environment's stamp")?;
    Ok(Python { interpreter })
}
