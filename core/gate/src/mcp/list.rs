//! Lists in responses: every entry is shown only if it may be used.
//!
//! "Filtering hides; only the call decides": an entry that is hidden cannot be called because of
//! the rule, not because it is hidden. What cannot be read strictly is not passed on, since a client
//! may read in it what was not seen here. Spec: MCP 2025-11-25 and 2026-07-28, server/tools,
//! resources and prompts; caching (`cacheScope`).

mod events;
mod rewrite;

use std::borrow::Cow;

use mandate_authn::ReasonCode;

use self::events::Events;
use self::rewrite::{Expected, Rewritten, rewrite};
use super::message::Id;
use super::method::ListKind;
use super::reply;
use crate::limits;

/// An entry, by the name under which it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry<'e> {
    /// `name`
    Prompt(&'e str),
    /// `uri`
    Resource(&'e str),
    /// `uriTemplate`
    Template(&'e str),
    /// `name`
    Tool(&'e str),
}

/// How a response carries its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `text/event-stream`
    Events,
    /// `application/json`
    Json,
}

/// What goes to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filtered<'b> {
    /// The body, in the framing in which it came.
    pub(crate) body: Cow<'b, [u8]>,
    /// Entries that are not shown.
    pub(crate) removed: usize,
    /// Why the body is a JSON-RPC error of ours instead of the list: the operator's line.
    pub(crate) failure: Option<&'static str>,
}

/// Says of each entry of a list whether it is shown, in one go; or why it cannot be said.
pub(crate) type Keep<'k> = dyn FnMut(&[Entry<'_>]) -> Result<Vec<bool>, &'static str> + 'k;

/// The framing by `Content-Type`; `None` where it is neither, or not of UTF-8.
pub(crate) fn framing(content_type: Option<&[u8]>) -> Option<Framing> {
    let text = std::str::from_utf8(content_type?).ok()?;
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let parameters = parameters.trim();
    let utf8 = ["", "charset=utf-8", "charset=\"utf-8\""];
    if !utf8.iter().any(|known| parameters.eq_ignore_ascii_case(known)) {
        return None;
    }
    match essence.trim() {
        essence if essence.eq_ignore_ascii_case("application/json") => Some(Framing::Json),
        essence if essence.eq_ignore_ascii_case("text/event-stream") => Some(Framing::Events),
        _ => None,
    }
}

/// Filters the whole body of the answer to a request for a list.
///
/// Kept entries keep every byte; a body of which nothing is removed keeps every byte. `cacheScope`
/// becomes `private`: what one caller may see is not another's. A JSON-RPC error passes. Whatever
/// else is no answer to `id` that can be read strictly becomes the error -32603 with that id.
pub(crate) fn filter<'b>(
    list: ListKind,
    id: &Id,
    framing: Framing,
    body: &'b [u8],
    keep: &mut Keep<'_>,
) -> Filtered<'b> {
    match read(list, id, framing, body, keep) {
        Ok((body, removed)) => Filtered { body, removed, failure: None },
        Err(problem) => failed(id, framing, problem),
    }
}

/// What goes to the client in place of an answer that cannot be filtered.
pub(crate) fn failed(id: &Id, framing: Framing, problem: &'static str) -> Filtered<'static> {
    let text = ReasonCode::Internal.text();
    let error = reply::error(Some(id.as_json()), reply::INTERNAL_ERROR, text);
    let body = match framing {
        Framing::Json => error,
        Framing::Events => format!("event: message\ndata: {error}\n\n"),
    };
    Filtered { body: Cow::Owned(body.into_bytes()), removed: 0, failure: Some(problem) }
}

fn read<'b>(
    list: ListKind,
    id: &Id,
    framing: Framing,
    body: &'b [u8],
    keep: &mut Keep<'_>,
) -> Result<(Cow<'b, [u8]>, usize), &'static str> {
    if body.len() > limits::LIST_BYTES {
        return Err("is longer than the limit");
    }
    let expected = Expected::Answer { list, id };
    match framing {
        Framing::Json => {
            let text = std::str::from_utf8(body).map_err(|_| "is not UTF-8")?;
            match rewrite(expected, text, keep)? {
                Rewritten::Aside => Err("is no response"),
                Rewritten::Changed { text, removed } => {
                    Ok((Cow::Owned(text.into_bytes()), removed))
                }
                Rewritten::Unchanged => Ok((Cow::Borrowed(body), 0)),
            }
        }
        Framing::Events => {
            let mut removed = 0_usize;
            let mut events = Events::default();
            let filtered = events.push(body, true, &mut |data| {
                let rewritten = rewrite(expected, data, keep)?;
                if let Rewritten::Changed { removed: more, .. } = &rewritten {
                    removed = removed.saturating_add(*more);
                }
                Ok(rewritten)
            })?;
            Ok((Cow::Owned(filtered), removed))
        }
    }
}

/// The stream that a session's `GET` opened.
///
/// A stream that is resumed may bring the answer to any request that was asked before; whichever is
/// a list is known by its shape. Events pass one by one: no more than one is held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    events: Events,
}

impl Stream {
    /// A stream of which this was held.
    pub(crate) fn of_held(held: &[u8]) -> Self {
        Self { events: Events::of_pending(held) }
    }

    /// What is not yet a whole event.
    pub(crate) fn into_held(self) -> Vec<u8> {
        self.events.into_pending()
    }

    /// Takes what came, and returns what may go on. `last` is where the stream ends.
    ///
    /// # Errors
    /// One line for the operator: the stream is to be ended here.
    pub(crate) fn push(
        &mut self,
        chunk: &[u8],
        last: bool,
        keep: &mut Keep<'_>,
    ) -> Result<Vec<u8>, &'static str> {
        self.events.push(chunk, last, &mut |data| rewrite(Expected::Any, data, keep))
    }
}

#[cfg(test)]
mod tests;
