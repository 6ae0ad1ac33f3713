//! What the gate says, as Envoy takes it.

use mandate_authn::ReasonCode;
use mandate_host::gate::{
    Answer, Emission, Header, Pass, Reply, ResponseDuty, SessionDuty, Verdict,
};
use serde_json::{Value, json};

use super::message::{
    CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption,
    HttpStatus, OkHttpResponse, Status,
};

/// What is answered, and what is recorded of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// A reason code.
    pub(crate) reason: String,
    /// Absent for what is open to everybody.
    pub(crate) audit: Option<String>,
}

impl Outcome {
    /// The gate's answer. What would pass with a duty that cannot be done is refused, and its record
    /// says so: Envoy does not show the response here.
    pub(super) fn of(answer: Answer) -> Self {
        let Answer { verdict, reason, audit, .. } = answer;
        if !matches!(&verdict, Verdict::Pass(pass) if is_beyond_reach(&pass.response)) {
            return Self { verdict, reason, audit };
        }
        let reason = ReasonCode::Unmapped;
        // A record that cannot be changed is none that is taken: then nothing is answered.
        let audit = audit.and_then(|record| denied(&record, reason)).unwrap_or_default();
        Self {
            verdict: Verdict::Reply(reply(reason)),
            reason: reason.as_str().to_owned(),
            audit: Some(audit),
        }
    }

    /// The answer where the gate was not asked.
    pub(super) fn refused(reason: ReasonCode, emission: &Emission, now: u64) -> Self {
        let record = json!({
            "decision_id": emission.decision_id,
            "enforced": true,
            "failing_line": "framing",
            "reason": reason.as_str(),
            "source": emission.source,
            "source_sequence": emission.sequence,
            "time": now,
            "verdict": "deny",
        });
        Self {
            verdict: Verdict::Reply(reply(reason)),
            reason: reason.as_str().to_owned(),
            audit: Some(record.to_string()),
        }
    }
}

/// Lists and streams have to be filtered, session ids to be sealed. An id that is to be removed is
/// overwritten.
const fn is_beyond_reach(duty: &ResponseDuty) -> bool {
    let ResponseDuty { list_ticket, stream_ticket, session, .. } = duty;
    list_ticket.is_some() || stream_ticket.is_some() || matches!(session, SessionDuty::Seal(_))
}

/// The record of a request that passed, as one that did not.
fn denied(record: &str, reason: ReasonCode) -> Option<String> {
    let Ok(Value::Object(mut members)) = serde_json::from_str(record) else { return None };
    members.remove("relation_path");
    for (name, value) in
        [("failing_line", "framing"), ("reason", reason.as_str()), ("verdict", "deny")]
    {
        members.insert(name.to_owned(), json!(value));
    }
    members.insert("enforced".to_owned(), json!(true));
    Some(Value::Object(members).to_string())
}

fn reply(reason: ReasonCode) -> Reply {
    let header =
        |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
    Reply {
        status: reason.http_status(),
        headers: vec![
            header("cache-control", "no-store"),
            header("content-type", "text/plain; charset=utf-8"),
        ],
        body: format!("{}\n", reason.text()),
    }
}

/// The answer to Envoy.
pub(crate) fn write(verdict: Verdict) -> CheckResponse {
    match verdict {
        Verdict::Reply(reply) => CheckResponse {
            status: Some(Status { code: PERMISSION_DENIED }),
            denied_response: Some(DeniedHttpResponse {
                status: Some(HttpStatus { code: i32::from(reply.status) }),
                headers: reply.headers.iter().map(overwritten).collect(),
                body: reply.body,
            }),
            ok_response: None,
        },
        Verdict::Pass(pass) => CheckResponse {
            status: Some(Status { code: OK }),
            denied_response: None,
            ok_response: Some(passed(pass)),
        },
    }
}

fn passed(pass: Pass) -> OkHttpResponse {
    let Pass { remove, set, response, .. } = pass;
    // Identity headers that Envoy was told not to send are removed unseen.
    let unseen = IDENTITY.iter().map(|name| (*name).to_owned());
    let mut removed: Vec<String> = remove.into_iter().chain(unseen).collect();
    // Envoy removes after it has set: what is set stays, and has replaced every value.
    removed.retain(|name| set.iter().all(|header| !header.name.eq_ignore_ascii_case(name)));
    removed.sort_unstable();
    removed.dedup();
    let session = match response.session {
        SessionDuty::Untouched => None,
        SessionDuty::Remove | SessionDuty::Seal(_) => Some(HeaderValueOption {
            header: Some(header("mcp-session-id", "none")),
            append_action: HeaderAppendAction::OverwriteIfExists.into(),
        }),
    };
    OkHttpResponse {
        headers: set.iter().map(overwritten).collect(),
        headers_to_remove: removed,
        response_headers_to_add: session.into_iter().collect(),
    }
}

fn overwritten(field: &Header) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(header(&field.name, &field.value)),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    }
}

fn header(name: &str, value: &str) -> HeaderValue {
    HeaderValue { key: name.to_owned(), value: value.to_owned(), raw_value: Vec::new() }
}

/// `google.rpc.Code`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;

/// contract/CONTRACT.md#gate-path.
const IDENTITY: [&str; 6] = [
    "x-mandate-agent",
    "x-mandate-credential",
    "x-mandate-decision-id",
    "x-mandate-service",
    "x-mandate-tenant",
    "x-mandate-user",
];
