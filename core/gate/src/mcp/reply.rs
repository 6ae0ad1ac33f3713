//! What a caller gets instead of an answer of the server: JSON-RPC errors.

use mandate_authn::Json;

use super::version::SUPPORTED;

/// The error for a list that cannot be filtered. Source: JSON-RPC 2.0 section 5.1, internal error.
pub(crate) const INTERNAL_ERROR: i32 = -32603;

/// The body of a JSON-RPC error, canonical (RFC 8785).
///
/// Without an id (the request could not be read that far) the member is absent, as MCP has it
/// ("an error response that has no `id`"), where JSON-RPC 2.0 alone says `null`. `id` is JSON text:
/// what [`super::message::Id::as_json`] gave.
/// `message` is neutral: it names nobody.
pub(crate) fn error(id: Option<&str>, code: i32, message: &str) -> String {
    render(id, code, message, "")
}

/// The body that MCP 2026-07-28 wants for a version that is not spoken here: a client takes one of
/// the supported ones and comes again.
///
/// Spec: MCP 2026-07-28, basic/versioning, protocol version negotiation (-32022, HTTP 400).
pub(crate) fn unsupported_version(id: Option<&str>, requested: &str) -> String {
    let supported = SUPPORTED.iter().map(|version| Json::from(*version)).collect();
    let data = mandate_authn::json_object([
        ("requested", Some(Json::from(requested))),
        ("supported", Some(Json::Array(supported))),
    ]);
    let data = format!("\"data\":{},", data.to_canonical());
    render(id, UNSUPPORTED_VERSION, "Unsupported protocol version", &data)
}

/// JSON text of a string.
pub(crate) fn quoted(text: &str) -> String {
    Json::from(text).to_canonical()
}

/// MCP 2026-07-28, schema: `UNSUPPORTED_PROTOCOL_VERSION`.
const UNSUPPORTED_VERSION: i32 = -32022;

/// Members in the order of RFC 8785: `error` (`code`, `data`, `message`), `id`, `jsonrpc`. The id
/// is its own text: an integer beyond 2^53 has no other exact form.
fn render(id: Option<&str>, code: i32, message: &str, data: &str) -> String {
    let id = id.map_or_else(String::new, |id| format!("\"id\":{id},"));
    let message = quoted(message);
    format!(r#"{{"error":{{"code":{code},{data}"message":{message}}},{id}"jsonrpc":"2.0"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::mcp::message::Id;

    #[test]
    fn an_error_carries_the_id_as_it_came() {
        for (text, shown) in [
            ("7", "7"),
            (r#""a\"\u0062""#, r#""a\"b""#),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let expected = format!(
                r#"{{"error":{{"code":-32001,"message":"Access denied."}},"id":{shown},"jsonrpc":"2.0"}}"#
            );
            assert_eq!(
                error(Id::parse(text).as_ref().map(Id::as_json), -32001, "Access denied."),
                expected
            );
        }
    }

    #[test]
    fn an_error_without_an_id_has_no_member() {
        let expected = r#"{"error":{"code":-32600,"message":"a \"b\""},"jsonrpc":"2.0"}"#;
        assert_eq!(error(None, -32600, "a \"b\""), expected);
    }

    #[test]
    fn an_unsupported_version_is_told_the_supported_ones() {
        let expected = r#"{"error":{"code":-32022,"data":{"requested":"1900-01-01","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"]},"message":"Unsupported protocol version"},"id":1,"jsonrpc":"2.0"}"#;
        let body = unsupported_version(Some("1"), "1900-01-01");
        assert_eq!(body, expected);
        assert_eq!(Json::parse(body.as_bytes(), 5).unwrap().to_canonical(), expected);
    }
}
