//! The JSON form of the gate's calls: what the core ABI and the conformance protocol carry
//! (docs/abi.md#gate).
//!
//! Questions are strict (unknown members, duplicates and `null` refused), answers canonical
//! (RFC 8785). A question that is malformed gets the answer that lets nothing through.

mod answer;
mod bytes;
mod question;
mod ticket;

use mandate_authn::{Json, LoadError, Object, ReasonCode, read_document};

use self::answer::{answer_json, list_json, piece_json};
use self::question::{
    BodyLimitQuestion, DecideQuestion, Fields, FilterListQuestion, FilterStreamQuestion,
    SealQuestion, SealingQuestion,
};
use crate::gate::Gate;
use crate::list_call::{EventStream, ListReply};
use crate::mcp::reply as error_body;
use crate::reply;
use crate::response::{ListTicket, SessionScope, StreamTicket};
use crate::verdict::{Answer, Verdict};

impl Gate {
    /// [`Gate::configure_sealing`] in JSON: `{}`, or `error`.
    pub fn configure_sealing_json(&mut self, question: &str) -> String {
        let configured = read_document::<SealingQuestion>(question)
            .and_then(|question| self.configure_sealing(question.secret.as_slice()));
        match configured {
            Ok(()) => "{}".to_owned(),
            Err(error) => error_json(&error),
        }
    }

    /// [`Gate::body_limit`] in JSON: `{"bytes": …}`, or `{}` where the body may stream.
    #[must_use]
    pub fn body_limit_json(&self, question: &str) -> String {
        let question = match read_document::<BodyLimitQuestion>(question) {
            Ok(question) => question,
            Err(error) => return error_json(&error),
        };
        let fields = Fields::of(&question.headers);
        let limit = self.body_limit(&question.head(&fields));
        let bytes = limit.and_then(|limit| u64::try_from(limit).ok());
        mandate_authn::json_object([("bytes", bytes.map(Json::from))]).to_canonical()
    }

    /// [`Gate::decide`] in JSON.
    pub fn decide_json(&mut self, question: &str) -> String {
        let answer = read_document::<DecideQuestion>(question)
            .and_then(|question| self.answer_decide(&question));
        answer_json(&answer.unwrap_or_else(|error| Answer::misasked(&error))).to_canonical()
    }

    /// [`Gate::filter_list`] in JSON. A ticket that is none shows nothing.
    pub fn filter_list_json(&mut self, question: &str) -> String {
        let reply = read_document::<FilterListQuestion>(question).ok().and_then(|question| {
            let now = question::moment(question.now).ok()?;
            let content_type = question.content_type.as_deref();
            Some(self.filter_ticket(&question.ticket, content_type, question.body.as_slice(), now))
        });
        list_json(&reply.unwrap_or_else(ListReply::misasked)).to_canonical()
    }

    /// [`Gate::filter_stream`] in JSON: `out` and `held`, or `error`, and then the stream has to be
    /// ended.
    pub fn filter_stream_json(&mut self, question: &str) -> String {
        let piece = read_document::<FilterStreamQuestion>(question)
            .map_err(|_| "was asked for in a malformed question")
            .and_then(|question| {
                let now = question::moment(question.now);
                let now = now.map_err(|_| "was asked for at no moment")?;
                let (held, chunk) = (question.held.as_slice(), question.chunk.as_slice());
                self.filter_piece(&question.ticket, held, chunk, question.last, now)
            });
        piece_json(piece).to_canonical()
    }

    /// [`Gate::seal_session`] in JSON: `{"sealed": …}`, or `{}` and then the response has to be
    /// replaced by a 502.
    #[must_use]
    pub fn seal_session_json(&self, question: &str) -> String {
        let sealed = read_document::<SealQuestion>(question)
            .ok()
            .and_then(|question| self.seal_scope(&question.scope, question.id.as_slice()));
        mandate_authn::json_object([("sealed", sealed.map(Json::from))]).to_canonical()
    }

    /// [`Gate::filter_list`] for a ticket that was written out. One that is none shows nothing.
    pub fn filter_ticket(
        &mut self,
        ticket: &str,
        content_type: Option<&str>,
        body: &[u8],
        now: u64,
    ) -> ListReply {
        match ListTicket::parse(ticket) {
            Some(ticket) => self.filter_list(&ticket, content_type, body, now),
            None => ListReply::misasked(),
        }
    }

    /// [`Gate::filter_stream`] for a ticket that was written out and a stream of which the caller
    /// holds what is not yet a whole event: what may go on, and what is to be held.
    ///
    /// # Errors
    /// One phrase for the operator: the stream has to be ended here.
    pub fn filter_piece(
        &mut self,
        ticket: &str,
        held: &[u8],
        chunk: &[u8],
        last: bool,
        now: u64,
    ) -> Result<(Vec<u8>, Vec<u8>), &'static str> {
        let ticket = StreamTicket::parse(ticket).ok_or("has no ticket")?;
        let mut stream = EventStream::of_held(held);
        let out = self.filter_stream(&mut stream, &ticket, chunk, last, now)?;
        Ok((out, stream.into_held()))
    }

    /// [`Gate::seal_session`] for a scope that was written out.
    #[must_use]
    pub fn seal_scope(&self, scope: &str, id: &[u8]) -> Option<String> {
        self.seal_session(&SessionScope::parse(scope)?, id)
    }

    fn answer_decide(&mut self, question: &DecideQuestion) -> Result<Answer, LoadError> {
        let now = question::moment(question.now)?;
        let headers = Fields::of(&question.request.headers);
        let trailers = Fields::of(&question.request.trailers);
        let request = question.request.request(&headers, &trailers)?;
        Ok(self.decide(&request, now, &question.emission()))
    }
}

impl Answer {
    /// The answer to a question of the host's that could not be read: nothing passes.
    #[must_use]
    pub fn misasked(error: &LoadError) -> Self {
        let reason = ReasonCode::Malformed;
        Self {
            verdict: Verdict::Reply(reply::deny(reason, None, None, &[])),
            reason,
            detail: error.to_string(),
            audit: None,
            refresh: None,
        }
    }
}

impl ListReply {
    /// What goes to the client where it cannot be said whose list it is.
    fn misasked() -> Self {
        let text = ReasonCode::Internal.text();
        Self {
            body: error_body::error(None, error_body::INTERNAL_ERROR, text).into_bytes(),
            content_type: "application/json",
            removed: 0,
            failure: Some("has no ticket"),
        }
    }
}

fn error_json(error: &LoadError) -> String {
    let stated = mandate_authn::json_object([
        ("path", Some(Json::from(error.path.as_str()))),
        ("message", Some(Json::from(error.message.as_str()))),
    ]);
    Json::Object(Object::from([("error".to_owned(), stated)])).to_canonical()
}
