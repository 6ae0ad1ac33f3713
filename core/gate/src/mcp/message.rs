//! One JSON-RPC message in the body of a request.
//!
//! Spec: JSON-RPC 2.0 sections 4 and 5, MCP 2025-11-25 and 2026-07-28 basic ("Messages"): an id is
//! a string or an integer, never null; a body is one message, and since 2025-06-18 never a batch.

use std::borrow::Cow;

use mandate_authn::ReasonCode;
use serde_json::Number;

use super::reply;
use super::value::{Object, Value};
use crate::limits;
use crate::refused::Refused;

/// A message that a client posts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message<'b> {
    /// `method` without `id`.
    Notification { method: Cow<'b, str>, params: Object<'b> },
    /// `method` with `id`.
    Request { id: Id, method: Cow<'b, str>, params: Object<'b> },
    /// The client's answer to a request of the server (2025-11-25).
    Response { id: Id },
}

/// The id of a request, as JSON text: what an answer repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(String);

/// A body that is no message, and its id where it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unread {
    pub(crate) refused: Refused,
    pub(crate) id: Option<Id>,
}

/// Parses a body of at most `most` bytes.
///
/// # Errors
/// `too-large`, `batch`, `malformed`.
pub(crate) fn parse(body: &[u8], most: usize) -> Result<Message<'_>, Unread> {
    if body.len() > most {
        let refused = Refused::new(ReasonCode::TooLarge, "the body is longer than the limit");
        return Err(Unread { refused, id: None });
    }
    // Looked at before it is parsed: an array is a batch however its elements read.
    if body.iter().find(|byte| !WHITE_SPACE.contains(byte)) == Some(&b'[') {
        let refused = Refused::new(ReasonCode::Batch, "the body is a batch");
        return Err(Unread { refused, id: None });
    }
    let value = Value::parse(body).map_err(|error| Unread::of(error.describe()))?;
    let Value::Object(members) = value else { return Err(Unread::of("is no object")) };
    Parts::of(members)?.message()
}

impl<'b> Message<'b> {
    /// The id, of a request or a response.
    #[cfg(test)]
    pub(crate) const fn id(&self) -> Option<&Id> {
        match self {
            Self::Notification { .. } => None,
            Self::Request { id, .. } | Self::Response { id } => Some(id),
        }
    }

    /// The method; a response has none.
    pub(crate) fn method(&self) -> Option<&str> {
        match self {
            Self::Notification { method, .. } | Self::Request { method, .. } => Some(method),
            Self::Response { .. } => None,
        }
    }

    /// The parameters, empty where there are none; a response has none.
    pub(crate) const fn params(&self) -> Option<&Object<'b>> {
        match self {
            Self::Notification { params, .. } | Self::Request { params, .. } => Some(params),
            Self::Response { .. } => None,
        }
    }
}

impl Id {
    /// Reads an id out of its JSON text: what [`Self::as_json`] gave.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::of(&Value::parse(text.as_bytes()).ok()?)
    }

    /// The id in a message.
    pub(crate) fn of(value: &Value<'_>) -> Option<Self> {
        let text = match value {
            Value::Text(text) => reply::quoted(text),
            // An integer's text has one form: JSON knows no `+1` and no `01`, and `-0` is none.
            Value::Number(number) if is_integer(number) => number.to_string(),
            Value::Number(_)
            | Value::Array(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Object(_) => return None,
        };
        (text.len() <= limits::MESSAGE_ID_BYTES).then_some(Self(text))
    }

    /// The JSON text.
    pub(crate) fn as_json(&self) -> &str {
        &self.0
    }
}

impl Unread {
    fn of(problem: &'static str) -> Self {
        Self { refused: Refused::malformed(problem), id: None }
    }

    /// The same with the id that was read.
    fn about(self, id: Option<Id>) -> Self {
        Self { id, ..self }
    }
}

/// The members of a message, before it is known which kind it is.
#[derive(Default)]
struct Parts<'b> {
    jsonrpc: Option<Value<'b>>,
    id: Option<Value<'b>>,
    method: Option<Value<'b>>,
    params: Option<Value<'b>>,
    result: Option<Value<'b>>,
    error: Option<Value<'b>>,
}

