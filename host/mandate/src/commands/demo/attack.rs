//! What somebody without the issuer's key can do to a token.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::dev_issuer::{SigningAlgorithm, SigningKey};

/// The same token with another tenant in it, under the signature that it had.
pub(super) fn altered(token: &str) -> anyhow::Result<String> {
    let (message, signature) = token.rsplit_once('.').context("not a JWS")?;
    let (header, payload) = message.rsplit_once('.').context("not a JWS")?;
    let mut claims = object(payload)?;
    claims.insert("tenant".to_owned(), json!("globex"));
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?);
    Ok(format!("{header}.{payload}.{signature}"))
}

/// The same header, key id included, and the same claims, signed by a key of the attacker's.
pub(super) fn signed_by_another_key(token: &str) -> anyhow::Result<String> {
    let mut parts = token.split('.');
    let header = object(parts.next().unwrap_or_default())?;
    let claims = object(parts.next().unwrap_or_default())?;
    let key = SigningKey::generate(algorithm(token)?)?;
    Ok(key.sign(&header, &claims)?)
}

/// The algorithm in the header, which our own issuer can use too.
pub(super) fn algorithm(token: &str) -> anyhow::Result<SigningAlgorithm> {
    let header = object(token.split('.').next().unwrap_or_default())?;
    let name = header.get("alg").and_then(Value::as_str).context("a header without `alg`")?;
    SigningAlgorithm::parse(name).with_context(|| format!("`{name}` is not used in the demo"))
}

fn object(part: &str) -> anyhow::Result<Map<String, Value>> {
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
}
