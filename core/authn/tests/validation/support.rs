//! A small issuer for the tests: one Ed25519 key, one contract, one token that passes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use mandate_authn::{Refusal, Request, Validator, VerifiedToken};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const OTHER_ISSUER: &str = "https://other.example";
pub(crate) const AUDIENCE: &str = "https://board.example";
pub(crate) const OTHER_AUDIENCE: &str = "https://vault.example";

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The public half of the key, named `k1`.
pub(crate) fn jwk() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": encode(key().verifying_key())})
}

pub(crate) fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"})
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW, "jti": "t-1",
        "client_id": "board-web", "scope": "read write", "tenant": "acme",
    })
}

pub(crate) fn issuer() -> Value {
    json!({
        "issuer": ISSUER, "algorithms": ["EdDSA"], "tenants": ["acme", "globex"],
        "tenant_claim": "/tenant", "role_claims": ["/realm_access/roles", "/resource_access/*/roles"],
    })
}

pub(crate) fn contract() -> Value {
    json!({
        "contract": "mandate", "version": "1.2.3", "status": "draft", "issuers": [issuer()],
        "apps": [{"name": "board", "audience": AUDIENCE}],
    })
}

pub(crate) fn trust() -> Value {
    json!({"contract": contract(), "key_sets": [{"issuer": ISSUER, "keys": {"keys": [jwk()]}}]})
}

/// The document with one member set, at a JSON Pointer whose parent exists.
pub(crate) fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(members) => drop(members.insert(name.to_owned(), value)),
        Value::Array(elements) => match name.parse::<usize>() {
            Ok(position) => elements[position] = value,
            Err(_) => elements.push(value),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("no container at {parent}")
        }
    }
    document
}

/// The document without one member.
pub(crate) fn without(document: &Value, pointer: &str) -> Value {
    let mut document = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    document
}

pub(crate) fn sign(header: &Value, claims: &Value) -> String {
    sign_bytes(header.to_string(), claims.to_string())
}

pub(crate) fn sign_bytes(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = key().sign(input.as_bytes());
    format!("{input}.{}", encode(signature.to_bytes()))
}

/// The token that passes.
pub(crate) fn token() -> String {
    sign(&header(), &claims())
}

pub(crate) fn request() -> Request<'static> {
    Request { audience: Some(AUDIENCE), now: NOW, certificate_sha256: None }
}

pub(crate) fn validator(trust: &Value) -> Validator {
    let mut validator = Validator::new();
    validator.load_trust(&trust.to_string()).expect("the trust loads");
    validator
}

pub(crate) fn validate_with(
    trust: &Value,
    token: &str,
    request: &Request<'_>,
) -> Result<VerifiedToken, Refusal> {
    let validation = validator(trust).validate(token.as_bytes(), request);
    validation.outcome().cloned().map_err(Clone::clone)
}

pub(crate) fn validate(token: &str) -> Result<VerifiedToken, Refusal> {
    validate_with(&trust(), token, &request())
}

/// Validates the token that passes, with other claims.
pub(crate) fn validate_claims(claims: &Value) -> Result<VerifiedToken, Refusal> {
    validate(&sign(&header(), claims))
}

/// Validates the token that passes, with one claim set.
pub(crate) fn with_claim(pointer: &str, value: Value) -> Result<VerifiedToken, Refusal> {
    validate_claims(&with(&claims(), pointer, value))
}

/// The token with another signature.
pub(crate) fn resigned(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", encode([0; 64]))
}
