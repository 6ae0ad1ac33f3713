//! Loading a plugin: the reviewed file and no other, able to ask for nothing.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::{PolicyPre, info};
use crate::cache::Cache;
use crate::description::Build;
use crate::digest::Sha256Digest;
use crate::engine::TimedEngine;
use crate::failure::one_line;
use crate::limits::{Limits, LimitsError};
use crate::options::PluginOptions;
use crate::plugin_error::PluginError;
use crate::sandbox::Sandbox;

/// A plugin that was checked and compiled, ready to be instantiated.
///
/// Cheap to clone. The thread that bounds its calls in time lives as long as the last clone and
/// the last policy made of it; a process that forks must load its plugins after the fork.
#[derive(Debug, Clone)]
pub struct Plugin {
    loaded: Arc<Loaded>,
}

impl Plugin {
    /// Loads a plugin out of a component's bytes.
    ///
    /// # Errors
    /// [`PluginError`] when the digest is another than `expected`, when the plugin has imports,
    /// does not export the world `policy`, or speaks a contract or ABI that this host does not
    /// know, and when the cache directory could be written by others. A cache *entry* that is
    /// missing or broken is no error: the plugin is compiled, and the entry replaced.
    pub fn from_bytes(
        bytes: &[u8],
        expected: &Sha256Digest,
        options: &PluginOptions,
    ) -> Result<Self, PluginError> {
        check_digest(bytes, expected)?;
        let cache = options.cache_directory.as_deref().map(Cache::open).transpose()?;
        let engine = TimedEngine::start(options)?;
        let (component, origin) = compile(bytes, expected, &engine, cache.as_ref())?;
        let imports: Vec<_> = component
            .component_type()
            .imports(engine.engine())
            .map(|(name, _)| name.to_owned())
            .collect();
        if !imports.is_empty() {
            return Err(PluginError::Imports(imports));
        }
        let world = |error: wasmtime::Error| PluginError::World(one_line(&format!("{error:#}")));
        let unbound = Linker::new(engine.engine()).instantiate_pre(&component).map_err(world)?;
        let build = describe(&engine, &component, &unbound)?;
        build.check()?;
        let policy = PolicyPre::new(unbound).map_err(world)?;
        bind_once(&engine, &policy).map_err(world)?;
        let digest = *expected;
        let pooling_bytes = options.pooling.map(|pooling| pooling.memory_bytes);
        let loaded = Loaded { engine, policy, build, digest, origin, pooling_bytes };
        Ok(Self { loaded: Arc::new(loaded) })
    }

    /// Loads a plugin out of a component's file, as [`Plugin::from_bytes`].
    ///
    /// # Errors
    /// As [`Plugin::from_bytes`], and [`PluginError::Read`] when the file cannot be read.
    pub fn from_file(
        path: impl AsRef<Path>,
        expected: &Sha256Digest,
        options: &PluginOptions,
    ) -> Result<Self, PluginError> {
        Self::from_bytes(&read_bounded(path.as_ref())?, expected, options)
    }

    /// What the plugin says about itself.
    #[must_use]
    pub fn describe(&self) -> &Build {
        &self.loaded.build
    }

    /// The digest that the plugin was checked against.
    #[must_use]
    pub fn digest(&self) -> &Sha256Digest {
        &self.loaded.digest
    }

    /// Whether the plugin was compiled now or came from the cache.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.loaded.origin
    }

    pub(crate) fn engine(&self) -> &TimedEngine {
        &self.loaded.engine
    }

    pub(crate) fn policy(&self) -> &PolicyPre<Sandbox> {
        &self.loaded.policy
    }

    /// Refuses limits that the engine cannot keep.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), PluginError> {
        limits.check()?;
        if self.loaded.pooling_bytes.is_some_and(|reserved| reserved < limits.memory_bytes) {
            let least = "that of every policy of this plugin";
            return Err(LimitsError { member: "pooling.memory_bytes", least }.into());
        }
        Ok(())
    }
}

/// Where the machine code of a plugin came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Out of the cache directory.
    Cache,
    /// Compiled now, and kept in the cache directory if there is one.
    Compiled,
    /// Compiled now, and not kept for the stated reason. The next start compiles again.
    NotKept(String),
}

struct Loaded {
    engine: TimedEngine,
    policy: PolicyPre<Sandbox>,
    build: Build,
    digest: Sha256Digest,
    origin: Origin,
    pooling_bytes: Option<usize>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Loaded")
            .field("digest", &self.digest)
            .field("build", &self.build)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// Refuses bytes that are not the reviewed plugin.
pub(crate) fn check_digest(bytes: &[u8], expected: &Sha256Digest) -> Result<(), PluginError> {
    let actual = Sha256Digest::of(bytes);
    if actual == *expected {
        return Ok(());
    }
    Err(PluginError::Digest { expected: *expected, actual })
}

/// Compiles the component, or takes what was compiled before.
fn compile(
    bytes: &[u8],
    digest: &Sha256Digest,
    engine: &TimedEngine,
    cache: Option<&Cache>,
) -> Result<(Component, Origin), PluginError> {
    let entry = cache.map(|cache| cache.entry(digest, engine.engine()));
    if let Some(component) = entry.as_ref().and_then(|entry| entry.load(engine.engine())) {
        return Ok((component, Origin::Cache));
    }
    let component = Component::from_binary(engine.engine(), bytes)
        .map_err(|error| PluginError::Compile(one_line(&format!("{error:#}"))))?;
    let origin = match entry.map(|entry| entry.store(&component)) {
        None | Some(Ok(())) => Origin::Compiled,
        Some(Err(error)) => Origin::NotKept(error.to_string()),
    };
    Ok((component, origin))
}

/// Asks the plugin what it is, before anything else of it is bound: `mandate:meta/info` never
/// changes, so a host of any age can ask a plugin of any age.
fn describe(
    engine: &TimedEngine,
    component: &Component,
    unbound: &InstancePre<Sandbox>,
) -> Result<Build, PluginError> {
    let failed = |error: wasmtime::Error| PluginError::Describe(one_line(&format!("{error:#}")));
    let interface = component
        .get_export_index(None, "mandate:meta/info@1.0.0")
        .ok_or_else(|| PluginError::Describe("no `mandate:meta/info@1.0.0`".to_owned()))?;
    let function = component
        .get_export_index(Some(&interface), "describe")
        .ok_or_else(|| PluginError::Describe("no function `describe`".to_owned()))?;
    let limits = Limits::default();
    let mut store = engine.store(&limits);
    engine.arm(&mut store, limits.load_deadline).map_err(failed)?;
    let instance = unbound.instantiate(&mut store).map_err(failed)?;
    let describe =
        instance.get_typed_func::<(), (info::Build,)>(&mut store, &function).map_err(failed)?;
    let (build,) = describe.call(&mut store, ()).map_err(failed)?;
    Ok(build.into())
}

/// Types are compared when an instance is bound: a plugin that does not fit is refused now, not at
/// the first request.
fn bind_once(engine: &TimedEngine, policy: &PolicyPre<Sandbox>) -> wasmtime::Result<()> {
    let limits = Limits::default();
    let mut store = engine.store(&limits);
    engine.arm(&mut store, limits.load_deadline)?;
    policy.instantiate(&mut store).map(drop)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, PluginError> {
    let failed = |error| PluginError::Read { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(LARGEST_PLUGIN.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= LARGEST_PLUGIN => Ok(bytes),
        Ok(_) | Err(_) => Err(PluginError::TooLarge(LARGEST_PLUGIN)),
    }
}

/// Bytes; some fifty times a plugin with its cryptography.
const LARGEST_PLUGIN: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests;
