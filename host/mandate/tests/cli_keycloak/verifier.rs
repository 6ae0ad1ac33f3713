//! A service that trusts realms under the preset: the plugin and native core, asked together.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate::keys::{ClientOptions, KeySources, trust_document};
use mandate::plugin::PluginChoice;
use mandate_authn::{Validator, wire};
use mandate_host::{Limits, Plugin, Policy, ValidateRequest};
use serde_json::{Value, json};

use crate::realm::{BOARD, FILES, RealmOfKeycloak};

/// Plugin and native core under one contract, with the keys that the realms published.
pub(crate) struct Verifier {
    policy: Policy,
    native: RefCell<Validator>,
    fetched: u64,
}

pub(crate) fn plugin() -> Plugin {
    PluginChoice::default().load().unwrap()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Verifier {
    /// Trusts the realms as the preset has it.
    pub(crate) fn new(realms: &[&RealmOfKeycloak]) -> Self {
        Self::with(realms, |_| {})
    }

    /// Trusts the realms, with a change to their entries in the contract.
    pub(crate) fn with(realms: &[&RealmOfKeycloak], change: impl Fn(&mut Value)) -> Self {
        let contract = Self::contract(realms, change);
        let mut sources = KeySources::new(&contract, &[], &ClientOptions::default()).unwrap();
        let fetched = now();
        let document = trust_document(&contract, &mut sources, fetched);
        assert_eq!(document.failures.len(), 0, "{:?}", document.failures);
        let trust = document.trust.to_string();
        let policy = Policy::new(plugin(), Limits::default()).unwrap();
        policy.load_trust(&trust).unwrap();
        let mut native = Validator::new();
        native.load_trust(&trust).unwrap();
        Self { policy, native: RefCell::new(native), fetched }
    }

    /// The board takes tokens of the first realm alone, the files those of every realm. The first
    /// may speak for `acme`, the others for `globex`.
    pub(crate) fn contract(realms: &[&RealmOfKeycloak], change: impl Fn(&mut Value)) -> Value {
        let entry = |(index, realm): (usize, &&RealmOfKeycloak)| {
            let mut entry = json!({
                "issuer": realm.issuer(),
                "preset": "keycloak",
                "algorithms": ["RS256", "PS256", "ES256", "EdDSA"],
                "tenants": [if index == 0 { "acme" } else { "globex" }],
                "tenant_claim": "/tenant",
            });
            change(&mut entry);
            entry
        };
        let first = [realms[0].issuer()];
        json!({
            "contract": "mandate",
            "version": "1.0.0",
            "status": "draft",
            "issuers": realms.iter().enumerate().map(entry).collect::<Vec<_>>(),
            "apps": [
                { "name": "board", "audience": BOARD, "issuers": first },
                { "name": "web", "audience": "board-web", "issuers": first },
                { "name": "agent", "audience": "mail-agent", "issuers": first },
                { "name": "files", "audience": FILES },
            ],
        })
    }

    /// When the keys were fetched.
    pub(crate) fn fetched(&self) -> u64 {
        self.fetched
    }

    /// The plugin's answer, which is native core's, whole.
    pub(crate) fn decide(&self, token: &str, audience: &str, now: u64) -> Value {
        let component = self.policy.validate(token, &ValidateRequest::new(audience, now));
        let component = serde_json::to_value(&component).unwrap();
        let question = json!({ "token": token, "audience": audience, "now": now }).to_string();
        let native = wire::validate(&mut self.native.borrow_mut(), &question);
        assert_eq!(serde_json::from_str::<Value>(&native).unwrap(), component);
        component
    }
}

/// A part of a token, decoded: 0 is the header, 1 the claims.
pub(crate) fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The token with another claim, under the signature that it had.
pub(crate) fn with_claim(token: &str, name: &str, value: &str) -> String {
    let (header, mut claims) = (part(token, 0), part(token, 1));
    claims[name] = json!(value);
    joined(&header, &claims, token)
}

/// A token that names the issuer and the key of another one.
pub(crate) fn relabelled(token: &str, like: &str) -> String {
    let (mut header, mut claims) = (part(token, 0), part(token, 1));
    header["kid"] = part(like, 0)["kid"].clone();
    claims["iss"] = part(like, 1)["iss"].clone();
    joined(&header, &claims, token)
}

fn joined(header: &Value, claims: &Value, token: &str) -> String {
    let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = token.rsplit('.').next().unwrap();
    format!("{}.{}.{signature}", encoded(header), encoded(claims))
}
