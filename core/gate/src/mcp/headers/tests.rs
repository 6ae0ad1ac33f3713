use proptest::prelude::*;

use super::*;
use crate::limits;
use crate::mcp::message;

/// The check's reason for a body and headers, `MCP-Protocol-Version` among them.
fn reason(body: &str, headers: &[(&str, &[u8])]) -> Result<(), ReasonCode> {
    let fields: Vec<(&[u8], &[u8])> =
        headers.iter().map(|(name, value)| (name.as_bytes(), *value)).collect();
    let headers = Headers(&fields);
    let message = message::parse(body.as_bytes(), limits::BODY_BYTES).unwrap();
    let version = version::read(&headers).map_err(|unspoken| Refused::from(unspoken).reason())?;
    check(version, &headers, &message).map_err(|refused| refused.reason())
}

const MISMATCH: Result<(), ReasonCode> = Err(ReasonCode::HeaderMismatch);
const MALFORMED: Result<(), ReasonCode> = Err(ReasonCode::Malformed);

const NEW: (&str, &[u8]) = ("MCP-Protocol-Version", b"2026-07-28");
const OLD: (&str, &[u8]) = ("mcp-protocol-version", b"2025-11-25");
const CALL: (&str, &[u8]) = ("Mcp-Method", b"tools/call");

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;

/// A request of 2026-07-28 with these members in its parameters.
fn modern(method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}{META}}}}}"#)
}

/// A request of 2025-11-25.
fn older(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
}

