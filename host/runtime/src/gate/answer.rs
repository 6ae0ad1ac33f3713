//! What to do with a request, and what of a response is shown.

use serde_json::json;

use super::request::Emission;
use crate::answer::is_reason_code;
use crate::bindings::gate;
use crate::failure::Failure;
use crate::state::StateError;

/// The gate's answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// What to do.
    pub verdict: Verdict,
    /// A code of `contract/reason-codes.toml`: `ok`, or why not. Where a denial is only observed,
    /// the verdict passes, and this says why it would not have.
    pub reason: String,
    /// For the operator: one line. Never for the caller.
    pub detail: String,
    /// The audit record, one line to be written down as it is; absent for what is open to everybody.
    pub audit: Option<String>,
    /// The issuer whose key set should be fetched again now. Limit how often that is followed.
    pub refresh: Option<String>,
}

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Answer it here: nothing of it goes upstream.
    Reply(Reply),
    /// Let it go upstream, changed as [`Pass`] says.
    Pass(Pass),
}

/// An answer that the gate gives itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<Header>,
    /// The body.
    pub body: String,
}

/// A header field to send: the name in lower case, the value without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// How a request goes upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// Header fields to remove, every occurrence: compare without case.
    pub remove: Vec<String>,
    /// Trailer fields to remove.
    pub remove_trailers: Vec<String>,
    /// Header fields to set, after the removal: each replaces every value of its name.
    pub set: Vec<Header>,
    /// What the response needs. A host that cannot do it does not let the request pass.
    pub response: ResponseDuty,
}

/// What a host has to do with the response to a request that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseDuty {
    /// Hold the body, at most 1 MiB, and send what
    /// [`Policy::filter_list`](crate::Policy::filter_list) makes of it. The ticket has the token in
    /// it: keep it in memory, write it nowhere.
    pub list_ticket: Option<String>,
    /// Let the body, where it is a stream of events, go through an
    /// [`EventStream`](crate::gate::EventStream). It must not be compressed.
    pub stream_ticket: Option<String>,
    /// What happens to the session id that the server gives.
    pub session: SessionDuty,
    /// The response ends at this moment, in seconds since the epoch, even if it is a stream.
    pub ends_at: Option<u64>,
}

/// What happens to `Mcp-Session-Id` in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionDuty {
    /// It is removed.
    Remove,
    /// It is replaced by what [`Policy::seal_session`](crate::Policy::seal_session) answers for
    /// this scope.
    Seal(String),
    /// The route has no sessions to guard.
    Untouched,
}

/// The body of a list, as its reader may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListReply {
    /// The body, of the status of the response, without content coding.
    pub body: Vec<u8>,
    /// Its content type.
    pub content_type: String,
    /// How many entries are not shown.
    pub removed: u32,
    /// Why the body is a JSON-RPC error instead of the list: for the operator.
    pub failure: Option<String>,
}

/// What came of one chunk of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPiece {
    /// What may go on to the client.
    pub out: Vec<u8>,
    /// What is not yet a whole event: to be given back with the next chunk.
    pub held: Vec<u8>,
}

impl Answer {
    /// Reads the plugin's answer; one that contradicts itself is a failure.
    pub(crate) fn read(answer: gate::Answer) -> Result<Self, Failure> {
        let gate::Answer { verdict, reason, detail, audit, refresh, extra: _ } = answer;
        if !is_reason_code(&reason) {
            return Err(Failure::Inconsistent("the reason is no reason code"));
        }
        let verdict = match verdict {
            gate::Verdict::Reply(reply) => Verdict::Reply(Reply::read(reply, &reason)?),
            // A denial that is only observed leaves a record that says so.
            gate::Verdict::Pass(_) if reason != "ok" && audit.is_none() => {
                return Err(Failure::Inconsistent("a denial passes without a record"));
            }
            gate::Verdict::Pass(pass) => Verdict::Pass(Pass::read(pass)?),
        };
        Ok(Self { verdict, reason, detail, audit, refresh })
    }

    /// Why nothing is in force, where the plugin only knows that nothing is: the instance that
    /// refused the state is gone. Every reason of the state has the same reply.
    pub(crate) fn with_refused(self, refused: Option<&StateError>) -> Self {
        let Some(StateError { reason, detail }) =
            refused.filter(|_| self.reason == "snapshot-missing")
        else {
            return self;
        };
        // A quotation mark within a text of the record is escaped: this is the member.
        let stated = |reason: &str| format!("\"reason\":\"{reason}\"");
        let audit = self.audit.map(|it| it.replace(&stated(&self.reason), &stated(reason)));
        Self { reason: reason.clone(), detail: detail.clone(), audit, ..self }
    }

