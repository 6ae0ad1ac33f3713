//! Values that a recipe names instead of writing out.

use anyhow::{Context, Result, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::{key::PublicEncoding, key_ring::KeyRing};

/// Replaces `{"$jwk": KEY}` by the key's public JWK, `{"$spki": KEY}` by its SubjectPublicKeyInfo in
/// base64, and `{"$repeat": {"text": T, "times": N}}` by T, N times over.
///
/// # Errors
/// When a placeholder is malformed, or names a key that the ring lacks.
pub fn fill_placeholders(value: &Value, ring: &KeyRing) -> Result<Value> {
    match value {
        Value::Object(object) => {
            if let Some(filled) = placeholder(object, ring)? {
                return Ok(filled);
            }
            let members = object
                .iter()
                .map(|(name, value)| Ok((name.clone(), fill_placeholders(value, ring)?)))
                .collect::<Result<Map<_, _>>>()?;
            Ok(Value::Object(members))
        }
        Value::Array(items) => {
            items.iter().map(|item| fill_placeholders(item, ring)).collect::<Result<_>>()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
    }
}

/// The keys that a value's placeholders name.
#[must_use]
pub fn named_keys(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("$jwk" | "$spki", Value::String(key)) => vec![key.as_str()],
                _ => named_keys(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(named_keys).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn placeholder(object: &Map<String, Value>, ring: &KeyRing) -> Result<Option<Value>> {
    let Some((name, argument)) = object.iter().next() else { return Ok(None) };
    if object.len() != 1 || !name.starts_with('$') {
        return Ok(None);
    }
    let filled = match name.as_str() {
        "$jwk" => ring.key(argument.as_str().context("`$jwk` names a key")?)?.jwk(),
        "$spki" => {
            let key = ring.key(argument.as_str().context("`$spki` names a key")?)?;
            Value::String(STANDARD.encode(key.public_encoding(PublicEncoding::SpkiDer)?))
        }
        "$repeat" => {
            let text = argument.get("text").and_then(Value::as_str).context("`$repeat` text")?;
            let times = argument.get("times").and_then(Value::as_u64).context("`$repeat` times")?;
            Value::String(text.repeat(usize::try_from(times)?))
        }
        _ => bail!("unknown placeholder `{name}`"),
    };
    Ok(Some(filled))
}