#[test]
fn the_examples_of_the_specification_pass() {
    let call =
        modern("tools/call", r#""name":"get_weather","arguments":{"location":"Seattle, WA"}"#);
    assert_eq!(reason(&call, &[NEW, CALL, ("Mcp-Name", b"get_weather")]), Ok(()));
    let uri = "file:///projects/myapp/config.json";
    let read = modern("resources/read", &format!(r#""uri":"{uri}""#));
    let headers = [NEW, ("Mcp-Method", b"resources/read".as_slice()), ("Mcp-Name", uri.as_bytes())];
    assert_eq!(reason(&read, &headers), Ok(()));
    let sql = modern(
        "tools/call",
        r#""name":"execute_sql","arguments":{"region":"us-west1","query":"SELECT * FROM users"}"#,
    );
    let headers =
        [NEW, CALL, ("Mcp-Name", b"execute_sql".as_slice()), ("Mcp-Param-Region", b"us-west1")];
    assert_eq!(reason(&sql, &headers), Ok(()));
}

#[test]
fn a_request_needs_the_headers_of_its_method() {
    let call = modern("tools/call", r#""name":"a""#);
    assert_eq!(reason(&call, &[NEW, CALL, ("mcp-name", b"a")]), Ok(()));
    assert_eq!(reason(&call, &[NEW, ("Mcp-Name", b"a")]), MISMATCH);
    assert_eq!(reason(&call, &[NEW, CALL]), MISMATCH);
    let list = modern("tools/list", "");
    assert_eq!(reason(&list, &[NEW, ("Mcp-Method", b"tools/list")]), Ok(()));
    assert_eq!(reason(&list, &[NEW]), MISMATCH);
}

#[test]
fn a_header_that_says_something_else_is_refused() {
    let call = modern("tools/call", r#""name":"a""#);
    for headers in [
        [NEW, ("Mcp-Method", b"tools/list".as_slice()), ("Mcp-Name", b"a")],
        [NEW, ("Mcp-Method", b"Tools/Call"), ("Mcp-Name", b"a")],
        [NEW, ("Mcp-Method", b" tools/call"), ("Mcp-Name", b"a")],
        [NEW, ("Mcp-Method", b"=?base64?dG9vbHMvY2FsbA==?="), ("Mcp-Name", b"a")],
        [NEW, CALL, ("Mcp-Name", b"b")],
        [NEW, CALL, ("Mcp-Name", b"A")],
        [NEW, CALL, ("Mcp-Name", b"a ")],
        [NEW, CALL, ("Mcp-Name", b"")],
    ] {
        assert_eq!(reason(&call, &headers), MISMATCH, "{headers:?}");
    }
}

#[test]
fn a_name_on_a_method_without_one_is_refused() {
    let list = modern("tools/list", r#""name":"a""#);
    let headers = [NEW, ("Mcp-Method", b"tools/list".as_slice()), ("Mcp-Name", b"a")];
    assert_eq!(reason(&list, &headers), MISMATCH);
    let completion = modern("completion/complete", r#""ref":{"type":"ref/prompt","name":"a"}"#);
    let headers = [NEW, ("Mcp-Method", b"completion/complete".as_slice()), ("Mcp-Name", b"a")];
    assert_eq!(reason(&completion, &headers), MISMATCH);
}

#[test]
fn the_name_comes_from_the_member_of_the_method() {
    let both = r#""name":"n","uri":"u""#;
    for (method, name) in [("prompts/get", "n"), ("tools/call", "n"), ("resources/read", "u")] {
        let body = modern(method, both);
        for said in ["n", "u"] {
            let headers = [NEW, ("Mcp-Method", method.as_bytes()), ("Mcp-Name", said.as_bytes())];
            let expected = if said == name { Ok(()) } else { MISMATCH };
            assert_eq!(reason(&body, &headers), expected, "{method} {said}");
        }
    }
}

#[test]
fn the_base64_form_is_decoded_strictly() {
    for (encoded, name) in [
        ("=?base64?SGVsbG8sIOS4lueVjA==?=", "Hello, 世界"),
        ("=?base64?IHBhZGRlZCA=?=", " padded "),
        ("=?base64?bGluZTEKbGluZTI=?=", "line1\\nline2"),
        ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", "=?base64?literal?="),
        ("=?base64??=", ""),
        // No sentinel: the texts themselves.
        ("=?Base64?YQ==?=", "=?Base64?YQ==?="),
        ("=?base64?=", "=?base64?="),
        ("=?base64?YQ==", "=?base64?YQ=="),
    ] {
        let call = modern("tools/call", &format!(r#""name":"{name}""#));
        let headers = [NEW, CALL, ("Mcp-Name", encoded.as_bytes())];
        assert_eq!(reason(&call, &headers), Ok(()), "{encoded}");
    }
}

#[test]
fn base64_that_is_not_canonical_is_refused_even_where_it_could_be_read() {
    let call = modern("tools/call", r#""name":"a""#);
    let with = |value: &[u8]| reason(&call, &[NEW, CALL, ("Mcp-Name", value)]);
    assert_eq!(with(b"=?base64?YQ==?="), Ok(()));
    for value in ["YQ", "YQ=", "YR==", "Y Q==", "YQ==\n", "_w==", "/w==", "YQ==YQ=="] {
        assert_eq!(with(format!("=?base64?{value}?=").as_bytes()), MISMATCH, "{value}");
    }
}

#[test]
fn a_text_that_looks_encoded_must_be_encoded() {
    let call = modern("tools/call", r#""name":"=?base64?literal?=""#);
    assert_eq!(reason(&call, &[NEW, CALL, ("Mcp-Name", b"=?base64?literal?=")]), MISMATCH);
}

#[test]
fn bytes_that_no_header_may_have_are_refused() {
    for byte in [0, 0x1f, 0x7f, 0x80, 0xe9, 0xff] {
        let call = modern("tools/call", r#""name":"a""#);
        assert_eq!(reason(&call, &[NEW, CALL, ("Mcp-Name", &[b'a', byte])]), MISMATCH, "{byte}");
    }
    // Plain UTF-8 is no header value, though it is the name.
    let call = modern("tools/call", r#""name":"é""#);
    assert_eq!(reason(&call, &[NEW, CALL, ("Mcp-Name", "é".as_bytes())]), MISMATCH);
    assert_eq!(reason(&call, &[NEW, CALL, ("Mcp-Name", b"=?base64?w6k=?=")]), Ok(()));
}

#[test]
fn a_header_that_comes_twice_is_refused_though_both_agree() {
    let call = modern("tools/call", r#""name":"a","arguments":{"b":"c"}"#);
    let base = [NEW, CALL, ("Mcp-Name", b"a".as_slice()), ("Mcp-Param-B", b"c"), ("x-mcp", b"")];
    assert_eq!(reason(&call, &base), Ok(()));
    for (name, value) in [
        ("mcp-method", b"tools/call".as_slice()),
        ("MCP-NAME", b"a"),
        ("mcp-param-b", b"c"),
        ("MCP-Protocol-Version", b"2026-07-28"),
    ] {
        let twice: Vec<_> = base.iter().copied().chain([(name, value)]).collect();
        assert_eq!(reason(&call, &twice), MISMATCH, "{name}");
    }
    let sessions = older("tools/call", r#""name":"a""#);
    let twice = [OLD, ("Mcp-Session-Id", b"a".as_slice()), ("mcp-session-id", b"a")];
    assert_eq!(reason(&sessions, &twice), MISMATCH);
    assert_eq!(reason(&sessions, &twice[..2]), Ok(()));
}

#[test]
fn a_name_spelled_with_an_underscore_is_refused() {
    let call = older("tools/call", r#""name":"a","arguments":{"b":"c"}"#);
    for name in ["Mcp_Name", "mcp_session-id", "mcp-session_id", "MCP_METHOD", "Mcp_Param-B"] {
        assert_eq!(reason(&call, &[OLD, (name, b"a")]), MISMATCH, "{name}");
    }
    // An argument's own name may have one, but it and its twin are one to many readers.
    assert_eq!(reason(&call, &[OLD, ("Mcp-Param-a_b", b"c")]), Ok(()));
    let twins = [OLD, ("Mcp-Param-a_b", b"c".as_slice()), ("Mcp-Param-a-b", b"c")];
    assert_eq!(reason(&call, &twins), MISMATCH);
}

#[test]
fn header_and_body_say_one_version() {
    let list = |meta: &str| {
        let params = if meta.is_empty() { String::new() } else { format!(r#""_meta":{meta}"#) };
        older("tools/list", &params)
    };
    let said = |version: &str| {
        list(&format!(r#"{{"io.modelcontextprotocol/protocolVersion":{version}}}"#))
    };
    let method = ("Mcp-Method", b"tools/list".as_slice());
    assert_eq!(reason(&said(r#""2026-07-28""#), &[NEW, method]), Ok(()));
    assert_eq!(reason(&said(r#""2025-11-25""#), &[NEW, method]), MISMATCH);
    assert_eq!(reason(&said("20260728"), &[NEW, method]), MALFORMED);
    assert_eq!(reason(&list("{}"), &[NEW, method]), MALFORMED);
    assert_eq!(reason(&list(""), &[NEW, method]), MALFORMED);
    assert_eq!(reason(&list("[]"), &[NEW, method]), MALFORMED);
    // A server of both generations goes by the body: with sessions it must not say another.
    assert_eq!(reason(&said(r#""2026-07-28""#), &[OLD]), MISMATCH);
    assert_eq!(reason(&said(r#""2026-07-28""#), &[]), MISMATCH);
    assert_eq!(reason(&said(r#""2025-11-25""#), &[OLD]), Ok(()));
    assert_eq!(reason(&list(""), &[OLD]), Ok(()));
    assert_eq!(reason(&list(""), &[]), Ok(()));
}

#[test]
fn with_sessions_headers_are_compared_where_they_come() {
    let call = older("tools/call", r#""name":"a""#);
    let name = ("Mcp-Name", b"a".as_slice());
    assert_eq!(reason(&call, &[OLD]), Ok(()));
    assert_eq!(reason(&call, &[OLD, CALL, name]), Ok(()));
    assert_eq!(reason(&call, &[OLD, ("Mcp-Method", b"tools/list")]), MISMATCH);
    assert_eq!(reason(&call, &[OLD, ("Mcp-Name", b"b")]), MISMATCH);
    let subscribe = older("resources/subscribe", r#""uri":"a:b""#);
    assert_eq!(reason(&subscribe, &[OLD, ("Mcp-Name", b"a:b")]), Ok(()));
    assert_eq!(reason(&subscribe, &[OLD, name]), MISMATCH);
}

#[test]
fn a_response_repeats_nothing() {
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert_eq!(reason(response, &[OLD]), Ok(()));
    assert_eq!(reason(response, &[OLD, CALL]), MISMATCH);
    assert_eq!(reason(response, &[OLD, ("Mcp-Name", b"a")]), MISMATCH);
    assert_eq!(reason(response, &[OLD, ("Mcp-Param-A", b"a")]), MISMATCH);
}

#[test]
fn a_request_without_a_message_repeats_nothing() {
    let without = |fields: &[(&str, &[u8])]| {
        let fields: Vec<(&[u8], &[u8])> =
            fields.iter().map(|(name, value)| (name.as_bytes(), *value)).collect();
        check_without_message(&Headers(&fields)).map_err(|refused| refused.reason())
    };
    let session = ("Mcp-Session-Id", b"a".as_slice());
    assert_eq!(without(&[OLD, session]), Ok(()));
    for name in ["mcp-session-id", "Mcp_Session_Id", "Mcp-Method", "Mcp-Name", "Mcp-Param-A"] {
        assert_eq!(without(&[OLD, session, (name, b"a")]), MISMATCH, "{name}");
    }
}

#[test]
fn a_notification_needs_no_headers_and_is_compared() {
    let cancelled =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    assert_eq!(reason(cancelled, &[NEW]), Ok(()));
    assert_eq!(reason(cancelled, &[NEW, ("Mcp-Method", b"notifications/cancelled")]), Ok(()));
    assert_eq!(reason(cancelled, &[NEW, CALL]), MISMATCH);
}

#[test]
fn the_name_of_an_unknown_method_is_left_to_the_table_that_refuses_it() {
    let task = modern("tasks/later", r#""taskId":"t""#);
    let headers = [NEW, ("Mcp-Method", b"tasks/later".as_slice()), ("Mcp-Name", b"t")];
    assert_eq!(reason(&task, &headers), Ok(()));
}

#[test]
fn a_parameter_is_one_of_the_arguments() {
    let call = modern(
        "tools/call",
        r#""name":"a","other":"z","arguments":{"text":"us-west1","n":-7,"whole":42.0,"big":9007199254740993,"yes":true,"nothing":null,"list":["inside"],"in":{"deep":"é"}}"#,
    );
    let with = |value: &str| {
        let headers = [NEW, CALL, ("Mcp-Name", b"a"), ("Mcp-Param-P", value.as_bytes())];
        reason(&call, &headers)
    };
    for value in [
        "us-west1",
        "=?base64?dXMtd2VzdDE=?=",
        "-7",
        "-7.0",
        "42",
        "42.0",
        "true",
        "=?base64?w6k=?=",
    ] {
        assert_eq!(with(value), Ok(()), "{value}");
    }
    for value in [
        "us-west2",
        "US-WEST1",
        "z",
        "7",
        "false",
        "True",
        "null",
        "",
        "inside",
        "=?base64?dXMtd2VzdDI=?=",
        "9007199254740992",
        "9007199254740993",
        "NaN",
        "inf",
    ] {
        assert_eq!(with(value), MISMATCH, "{value}");
    }
}

#[test]
fn only_a_call_has_parameters() {
    let get = modern("prompts/get", r#""name":"a","arguments":{"b":"c"}"#);
    let headers =
        [NEW, ("Mcp-Method", b"prompts/get".as_slice()), ("Mcp-Name", b"a"), ("Mcp-Param-B", b"c")];
    assert_eq!(reason(&get, &headers), MISMATCH);
    assert_eq!(reason(&get, &headers[..3]), Ok(()));
    let call = modern("tools/call", r#""name":"a""#);
    let headers = [NEW, CALL, ("Mcp-Name", b"a".as_slice()), ("Mcp-Param-B", b"c")];
    assert_eq!(reason(&call, &headers), MISMATCH);
}

#[test]
fn parameters_have_a_name_and_a_limit() {
    let call = older("tools/call", r#""name":"a","arguments":{"b":"c"}"#);
    assert_eq!(reason(&call, &[OLD, ("Mcp-Param-", b"c")]), MISMATCH);
    let names: Vec<_> =
        (0..=limits::PARAMETER_HEADERS).map(|number| format!("Mcp-Param-{number}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), b"c".as_slice())).collect();
    assert_eq!(reason(&call, &headers[1..]), Ok(()));
    assert_eq!(reason(&call, &headers), MISMATCH);
}

/// A value as a conforming client writes it.
fn encoded(text: &str) -> String {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !(text.starts_with(OPEN) && text.ends_with(CLOSE));
    if plain { text.to_owned() } else { format!("{OPEN}{}{CLOSE}", STANDARD.encode(text)) }
}

proptest! {
    #[test]
    fn what_a_conforming_client_sends_passes_and_nothing_else_does(
        name in "(=\\?base64\\?)?\\PC{0,12}( |\\?=)?",
        other in "\\PC{0,12}",
    ) {
        let call = modern("tools/call", &format!(r#""name":{}"#, crate::mcp::reply::quoted(&name)));
        let with = |value: &str| reason(&call, &[NEW, CALL, ("Mcp-Name", value.as_bytes())]);
        prop_assert_eq!(with(&encoded(&name)), Ok(()));
        if other != name {
            prop_assert_eq!(with(&encoded(&other)), MISMATCH);
        }
    }

    #[test]
    fn no_header_makes_it_panic(
        name in "mcp[-_](name|method|param-|param-x|protocol-version|)",
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let call = modern("tools/call", r#""name":"a","arguments":{"b":1}"#);
        let _ = reason(&call, &[NEW, CALL, (&name, &value)]);
    }
}
