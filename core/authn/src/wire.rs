//! The JSON form of every call: what the core ABI and the conformance protocol carry.
//!
//! Requests are strict (unknown members refused), answers are canonical (RFC 8785), so that every
//! implementation of the contract can be compared byte for byte. Shapes: docs/abi.md,
//! docs/conformance.md.

mod probe;

use serde::Deserialize;

use crate::base64url;
use crate::contract::read;
use crate::json::{Json, object};
use crate::limits;
use crate::load_error::LoadError;
use crate::refusal::Refusal;
use crate::validator::{Request, TrustStatus, Validation, Validator, verify_jws as check_jws};

pub use self::probe::Probe;

/// A validation as asked for over JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidateRequest {
    token: String,
    audience: Option<String>,
    now: u64,
    certificate_sha256: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JwsRequest {
    keys: serde_json::Value,
    token: String,
}

/// Loads a trust document; answers the status, or `error`.
pub fn load_trust(validator: &mut Validator, text: &str) -> String {
    let answer = match validator.load_trust(text) {
        Ok(status) => status.to_json(),
        Err(error) => error_answer(&error),
    };
    answer.to_canonical()
}

/// The answer to a document that was not loaded.
#[must_use]
pub fn load_error(error: &LoadError) -> String {
    error_answer(error).to_canonical()
}

/// Validates a token; a malformed request is a denial with the reason `malformed`.
pub fn validate(validator: &mut Validator, text: &str) -> String {
    validation(validator, text).to_json().to_canonical()
}

/// Checks the signature layer alone.
#[must_use]
pub fn verify_jws(text: &str) -> String {
    jws_answer(&jws_outcome(text)).to_canonical()
}

fn validation(validator: &mut Validator, text: &str) -> Validation {
    match read::<ValidateRequest>(text)
        .map_err(|error| malformed(&error))
        .and_then(|request| answer(validator, &request))
    {
        Ok(validation) => validation,
        Err(refusal) => Validation::from(refusal),
    }
}

fn answer(validator: &mut Validator, asked: &ValidateRequest) -> Result<Validation, Refusal> {
    let certificate_sha256 = asked.certificate_sha256.as_deref().map(thumbprint).transpose()?;
    let now = i64::try_from(asked.now).ok().filter(|now| *now <= limits::LARGEST_INTEGER);
    if now.is_none() {
        return Err(Refusal::Request { member: "now".to_owned() });
    }
    let request =
        Request { audience: asked.audience.as_deref(), now: asked.now, certificate_sha256 };
    Ok(validator.validate(asked.token.as_bytes(), &request))
}

fn thumbprint(text: &str) -> Result<[u8; 32], Refusal> {
    let bytes = base64url::decode(text.as_bytes()).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| Refusal::Request { member: "certificate_sha256".to_owned() })
}

fn malformed(error: &LoadError) -> Refusal {
    let member = if error.path.is_empty() { &error.message } else { &error.path };
    Refusal::Request { member: member.clone() }
}

fn jws_outcome(text: &str) -> Result<(), Refusal> {
    let asked: JwsRequest = read(text).map_err(|error| malformed(&error))?;
    check_jws(&asked.keys.to_string(), asked.token.as_bytes())
}

fn jws_answer(outcome: &Result<(), Refusal>) -> Json {
    let reason = outcome.as_ref().map_or_else(|refusal| refusal.code().as_str(), |()| "ok");
    let detail = outcome.as_ref().map_or_else(Refusal::to_string, |()| String::new());
    object([
        ("detail", Some(detail.into())),
        ("reason", Some(reason.into())),
        ("verdict", Some(verdict(outcome.is_ok()))),
    ])
}

fn verdict(allowed: bool) -> Json {
    Json::from(if allowed { "allow" } else { "deny" })
}

fn error_answer(error: &LoadError) -> Json {
    let described = object([
        ("message", Some(error.message.as_str().into())),
        ("path", Some(error.path.as_str().into())),
    ]);
    object([("error", Some(described))])
}

impl TrustStatus {
    /// The wire form: docs/abi.md#trust.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let [major, minor, patch] = self.contract_version;
        let without_keys =
            self.issuers_without_keys.iter().map(|issuer| issuer.as_str().into()).collect();
        object([
            ("contract_version", Some(format!("{major}.{minor}.{patch}").into())),
            ("generation", Some(self.generation.into())),
            ("issuers_without_keys", Some(Json::Array(without_keys))),
        ])
    }
}

impl Validation {
    /// The operator's line: empty for `ok`.
    #[must_use]
    pub fn detail(&self) -> String {
        self.outcome().map_or_else(Refusal::to_string, |_| String::new())
    }

    /// The wire form: `verdict`, `reason`, `detail`, and `token` or `refresh` where there is one.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let refresh = self.outcome().err().and_then(Refusal::refresh);
        object([
            ("detail", Some(self.detail().into())),
            ("reason", Some(self.reason().as_str().into())),
            ("refresh", refresh.map(Json::from)),
            ("token", self.outcome().ok().map(crate::VerifiedToken::to_json)),
            ("verdict", Some(verdict(self.outcome().is_ok()))),
        ])
    }
}
