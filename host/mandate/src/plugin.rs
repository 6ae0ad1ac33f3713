//! The plugin: the one inside this binary, or a file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use mandate_host::{Plugin, PluginError, PluginOptions, Sha256Digest};

include!(concat!(env!("OUT_DIR"), "/plugin.rs"));

/// The plugin that was put inside this binary when it was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// The component.
    pub bytes: &'static [u8],
    /// Its SHA-256, as `cargo xtask guests` listed it.
    pub digest: Sha256Digest,
}

/// The plugin inside this binary, if it was built with one.
#[must_use]
pub fn embedded() -> Option<Embedded> {
    PLUGIN.map(|(bytes, digest)| Embedded { bytes, digest: Sha256Digest::from_bytes(digest) })
}

/// SHA-256 of the Envoy filter that was built together with this binary, if one was.
#[must_use]
pub fn filter_digest() -> Option<Sha256Digest> {
    FILTER.map(Sha256Digest::from_bytes)
}

/// Which plugin answers.
#[derive(Args, Clone, Debug, Default)]
pub struct PluginChoice {
    /// A plugin file to use instead of the one inside this binary.
    ///
    /// Without --plugin-digest the file itself says what it is: only for trying things out.
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
    /// SHA-256 that the plugin must have, in hexadecimal; another one is refused.
    #[arg(long, value_name = "SHA256")]
    plugin_digest: Option<Sha256Digest>,
}

impl PluginChoice {
    /// The plugin's bytes, with the digest that they must have.
    ///
    /// # Errors
    /// When the file cannot be read, or no plugin is inside this binary.
    pub fn bytes(&self) -> anyhow::Result<(Cow<'static, [u8]>, Sha256Digest)> {
        let (bytes, own) = match &self.plugin {
            Some(path) => {
                let bytes = read(path)?;
                let digest = Sha256Digest::of(&bytes);
                (Cow::Owned(bytes), digest)
            }
            None => match embedded() {
                Some(Embedded { bytes, digest }) => (Cow::Borrowed(bytes), digest),
                None => bail!(
                    "the plugin is not inside this binary: run `cargo xtask guests` and build again, or give `--plugin FILE`"
                ),
            },
        };
        Ok((bytes, self.plugin_digest.unwrap_or(own)))
    }

    /// Loads the plugin, compiled before if it was.
    ///
    /// # Errors
    /// As [`PluginChoice::bytes`], and when the plugin is not the one that was asked for or does
    /// not fit this host.
    pub fn load(&self) -> anyhow::Result<Plugin> {
        let (bytes, digest) = self.bytes()?;
        let mut options =
            PluginOptions { cache_directory: cache_folder(), ..PluginOptions::default() };
        match Plugin::from_bytes(&bytes, &digest, &options) {
            // Then it is compiled on every start, which takes a second and weakens nothing.
            Err(PluginError::CacheDirectory { .. }) => {
                options.cache_directory = None;
                Ok(Plugin::from_bytes(&bytes, &digest, &options)?)
            }
            loaded => Ok(loaded?),
        }
    }

    /// `embedded`, or `file`.
    #[must_use]
    pub const fn origin(&self) -> &'static str {
        if self.plugin.is_some() { "file" } else { "embedded" }
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("plugin file `{}` cannot be read", path.display()))
}

/// Where compiled plugins are kept: below `$MANDATE_CACHE`, else below the user's cache folder.
fn cache_folder() -> Option<PathBuf> {
    let variable =
        |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("MANDATE_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|folder| folder.join("mandate")))
        .or_else(|| variable("HOME").map(|folder| folder.join(".cache/mandate")));
    cache.map(|folder| folder.join("compiled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugin_inside_has_the_digest_that_was_listed() {
        if let Some(Embedded { bytes, digest }) = embedded() {
            assert_eq!(Sha256Digest::of(bytes), digest);
        }
    }
}
