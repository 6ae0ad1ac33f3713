//! Where things are: the checkout, and the folder of tools beside it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// The checkout that this xtask was built from, and the folder where tools are kept.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
    cache: PathBuf,
}

impl Checkout {
    /// Finds the checkout, and the cache: `$MANDATE_CACHE`, else `~/.cache/mandate`.
    ///
    /// # Errors
    /// When neither `MANDATE_CACHE`, `XDG_CACHE_HOME` nor `HOME` says where tools may be kept.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // Cargo says at run time whose package it runs. A target folder that checkouts share may
        // hold the program of another one, which would test that other one.
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        let root =
            package.parent().context("the xtask package is not inside a checkout")?.to_path_buf();
        Ok(Self { root, cache: cache_folder()? })
    }

    /// A checkout at a given place, with tools at another.
    pub(crate) fn at(root: impl Into<PathBuf>, cache: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), cache: cache.into() }
    }

    /// The folder where tools are kept.
    pub(crate) fn cache_root(&self) -> &Path {
        &self.cache
    }

    /// Folders of the builder that no artifact may name, each with a closing `/`.
    ///
    /// A folder right below the file system's root is left out: it may be a word of the code.
    pub(crate) fn private_folders(&self) -> Vec<String> {
        let folders = [Some(self.root.clone()), cargo_home().ok()];
        let long = folders.into_iter().flatten().filter(|path| path.components().count() > 2);
        long.map(|path| format!("{}/", path.display())).collect()
    }

    /// The checkout's folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path in the checkout.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A path among the tools.
    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.cache.join(name)
    }

    /// Every file of the project: tracked or new, not ignored; without git, all but build output.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut git = Command::new("git");
        git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
        let listed = git.current_dir(&self.root).output().ok();
        let listed = listed.filter(|output| output.status.success());
        let mut files = Vec::new();
        if let Some(output) = listed {
            let names = String::from_utf8(output.stdout).context("git ls-files")?;
            let paths = names.split_terminator('\0').map(|name| self.path(name));
            files.extend(paths.filter(|path| path.is_file()));
        } else {
            walk(&self.root, &mut files)?;
        }
        files.sort();
        Ok(files)
    }
}

/// Every file below a folder, build output and version control left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if ![".git", "target", "node_modules", "__pycache__"].contains(&&*name) {
                walk(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Cargo's own folder, where the sources of dependencies are unpacked.
///
/// # Errors
/// When neither `CARGO_HOME` nor `HOME` is set.
pub(crate) fn cargo_home() -> anyhow::Result<PathBuf> {
    if let Some(folder) = variable("CARGO_HOME") {
        return Ok(PathBuf::from(folder));
    }
    let home = variable("HOME").context("neither CARGO_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cargo"))
}

/// An environment variable; an empty one counts as not set.
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = variable("MANDATE_CACHE") {
        return std::path::absolute(folder).context("MANDATE_CACHE");
    }
    if let Some(folder) = variable("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(folder).join("mandate"));
    }
    let home = variable("HOME").context("set MANDATE_CACHE: there is no HOME to keep tools in")?;
    Ok(PathBuf::from(home).join(".cache/mandate"))
}
