//! The WIT face of the gate.

use mandate_authn::{LoadError, ReasonCode};
use mandate_gate::{
    Answer, Connection, Emission, Head, Headers, ListReply, Pass, Reply, Request, ResponseDuty,
    SessionDuty, Verdict,
};

use super::bindings::exports::mandate::policy::{gate, types};
use super::{Component, load_error};
use crate::with_gate;

impl gate::Guest for Component {
    fn configure_sealing(secret: Vec<u8>) -> Result<(), types::LoadError> {
        with_gate(|gate| gate.configure_sealing(&secret)).map_err(load_error)
    }

    fn body_limit(head: gate::Head) -> Option<u32> {
        let headers = fields(&head.headers);
        let limit = with_gate(|gate| gate.body_limit(&view(&head, &headers)))?;
        Some(u32::try_from(limit).unwrap_or(u32::MAX))
    }

    fn decide(request: gate::Incoming, emission: gate::Emission, now: u64) -> gate::Answer {
        with_gate(|gate| {
            let connection = match connection(&request) {
                Ok(connection) => connection,
                Err(member) => return answer(misasked(member)),
            };
            let headers = fields(&request.head.headers);
            let trailers = fields(&request.trailers);
            let asked = Request {
                head: view(&request.head, &headers),
                body: &request.body,
                trailers: Headers(&trailers),
                connection,
            };
            let emission = Emission {
                decision_id: &emission.decision_id,
                source: &emission.source,
                sequence: emission.sequence,
            };
            answer(gate.decide(&asked, now, &emission))
        })
    }

    fn filter_list(
        ticket: String,
        content_type: Option<String>,
        body: Vec<u8>,
        now: u64,
    ) -> gate::ListReply {
        let content_type = content_type.as_deref();
        let reply = with_gate(|gate| gate.filter_ticket(&ticket, content_type, &body, now));
        let ListReply { body, content_type, removed, failure } = reply;
        gate::ListReply {
            body,
            content_type: content_type.to_owned(),
            removed: u32::try_from(removed).unwrap_or(u32::MAX),
            failure: failure.map(str::to_owned),
            extra: Vec::new(),
        }
    }

    fn filter_stream(
        ticket: String,
        held: Vec<u8>,
        chunk: Vec<u8>,
        last: bool,
        now: u64,
    ) -> Result<gate::StreamPiece, String> {
        let piece = with_gate(|gate| gate.filter_piece(&ticket, &held, &chunk, last, now));
        let (out, held) = piece.map_err(str::to_owned)?;
        Ok(gate::StreamPiece { out, held })
    }

    fn seal_session(scope: String, id: Vec<u8>) -> Option<String> {
        with_gate(|gate| gate.seal_scope(&scope, &id))
    }
}

fn fields(fields: &[gate::Field]) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|field| (field.name.as_slice(), field.value.as_slice())).collect()
}

fn view<'r>(head: &'r gate::Head, headers: &'r [(&'r [u8], &'r [u8])]) -> Head<'r> {
    Head {
        route: head.route.as_deref(),
        method: &head.method,
        target: &head.target,
        headers: Headers(headers),
    }
}

/// What the host knows; the name of the member that is malformed otherwise.
fn connection(request: &gate::Incoming) -> Result<Connection<'_>, &'static str> {
    if !request.extra.is_empty() {
        return Err("extra");
    }
    let thumbprint = request.certificate_sha256.as_deref().map(<[u8; 32]>::try_from);
    let certificate_sha256 = thumbprint.transpose().map_err(|_| "certificate_sha256")?;
    Ok(Connection { certificate_sha256, peer_address: request.peer_address.as_deref() })
}

/// The answer to a request that the host did not put right.
fn misasked(member: &str) -> Answer {
    Answer::misasked(&LoadError::new(member, ReasonCode::Malformed.as_str()))
}

fn answer(answer: Answer) -> gate::Answer {
    let Answer { verdict, reason, detail, audit, refresh } = answer;
    let verdict = match verdict {
        Verdict::Reply(reply) => gate::Verdict::Reply(reply_of(reply)),
        Verdict::Pass(pass) => gate::Verdict::Pass(pass_of(*pass)),
    };
    gate::Answer {
        verdict,
        reason: reason.as_str().to_owned(),
        detail,
        audit: audit.map(|record| record.to_json()),
        refresh,
        extra: Vec::new(),
    }
}

fn reply_of(reply: Reply) -> gate::Reply {
    let Reply { status, headers, body } = reply;
    gate::Reply { status, headers: headers_of(headers), body }
}

fn pass_of(pass: Pass) -> gate::Pass {
    let Pass { remove, remove_trailers, set, response } = pass;
    gate::Pass { remove, remove_trailers, set: headers_of(set), response: duty_of(&response) }
}

fn duty_of(duty: &ResponseDuty) -> gate::ResponseDuty {
    let (session, session_scope) = match &duty.session {
        SessionDuty::Remove => (gate::SessionDuty::Remove, None),
        SessionDuty::Seal(scope) => (gate::SessionDuty::Seal, Some(scope.to_text())),
        SessionDuty::Untouched => (gate::SessionDuty::Untouched, None),
    };
    gate::ResponseDuty {
        list_ticket: duty.list.as_ref().map(mandate_gate::ListTicket::to_text),
        stream_ticket: duty.stream.as_ref().map(mandate_gate::StreamTicket::to_text),
        session,
        session_scope,
        ends_at: duty.ends_at,
    }
}

fn headers_of(headers: Vec<(&'static str, String)>) -> Vec<gate::Header> {
    let header = |(name, value): (&str, String)| gate::Header { name: name.to_owned(), value };
    headers.into_iter().map(header).collect()
}
