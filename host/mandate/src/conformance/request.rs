//! One request of the probe protocol, for runners that hand its parts to a plugin.

use anyhow::Result;
use mandate_authn::{Json, LoadError, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

/// A request, read strictly.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Request {
    /// The signature layer alone.
    Jws { id: Value, keys: Value, token: String },
    /// A whole validation.
    Validate {
        id: Value,
        trust: Value,
        audience: Option<String>,
        token: String,
        now: u64,
        certificate_sha256: Option<String>,
    },
}

/// As deep as a trust document is read; the request adds two levels.
const DEPTH: usize = 34;

impl Request {
    pub(super) fn parse(request: &Value) -> Result<Self> {
        Ok(Self::deserialize(request)?)
    }

    /// The line as a value, if it is a request; else the answer to what it is.
    pub(super) fn check(line: &str) -> Result<Value, Value> {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let id = value.get("id").cloned().unwrap_or_default();
        let error = |message: String| json!({"id": id, "error": {"path": "", "message": message}});
        // serde_json keeps the last of two members: duplicates are looked for in the text.
        Json::parse(line.as_bytes(), DEPTH)
            .map_err(|problem| error(format!("the document {}", problem.describe())))?;
        if !value.is_object() {
            return Err(error("a request is a JSON object".to_owned()));
        }
        Self::parse(&value).map_err(|problem| error(problem.to_string()))?;
        Ok(value)
    }
}

/// The answer where the trust does not load: whoever is not configured trusts nobody.
pub(super) fn trust_unusable(path: &str, message: &str) -> Value {
    let error = LoadError { path: path.to_owned(), message: message.to_owned() };
    let refusal = Refusal::TrustUnusable(error);
    json!({"verdict": "deny", "reason": refusal.code().as_str(), "detail": refusal.to_string()})
}

/// The answer with the request's id.
pub(super) fn with_id(id: Value, mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.insert("id".to_owned(), id);
    }
    answer
}
