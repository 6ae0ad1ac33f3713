//! What core in this process says of the same request at the same moment, and whether Envoy did it.

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::client::Answered;
use super::message::Fields;
use super::process::Logged;
use super::question::{Question, WireRequest, bytes};
use super::upstream::Received;
use crate::conformance::authz::states;
use crate::conformance::{Complete, Implementation as _};

/// All that was seen of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) answered: Answered,
    /// What came to the upstream.
    pub(super) received: Vec<Received>,
    pub(super) logged: Logged,
    /// Seconds since the epoch: before it was sent, and once it was answered.
    pub(super) sent: u64,
    pub(super) done: u64,
}

/// How Envoy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Agrees,
    /// In words: what it should have been, and what it was.
    Differs(String, String),
    /// It was decided too late to be this case.
    Late,
}

/// What core says of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stated {
    /// What the fixture states; whether it is another case a while later.
    As { of_its_second: bool },
    /// Something else.
    Otherwise(Value),
    /// The contract does not load, and why.
    Refused(String),
}

/// Core in this process.
#[derive(Debug)]
pub(super) struct Reference {
    native: Complete,
    /// Whether Envoy asks by `ext_authz`, which shows no response: an id of a session is overwritten,
    /// whatever the gate would make of it.
    blind: bool,
}

impl Reference {
    pub(super) fn new(blind: bool) -> Self {
        Self { native: Complete::native(), blind }
    }

    /// What core says to a case, before it is asked.
    pub(super) fn stated(&mut self, question: &Question) -> Result<Stated> {
        let meant = self.native.answer(&question.line)?;
        if !states(&question.expect, &question.id, &meant) {
            return Ok(Stated::Otherwise(meant));
        }
        if let Some(message) = meant.pointer("/error/message").and_then(Value::as_str) {
            return Ok(Stated::Refused(message.to_owned()));
        }
        let later = question.now.saturating_add(A_WHILE);
        let later = self.native.answer(&question.line_at(later, None))?;
        let delayed = question.response.as_ref().is_some_and(|response| response.delay > 0);
        Ok(Stated::As { of_its_second: delayed || decided(&meant) != decided(&later) })
    }

    /// Compares what was seen with what core says.
    pub(super) fn compare(&mut self, question: &Question, seen: &Seen) -> Result<Finding> {
        let logged = &seen.logged;
        let record = logged.record.as_deref().map(serde_json::from_str::<Value>).transpose();
        let record = record.context("the record")?;
        let time = record.as_ref().and_then(|record| record.get("time")?.as_u64());
        let now = time.unwrap_or(seen.sent);
        let emission = record.as_ref().map(emission);
        let expected = self.native.answer(&question.line_at(now, emission.clone()))?;
        if now != question.now {
            let meant = self.native.answer(&question.line_at(question.now, emission))?;
            if decided(&meant) != decided(&expected) {
                return Ok(Finding::Late);
            }
        }
        let word = |name: &str| expected.get(name).and_then(Value::as_str).unwrap_or_default();
        let wanted = format!("{} {}", word("verdict"), word("reason"));
        let differs = |what: String| Ok(Finding::Differs(wanted.clone(), what));
        // A head that had gone on already was broken off: the upstream has no whole request.
        let unheard = seen.received.iter().all(|one| one.content.broken);
        if !ours(&logged.details) && logged.details != "via_upstream" && unheard {
            return differs(refused_by_envoy(seen));
        }
        if !(seen.sent..=seen.done).contains(&now) {
            return differs(format!("decided at {now}, asked at {} to {}", seen.sent, seen.done));
        }
        if let Some(did) = did_otherwise(&expected, word("reason"), seen) {
            return differs(did);
        }
        let audit = expected.get("audit").and_then(Value::as_str);
        if logged.record.as_deref() != audit {
            return differs(records_differ(logged.record.as_deref(), audit));
        }
        let request = question.request.as_seen();
        let difference = match expected.get("reply") {
            Some(reply) => replied(reply, &request, &seen.answered),
            None => passed(&expected, &request, seen)
                .or_else(|| responded(&expected, question, &request, seen, self.blind)),
        };
        difference.map_or(Ok(Finding::Agrees), differs)
    }
}

/// Envoy's codec or connection manager answered before the filter saw anything.
fn refused_by_envoy(seen: &Seen) -> String {
    let how = match seen.answered.status {
        Some(status) => format!("with {status}"),
        None => "by closing".to_owned(),
    };
    format!("refused by Envoy {how}: {}", seen.logged.details)
}

