//! Runner `component`: the plugin in wasmtime, as hosts load it.

use std::time::Duration;

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mandate_host::{Limits, Plugin, Policy, TrustError, ValidateRequest};
use serde_json::{Value, json};

use super::{
    implementation::Implementation,
    request::{Request, trust_unusable, with_id},
};

/// The plugin's component through mandate-host.
#[derive(Debug)]
pub struct Component {
    policy: Policy,
    /// The last trust, and whether it is in force.
    loaded: Option<(Value, Result<(), TrustError>)>,
}

impl Component {
    /// A policy of this plugin, with nothing loaded.
    ///
    /// # Errors
    /// When the plugin does not fit this host.
    pub fn new(plugin: Plugin) -> Result<Self> {
        Ok(Self { policy: Policy::new(plugin, patient_limits())?, loaded: None })
    }

    fn load(&mut self, trust: Value) -> Result<(), &TrustError> {
        let loaded = match self.loaded.take() {
            Some(loaded) if loaded.0 == trust => loaded,
            _ => {
                let outcome = self.policy.load_trust(&trust.to_string()).map(|_| ());
                (trust, outcome)
            }
        };
        let (_, outcome) = self.loaded.insert(loaded);
        match outcome {
            Ok(()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Limits that no busy machine trips over: the kit looks at answers, not at their speed. One
/// instance, so that the fuel of a fixture does not depend on which instance answered.
#[must_use]
pub fn patient_limits() -> Limits {
    let patience = Duration::from_secs(20);
    Limits {
        instances: 1,
        deadline: patience,
        load_deadline: patience,
        wait: patience,
        ..Limits::default()
    }
}

impl Implementation for Component {
    fn name(&self) -> &str {
        "component"
    }

    fn answer(&mut self, request: &Value) -> Result<Value> {
        match Request::parse(request)? {
            Request::Jws { id, keys, token } => {
                let check = self.policy.verify_jws(&keys.to_string(), &token);
                let valid = check.verdict == mandate_host::Verdict::Allow;
                Ok(json!({"id": id, "valid": valid, "reason": check.reason}))
            }
            Request::Validate { id, trust, audience, token, now, certificate_sha256 } => {
                let asked = asked(&trust, audience, now, certificate_sha256.as_deref());
                if let Err(error) = self.load(trust) {
                    return Ok(with_id(id, trust_unusable(&error.path, &error.message)));
                }
                let answer = match asked {
                    Ok(asked) => serde_json::to_value(self.policy.validate(&token, &asked))?,
                    Err(reason) => json!({ "skip": reason }),
                };
                Ok(with_id(id, answer))
            }
        }
    }

    fn fuel_used(&self) -> Option<u64> {
        self.policy.fuel_used()
    }
}

/// The request in the component's types; what they cannot say is a reason to skip.
fn asked(
    trust: &Value,
    audience: Option<String>,
    now: u64,
    certificate: Option<&str>,
) -> Result<ValidateRequest, &'static str> {
    let audience = match audience {
        Some(audience) => audience,
        None => only_audience(trust)
            .ok_or("a component's request names its audience: there is no way to leave it out")?,
    };
    let request = ValidateRequest::new(audience, now);
    match certificate.map(thumbprint) {
        None => Ok(request),
        Some(Ok(digest)) => Ok(request.with_certificate_sha256(digest)),
        Some(Err(_)) => Err("mandate-host's request holds 32 bytes or nothing"),
    }
}

fn thumbprint(text: &str) -> Result<[u8; 32]> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok().context("no base64url")?;
    bytes.try_into().ok().context("not 32 bytes")
}

/// The audience of a contract that lists exactly one: the host knows its own configuration.
fn only_audience(trust: &Value) -> Option<String> {
    let apps = trust.pointer("/contract/apps")?.as_array()?;
    let routes = |app: &Value| {
        app.get("routes").and_then(Value::as_array).is_some_and(|routes| !routes.is_empty())
    };
    match apps.as_slice() {
        [app] if !routes(app) => Some(app.get("audience")?.as_str()?.to_owned()),
        _ => None,
    }
}
