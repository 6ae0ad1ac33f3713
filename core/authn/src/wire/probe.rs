//! The conformance protocol: one JSON request a line, one canonical JSON answer a line
//! (docs/conformance.md).

use serde::Deserialize;
use serde_json::Value;

use super::{ValidateRequest, answer, error_answer};
use crate::contract::read;
use crate::json::{Json, Object, object};
use crate::load_error::LoadError;
use crate::refusal::Refusal;
use crate::validator::{Validation, Validator, verify_jws};

/// Answers probe lines. An identical trust document in the next line is not loaded again.
#[derive(Debug, Default)]
pub struct Probe {
    loaded: Option<(Value, Result<Validator, LoadError>)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JwsLine {
    id: Value,
    #[serde(rename = "op")]
    _operation: String,
    keys: Value,
    token: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidateLine {
    id: Value,
    #[serde(rename = "op")]
    _operation: String,
    trust: Value,
    audience: Option<String>,
    token: String,
    now: u64,
    certificate_sha256: Option<String>,
}

/// The members that every line has.
#[derive(Debug, Deserialize)]
struct AnyLine {
    id: Option<Value>,
    op: Option<String>,
}

impl Probe {
    /// Answers one line; never fails: what is no request is answered with `error`.
    pub fn answer(&mut self, line: &str) -> String {
        let known: AnyLine = match serde_json::from_str(line) {
            Ok(known) => known,
            Err(_) => AnyLine { id: None, op: None },
        };
        let answered = match known.op.as_deref() {
            Some("jws") => jws(line),
            Some("validate") => self.validate(line),
            _ => Err(LoadError::new("op", "must be `jws` or `validate`")),
        };
        answered
            .unwrap_or_else(|error| with_id(known.id.as_ref(), error_answer(&error)))
            .to_canonical()
    }

    fn validate(&mut self, line: &str) -> Result<Json, LoadError> {
        let line: ValidateLine = read(line)?;
        let ValidateLine { id, trust, audience, token, now, certificate_sha256, .. } = line;
        let asked = ValidateRequest { token, audience, now, certificate_sha256 };
        let validation = match self.trusting(trust) {
            Ok(validator) => answer(validator, &asked).unwrap_or_else(Validation::from),
            // Whoever is not configured trusts nobody: a denial, as in every host.
            Err(error) => Validation::from(Refusal::TrustUnusable(error.clone())),
        };
        Ok(with_id(Some(&id), validation.to_json()))
    }

    fn trusting(&mut self, trust: Value) -> Result<&mut Validator, &LoadError> {
        let loaded = match self.loaded.take() {
            Some(loaded) if loaded.0 == trust => loaded,
            _ => {
                let mut validator = Validator::new();
                let outcome = validator.load_trust(&trust.to_string()).map(|_| validator);
                (trust, outcome)
            }
        };
        let (_, outcome) = self.loaded.insert(loaded);
        outcome.as_mut().map_err(|error| &*error)
    }
}

fn jws(line: &str) -> Result<Json, LoadError> {
    let line: JwsLine = read(line)?;
    let outcome = verify_jws(&line.keys.to_string(), line.token.as_bytes());
    let reason = outcome.as_ref().map_or_else(|refusal| refusal.code().as_str(), |()| "ok");
    let answer =
        object([("reason", Some(reason.into())), ("valid", Some(Json::Bool(outcome.is_ok())))]);
    Ok(with_id(Some(&line.id), answer))
}

fn with_id(id: Option<&Value>, answer: Json) -> Json {
    const DEPTH: usize = 4;
    let id = id.and_then(|id| Json::parse(id.to_string().as_bytes(), DEPTH).ok());
    let mut members = if let Json::Object(members) = answer { members } else { Object::new() };
    members.insert("id".to_owned(), id.unwrap_or(Json::Null));
    Json::Object(members)
}
