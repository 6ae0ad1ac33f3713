//! What the gate asks: the feed, and the issuers' key sets.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{anyhow, ensure};
use clap::Args;
use mandate_authz::container::Statement;
use serde_json::{Value, json};

use crate::commands::contract_file::ContractFile;
use crate::commands::session::KeyFile;
use crate::commands::snapshot::key_file::PinnedKeys;
use crate::envoy::{Address, Source, TlsTrust};
use crate::keys::{ClientOptions, KeySources, Refresh, quoted, refresh};

/// Whose state is taken, and signed by whom.
#[derive(Args, Clone, Debug)]
pub(super) struct StateOptions {
    /// The deployment whose state it is.
    #[arg(long, value_name = "NAME")]
    deployment: String,
    /// The set of tenants.
    #[arg(long, value_name = "NAME", default_value = "all")]
    slice: String,
    /// Public key (JWK) that signs snapshots; twice while keys rotate.
    #[arg(long, value_name = "PUBLIC", required = true)]
    key: Vec<PathBuf>,
}

impl StateOptions {
    pub(super) fn to_json(&self) -> anyhow::Result<Value> {
        for (option, name) in [("--deployment", &self.deployment), ("--slice", &self.slice)] {
            ensure!(Statement::is_name(name), "`{option}` must be 1 to 128 bytes of text");
        }
        let texts = PinnedKeys::read(&self.key)?.texts;
        let keys: Result<Vec<Value>, _> =
            texts.iter().map(|text| serde_json::from_str(text)).collect();
        Ok(json!({"deployment": self.deployment, "slice": self.slice, "keys": keys?}))
    }
}

/// Where feed and key sets are.
#[derive(Args, Clone, Debug)]
pub(super) struct SourceOptions {
    /// The feed: `https://HOST/PATH`, `http://127.0.0.1:PORT` of a local `snapshot serve`, or `unix:/PATH`.
    #[arg(long, value_name = "URL")]
    feed: Address,
    /// Authorities (PEM) for the feed's certificate, where not those of --ca.
    #[arg(long, value_name = "PATH")]
    feed_ca: Option<String>,
    /// The name in the feed's certificate, where it is not the URL's host.
    #[arg(long, value_name = "NAME")]
    feed_name: Option<String>,
    /// Key set of an issuer, from a file; then for every issuer.
    #[arg(long, value_name = "ISSUER=FILE")]
    keys: Vec<KeyFile>,
    /// Where an issuer's key set is, for a contract without its `jwks_uri`.
    #[arg(long, value_name = "ISSUER=URL", conflicts_with = "keys")]
    key_set: Vec<KeySetAddress>,
    /// Authorities (PEM) for the certificates of all that is asked by HTTPS.
    #[arg(long, value_name = "PATH", default_value = "/etc/ssl/certs/ca-certificates.crt")]
    pub(super) ca: String,
}

/// `ISSUER=URL`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KeySetAddress {
    issuer: String,
    address: Address,
}

impl FromStr for KeySetAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A URL may have `=` too: the issuer ends where an address begins.
        let places = text.match_indices('=').map(|(at, _)| text.split_at(at));
        let mut parsed = places.filter_map(|(issuer, rest)| {
            let address = rest.strip_prefix('=')?.parse().ok()?;
            Some(Self { issuer: issuer.to_owned(), address })
        });
        let found = parsed.next().filter(|found| !found.issuer.is_empty());
        found.ok_or_else(|| "must be ISSUER=URL".to_owned())
    }
}

impl SourceOptions {
    pub(super) fn feed(&self) -> Source {
        let authorities = self.feed_ca.clone().unwrap_or_else(|| self.ca.clone());
        let trust = TlsTrust { authorities, name: self.feed_name.clone() };
        Source { address: self.feed.clone(), trust }
    }

    /// The trust document, and where key sets are fetched that are not in it.
    pub(super) fn keys(
        &self,
        contract: &ContractFile,
    ) -> anyhow::Result<(Value, Vec<(String, Source)>)> {
        if !self.keys.is_empty() {
            return Ok((self.written_keys(contract)?, Vec::new()));
        }
        let listed: Vec<(&str, Option<&str>)> = issuers(&contract.value).collect();
        for KeySetAddress { issuer, .. } in &self.key_set {
            let known = listed.iter().any(|(listed, _)| listed == issuer);
            ensure!(known, "`--key-set`: {} is no issuer of the contract", quoted(issuer));
        }
        let fetched: anyhow::Result<Vec<_>> =
            listed.into_iter().map(|(issuer, uri)| self.key_source(issuer, uri)).collect();
        Ok((json!({"contract": contract.value, "key_sets": []}), fetched?))
    }

    fn key_source(&self, issuer: &str, uri: Option<&str>) -> anyhow::Result<(String, Source)> {
        let stated = self.key_set.iter().find(|stated| stated.issuer == issuer);
        let address = match (stated, uri) {
            (Some(stated), _) => stated.address.clone(),
            (None, Some(uri)) => uri.parse().map_err(|error| anyhow!("`jwks_uri`: {error}"))?,
            (None, None) => {
                return Err(anyhow!(
                    "the contract has no `jwks_uri` of {}, and Envoy has no discovery: give \
                     `--key-set` or `--keys`",
                    quoted(issuer)
                ));
            }
        };
        let trust = TlsTrust { authorities: self.ca.clone(), name: None };
        Ok((issuer.to_owned(), Source { address, trust }))
    }

    fn written_keys(&self, contract: &ContractFile) -> anyhow::Result<Value> {
        let files: Vec<_> =
            self.keys.iter().map(|key| (key.issuer.clone(), key.file.clone())).collect();
        for (issuer, _) in issuers(&contract.value) {
            ensure!(
                files.iter().any(|(given, _)| given == issuer),
                "`--keys`: no file is given for {}",
                quoted(issuer)
            );
        }
        let mut sources = KeySources::new(&contract.value, &files, &ClientOptions::default())?;
        for (issuer, _) in &files {
            // Files do not age: the moment says nothing.
            if let Some(Refresh::Failed(error)) = refresh(&mut sources, issuer, 0) {
                return Err(anyhow!("`--keys`: {error}"));
            }
        }
        Ok(sources.document(&contract.value))
    }
}

fn issuers(contract: &Value) -> impl Iterator<Item = (&str, Option<&str>)> {
    let entries = contract.get("issuers").and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        Some((text("issuer")?, text("jwks_uri")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_set_names_its_issuer_and_its_url() {
        let parsed: KeySetAddress = "https://a/?x=1=https://b/jwks?y=2".parse().unwrap();
        assert_eq!(parsed.issuer, "https://a/?x=1");
        assert_eq!(parsed.address, "https://b/jwks?y=2".parse().unwrap());
        for text in ["", "https://a", "=https://b", "https://a=b"] {
            let refused = text.parse::<KeySetAddress>();
            assert_eq!(refused, Err("must be ISSUER=URL".to_owned()), "{text}");
        }
    }
}
