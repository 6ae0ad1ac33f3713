//! A plugin with a contract and keys, asked about a token.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use mandate_host::{Limits, Plugin, Policy, ValidateRequest, Validation};
use serde_json::{Value, json};

use crate::commands::contract_file::ContractFile;
use crate::keys::{ClientOptions, KeySources, Refresh, quoted, refresh};
use crate::plugin::PluginChoice;

/// The options that say where keys come from.
#[derive(Args, Clone, Debug)]
pub(super) struct KeyOptions {
    /// Key set of an issuer, from a file instead of the issuer; may be repeated.
    #[arg(long, value_name = "ISSUER=FILE")]
    keys: Vec<KeyFile>,
    /// Certificate authorities (PEM) to trust, instead of the public ones, when fetching keys.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl KeyOptions {
    /// The sources of the contract's keys. Files are read, nothing is fetched yet.
    pub(super) fn sources(&self, contract: &ContractFile, now: u64) -> anyhow::Result<KeySources> {
        let files: Vec<_> =
            self.keys.iter().map(|key| (key.issuer.clone(), key.file.clone())).collect();
        let options = ClientOptions { authorities: self.ca.clone(), ..ClientOptions::default() };
        let mut sources = KeySources::new(&contract.value, &files, &options)?;
        for (issuer, _) in &files {
            if let Some(Refresh::Failed(error)) = refresh(&mut sources, issuer, now) {
                bail!("`--keys`: {error}");
            }
        }
        Ok(sources)
    }
}

/// `ISSUER=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyFile {
    pub(super) issuer: String,
    pub(super) file: PathBuf,
}

impl FromStr for KeyFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((issuer, file)) if !issuer.is_empty() && !file.is_empty() => {
                Ok(Self { issuer: issuer.to_owned(), file: PathBuf::from(file) })
            }
            Some(_) | None => Err("must be ISSUER=FILE"),
        }
    }
}

/// A policy that was loaded with a contract, and the sources of its keys.
#[derive(Debug)]
pub(super) struct Session {
    contract: Value,
    now: u64,
    plugin: Plugin,
    policy: Policy,
    sources: KeySources,
}

impl Session {
    /// Loads the plugin, the contract and the key files. Nothing is fetched yet.
    pub(super) fn open(
        plugin: &PluginChoice,
        contract: &ContractFile,
        keys: &KeyOptions,
        now: u64,
    ) -> anyhow::Result<Self> {
        let sources = keys.sources(contract, now)?;
        let plugin = plugin.load()?;
        let policy = patient_policy(&plugin)?;
        let session = Self { contract: contract.value.clone(), now, plugin, policy, sources };
        session.load()?;
        Ok(session)
    }

    /// What the plugin says about itself, with its digest and where it came from.
    pub(super) fn plugin_json(&self, choice: &PluginChoice) -> Value {
        let mut plugin = serde_json::to_value(self.plugin.describe()).unwrap_or_default();
        if let Some(members) = plugin.as_object_mut() {
            members.insert("digest".to_owned(), json!(self.plugin.digest().to_string()));
            members.insert("origin".to_owned(), json!(choice.origin()));
        }
        plugin
    }

    /// Another policy of the same plugin, which trusts nobody yet.
    pub(super) fn fresh_policy(&self) -> anyhow::Result<Policy> {
        patient_policy(&self.plugin)
    }

    /// What the plugin answers with the keys that are here.
    pub(super) fn ask(&self, token: &str, request: &ValidateRequest) -> Validation {
        self.policy.validate(token, request)
    }

    /// What the plugin answers; where it wants an issuer's keys, these are fetched, once, and it is
    /// asked again.
    pub(super) fn ask_and_fetch(
        &mut self,
        token: &str,
        request: &ValidateRequest,
    ) -> anyhow::Result<Validation> {
        let answer = self.ask(token, request);
        let Some(issuer) = answer.refresh.clone() else { return Ok(answer) };
        match refresh(&mut self.sources, &issuer, self.now) {
            Some(Refresh::Fetched) => {
                self.load()?;
                Ok(self.ask(token, request))
            }
            Some(Refresh::Failed(error)) => {
                Err(anyhow!("the keys of {}: {error}", quoted(&issuer)))
            }
            Some(Refresh::TooSoon { .. }) | None => Ok(answer),
        }
    }

    fn load(&self) -> anyhow::Result<()> {
        let trust = self.sources.document(&self.contract).to_string();
        self.policy.load_trust(&trust).map(drop).context("the trust does not load")
    }
}

/// A policy for one person at a terminal: patient, with one instance.
fn patient_policy(plugin: &Plugin) -> anyhow::Result<Policy> {
    let patient = Duration::from_secs(5);
    let limits = Limits { deadline: patient, wait: patient, instances: 1, ..Limits::default() };
    Ok(Policy::new(plugin.clone(), limits)?)
}

/// Now, unless `--now` says otherwise.
pub(super) fn now(stated: Option<u64>) -> anyhow::Result<u64> {
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    match stated {
        Some(now) => Ok(now),
        None => Ok(clock().context("the clock is before 1970")?.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_names_its_issuer() {
        let parsed = KeyFile { issuer: "https://a".to_owned(), file: PathBuf::from("b=c") };
        assert_eq!("https://a=b=c".parse(), Ok(parsed));
        for text in ["", "https://a", "=b", "https://a="] {
            assert_eq!(text.parse::<KeyFile>(), Err("must be ISSUER=FILE"), "{text}");
        }
    }
}
