//! Debian's Postgres: the programs alone. Optional.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::apt;
use crate::checkout::variable;
use crate::unavailable::Unavailable;

/// Where Debian puts the programs of each version: `15/bin`.
const VERSIONS: &str = "/usr/lib/postgresql";

/// What tests start.
const PROGRAMS: [&str; 3] = ["initdb", "postgres", "psql"];

/// Where `postgresql-common` reads whether an installation makes a cluster, and starts it.
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.conf";

/// The folder of the programs: the one that `MANDATE_POSTGRES` names, else Debian's, installed now if
/// need be.
///
/// # Errors
/// [`Unavailable`] where this is not root on Debian, or its archive cannot be reached.
pub(crate) fn need_postgres() -> anyhow::Result<PathBuf> {
    if let Some(folder) = variable("MANDATE_POSTGRES") {
        return Ok(folder.into());
    }
    find().or_else(install).ok_or_else(|| {
        let remedy =
            "install it (apt: postgresql), or name its programs' folder in MANDATE_POSTGRES";
        anyhow!(Unavailable::new("Postgres", remedy))
    })
}

/// The newest version that is installed whole.
fn find() -> Option<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).ok()?.filter_map(Result::ok);
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let whole = |path: &PathBuf| {
        let programs = path.join("bin");
        PROGRAMS.iter().all(|program| programs.join(program).is_file())
    };
    let found = versions.map(|entry| entry.path()).filter(whole).max_by_key(|path| number(path));
    Some(found?.join("bin"))
}

/// Installs the programs, and neither makes nor starts a cluster: tests have their own.
fn install() -> Option<PathBuf> {
    // The package with the setting first: a file that is there before its package makes dpkg ask.
    if !apt::install(&["postgresql-common"]) || forbid_clusters().is_err() {
        return None;
    }
    apt::install(&["postgresql"]).then(find).flatten()
}

fn forbid_clusters() -> std::io::Result<()> {
    let text = std::fs::read_to_string(CLUSTERS).unwrap_or_default();
    let is_setting = |line: &&str| line.trim_start().starts_with("create_main_cluster");
    let others: Vec<_> = text.lines().filter(|line| !is_setting(line)).collect();
    std::fs::write(CLUSTERS, format!("{}\ncreate_main_cluster = false\n", others.join("\n")))
}
