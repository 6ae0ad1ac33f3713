//! The request target: a path that every reader splits alike, and a query.
//!
//! A target that two programs could read as two different ones is refused, not normalised:
//! contract/CONTRACT.md#gate-path.

use std::borrow::Cow;

use mandate_authn::ReasonCode;

use crate::limits;
use crate::refused::Refused;

/// A request target in origin form (RFC 9112 section 3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target<'t> {
    pub(crate) path: Path<'t>,
    pub(crate) query: Option<&'t str>,
}

/// A path in its one spelling: no dot segments, no empty ones but the last, nothing encoded that
/// has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path<'t>(&'t str);

impl<'t> Target<'t> {
    /// Reads a target.
    pub(crate) fn parse(target: &'t [u8]) -> Result<Self, Refused> {
        let fail = |detail: &'static str| Err(Refused::new(ReasonCode::Path, detail));
        if target.len() > limits::TARGET_BYTES {
            return fail("the target is longer than the limit");
        }
        if !target.iter().all(|byte| matches!(byte, 0x21..=0x7e) && *byte != b'#') {
            return fail("the target has a fragment, white space, or is not ASCII");
        }
        let Ok(text) = std::str::from_utf8(target) else {
            return fail("the target is not ASCII");
        };
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        Ok(Self { path: Path::parse(path)?, query })
    }
}

impl<'t> Path<'t> {
    fn parse(path: &'t str) -> Result<Self, Refused> {
        let fail = |detail: &'static str| Err(Refused::new(ReasonCode::Path, detail));
        let Some(rest) = path.strip_prefix('/') else {
            return fail("the path does not start with `/`");
        };
        if path.contains(['\\', ';']) {
            return fail("the path has `\\` or `;`");
        }
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_some() {
                return fail("the path has `//`");
            }
            if matches!(segment, "." | "..") {
                return fail("the path has a dot segment");
            }
            if !has_one_spelling(segment) {
                return fail(
                    "the path has a bad escape, or an encoded `/`, `\\`, `.`, `;`, `%` or NUL",
                );
            }
        }
        Ok(Self(path))
    }

    /// What stands between the slashes, as written.
    pub(crate) fn segments(self) -> impl Iterator<Item = &'t str> {
        self.0.split('/').skip(1)
    }
}

/// Whether a segment may stand in a template: the unreserved letters of RFC 3986 section 2.3, and
/// what the gate does not treat specially.
pub(crate) fn is_plain_segment(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@!$&'()*+,=:".contains(&byte);
    !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(plain)
}

/// Decodes a segment or a query value, once.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' { escape(&mut bytes)? } else { byte });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// The value of a query parameter.
///
/// Refused is what two readers could answer differently: the parameter twice, in any spelling, or
/// as `name[…]`; `;`, which some take for `&`; `+`, which some take for a space.
pub(crate) fn parameter<'q>(query: &'q str, name: &str) -> Result<Option<Cow<'q, str>>, Refused> {
    if query.contains(';') {
        return Err(Refused::malformed_mapping("the query has `;`"));
    }
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let bad = || Refused::malformed_mapping("the query has a bad escape");
        let decoded = decode(key).ok_or_else(bad)?;
        let bracketed = decoded.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
        if bracketed || (decoded == name && found.is_some()) {
            return Err(Refused::malformed_mapping("a mapped query parameter is there twice"));
        }
        if decoded == name {
            if value.contains('+') {
                return Err(Refused::malformed_mapping("a mapped query parameter has `+`"));
            }
            found = Some(decode(value).ok_or_else(bad)?);
        }
    }
    Ok(found)
}

/// Whether every escape is a good one, of a byte that means nothing by itself.
fn has_one_spelling(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        let hidden = |byte: u8| matches!(byte, b'/' | b'\\' | b'.' | b';' | b'%') || byte < 0x20;
        if byte == b'%' && escape(&mut bytes).is_none_or(hidden) {
            return false;
        }
    }
    // A segment that is not UTF-8 once decoded has no spelling at all.
    decode(segment).is_some()
}

/// The byte of the two hexadecimal digits that follow `%`.
fn escape(bytes: &mut std::str::Bytes<'_>) -> Option<u8> {
    let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(target: &str) -> Option<ReasonCode> {
        Target::parse(target.as_bytes()).err().map(|refused| refused.reason())
    }

    #[test]
    fn a_target_with_one_reading_passes() {
        for target in
            ["/", "/a", "/a/", "/a/b-c_d~e", "/a?b=c", "/a?", "/a%20b", "/%C3%A9", "/a..b"]
        {
            assert_eq!(reason(target), None, "{target}");
        }
    }

    #[test]
    fn a_target_with_two_readings_is_refused() {
        for target in [
            "",
            "a",
            "*",
            "http://a/b",
            "//a",
            "/a//b",
            "/./a",
            "/a/../b",
            "/a/..",
            "/a\\b",
            "/a;b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/%2e%2e/a",
            "/a%2eb",
            "/a%25b",
            "/a%00",
            "/a%0d",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%3bb",
            "/%ff",
            "/a#b",
            "/a b",
            "/\u{e9}",
            "/a?b#c",
        ] {
            assert_eq!(reason(target), Some(ReasonCode::Path), "{target}");
        }
        assert_eq!(reason(&"/a".repeat(5000)), Some(ReasonCode::Path));
    }

    #[test]
    fn a_query_parameter_is_decoded_once() {
        let get = |query| parameter(query, "b").map(|value| value.map(Cow::into_owned));
        assert_eq!(get("a=1&b=x%2525"), Ok(Some("x%25".to_owned())));
        assert_eq!(get("%62=x"), Ok(Some("x".to_owned())));
        assert_eq!(get("b"), Ok(Some(String::new())));
        assert_eq!(get("a=1&bb=2"), Ok(None));
    }

    #[test]
    fn a_query_parameter_with_two_readings_is_refused() {
        for query in [
            "b=1&b=2",
            "b=1&%62=2",
            "b[]=1",
            "b=1&b[0]=2",
            "b=1;c=2",
            "c=1;b=2",
            "b=x+y",
            "b=%ff",
            "b=%2",
            "%zz=1",
        ] {
            let refused = parameter(query, "b").unwrap_err();
            assert_eq!(refused.reason(), ReasonCode::Malformed, "{query}");
        }
    }
}
