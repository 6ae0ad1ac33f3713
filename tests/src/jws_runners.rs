//! The signature layer by every door: native, the component, the module inside it.

use mandate_host::{CoreModule, Limits, Plugin, PluginOptions, Policy, Sha256Digest, Verdict};
use serde_json::{Value, json};

use crate::guests;

/// An answer of the signature layer, the same by every door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsAnswer {
    /// Whether the signature verifies.
    pub valid: bool,
    /// The reason code.
    pub reason: String,
    /// The operator's line.
    pub detail: String,
}

/// Asks native core alone.
#[must_use]
pub fn native(keys: &str, token: &str) -> JwsAnswer {
    match mandate_authn::verify_jws(keys, token.as_bytes()) {
        Ok(()) => JwsAnswer { valid: true, reason: "ok".to_owned(), detail: String::new() },
        Err(refusal) => JwsAnswer {
            valid: false,
            reason: refusal.code().as_str().to_owned(),
            detail: refusal.to_string(),
        },
    }
}

/// The plugin, by both of its faces.
#[derive(Debug)]
pub struct WasmDoors {
    policy: Policy,
    module: CoreModule,
}

impl WasmDoors {
    /// Loads the built plugin; where there is none, says aloud that `part` is skipped.
    ///
    /// # Panics
    /// When the plugin does not load.
    #[must_use]
    pub fn open(part: &str) -> Option<Self> {
        let bytes = guests::read("mandate-policy.wasm", part)?;
        let digest = Sha256Digest::of(&bytes);
        let options = PluginOptions::default();
        let plugin = Plugin::from_bytes(&bytes, &digest, &options).expect("the plugin loads");
        // Debug builds on a loaded machine are slow; the deadline has tests of its own.
        let limits = Limits { deadline: std::time::Duration::from_secs(10), ..Limits::default() };
        let policy = Policy::new(plugin, limits.clone()).expect("the limits hold");
        let module = CoreModule::from_bytes(&bytes, &digest, &options, limits);
        Some(Self { policy, module: module.expect("the module loads") })
    }

    /// Asks the component.
    #[must_use]
    pub fn component(&self, keys: &str, token: &str) -> JwsAnswer {
        let answer = self.policy.verify_jws(keys, token);
        JwsAnswer {
            valid: answer.verdict == Verdict::Allow,
            reason: answer.reason,
            detail: answer.detail,
        }
    }

    /// Asks the module by the C-like ABI.
    ///
    /// # Panics
    /// When it fails, or answers no such JSON.
    pub fn module(&mut self, keys: &str, token: &str) -> JwsAnswer {
        let keys: Value = serde_json::from_str(keys).expect("keys are JSON");
        let call = json!({"keys": keys, "token": token}).to_string();
        let answer = self.module.call("mandate_verify_jws", &call).expect("an answer");
        let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
        let text = |name: &str| answer[name].as_str().expect(name).to_owned();
        JwsAnswer {
            valid: text("verdict") == "allow",
            reason: text("reason"),
            detail: text("detail"),
        }
    }

    /// Asserts that both answer as native core does.
    ///
    /// # Panics
    /// When one does not.
    pub fn assert_same(&mut self, row: &str, keys: &str, token: &str, native: &JwsAnswer) {
        assert_eq!(&self.component(keys, token), native, "component, row {row}");
        assert_eq!(&self.module(keys, token), native, "module, row {row}");
    }
}
