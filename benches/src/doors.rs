//! The ways to have a token validated.

use std::time::Duration;

use anyhow::Result;
use mandate_authn::{Request, Validator};
use mandate_host::{
    CoreModule, Limits, Plugin, PluginOptions, Policy, Sha256Digest, ValidateRequest,
};
use serde_json::{Value, json};

use crate::issuer::AUDIENCE;

/// Validates one token; `allows` is what a caller would look at first.
pub trait Door {
    /// Whether the token passes at this moment.
    fn allows(&mut self, token: &str, now: u64) -> bool;
}

/// core/authn in this process.
#[derive(Debug)]
pub struct Native(Validator);

impl Native {
    /// A validator with this trust.
    ///
    /// # Errors
    /// When the trust does not load.
    pub fn new(trust: &str) -> Result<Self> {
        let mut validator = Validator::new();
        validator.load_trust(trust).map_err(|error| anyhow::anyhow!("{}", error.message))?;
        Ok(Self(validator))
    }
}

impl Door for Native {
    fn allows(&mut self, token: &str, now: u64) -> bool {
        let request = Request { audience: Some(AUDIENCE), now, certificate_sha256: None };
        self.0.validate(token.as_bytes(), &request).outcome().is_ok()
    }
}

/// The plugin through mandate-host.
#[derive(Debug)]
pub struct Component(Policy);

impl Component {
    /// A policy with this trust.
    ///
    /// # Errors
    /// When the limits or the trust do not hold.
    pub fn new(plugin: &Plugin, limits: Limits, trust: &str) -> Result<Self> {
        let policy = Policy::new(plugin.clone(), limits)?;
        policy.load_trust(trust)?;
        Ok(Self(policy))
    }
}

impl Door for Component {
    fn allows(&mut self, token: &str, now: u64) -> bool {
        self.0.validate(token, &ValidateRequest::new(AUDIENCE, now)).into_result().is_ok()
    }
}

/// The plugin's core module through its C-like ABI, JSON in and out.
#[derive(Debug)]
pub struct Module(CoreModule);

impl Module {
    /// A module with this trust.
    ///
    /// # Errors
    /// When the module or the trust does not load.
    pub fn new(bytes: &[u8], trust: &str) -> Result<Self> {
        let digest = Sha256Digest::of(bytes);
        let options = PluginOptions::default();
        let mut module = CoreModule::from_bytes(bytes, &digest, &options, patient())?;
        module.call("mandate_load_trust", trust)?;
        Ok(Self(module))
    }
}

impl Door for Module {
    fn allows(&mut self, token: &str, now: u64) -> bool {
        let asked = json!({"audience": AUDIENCE, "now": now, "token": token}).to_string();
        let answer = self.0.call("mandate_validate", &asked).unwrap_or_default();
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        answer.get("verdict").is_some_and(|verdict| verdict == "allow")
    }
}

/// The default limits with deadlines that a machine under load keeps.
#[must_use]
pub fn patient() -> Limits {
    let deadline = Duration::from_secs(10);
    Limits { deadline, load_deadline: deadline, wait: deadline, ..Limits::default() }
}

/// The same with a fresh instance for every call.
#[must_use]
pub fn patient_and_fresh() -> Limits {
    let fresh = Limits::fresh_instance_per_call();
    Limits { calls_per_instance: fresh.calls_per_instance, ..patient() }
}
