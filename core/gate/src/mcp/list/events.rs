//! Server-sent events, one at a time.
//!
//! Spec: WHATWG HTML, server-sent events, 9.2.5 and 9.2.6: lines end with LF, CR or CR LF; the
//! `data` lines of an event are one text; an empty line ends the event. What comes after the last
//! empty line is an event here as well, because clients differ on it.

use std::borrow::Cow;

use super::rewrite::Rewritten;
use crate::limits;

/// Splits what comes into events.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    /// What is not yet a whole event.
    pending: Vec<u8>,
    /// Where the line that is not whole begins.
    line: usize,
    /// Up to here there is no end of a line: no byte is looked at twice.
    scanned: usize,
}

/// What becomes of the text of one event.
type Rewrite<'r> = dyn FnMut(&str) -> Result<Rewritten, &'static str> + 'r;

impl Events {
    /// What was pending: it is looked at once more from its beginning.
    pub(super) fn of_pending(pending: &[u8]) -> Self {
        Self { pending: pending.to_vec(), ..Self::default() }
    }

    /// What is not yet a whole event.
    pub(super) fn into_pending(self) -> Vec<u8> {
        self.pending
    }

    /// Takes what came, and returns the events that are whole; all of them where it is the `last`.
    ///
    /// # Errors
    /// One phrase for an operator.
    pub(super) fn push(
        &mut self,
        chunk: &[u8],
        last: bool,
        rewrite: &mut Rewrite<'_>,
    ) -> Result<Vec<u8>, &'static str> {
        self.pending.extend_from_slice(chunk);
        let mut out = Vec::new();
        let mut begun = 0;
        while let Some((end, next)) = self.end_of_line(last) {
            let empty = end == self.line;
            self.line = next;
            self.scanned = next;
            if empty {
                write_event(&mut out, self.pending.get(begun..next), rewrite)?;
                begun = next;
            }
        }
        if last {
            write_event(&mut out, self.pending.get(begun..), rewrite)?;
            begun = self.pending.len();
        }
        self.pending.drain(..begun);
        self.line = self.line.saturating_sub(begun);
        self.scanned = self.scanned.saturating_sub(begun);
        if self.pending.len() > limits::LIST_BYTES {
            return Err("has an event that is longer than the limit");
        }
        Ok(out)
    }

    /// Where the line ends, and where the next one begins.
    fn end_of_line(&mut self, last: bool) -> Option<(usize, usize)> {
        let rest = self.pending.get(self.scanned..)?;
        let found = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let Some(offset) = found else {
            self.scanned = self.pending.len();
            return None;
        };
        let end = self.scanned.saturating_add(offset);
        let after = end.saturating_add(1);
        match (self.pending.get(end), self.pending.get(after)) {
            (Some(b'\r'), Some(b'\n')) => Some((end, after.saturating_add(1))),
            // Whether a line feed belongs to it is not known yet.
            (Some(b'\r'), None) if !last => {
                self.scanned = end;
                None
            }
            _ => Some((end, after)),
        }
    }
}

/// Writes one event with the data that goes in place of its own.
fn write_event(
    out: &mut Vec<u8>,
    event: Option<&[u8]>,
    rewrite: &mut Rewrite<'_>,
) -> Result<(), &'static str> {
    let event = event.unwrap_or_default();
    let text = std::str::from_utf8(event).map_err(|_| "is not UTF-8")?;
    // Some readers take it off, and see a field where others see none.
    if text.starts_with('\u{feff}') {
        return Err("has a byte-order mark");
    }
    let data = data(text);
    let rewritten = match &data {
        // An event without data is none: a comment, or an id to resume by.
        None => Rewritten::Unchanged,
        Some(data) if data.is_empty() => Rewritten::Unchanged,
        Some(data) => rewrite(data)?,
    };
    let Rewritten::Changed { text: new, .. } = rewritten else {
        out.extend_from_slice(event);
        return Ok(());
    };
    let mut written = false;
    for line in lines(text) {
        if data_of(line).is_none() {
            out.extend_from_slice(line.as_bytes());
        } else if !written {
            written = true;
            for piece in new.split('\n') {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(piece.as_bytes());
                out.push(b'\n');
            }
        }
    }
    Ok(())
}

/// The text that an event's `data` lines are.
fn data(event: &str) -> Option<Cow<'_, str>> {
    let pieces: Vec<_> = lines(event).filter_map(data_of).collect();
    match pieces.as_slice() {
        [] => None,
        [piece] => Some(Cow::Borrowed(piece)),
        pieces => Some(Cow::Owned(pieces.join("\n"))),
    }
}

/// The value of a line whose field is `data`.
fn data_of(line: &str) -> Option<&str> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (field, value) = line.split_once(':').unwrap_or((line, ""));
    (field == "data").then(|| value.strip_prefix(' ').unwrap_or(value))
}

/// The lines of an event, with their ends.
fn lines(event: &str) -> impl Iterator<Item = &str> {
    let mut rest = event;
    std::iter::from_fn(move || {
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let after = rest.get(end..)?;
        let ending = if after.starts_with("\r\n") { 2 } else { 1 };
        let (line, later) = rest.split_at_checked(end.saturating_add(ending)).unwrap_or((rest, ""));
        rest = later;
        (!line.is_empty()).then_some(line)
    })
}
