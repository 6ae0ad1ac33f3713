//! Where things are: the checkout, and the folder of tools beside it.

use std::path::{Path, PathBuf};

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
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the xtask package is not inside a checkout")?
            .to_path_buf();
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
    std::env::var_os(name).filter(|value| !value.is_empty())
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