impl<'b> Parts<'b> {
    fn of(members: Object<'b>) -> Result<Self, Unread> {
        let mut parts = Self::default();
        let mut unknown = false;
        for (name, value) in members.into_members() {
            let part = match name.as_ref() {
                "jsonrpc" => &mut parts.jsonrpc,
                "id" => &mut parts.id,
                "method" => &mut parts.method,
                "params" => &mut parts.params,
                "result" => &mut parts.result,
                "error" => &mut parts.error,
                _ => {
                    unknown = true;
                    continue;
                }
            };
            *part = Some(value);
        }
        if unknown {
            let id = parts.id.as_ref().and_then(Id::of);
            return Err(Unread::of("has a member that JSON-RPC does not know").about(id));
        }
        Ok(parts)
    }

    fn message(self) -> Result<Message<'b>, Unread> {
        let id = match &self.id {
            None => None,
            Some(value) => Some(Id::of(value).ok_or_else(|| {
                Unread::of("`id` is no string or integer, or longer than the limit")
            })?),
        };
        let refuse = |problem| Unread::of(problem).about(id.clone());
        if self.jsonrpc.as_ref().and_then(Value::as_text) != Some("2.0") {
            return Err(refuse("`jsonrpc` is not `2.0`"));
        }
        match (self.method, self.result, self.error) {
            (Some(Value::Text(method)), None, None) => {
                let params = match self.params {
                    None => Object::default(),
                    Some(Value::Object(params)) => params,
                    Some(_) => return Err(refuse("`params` is no object")),
                };
                Ok(match id {
                    None => Message::Notification { method, params },
                    Some(id) => Message::Request { id, method, params },
                })
            }
            (Some(_), None, None) => Err(refuse("`method` is no string")),
            (None, result, error) if self.params.is_none() => {
                let id = id.clone().ok_or_else(|| refuse("neither `method` nor `id`"))?;
                answer(result.as_ref(), error.as_ref()).map_err(refuse)?;
                Ok(Message::Response { id })
            }
            _ => Err(refuse("is a request and a response at once")),
        }
    }
}

/// Exactly one of `result` and `error`, and that an object.
fn answer(result: Option<&Value<'_>>, error: Option<&Value<'_>>) -> Result<(), &'static str> {
    match (result, error) {
        (Some(Value::Object(_)), None) => Ok(()),
        (None, Some(Value::Object(error))) => {
            let code = matches!(error.get("code"), Some(Value::Number(code)) if is_integer(code));
            if code && matches!(error.get("message"), Some(Value::Text(_))) {
                Ok(())
            } else {
                Err("`error` has no integer `code` or no string `message`")
            }
        }
        _ => Err("a response has either `result` or `error`, an object"),
    }
}

fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64()
}

