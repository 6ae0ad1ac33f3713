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

fn cache_folder() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = variable("MANDATE_CACHE") {
        return std::path::absolute(folder).context("MANDATE_CACHE");
    }
    if let Some(folder) = variable("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(folder).join("mandate"));
    }
    let home = variable("HOME").context("set MANDATE_CACHE: there is no HOME to keep tools in")?;
    Ok(PathBuf::from(home).join(".cache/mandate"))
}
