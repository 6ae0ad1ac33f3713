//! What speaks against a token: the plugin's answer, and its answers to "and otherwise?".
//!
//! The plugin names the first reason only. To name the others, its question is changed so that the
//! reason goes away (later times, another audience, a signature by a key made for this purpose)
//! and asked again, in a plugin that trusts that key and nothing else. What comes out is a
//! diagnosis, never a verdict.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_host::{Policy, ValidateRequest, Validation, Verdict};
use serde_json::{Map, Value, json};

use super::decoded::Decoded;
use crate::mint::TestKey;

/// One thing that speaks against the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The reason code.
    pub(super) reason: String,
    /// The plugin's line.
    pub(super) detail: String,
}

impl From<&Validation> for Finding {
    fn from(answer: &Validation) -> Self {
        Self { reason: answer.reason.clone(), detail: answer.detail.clone() }
    }
}

/// The question, as it is changed from answer to answer.
#[derive(Debug)]
pub(super) struct Inquiry<'p> {
    policy: &'p Policy,
    request: ValidateRequest,
    header: Map<String, Value>,
    claims: Option<Map<String, Value>>,
    claims_segment: String,
    key: TestKey,
}

impl<'p> Inquiry<'p> {
    /// Prepares the question: the token's own header and claims, under a key made for this purpose.
    /// `policy` is loaded with a trust in which that key is the issuer's only one.
    pub(super) fn new(
        policy: &'p Policy,
        contract: &Value,
        decoded: &Decoded,
        request: ValidateRequest,
    ) -> anyhow::Result<Self> {
        let key = TestKey::derive(STAND_IN)?;
        let issuer = decoded.text("iss").unwrap_or_default();
        let trust = json!({
            "contract": under_stand_in(contract, issuer),
            "key_sets": [{ "issuer": issuer, "keys": { "keys": [key.jwk()] } }],
        });
        policy.load_trust(&trust.to_string()).context("the contract does not load")?;
        let mut header = decoded.header.clone();
        header.insert("alg".to_owned(), json!("EdDSA"));
        header.insert("kid".to_owned(), json!(STAND_IN));
        Ok(Self {
            policy,
            request,
            header,
            claims: None,
            claims_segment: decoded.claims_segment.clone(),
            key,
        })
    }

    /// Every further reason, in the order of the checks.
    pub(super) fn findings(
        mut self,
        decoded: &Decoded,
        types: &[String],
    ) -> anyhow::Result<Vec<Finding>> {
        // Each change removes its reason for good: type, crit, exp, nbf, iat, aud.
        const MOST_CHANGES: usize = 6;
        let mut findings = Vec::new();
        for _ in 0..=MOST_CHANGES {
            let answer = self.policy.validate(&self.token()?, &self.request);
            if answer.verdict == Verdict::Allow {
                break;
            }
            let finding = Finding::from(&answer);
            // The same reason again: the change did not help.
            if findings.iter().any(|known: &Finding| known.reason == finding.reason) {
                break;
            }
            findings.push(finding);
            if !self.change(&answer.reason, decoded, types) {
                break;
            }
        }
        Ok(findings)
    }

    /// Changes the question so that this reason goes away; false if that cannot be done.
    fn change(&mut self, reason: &str, decoded: &Decoded, types: &[String]) -> bool {
        match reason {
            "token-type" => match types.first() {
                Some(typ) => drop(self.header.insert("typ".to_owned(), json!(typ))),
                None => drop(self.header.remove("typ")),
            },
            "token-critical" => {
                self.header.remove("crit");
                self.header.remove("b64");
            }
            "token-expired" => self.move_expiry(decoded),
            "token-not-yet-valid" => self.move_start(decoded),
            "token-audience" => {
                let audience = json!(self.request.audience);
                self.claims(decoded).insert("aud".to_owned(), audience);
            }
            _ => return false,
        }
        true
    }

    /// The claims, from now on changed.
    fn claims(&mut self, decoded: &Decoded) -> &mut Map<String, Value> {
        self.claims.get_or_insert_with(|| decoded.claims.clone())
    }

    /// Lets the token expire in a second, its lifetime as it was.
    fn move_expiry(&mut self, decoded: &Decoded) {
        let expires = self.request.now.saturating_add(1);
        let lifetime = lifetime(decoded);
        let claims = self.claims(decoded);
        claims.insert("exp".to_owned(), json!(expires));
        if let Some(lifetime) = lifetime {
            claims.insert("iat".to_owned(), json!(expires.saturating_sub(lifetime)));
        }
    }

    /// Lets the token start now, its lifetime as it was.
    fn move_start(&mut self, decoded: &Decoded) {
        let now = self.request.now;
        let issued_later = decoded.seconds("iat").is_some_and(|issued_at| issued_at > now);
        let lifetime = lifetime(decoded);
        let claims = self.claims(decoded);
        claims.remove("nbf");
        if issued_later {
            claims.insert("iat".to_owned(), json!(now));
            let expires = now.saturating_add(lifetime.unwrap_or(1));
            claims.insert("exp".to_owned(), json!(expires));
        }
    }

    /// The question's token. Unchanged claims keep their very bytes.
    fn token(&self) -> anyhow::Result<String> {
        let encode = |members: &Map<String, Value>| {
            URL_SAFE_NO_PAD.encode(Value::Object(members.clone()).to_string())
        };
        let claims = self.claims.as_ref().map_or_else(|| self.claims_segment.clone(), encode);
        let message = format!("{}.{claims}", encode(&self.header));
        let signature = self.key.sign("EdDSA", message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Seconds from `iat` to `exp`, where the token has both in this order.
fn lifetime(decoded: &Decoded) -> Option<u64> {
    decoded.seconds("exp")?.checked_sub(decoded.seconds("iat")?)
}

/// The contract with this issuer's algorithm that of the stand-in key.
fn under_stand_in(contract: &Value, issuer: &str) -> Value {
    let mut contract = contract.clone();
    let issuers = contract.get_mut("issuers").and_then(Value::as_array_mut).into_iter().flatten();
    for entry in issuers.filter(|entry| entry.get("issuer").and_then(Value::as_str) == Some(issuer))
    {
        if let Some(members) = entry.as_object_mut() {
            members.insert("algorithms".to_owned(), json!(["EdDSA"]));
        }
    }
    contract
}

/// Name and `kid` of the key: published words, trusted by nothing but the inquiry's own policy.
const STAND_IN: &str = "ed25519-inspect";
