//! Plugins written by hand, for the tests: a friendly one that can be told to misbehave, and
//! variants of it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{env, fs, process};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::digest::Sha256Digest;
use crate::limits::Limits;
use crate::options::PluginOptions;
use crate::plugin::Plugin;
use crate::plugin_error::PluginError;
use crate::policy::Policy;

/// The plugin's text, which variants replace parts of.
pub(crate) const PLUGIN: &str = include_str!("fixture/plugin.wat");
/// The world's text.
pub(crate) const WORLD: &str = include_str!("../../../wit/policy.wit");
const INFO: &str = include_str!("../../../wit/deps/meta/info.wit");

/// Makes a component of a core module's text and a world's text.
pub(crate) fn component(module: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    resolve.push_str("info.wit", INFO).unwrap();
    let package = resolve.push_str("policy.wit", world).unwrap();
    let world = resolve.select_world(&[package], Some("policy")).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// The friendly plugin.
pub(crate) fn plugin_bytes() -> Vec<u8> {
    component(PLUGIN, WORLD)
}

pub(crate) fn load(bytes: &[u8], options: &PluginOptions) -> Result<Plugin, PluginError> {
    Plugin::from_bytes(bytes, &Sha256Digest::of(bytes), options)
}

pub(crate) fn plugin() -> Plugin {
    load(&plugin_bytes(), &PluginOptions::default()).unwrap()
}

/// A policy of the friendly plugin under the trust `good`.
pub(crate) fn policy(limits: Limits) -> Policy {
    let policy = Policy::new(plugin(), limits).unwrap();
    policy.load_trust("good").unwrap();
    policy
}

/// A directory that is removed again.
#[derive(Debug)]
pub(crate) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("mandate-host-{}-{number}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A place in it that does not exist yet.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