    /// The answer where the plugin gave none: nothing passes, and a record says so.
    pub(crate) fn failed(failure: &Failure, emission: &Emission, now: u64) -> Self {
        let audit = json!({
            "decision_id": emission.decision_id,
            "enforced": true,
            "failing_line": "framing",
            "reason": "internal",
            "source": emission.source,
            "source_sequence": emission.sequence,
            "time": now,
            "verdict": "deny",
        });
        let header =
            |name: &str, value: &str| Header { name: name.to_owned(), value: value.to_owned() };
        let headers = vec![
            header("retry-after", "1"),
            header("cache-control", "no-store"),
            header("content-type", "text/plain; charset=utf-8"),
        ];
        Self {
            verdict: Verdict::Reply(Reply { status: 503, headers, body: UNAVAILABLE.to_owned() }),
            reason: "internal".to_owned(),
            detail: failure.to_string(),
            audit: Some(audit.to_string()),
            refresh: None,
        }
    }
}

impl Reply {
    fn read(reply: gate::Reply, reason: &str) -> Result<Self, Failure> {
        let gate::Reply { status, headers, body } = reply;
        if !(200..=599).contains(&status) {
            return Err(Failure::Inconsistent("a status that is none"));
        }
        if reason == "ok" && status != 200 {
            return Err(Failure::Inconsistent("an error without a reason"));
        }
        Ok(Self { status, headers: read_headers(headers)?, body })
    }
}

impl Pass {
    fn read(pass: gate::Pass) -> Result<Self, Failure> {
        let gate::Pass { remove, remove_trailers, set, response } = pass;
        let set = read_headers(set)?;
        Ok(Self { remove, remove_trailers, set, response: ResponseDuty::read(response)? })
    }
}

impl ResponseDuty {
    fn read(duty: gate::ResponseDuty) -> Result<Self, Failure> {
        let gate::ResponseDuty { list_ticket, stream_ticket, session, session_scope, ends_at } =
            duty;
        let session = match (session, session_scope) {
            (gate::SessionDuty::Remove, None) => SessionDuty::Remove,
            (gate::SessionDuty::Seal, Some(scope)) => SessionDuty::Seal(scope),
            (gate::SessionDuty::Untouched, None) => SessionDuty::Untouched,
            (gate::SessionDuty::Seal, None) => {
                return Err(Failure::Inconsistent("a seal for nobody"));
            }
            (gate::SessionDuty::Remove | gate::SessionDuty::Untouched, Some(_)) => {
                return Err(Failure::Inconsistent("a scope without a seal"));
            }
        };
        Ok(Self { list_ticket, stream_ticket, session, ends_at })
    }
}

impl From<gate::ListReply> for ListReply {
    fn from(reply: gate::ListReply) -> Self {
        let gate::ListReply { body, content_type, removed, failure, extra: _ } = reply;
        Self { body, content_type, removed, failure }
    }
}

impl From<Failure> for ListReply {
    fn from(failure: Failure) -> Self {
        let error = json!({
            "jsonrpc": "2.0",
            "error": { "code": -32603, "message": UNAVAILABLE.trim_end() },
        });
        Self {
            body: error.to_string().into_bytes(),
            content_type: "application/json".to_owned(),
            removed: 0,
            failure: Some(failure.to_string()),
        }
    }
}

impl From<gate::StreamPiece> for StreamPiece {
    fn from(piece: gate::StreamPiece) -> Self {
        Self { out: piece.out, held: piece.held }
    }
}

/// Fields that are sent as they are: a line end in one would begin another.
fn read_headers(headers: Vec<gate::Header>) -> Result<Vec<Header>, Failure> {
    let read = |gate::Header { name, value }: gate::Header| {
        let token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let visible = |byte: u8| matches!(byte, 0x20..=0x7e);
        if name.is_empty() || !name.bytes().all(token) || !value.bytes().all(visible) {
            return Err(Failure::Inconsistent("a header that cannot be sent"));
        }
        Ok(Header { name, value })
    };
    headers.into_iter().map(read).collect()
}

/// What a caller is told of the reason `internal`: contract/reason-codes.toml.
const UNAVAILABLE: &str = "The decision is not available. Try again.\n";

#[cfg(test)]
mod tests;
