//! The trust: the contract with the keys of its issuers, fetched and loaded into the plugin.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};
use mandate_host::Policy;
use serde_json::Value;

use super::clock;
use super::journal::Journal;
use super::settings::Settings;
use super::shared::pause;
use crate::keys::{ClientOptions, KeySources, Refresh, refresh, trust_document};

/// Keeps the keys fresh.
#[derive(Debug)]
pub(super) struct TrustKeeper {
    contract: Value,
    policy: Policy,
    journal: Journal,
    sources: Mutex<KeySources>,
    loaded: Mutex<Loaded>,
}

#[derive(Debug, Default)]
struct Loaded {
    document: String,
    missing: Vec<String>,
}

/// How often key sets are looked at; each is fetched every five minutes, or when it is missing.
const LOOK: Duration = Duration::from_secs(10);

impl TrustKeeper {
    /// Loads the contract, with the keys that files give. Nothing is fetched yet: an issuer that is
    /// away must not keep the server from starting.
    pub(super) fn start(
        contract: Value,
        settings: &Settings,
        policy: Policy,
        journal: Journal,
    ) -> anyhow::Result<Self> {
        let files: Vec<(String, PathBuf)> = settings.key_sets.clone().into_iter().collect();
        let options =
            ClientOptions { authorities: settings.authorities.clone(), ..ClientOptions::default() };
        let mut sources =
            KeySources::new(&contract, &files, &options).context("`serve.key_sets`")?;
        for (issuer, _) in &files {
            if let Some(Refresh::Failed(error)) = refresh(&mut sources, issuer, clock::now()) {
                bail!("`serve.key_sets`: {error}");
            }
        }
        let document = sources.document(&contract).to_string();
        let keeper = Self {
            contract,
            policy,
            journal,
            sources: Mutex::new(sources),
            loaded: Mutex::default(),
        };
        keeper.load(document).context("contract")?;
        Ok(keeper)
    }

    /// Fetches what is due, now and again.
    pub(super) fn follow(self: &Arc<Self>, stopping: Arc<AtomicBool>) -> JoinHandle<()> {
        let keeper = Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                keeper.fetch();
                if !pause(&stopping, LOOK) {
                    return;
                }
            }
        })
    }

    fn fetch(&self) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let trust = trust_document(&self.contract, &mut sources, clock::now());
        drop(sources);
        for (issuer, error) in &trust.failures {
            self.journal.event("keys", &[("issuer", issuer), ("error", &error.to_string())]);
        }
        self.reload(trust.trust.to_string());
    }

    /// Fetches the keys of an issuer, as an answer of the plugin asks for; whether there are newer
    /// ones. Not while somebody else fetches, and at most every 30 seconds. Blocks.
    pub(super) fn refresh(&self, issuer: &str) -> bool {
        let Ok(mut sources) = self.sources.try_lock() else { return false };
        let outcome = refresh(&mut sources, issuer, clock::now());
        let document = sources.document(&self.contract).to_string();
        drop(sources);
        match outcome {
            Some(Refresh::Fetched) => {
                self.reload(document);
                true
            }
            Some(Refresh::Failed(error)) => {
                self.journal.event("keys", &[("issuer", issuer), ("error", &error.to_string())]);
                false
            }
            Some(Refresh::TooSoon { .. }) | None => false,
        }
    }

    fn reload(&self, document: String) {
        if let Err(error) = self.load(document) {
            self.journal.event("trust", &[("error", &error.to_string())]);
        }
    }

    fn load(&self, document: String) -> anyhow::Result<()> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        // Loading what is loaded would empty the plugin's cache for nothing.
        if loaded.document != document {
            let status = self.policy.load_trust(&document)?;
            *loaded = Loaded { document, missing: status.issuers_without_keys };
        }
        Ok(())
    }

    /// The contract that is loaded.
    pub(super) const fn contract(&self) -> &Value {
        &self.contract
    }

    /// How many issuers the contract has.
    pub(super) fn issuers(&self) -> usize {
        self.contract.get("issuers").and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// Issuers whose tokens cannot be checked.
    pub(super) fn missing(&self) -> Vec<String> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).missing.clone()
    }
}
