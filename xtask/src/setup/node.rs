//! Node with npm `oidc-provider` (a certified issuer), `jose` and OpenFGA's transformer (oracles), the
//! SDKs of MCP, and that of Permit. Optional.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, anyhow};

use crate::checkout::Checkout;
use crate::digest;
use crate::process;
use crate::unavailable::Unavailable;

/// Node and our own folder of packages.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The `node` program.
    pub(crate) program: PathBuf,
    /// What `node --version` says.
    pub(crate) version: String,
    /// The `node_modules` folder with `oidc-provider` and `jose`.
    pub(crate) modules: PathBuf,
}

const PACKAGE: &str = include_str!("../../tools/node/package.json");
const LOCK: &str = include_str!("../../tools/node/package-lock.json");

/// Node 20 or later with the pinned packages, installed when they changed.
///
/// # Errors
/// [`Unavailable`] when there is no Node or npm, or npm cannot reach its registry.
pub(crate) fn need_node(checkout: &Checkout) -> anyhow::Result<Node> {
    let version = process::probe("node", &["--version"]).unwrap_or_default().trim().to_owned();
    if major(&version).is_none_or(|major| major < 20) {
        let remedy = "install Node 20 or later with npm (https://nodejs.org), and run again";
        return Err(anyhow!(Unavailable::new("Node", remedy)));
    }
    let folder = checkout.cache("node");
    let node = Node { program: "node".into(), version, modules: folder.join("node_modules") };
    let stamp = folder.join("mandate-packages");
    let wanted = digest::text(&format!("{PACKAGE}{LOCK}"));
    let present = std::fs::read_to_string(&stamp).unwrap_or_default() == wanted;
    if present && node.modules.join("oidc-provider").is_dir() {
        return Ok(node);
    }
    crate::say!("setup: installing npm packages in {}", folder.display());
    std::fs::create_dir_all(&folder).context("cannot make the folder of npm packages")?;
    std::fs::write(folder.join("package.json"), PACKAGE).context("cannot write package.json")?;
    std::fs::write(folder.join("package-lock.json"), LOCK)
        .context("cannot write package-lock.json")?;
    let mut npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    process::output(npm.current_dir(&folder)).context(Unavailable::new(
        "npm oidc-provider, jose, @openfga/syntax-transformer, @modelcontextprotocol and permitio",
        "npm's registry must be reachable once",
    ))?;
    std::fs::write(&stamp, wanted).context("cannot write the packages' stamp")?;
    Ok(node)
}

/// `v20.11.1` is 20.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!([major("v20.11.1"), major("v9.0.0"), major("")], [Some(20), Some(9), None]);
    }
}
