//! Answers as they are written: absent members are left out.

use mandate_authn::{Json, json_object};

use super::bytes::bytes_json;
use crate::list_call::ListReply;
use crate::response::{ResponseDuty, SessionDuty};
use crate::verdict::{Answer, Pass, Reply, Verdict};

/// What to do with a request.
pub(super) fn answer_json(answer: &Answer) -> Json {
    let (verdict, reply, pass) = match &answer.verdict {
        Verdict::Reply(reply) => ("reply", Some(reply_json(reply)), None),
        Verdict::Pass(pass) => ("pass", None, Some(pass_json(pass))),
    };
    json_object([
        ("verdict", Some(Json::from(verdict))),
        ("reason", Some(Json::from(answer.reason.as_str()))),
        ("detail", Some(Json::from(answer.detail.as_str()))),
        ("reply", reply),
        ("pass", pass),
        ("audit", answer.audit.as_ref().map(|record| Json::from(record.as_json()))),
        ("refresh", answer.refresh.as_deref().map(Json::from)),
    ])
}

/// A list as its reader may see it.
pub(super) fn list_json(reply: &ListReply) -> Json {
    json_object([
        ("body", Some(bytes_json(&reply.body))),
        ("content_type", Some(Json::from(reply.content_type))),
        ("removed", u64::try_from(reply.removed).ok().map(Json::from)),
        ("failure", reply.failure.map(Json::from)),
    ])
}

/// What of a stream may go on, and what is held.
pub(super) fn piece_json(piece: Result<(Vec<u8>, Vec<u8>), &'static str>) -> Json {
    match piece {
        Ok((out, held)) => {
            json_object([("out", Some(bytes_json(&out))), ("held", Some(bytes_json(&held)))])
        }
        Err(problem) => json_object([("error", Some(Json::from(problem)))]),
    }
}

fn reply_json(reply: &Reply) -> Json {
    json_object([
        ("status", Some(Json::from(u64::from(reply.status)))),
        ("headers", Some(pairs(&reply.headers))),
        ("body", Some(Json::from(reply.body.as_str()))),
    ])
}

fn pass_json(pass: &Pass) -> Json {
    json_object([
        ("remove", Some(texts(&pass.remove))),
        ("remove_trailers", Some(texts(&pass.remove_trailers))),
        ("set", Some(pairs(&pass.set))),
        ("response", Some(duty_json(&pass.response))),
    ])
}

fn duty_json(duty: &ResponseDuty) -> Json {
    let (session, scope) = match &duty.session {
        SessionDuty::Remove => (Some("remove"), None),
        SessionDuty::Seal(scope) => (Some("seal"), Some(scope.to_text())),
        SessionDuty::Untouched => (None, None),
    };
    json_object([
        ("list_ticket", duty.list.as_ref().map(|ticket| Json::from(ticket.to_text()))),
        ("stream_ticket", duty.stream.as_ref().map(|ticket| Json::from(ticket.to_text()))),
        ("session", session.map(Json::from)),
        ("session_scope", scope.map(Json::from)),
        ("ends_at", duty.ends_at.map(Json::from)),
    ])
}

fn pairs(fields: &[(&'static str, String)]) -> Json {
    let pair = |(name, value): &(&'static str, String)| {
        Json::Array(vec![Json::from(*name), Json::from(value.as_str())])
    };
    Json::Array(fields.iter().map(pair).collect())
}

fn texts(names: &[String]) -> Json {
    Json::Array(names.iter().map(|name| Json::from(name.as_str())).collect())
}
