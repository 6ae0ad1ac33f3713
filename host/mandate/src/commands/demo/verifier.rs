//! A service that accepts tokens: a contract, key sources, and the plugin that decides.

use anyhow::{Context as _, bail};
use mandate_host::{Policy, ValidateRequest, Validation};
use serde_json::{Value, json};

use crate::commands::demo::organization::{authz, gate};
use crate::commands::demo::{BOARD, FILES, TENANT};
use crate::keys::{ClientOptions, KeySources, Refresh, refresh, trust_document};

/// Decides tokens under a contract of two services.
#[derive(Debug)]
pub(super) struct Verifier<'policy> {
    policy: &'policy Policy,
    contract: Value,
    sources: KeySources,
}

impl<'policy> Verifier<'policy> {
    /// Trusts these issuers, each with its preset where it needs one.
    pub(super) fn new(
        policy: &'policy Policy,
        issuers: &[(&str, Option<&str>)],
    ) -> anyhow::Result<Self> {
        let contract = contract(issuers);
        let sources = KeySources::new(&contract, &[], &ClientOptions::default())?;
        Ok(Self { policy, contract, sources })
    }

    /// The contract.
    pub(super) const fn contract(&self) -> &Value {
        &self.contract
    }

    /// Fetches every issuer's keys by discovery and loads them with the contract.
    pub(super) fn fetch_keys(&mut self, now: u64) -> anyhow::Result<()> {
        let document = trust_document(&self.contract, &mut self.sources, now);
        if let Some((issuer, error)) = document.failures.first() {
            bail!("the keys of {issuer}: {error}");
        }
        self.policy.load_trust(&document.trust.to_string()).context("the trust does not load")?;
        Ok(())
    }

    /// Decides with the keys that are here.
    pub(super) fn decide(&self, token: &str, audience: &str, now: u64) -> Validation {
        self.policy.validate(token, &ValidateRequest::new(audience, now))
    }

    /// Decides; when the plugin asks for an issuer's newer keys, fetches them and decides again.
    pub(super) fn decide_and_refresh(
        &mut self,
        token: &str,
        audience: &str,
        now: u64,
    ) -> anyhow::Result<Validation> {
        let validation = self.decide(token, audience, now);
        let Some(issuer) = &validation.refresh else { return Ok(validation) };
        match refresh(&mut self.sources, issuer, now) {
            Some(Refresh::Fetched) => {
                let trust = self.sources.document(&self.contract).to_string();
                self.policy.load_trust(&trust).context("the trust does not load")?;
                Ok(self.decide(token, audience, now))
            }
            Some(Refresh::Failed(error)) => bail!("the keys of {issuer}: {error}"),
            Some(Refresh::TooSoon { .. }) | None => Ok(validation),
        }
    }
}

/// The contract of two services: boards, an MCP server behind a gate, and files.
pub(super) fn contract(issuers: &[(&str, Option<&str>)]) -> Value {
    let names: Vec<&str> = issuers.iter().map(|(issuer, _)| *issuer).collect();
    let issuers: Vec<Value> =
        issuers.iter().map(|&(issuer, preset)| entry(issuer, preset)).collect();
    json!({
        "contract": "mandate",
        "version": "1.0.0",
        "status": "draft",
        "issuers": issuers,
        "apps": [{ "name": "board", "audience": BOARD }, { "name": "files", "audience": FILES }],
        "authz": authz(&names),
        "gate": gate(),
    })
}

fn entry(issuer: &str, preset: Option<&str>) -> Value {
    let mut entry = json!({
        "issuer": issuer,
        "algorithms": ["RS256", "ES256", "EdDSA"],
        "tenants": [TENANT],
        "tenant_claim": "/tenant",
    });
    if let (Some(members), Some(preset)) = (entry.as_object_mut(), preset) {
        members.insert("preset".to_owned(), json!(preset));
    }
    entry
}