/// What was done instead of what core says: passed, replied, or replied with another reason.
fn did_otherwise(expected: &Value, reason: &str, seen: &Seen) -> Option<String> {
    let Seen { answered, received, logged, .. } = seen;
    let denied = match (expected.get("reply"), reason) {
        (None, _) => None,
        (Some(_), "ok") => Some("mandate_answered".to_owned()),
        (Some(_), reason) => Some(format!("mandate_denied{{{reason}}}")),
    };
    let ended = match answered.status {
        Some(status) => format!("{status} {}", logged.details),
        None => format!("closed {}", logged.details),
    };
    let upgrades = |one: &Received| one.head.fields.iter().any(|(name, _)| name == b"upgrade");
    match denied {
        Some(details) if received.is_empty() && logged.details == details => None,
        // Its head may have gone on before what is wrong with it came.
        Some(_) if ours(&logged.details) && received.iter().all(|one| one.content.broken) => {
            Some(format!("replied {ended}"))
        }
        Some(_) if received.iter().any(upgrades) => Some(format!("upgraded {ended}")),
        Some(_) => Some(format!("passed {ended}")),
        None => received.is_empty().then(|| format!("replied {ended}")),
    }
}

/// Whether the filter has answered.
fn ours(details: &str) -> bool {
    details.starts_with("mandate_")
}

/// Where two records differ.
fn records_differ(actual: Option<&str>, expected: Option<&str>) -> String {
    let members = |record: Option<&str>| -> Map<String, Value> {
        record.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let (ours, theirs) = (members(actual), members(expected));
    let names = theirs.keys().chain(ours.keys());
    let different: Vec<String> = { names }
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            let shown = |record: &Map<String, Value>| record.get(name).map(Value::to_string);
            format!("`{name}` {:?}, natively {:?}", shown(&ours), shown(&theirs))
        })
        .collect();
    format!("record: {}", different.join("; "))
}

/// What the host says of a record.
fn emission(record: &Value) -> Value {
    let member = |name: &str| record.get(name).cloned().unwrap_or_default();
    json!({
        "decision_id": member("decision_id"),
        "source": member("source"),
        "sequence": member("source_sequence"),
    })
}

/// What was decided, without the moment.
fn decided(answer: &Value) -> Value {
    let mut answer = answer.clone();
    let audit = answer.get("audit").and_then(Value::as_str);
    let audit = audit.and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(members) = answer.as_object_mut() {
        members.remove("detail");
        if let Some(Value::Object(mut audit)) = audit {
            audit.remove("time");
            members.insert("audit".to_owned(), Value::Object(audit));
        }
    }
    if let Some(duty) = answer.pointer_mut("/pass/response").and_then(Value::as_object_mut) {
        duty.remove("ends_at");
    }
    answer
}

/// A denial, or an answer of the gate's own.
fn replied(reply: &Value, request: &WireRequest, answered: &Answered) -> Option<String> {
    let status = reply.get("status").and_then(Value::as_u64);
    let headers = reply.get("headers").and_then(Value::as_array).map(Vec::as_slice);
    let body = reply.get("body").and_then(Value::as_str).unwrap_or_default();
    let body = if request.method == b"HEAD" { "" } else { body };
    first([
        (answered.status.map(u64::from) != status)
            .then(|| format!("status {:?}, natively {status:?}", answered.status)),
        fields_differ(&answered.fields, &pairs(headers.unwrap_or_default()), &OF_A_REPLY),
        unlike("body", &answered.body, body.as_bytes()),
        answered.broken.then(|| "the answer broke off".to_owned()),
    ])
}

/// How the request went on.
fn passed(expected: &Value, request: &WireRequest, seen: &Seen) -> Option<String> {
    let [Received { head, content }] = seen.received.as_slice() else {
        return Some(format!(
            "the upstream has seen {} requests, status {:?}, {}",
            seen.received.len(),
            seen.answered.status,
            seen.logged.details
        ));
    };
    let names = |pointer: &str| -> Vec<Vec<u8>> {
        let names = expected.pointer(pointer).and_then(Value::as_array);
        let names = names.map(Vec::as_slice).unwrap_or_default().iter();
        names.filter_map(Value::as_str).map(|name| name.as_bytes().to_vec()).collect()
    };
    let set = expected.pointer("/pass/set").and_then(Value::as_array).map(Vec::as_slice);
    let mut fields = without(&request.fields, &names("/pass/remove"));
    for (name, value) in pairs(set.unwrap_or_default()) {
        fields.retain(|(field, _)| *field != name);
        fields.push((name, value));
    }
    let trailers = without(&request.trailers, &names("/pass/remove_trailers"));
    first([
        unlike("method", &head.method, &request.method),
        unlike("target", &head.target, &request.target),
        fields_differ(&head.fields, &fields, &OF_A_REQUEST),
        unlike("body upstream", &content.body, request.body.as_deref().unwrap_or_default()),
        fields_differ(&content.trailers, &trailers, &[]),
    ])
}

