//! The `Mcp-*` headers against the body: compared, never believed.
//!
//! Something on the way may route by the headers and the server acts on the body; where the two say
//! different things, one of them was not asked about. Spec: MCP 2026-07-28, streamable HTTP,
//! request metadata and server validation (-32020, HTTP 400).

mod parameter;

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mandate_authn::ReasonCode;

use super::message::Message;
use super::method::{Form, Method};
use super::value::Value;
use super::version::{self, Generation, Version};
use crate::framing::starts_as;
use crate::refused::Refused;
use crate::view::{Headers, Repeated};

/// Compares every `Mcp-*` header with the body.
///
/// In 2026-07-28 a request must have those that its method needs. Before, there were none: what
/// comes all the same is compared too, since a server of both generations may look at it.
///
/// # Errors
/// `header-mismatch` for a header that is missing, comes twice, is spelled with `_`, has invalid
/// characters or says something else than the body; `malformed` for a body of 2026-07-28 that does
/// not say its version.
pub(crate) fn check(
    version: Version,
    headers: &Headers<'_>,
    message: &Message<'_>,
) -> Result<(), Refused> {
    require_each_once(headers)?;
    compare_version(version, message)?;
    let required =
        version.generation == Generation::Stateless && matches!(message, Message::Request { .. });
    compare_method(headers, message, required)?;
    compare_name(version.generation, headers, message, required)?;
    parameter::compare(headers, message)
}

/// Looks at the `Mcp-*` headers of a request that has no message: the `GET` and `DELETE` of a
/// session.
///
/// # Errors
/// `header-mismatch` for a header that comes twice, is spelled with `_`, or says something of a
/// body.
pub(crate) fn check_without_message(headers: &Headers<'_>) -> Result<(), Refused> {
    require_each_once(headers)?;
    let mut names = headers.0.iter().filter_map(|(name, _)| mcp_name(name));
    if names.any(|name| {
        name == METHOD.as_bytes() || name == NAME.as_bytes() || name.starts_with(parameter::PREFIX)
    }) {
        return Err(mismatch("an `Mcp-*` header repeats a body, and there is none"));
    }
    Ok(())
}

/// A disagreement.
pub(crate) fn mismatch(detail: impl Into<Cow<'static, str>>) -> Refused {
    Refused::new(ReasonCode::HeaderMismatch, detail)
}

/// Two readers take the first or the last of two headers, and many read `_` as `-` (CGI).
fn require_each_once(headers: &Headers<'_>) -> Result<(), Refused> {
    let mut seen = BTreeSet::new();
    for (name, _) in headers.0 {
        let Some(plain) = mcp_name(name) else { continue };
        let own =
            if plain.starts_with(parameter::PREFIX) { parameter::PREFIX.len() } else { name.len() };
        if name.iter().take(own).any(|byte| *byte == b'_') {
            return Err(mismatch("an `Mcp-*` header is spelled with `_`"));
        }
        if !seen.insert(plain) {
            return Err(mismatch("an `Mcp-*` header comes twice"));
        }
    }
    Ok(())
}

/// The name of an `Mcp-*` header in lower case and with `-` for `_`.
fn mcp_name(name: &[u8]) -> Option<Vec<u8>> {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    starts_as(name, MCP).then(|| name.iter().map(plain).collect())
}

/// The body says its version where it is of 2026-07-28, and nowhere says another than the header:
/// a server of both generations goes by the body ("a request carrying modern per-request `_meta`
/// is served statelessly").
fn compare_version(version: Version, message: &Message<'_>) -> Result<(), Refused> {
    let meta = match message.params().and_then(|params| params.get("_meta")) {
        None => None,
        Some(Value::Object(meta)) => meta.get(version::META),
        Some(_) => return Err(Refused::malformed("`_meta` is no object")),
    };
    match (meta, version.stated) {
        (Some(Value::Text(said)), Some(stated)) if said == stated => Ok(()),
        (Some(Value::Text(_)), _) => {
            Err(mismatch("`MCP-Protocol-Version` is not the version of the body"))
        }
        (Some(_), _) => Err(Refused::malformed("the body's protocol version is no string")),
        // Basic, `_meta`: "A request missing any required field is malformed".
        (None, _)
            if version.generation == Generation::Stateless
                && matches!(message, Message::Request { .. }) =>
        {
            Err(Refused::malformed("the body does not say its protocol version"))
        }
        (None, _) => Ok(()),
    }
}

fn compare_method(
    headers: &Headers<'_>,
    message: &Message<'_>,
    required: bool,
) -> Result<(), Refused> {
    match headers.one(METHOD).map_err(|Repeated| mismatch("`Mcp-Method` comes twice"))? {
        None if required => Err(mismatch("`Mcp-Method` is missing")),
        None => Ok(()),
        Some(value) if message.method().map(str::as_bytes) == Some(value) => Ok(()),
        Some(_) => Err(mismatch("`Mcp-Method` is not the method of the body")),
    }
}

fn compare_name(
    generation: Generation,
    headers: &Headers<'_>,
    message: &Message<'_>,
    required: bool,
) -> Result<(), Refused> {
    let value = headers.one(NAME).map_err(|Repeated| mismatch("`Mcp-Name` comes twice"))?;
    let method = match message.method() {
        // A response has no name to compare with.
        None => None,
        Some(name) => match Method::find(name, generation) {
            Some(method) => Some(method),
            // Nothing is known of its names; it is refused as unknown.
            None => return Ok(()),
        },
    };
    let member = method.and_then(Method::named_by);
    let needs = required && method.is_some_and(|method| method.form == Form::Request);
    match (value, member) {
        (None, Some(_)) if needs => Err(mismatch("`Mcp-Name` is missing")),
        (None, _) => Ok(()),
        (Some(_), None) => Err(mismatch("`Mcp-Name` on a method that has no name")),
        (Some(value), Some(member)) => {
            let said = message.params().and_then(|params| params.get(member));
            if Some(decoded(value)?.as_ref()) == said.and_then(Value::as_text) {
                Ok(())
            } else {
                Err(mismatch("`Mcp-Name` is not the name in the body"))
            }
        }
    }
}

/// The text that a header's value stands for: itself, or what `=?base64?…?=` encloses.
///
/// Spec: streamable HTTP, value encoding. The markers are case-sensitive; padded, canonical base64
/// of UTF-8.
fn decoded(value: &[u8]) -> Result<Cow<'_, str>, Refused> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(is_field_byte));
    let text = text.ok_or_else(|| mismatch("an `Mcp-*` header has invalid characters"))?;
    let inner = text.strip_prefix(OPEN).and_then(|rest| rest.strip_suffix(CLOSE));
    let Some(inner) = inner else { return Ok(Cow::Borrowed(text)) };
    // `STANDARD` refuses missing padding, foreign characters and non-zero trailing bits.
    let bytes = STANDARD.decode(inner).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.map(Cow::Owned).ok_or_else(|| mismatch("an `Mcp-*` header is not strict base64"))
}

/// Visible ASCII, space and tab: what the specification leaves of RFC 9110 section 5.5.
const fn is_field_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

/// What every header's name begins with here, in lower case.
const MCP: &str = "mcp-";
const METHOD: &str = "mcp-method";
const NAME: &str = "mcp-name";
const OPEN: &str = "=?base64?";
const CLOSE: &str = "?=";

#[cfg(test)]
mod tests;
