//! A stream of events, of which the plugin sees whole ones.

use super::StreamPiece;
use crate::Policy;

/// A stream of events on its way through [`Policy::filter_stream`].
///
/// The plugin keeps nothing between two calls, so that each takes all of an event that has come so
/// far: asked for every chunk of a few bytes, it would read an event of a megabyte a million times.
/// Here it is asked where an event may have ended, and nothing goes on later than it would otherwise.
/// All bytes of a stream are passed at most twice.
#[derive(Debug, Default)]
pub struct EventStream {
    /// What the plugin has left.
    held: Vec<u8>,
    /// What has come since it was asked.
    waiting: Vec<u8>,
    line: Line,
}

/// What the last byte says of the line that it stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// Nothing of it has come. The end of the one before was `after_return`, to which a line feed
    /// may belong; and if that one was empty, the next byte says that the event has ended.
    Begun { after_return: bool, was_empty: bool },
    /// The first of all.
    #[default]
    First,
    /// Something of it has come.
    Within,
}

/// Bytes of an event that the plugin refuses (docs/limits.md).
const EVENT_BYTES: usize = 1_048_576;

impl EventStream {
    /// Says what of the next bytes may go on; `last` is where the stream ends.
    ///
    /// # Errors
    /// For the operator: nothing more may go on, and the stream has to be ended.
    pub fn push(
        &mut self,
        policy: &Policy,
        ticket: &str,
        chunk: &[u8],
        last: bool,
        now: u64,
    ) -> Result<Vec<u8>, String> {
        self.push_to(chunk, last, |held, chunk| {
            policy.filter_stream(ticket, held, chunk, last, now)
        })
    }

    fn push_to(
        &mut self,
        chunk: &[u8],
        last: bool,
        ask: impl FnOnce(&[u8], &[u8]) -> Result<StreamPiece, String>,
    ) -> Result<Vec<u8>, String> {
        let mut ended = false;
        for byte in chunk {
            ended |= self.line.takes(*byte);
        }
        self.waiting.extend_from_slice(chunk);
        let too_long = self.held.len().saturating_add(self.waiting.len()) > EVENT_BYTES;
        if !(ended || last || too_long) {
            return Ok(Vec::new());
        }
        let StreamPiece { out, held } = ask(&self.held, &std::mem::take(&mut self.waiting))?;
        self.held = held;
        Ok(out)
    }
}

impl Line {
    /// Whether it is known with this byte that an event has ended: its last line is empty. Lines end
    /// with LF, CR or CR LF (WHATWG HTML, server-sent events, 9.2.5).
    fn takes(&mut self, byte: u8) -> bool {
        let was_empty = self.is_empty();
        let ended = matches!(self, Self::Begun { after_return: true, was_empty: true });
        match (byte, *self) {
            // The rest of the line's end.
            (b'\n', Self::Begun { after_return: true, was_empty }) => {
                *self = Self::Begun { after_return: false, was_empty };
                return ended;
            }
            (b'\n', _) => {
                *self = Self::Begun { after_return: false, was_empty };
                return ended || was_empty;
            }
            (b'\r', _) => *self = Self::Begun { after_return: true, was_empty },
            _ => *self = Self::Within,
        }
        ended
    }

    const fn is_empty(self) -> bool {
        matches!(self, Self::Begun { .. } | Self::First)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
#[path = "event_stream/tests.rs"]
mod tests;