/// RFC 8259 section 2.
const WHITE_SPACE: [u8; 4] = *b" \t\n\r";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<Message<'_>, Unread> {
        parse(text.as_bytes(), limits::BODY_BYTES)
    }

    fn malformed(text: &str) -> Unread {
        let unread = parsed(text).unwrap_err();
        assert_eq!(unread.refused.reason(), ReasonCode::Malformed, "{text}");
        unread
    }

    fn request<'b>(id: &str, method: &'b str) -> Message<'b> {
        let id = Id::parse(id).unwrap();
        Message::Request { id, method: method.into(), params: Object::default() }
    }

    #[test]
    fn a_method_with_an_id_is_a_request_and_without_one_a_notification() {
        assert_eq!(
            parsed(r#" {"jsonrpc":"2.0","id":1,"method":"ping"} "#),
            Ok(request("1", "ping"))
        );
        assert_eq!(
            parsed(r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{}}"#),
            Ok(Message::Notification {
                method: "notifications/initialized".into(),
                params: Object::default()
            })
        );
        let with_params = r#"{"jsonrpc":"2.0","id":"a","method":"x","params":{"b":[1]}}"#;
        let read = parsed(with_params).unwrap();
        assert_eq!(read.params().unwrap().get("b").unwrap().as_array().unwrap().len(), 1);
    }

    #[test]
    fn an_answer_of_the_client_is_a_kind_of_its_own() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no","data":[]}}"#,
        ] {
            assert_eq!(parsed(text), Ok(Message::Response { id: Id::parse("1").unwrap() }));
        }
        for text in [
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":-1,"message":"no"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1.5,"message":"no"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":"no"}"#,
        ] {
            malformed(text);
        }
    }

    #[test]
    fn an_id_is_a_string_or_an_integer() {
        for (id, shown) in [
            ("0", "0"),
            ("-7", "-7"),
            ("18446744073709551615", "18446744073709551615"),
            (r#""""#, r#""""#),
            (r#""\u0041\/""#, r#""A/""#),
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
            assert_eq!(parsed(&text).unwrap().id().unwrap().as_json(), shown);
        }
        for id in ["null", "1.0", "1e3", "-0", "true", "[]", "{}", "18446744073709551616"] {
            malformed(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        }
    }

    #[test]
    fn an_id_has_a_limit() {
        let of = |length: usize| {
            format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#, "a".repeat(length))
        };
        let longest = limits::MESSAGE_ID_BYTES - 2;
        assert_eq!(parsed(&of(longest)).unwrap().method(), Some("ping"));
        malformed(&of(longest + 1));
    }

    #[test]
    fn only_json_rpc_2_is_read() {
        for version in ["\"1.0\"", "\"2\"", "2.0", "null"] {
            malformed(&format!(r#"{{"jsonrpc":{version},"id":1,"method":"ping"}}"#));
        }
        malformed(r#"{"id":1,"method":"ping"}"#);
    }

    #[test]
    fn parameters_are_an_object() {
        for params in ["[]", "null", "\"a\"", "1"] {
            malformed(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{params}}}"#));
        }
        malformed(r#"{"jsonrpc":"2.0","id":1,"method":1}"#);
        malformed(r#"{"jsonrpc":"2.0","id":1,"method":null}"#);
    }

    #[test]
    fn unknown_members_are_refused_with_the_id_that_was_read() {
        let unread = malformed(r#"{"jsonrpc":"2.0","id":"a","method":"ping","Method":"x"}"#);
        assert_eq!(unread.id, Id::parse("\"a\""));
        let unread = malformed(r#"{"jsonrpc":"2.0","id":null,"method":"ping","extra":1}"#);
        assert_eq!(unread.id, None);
    }

    #[test]
    fn a_batch_is_refused_as_one_even_where_it_is_broken() {
        for text in ["[]", " \n[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", "["] {
            assert_eq!(parsed(text).unwrap_err().refused.reason(), ReasonCode::Batch, "{text}");
        }
        malformed("\u{b}[]");
        malformed("\"[]\"");
    }

    #[test]
    fn two_readers_never_see_two_requests() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"name":"a","na\u006de":"b"}}"#,
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"} x",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}{}",
            "",
            "1",
        ] {
            malformed(text);
        }
        let unread = parse(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", 100).unwrap_err();
        assert_eq!(unread, Unread::of("is not UTF-8"));
    }

    #[test]
    fn a_body_has_a_limit() {
        let text = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        assert_eq!(parse(text, text.len()), Ok(request("1", "ping")));
        let unread = parse(text, text.len() - 1).unwrap_err();
        assert_eq!(unread.refused.reason(), ReasonCode::TooLarge);
    }

    #[test]
    fn depth_has_a_limit() {
        let of = |levels: usize| {
            let (open, close) = ("[".repeat(levels), "]".repeat(levels));
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"a":{open}{close}}}}}"#)
        };
        assert_eq!(parsed(&of(limits::JSON_DEPTH - 2)).unwrap().method(), Some("x"));
        malformed(&of(limits::JSON_DEPTH - 1));
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes, 200);
        }

        #[test]
        fn what_almost_is_a_message_never_makes_it_panic(
            members in prop::collection::vec(
                (
                    "jsonrpc|id|method|params|result|error|x",
                    "\"2.0\"|1|-0|null|\"a\"|\\{\\}|\\[\\]|1.5|\\{\"code\":1,\"message\":\"\"\\}",
                ),
                0..6,
            )
        ) {
            let members: Vec<_> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let text = format!("{{{}}}", members.join(","));
            if let Ok(message) = parsed(&text) {
                // What is read is a message by the words of JSON-RPC.
                prop_assert_eq!(message.method().is_some(), text.contains("\"method\""));
                prop_assert!(text.contains("\"jsonrpc\":\"2.0\""));
                prop_assert_eq!(message.id().is_some(), text.contains("\"id\""));
            }
        }
    }
}
