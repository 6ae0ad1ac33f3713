//! `Mcp-Param-*`: arguments of a call that the client repeats in headers.
//!
//! Which argument a header repeats is said by the tool's schema (`x-mcp-header`), which is the
//! server's and not known here; that the two agree is the server's to validate. What holds for
//! every schema is compared: the value is one of the call's arguments that a header may repeat, a
//! string, integer or boolean that is reached through objects only. So a header never says what the
//! body does not, and what a conforming client sends always passes. A header that is missing is not
//! noticed here.
//!
//! Spec: MCP 2026-07-28, streamable HTTP, custom headers from tool parameters.

use std::borrow::Cow;

use serde_json::Number;

use super::{decoded, mcp_name, mismatch};
use crate::limits;
use crate::mcp::message::Message;
use crate::mcp::value::{Object, Value};
use crate::refused::Refused;
use crate::view::Headers;

/// What such a header's name begins with, in lower case.
pub(super) const PREFIX: &[u8] = b"mcp-param-";

pub(super) fn compare(headers: &Headers<'_>, message: &Message<'_>) -> Result<(), Refused> {
    let mut wanted = Vec::new();
    for (name, value) in headers.0 {
        let Some(plain) = mcp_name(name).filter(|plain| plain.starts_with(PREFIX)) else {
            continue;
        };
        if plain.len() == PREFIX.len() {
            return Err(mismatch("an `Mcp-Param-` header has no name"));
        }
        if wanted.len() == limits::PARAMETER_HEADERS {
            return Err(mismatch("more `Mcp-Param-` headers than the limit"));
        }
        wanted.push(Wanted::of(decoded(value)?));
    }
    if let (false, Some(arguments)) = (wanted.is_empty(), arguments(message)) {
        strike(arguments, &mut wanted);
    }
    if wanted.is_empty() {
        Ok(())
    } else {
        Err(mismatch("an `Mcp-Param-` header is no argument of the call"))
    }
}

/// Only a call repeats its arguments in headers.
fn arguments<'m>(message: &'m Message<'m>) -> Option<&'m Object<'m>> {
    let call = message.method() == Some("tools/call");
    message.params().filter(|_| call)?.get("arguments")?.as_object()
}

/// Takes off the list what these arguments have. Depth is that of the body, which has a limit.
fn strike(arguments: &Object<'_>, wanted: &mut Vec<Wanted<'_>>) {
    for (_, value) in arguments.iter() {
        if wanted.is_empty() {
            return;
        }
        match value {
            Value::Object(inner) => strike(inner, wanted),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
                wanted.retain(|wanted| !wanted.is(value));
            }
            Value::Array(_) | Value::Null => {}
        }
    }
}

/// The value of a header.
struct Wanted<'h> {
    text: Cow<'h, str>,
    /// The number that the text is.
    number: Option<f64>,
}

impl<'h> Wanted<'h> {
    fn of(text: Cow<'h, str>) -> Self {
        let number = match Value::parse(text.as_bytes()) {
            Ok(Value::Number(number)) => exact(&number),
            _ => None,
        };
        Self { text, number }
    }

    fn is(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Bool(value) => self.text == if *value { "true" } else { "false" },
            // "SHOULD compare […] numerically rather than as strings (e.g., `42.0` and `42`)".
            Value::Number(number) => self.number.is_some() && self.number == exact(number),
            Value::Text(text) => self.text == *text,
            Value::Array(_) | Value::Null | Value::Object(_) => false,
        }
    }
}

/// The value of a number that a header may repeat: beyond ±(2^53 - 1) two integers can be one
/// `f64`, and the specification allows none.
fn exact(number: &Number) -> Option<f64> {
    number.as_f64().filter(|value| value.abs() <= LARGEST)
}

/// 2^53 - 1.
const LARGEST: f64 = 9_007_199_254_740_991.0;