/// What became of the response.
fn responded(
    expected: &Value,
    question: &Question,
    request: &WireRequest,
    seen: &Seen,
    blind: bool,
) -> Option<String> {
    let answered = &seen.answered;
    let sent = question.response.clone().unwrap_or_default();
    let member = |pointer: &str| expected.pointer(pointer).and_then(|value| bytes(value).ok());
    let (mut body, mut content_type, mut session) =
        (sent.chunks.concat(), sent.content_type, sent.session_id);
    if let Some(shown) = member("/list/body") {
        (body, content_type) = (shown, member("/list/content_type"));
    }
    let mut ends = true;
    if let Some(parts) = expected.pointer("/stream/out").and_then(Value::as_array) {
        body = parts.iter().filter_map(|part| bytes(part).ok()).collect::<Vec<_>>().concat();
        ends = expected.pointer("/stream/error").is_none();
    }
    if blind {
        session = session.map(|_| b"none".to_vec());
    } else if session.is_some() {
        match (expected.get("sealed"), expected.pointer("/pass/response/session")) {
            (Some(sealed), _) => match sealed.get("sealed").map(bytes) {
                Some(Ok(sealed)) => session = Some(sealed),
                _ => return stopped(seen),
            },
            (None, _) => session = None,
        }
    }
    if request.method == b"HEAD" {
        body.clear();
    }
    // The server here takes up whatever protocol it is asked for.
    let switched = request.fields.iter().find(|(name, _)| name == b"upgrade");
    let status = if switched.is_some() { 101 } else { 200 };
    let mut fields = Fields::new();
    fields.extend(switched.cloned());
    for (name, value) in [("content-type", content_type), ("mcp-session-id", session)] {
        fields.extend(value.map(|value| (name.as_bytes().to_vec(), value)));
    }
    first([
        unlike("details", seen.logged.details.as_bytes(), b"via_upstream")
            .filter(|_| ends && switched.is_none() && expected.pointer("/list/failure").is_none()),
        (answered.status != Some(status)).then(|| format!("status {:?}", answered.status)),
        fields_differ(&answered.fields, &fields, &OF_A_RESPONSE),
        unlike("body", &answered.body, &body),
        (answered.broken == ends).then(|| format!("it ends: {}", !answered.broken)),
    ])
}

/// A session id that cannot be sealed does not go on.
fn stopped(seen: &Seen) -> Option<String> {
    let session = answered_field(&seen.answered.fields, b"mcp-session-id");
    first([
        unlike("details", seen.logged.details.as_bytes(), b"mandate_response{session}"),
        (seen.answered.status != Some(502)).then(|| format!("status {:?}", seen.answered.status)),
        session.then(|| "a session id that was not sealed".to_owned()),
    ])
}

fn answered_field(fields: &Fields, name: &[u8]) -> bool {
    fields.iter().any(|(field, _)| field == name)
}

fn without(fields: &Fields, names: &[Vec<u8>]) -> Fields {
    fields.iter().filter(|(name, _)| !names.contains(name)).cloned().collect()
}

fn pairs(list: &[Value]) -> Fields {
    let part = |pair: &Value, at: usize| pair.get(at).and_then(|value| bytes(value).ok());
    list.iter().filter_map(|pair| Some((part(pair, 0)?, part(pair, 1)?))).collect()
}

/// Fields by their names: several values of one are one list (RFC 9110 section 5.3), and those that
/// Envoy adds itself do not count unless they are expected.
fn fields_differ(actual: &Fields, expected: &Fields, added: &[&str]) -> Option<String> {
    let list = |fields: &Fields, name: &[u8]| -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_slice())
            .collect();
        (!values.is_empty()).then(|| values.join(&b','))
    };
    let free = |name: &[u8]| added.iter().any(|it| it.as_bytes() == name);
    let names = actual.iter().chain(expected).map(|(name, _)| name.as_slice());
    let differs = |name: &&[u8]| {
        let wanted = list(expected, name);
        list(actual, name) != wanted && !(free(name) && wanted.is_none())
    };
    let name = { names }.find(differs)?;
    let shown = |fields: &Fields| list(fields, name).map(|value| shown(&value));
    let name_text = String::from_utf8_lossy(name);
    Some(format!("field `{name_text}` {:?}, natively {:?}", shown(actual), shown(expected)))
}

fn unlike(what: &str, actual: &[u8], expected: &[u8]) -> Option<String> {
    let difference = || format!("{what} `{}`, natively `{}`", shown(actual), shown(expected));
    (actual != expected).then(difference)
}

/// Bytes, cut to what fits a line.
fn shown(bytes: &[u8]) -> String {
    let text: String = bytes.iter().take(300).map(|byte| char::from(*byte)).collect();
    text.escape_default().to_string()
}

fn first<const N: usize>(differences: [Option<String>; N]) -> Option<String> {
    differences.into_iter().flatten().next()
}

/// Seconds in which all cases are asked that are not about one second.
const A_WHILE: u64 = 20;
/// Fields that Envoy adds to an answer of the filter's.
const OF_A_REPLY: [&str; 5] = ["connection", "content-length", "content-type", "date", "server"];
/// Fields that Envoy adds to a request.
const OF_A_REQUEST: [&str; 4] =
    ["content-length", "host", "transfer-encoding", "x-forwarded-proto"];
/// Fields that Envoy, or the server here, adds to a response.
const OF_A_RESPONSE: [&str; 6] =
    ["cache-control", "connection", "content-length", "date", "server", "transfer-encoding"];
