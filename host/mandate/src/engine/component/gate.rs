//! The gate of the component: the JSON of docs/abi.md#gate becomes its typed calls.

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate_authn::LoadError;
use mandate_host::Policy;
use mandate_host::gate::{
    Answer, Emission, Field, Head, Header, Pass, Request, ResponseDuty, SessionDuty, Verdict,
};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::{Map, Value, json};

use crate::engine::EngineError;

/// Bytes in JSON: a text, or `base64url`.
#[derive(Default)]
struct Bytes(Vec<u8>);

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Text(String),
    Encoded { base64url: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    now: u64,
    emission: EmissionQuestion,
    request: RequestQuestion,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmissionQuestion {
    decision_id: String,
    source: String,
    sequence: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestQuestion {
    route: Option<String>,
    method: Bytes,
    target: Bytes,
    #[serde(default)]
    headers: Vec<(Bytes, Bytes)>,
    #[serde(default)]
    body: Bytes,
    #[serde(default)]
    trailers: Vec<(Bytes, Bytes)>,
    certificate_sha256: Option<String>,
    peer_address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuestion {
    now: u64,
    ticket: String,
    content_type: Option<String>,
    body: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamQuestion {
    now: u64,
    ticket: String,
    #[serde(default)]
    held: Bytes,
    chunk: Bytes,
    last: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealQuestion {
    scope: String,
    id: Bytes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretQuestion {
    secret: Bytes,
}

/// The secret of a question.
pub(super) fn secret(question: &str) -> Result<Vec<u8>, EngineError> {
    let wrong = |error: serde_json::Error| {
        EngineError::Document(LoadError { path: "secret".to_owned(), message: error.to_string() })
    };
    let SecretQuestion { secret } = serde_json::from_str(question).map_err(wrong)?;
    Ok(secret.0)
}

pub(super) fn decide(policy: &Policy, question: &str) -> Result<String> {
    let question: Question = read(question)?;
    let (request, now) = (question.request.request()?, question.now);
    let EmissionQuestion { decision_id, source, sequence } = question.emission;
    let answer = policy.decide(&request, &Emission { decision_id, source, sequence }, now);
    Ok(answer_json(&answer).to_string())
}

pub(super) fn filter_list(policy: &Policy, question: &str) -> Result<String> {
    let ListQuestion { now, ticket, content_type, body } = read(question)?;
    let reply = policy.filter_list(&ticket, content_type.as_deref(), &body.0, now);
    let mut answer = members([
        ("body", Some(bytes_json(&reply.body))),
        ("content_type", Some(json!(reply.content_type))),
        ("failure", reply.failure.map(Value::from)),
    ]);
    answer.insert("removed".to_owned(), json!(reply.removed));
    Ok(Value::Object(answer).to_string())
}

pub(super) fn filter_stream(policy: &Policy, question: &str) -> Result<String> {
    let StreamQuestion { now, ticket, held, chunk, last } = read(question)?;
    let answer = match policy.filter_stream(&ticket, &held.0, &chunk.0, last, now) {
        Ok(piece) => json!({ "out": bytes_json(&piece.out), "held": bytes_json(&piece.held) }),
        Err(problem) => json!({ "error": problem }),
    };
    Ok(answer.to_string())
}

pub(super) fn seal_session(policy: &Policy, question: &str) -> Result<String> {
    let SealQuestion { scope, id } = read(question)?;
    let sealed = policy.seal_session(&scope, &id.0);
    Ok(Value::Object(members([("sealed", sealed.map(Value::from))])).to_string())
}

impl RequestQuestion {
    fn request(self) -> Result<Request> {
        let headers = fields(self.headers);
        let (method, target) = (self.method.0, self.target.0);
        let mut request = Request::new(Head { route: self.route, method, target, headers });
        request.body = self.body.0;
        request.trailers = fields(self.trailers);
        request.peer_address = self.peer_address;
        if let Some(text) = &self.certificate_sha256 {
            let digest = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            request.certificate_sha256 = Some(digest.context("`certificate_sha256` is none")?);
        }
        Ok(request)
    }
}

fn fields(stated: Vec<(Bytes, Bytes)>) -> Vec<Field> {
    stated.into_iter().map(|(name, value)| Field::new(name.0, value.0)).collect()
}

fn answer_json(answer: &Answer) -> Value {
    let (verdict, reply, pass) = match &answer.verdict {
        Verdict::Reply(reply) => {
            let headers = pairs(&reply.headers);
            let reply = json!({ "status": reply.status, "headers": headers, "body": reply.body });
            ("reply", Some(reply), None)
        }
        Verdict::Pass(pass) => ("pass", None, Some(pass_json(pass))),
    };
    let mut stated = members([
        ("reply", reply),
        ("pass", pass),
        ("audit", answer.audit.clone().map(Value::from)),
        ("refresh", answer.refresh.clone().map(Value::from)),
    ]);
    stated.insert("verdict".to_owned(), json!(verdict));
    stated.insert("reason".to_owned(), json!(answer.reason));
    stated.insert("detail".to_owned(), json!(answer.detail));
    Value::Object(stated)
}

fn pass_json(pass: &Pass) -> Value {
    json!({
        "remove": pass.remove,
        "remove_trailers": pass.remove_trailers,
        "set": pairs(&pass.set),
        "response": duty_json(&pass.response),
    })
}

fn duty_json(duty: &ResponseDuty) -> Value {
    let (session, scope) = match &duty.session {
        SessionDuty::Remove => (Some("remove"), None),
        SessionDuty::Seal(scope) => (Some("seal"), Some(scope.clone())),
        SessionDuty::Untouched => (None, None),
    };
    Value::Object(members([
        ("list_ticket", duty.list_ticket.clone().map(Value::from)),
        ("stream_ticket", duty.stream_ticket.clone().map(Value::from)),
        ("session", session.map(Value::from)),
        ("session_scope", scope.map(Value::from)),
        ("ends_at", duty.ends_at.map(Value::from)),
    ]))
}

fn pairs(headers: &[Header]) -> Value {
    headers.iter().map(|header| json!([header.name, header.value])).collect()
}

fn members<const N: usize>(stated: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let present = |(name, value): (&str, Option<Value>)| Some((name.to_owned(), value?));
    stated.into_iter().filter_map(present).collect()
}

fn bytes_json(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64url": URL_SAFE_NO_PAD.encode(bytes) }),
    }
}

fn read<'q, T: Deserialize<'q>>(question: &'q str) -> Result<T> {
    serde_json::from_str(question).map_err(|error| anyhow!("the question is malformed: {error}"))
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Encoded { base64url } => URL_SAFE_NO_PAD
                .decode(base64url)
                .map(Self)
                .map_err(|_| D::Error::custom("is no base64url without padding")),
        }
    }
}
