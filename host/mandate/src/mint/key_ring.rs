//! Test keys by name, made once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context, Result, anyhow};

use super::key::TestKey;

/// What this process has derived so far.
static MADE: Mutex<BTreeMap<String, Arc<TestKey>>> = Mutex::new(BTreeMap::new());

/// The keys that a run uses.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Arc<TestKey>>,
}

impl KeyRing {
    /// Derives these keys, each in a thread of its own: an RSA key takes a while to find.
    ///
    /// # Errors
    /// When a name is no key name.
    pub fn with_keys<'name>(names: impl IntoIterator<Item = &'name str>) -> Result<Self> {
        let names: BTreeSet<&str> = names.into_iter().collect();
        // Held while deriving, so that a second ring waits for the keys instead of making them.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<&str> =
            names.iter().copied().filter(|name| !made.contains_key(*name)).collect();
        let derived: Vec<Result<TestKey>> = thread::scope(|scope| {
            let threads: Vec<_> =
                missing.iter().map(|name| scope.spawn(|| TestKey::derive(name))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().map_err(|_| anyhow!("deriving a key failed"))?)
                .collect()
        });
        for (name, key) in missing.iter().zip(derived) {
            made.insert((*name).to_owned(), Arc::new(key?));
        }
        let keys = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Arc::clone(made.get(*name)?))))
            .collect();
        Ok(Self { keys })
    }

    /// The key of this name.
    ///
    /// # Errors
    /// When the ring was made without it.
    pub fn key(&self, name: &str) -> Result<&TestKey> {
        self.keys.get(name).map(AsRef::as_ref).with_context(|| format!("no key `{name}` was made"))
    }
}
