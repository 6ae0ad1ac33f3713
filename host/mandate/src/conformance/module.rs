//! Runner `module`: the plugin's core module through its C-like ABI.

use anyhow::{Context, Result, anyhow};
use mandate_host::CoreModule;
use serde_json::{Map, Value, json};

use super::{
    implementation::Implementation,
    request::{Request, trust_unusable, with_id},
};

/// The core module, called with JSON.
#[derive(Debug)]
pub struct Module {
    module: CoreModule,
    /// The last trust, and the error where it is not in force.
    loaded: Option<(Value, Option<(String, String)>)>,
}

impl Module {
    /// A module with nothing loaded.
    #[must_use]
    pub const fn new(module: CoreModule) -> Self {
        Self { module, loaded: None }
    }

    fn call(&mut self, export: &str, input: &Value) -> Result<Value> {
        match self.module.call(export, &input.to_string()) {
            Ok(answer) => serde_json::from_str(&answer).context("the answer is no JSON"),
            Err(failure) => {
                // The next call gets a fresh instance, in which nothing is loaded.
                self.loaded = None;
                Err(anyhow!("{failure}"))
            }
        }
    }

    /// Loads the trust unless it is the last one; the error's path and message where it does not.
    fn load(&mut self, trust: &Value) -> Result<Option<(String, String)>> {
        if let Some((_, outcome)) = self.loaded.as_ref().filter(|(last, _)| last == trust) {
            return Ok(outcome.clone());
        }
        let answer = self.call("mandate_load_trust", trust)?;
        let text = |error: &Value, name: &str| {
            error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let outcome =
            answer.get("error").map(|error| (text(error, "path"), text(error, "message")));
        self.loaded = Some((trust.clone(), outcome.clone()));
        Ok(outcome)
    }
}

impl Implementation for Module {
    fn name(&self) -> &str {
        "module"
    }

    fn answer(&mut self, request: &Value) -> Result<Value> {
        match Request::parse(request)? {
            Request::Jws { id, keys, token } => {
                let asked = json!({"keys": keys, "token": token});
                let check = self.call("mandate_verify_jws", &asked)?;
                let valid = check.get("verdict").and_then(Value::as_str) == Some("allow");
                Ok(json!({"id": id, "valid": valid, "reason": check.get("reason")}))
            }
            Request::Validate { id, trust, audience, token, now, certificate_sha256 } => {
                if let Some((path, message)) = self.load(&trust)? {
                    return Ok(with_id(id, trust_unusable(&path, &message)));
                }
                let optional = [("audience", audience), ("certificate_sha256", certificate_sha256)];
                let mut asked = Map::new();
                asked.insert("token".to_owned(), json!(token));
                asked.insert("now".to_owned(), json!(now));
                for (name, value) in optional {
                    asked.extend(value.map(|value| (name.to_owned(), json!(value))));
                }
                Ok(with_id(id, self.call("mandate_validate", &Value::Object(asked))?))
            }
        }
    }

    fn fuel_used(&self) -> Option<u64> {
        self.module.fuel_used()
    }
}
