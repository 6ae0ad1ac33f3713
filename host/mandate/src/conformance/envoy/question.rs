//! One case of the gate as it goes over the wire.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::client::Protocol;
use super::message::Fields;
use crate::conformance::Decision;

/// A case that is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) id: String,
    pub(super) class: String,
    /// The line of the probe protocol.
    pub(super) line: Value,
    /// Members of the answer.
    pub(super) expect: serde_json::Map<String, Value>,
    pub(super) request: WireRequest,
    pub(super) response: Option<WireResponse>,
    /// The moment that it is asked at.
    pub(super) now: u64,
}

/// A request as a client sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WireRequest {
    pub(super) method: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) fields: Fields,
    pub(super) body: Option<Vec<u8>>,
    pub(super) trailers: Fields,
}

/// A response as the server sends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WireResponse {
    pub(super) content_type: Option<Vec<u8>>,
    /// The body, in the parts that it comes in.
    pub(super) chunks: Vec<Vec<u8>>,
    pub(super) session_id: Option<Vec<u8>>,
    /// Seconds after the request.
    pub(super) delay: u64,
}

impl Question {
    pub(super) fn of(decision: &Decision) -> Result<Self> {
        let Decision { id, class, line, expect, .. } = decision;
        let request = line.pointer("/question/request").context("`request` is missing")?;
        let now = line.pointer("/question/now").and_then(Value::as_u64).context("no `now`")?;
        let response = line.get("response").map(|response| WireResponse::of(response, now));
        Ok(Self {
            id: id.clone(),
            class: class.clone(),
            line: line.clone(),
            expect: expect.clone(),
            request: WireRequest::of(request)?,
            response: response.transpose()?,
            now,
        })
    }

    /// The `Host` that it is sent with: it decides nothing, and tells the server which case it is.
    pub(super) fn host(&self, protocol: Protocol) -> String {
        let name = self.id.replace('/', ".");
        format!("{name}.{}.example", protocol.as_str())
    }

    /// The `Host` that the server sees: that of the target, where the target names one.
    pub(super) fn seen_host(&self, protocol: Protocol) -> String {
        let target = std::str::from_utf8(&self.request.target).ok();
        let absolute = target.and_then(|target| target.strip_prefix("https://"));
        match absolute.and_then(|rest| rest.split('/').next()) {
            Some(host) if protocol == Protocol::Http1 => host.to_owned(),
            _ => self.host(protocol),
        }
    }

    /// The same question at another moment, for a record of that emission.
    pub(super) fn line_at(&self, now: u64, emission: Option<Value>) -> Value {
        let mut line = self.line.clone();
        if let Some(question) = line.get_mut("question").and_then(Value::as_object_mut) {
            question.insert("now".to_owned(), json!(now));
            if let Some(emission) = emission {
                question.insert("emission".to_owned(), emission);
            }
        }
        line
    }
}

impl WireRequest {
    /// As whoever reads it sees it: names in lower case, values without white space around them.
    pub(super) fn as_seen(&self) -> Self {
        let mut request = self.clone();
        for (name, value) in request.fields.iter_mut().chain(&mut request.trailers) {
            name.make_ascii_lowercase();
            *value = value.trim_ascii().to_vec();
        }
        request
    }

    fn of(request: &Value) -> Result<Self> {
        let fields = |name: &str| -> Result<Fields> {
            let pairs = request.get(name).and_then(Value::as_array);
            let pairs = pairs.map(Vec::as_slice).unwrap_or_default().iter();
            let pair = |pair: &Value| {
                let part = |at: usize| bytes(pair.get(at).context("a name and a value")?);
                Ok((part(0)?, part(1)?))
            };
            pairs.map(pair).collect()
        };
        Ok(Self {
            method: bytes(request.get("method").context("method")?)?,
            target: bytes(request.get("target").context("target")?)?,
            fields: fields("headers")?,
            body: request.get("body").map(bytes).transpose()?,
            trailers: fields("trailers")?,
        })
    }
}

impl WireResponse {
    fn of(response: &Value, asked_at: u64) -> Result<Self> {
        let text = |name: &str| response.get(name).map(bytes).transpose();
        let mut content_type = text("content_type")?;
        let mut chunks: Vec<Vec<u8>> = text("body")?.into_iter().collect();
        if let Some(parts) = response.get("chunks").and_then(Value::as_array) {
            content_type.get_or_insert_with(|| b"text/event-stream".to_vec());
            chunks = parts.iter().map(bytes).collect::<Result<_>>()?;
        }
        let now = response.get("now").and_then(Value::as_u64).unwrap_or(asked_at);
        let (session_id, delay) = (text("session_id")?, now.saturating_sub(asked_at));
        Ok(Self { content_type, chunks, session_id, delay })
    }
}

/// A text, or bytes by their base64url.
pub(super) fn bytes(value: &Value) -> Result<Vec<u8>> {
    if let Some(text) = value.as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    let encoded = value.get("base64url").and_then(Value::as_str).context("no text")?;
    URL_SAFE_NO_PAD.decode(encoded).context("base64url")
}
