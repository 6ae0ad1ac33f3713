//! As much of HTTP/1.1 as Envoy writes: names of fields in lower case, and bodies with their length.

use anyhow::{Context as _, Result, ensure};

/// What stands before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its own bytes.
    pub bytes: usize,
    /// The status; 0 in a request.
    pub status: u16,
    /// Bytes of the body, where it says so.
    pub length: Option<usize>,
    /// Whether the body comes in chunks.
    pub chunked: bool,
}

/// Reads the head of a message; `None` where not all of it has come.
///
/// # Errors
/// When it is none.
pub fn head_of(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
    let mut lines = text.split("\r\n");
    let first = lines.next().context("a head without a line")?;
    let status = match first.strip_prefix("HTTP/1.1 ") {
        Some(rest) => rest.get(..3).context("a short status")?.parse()?,
        None => 0,
    };
    let (mut length, mut chunked) = (None, false);
    for line in lines {
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = Some(value.parse()?);
        } else if let Some(value) = line.strip_prefix("transfer-encoding: ") {
            ensure!(value == "chunked", "a body that is `{value}`");
            chunked = true;
        }
    }
    Ok(Some(Head { bytes: end.saturating_add(4), status, length, chunked }))
}

/// Takes a body in chunks apart (RFC 9112 section 7.1): its bytes, and where it ends; `None` where not
/// all of it has come.
///
/// # Errors
/// When a size is none.
pub fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut at) = (Vec::new(), 0_usize);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(rest.get(..line).unwrap_or_default())?;
        let size = usize::from_str_radix(size, 16)?;
        let begin = line.saturating_add(2);
        let end = begin.saturating_add(size);
        let Some(chunk) = rest.get(begin..end).filter(|_| rest.len() >= end.saturating_add(2))
        else {
            return Ok(None);
        };
        body.extend(chunk);
        at = at.saturating_add(end).saturating_add(2);
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_one_body_once_the_last_has_come() {
        let written = b"4\r\nLIVE\r\n1\r\n\n\r\n0\r\n\r\nHTTP";
        assert_eq!(chunks(written).unwrap(), Some((b"LIVE\n".to_vec(), 20)));
        for length in 0..20 {
            assert_eq!(chunks(&written[..length]).unwrap(), None, "{length}");
        }
    }

    #[test]
    fn a_head_says_what_follows_it() {
        let answer =
            b"HTTP/1.1 403 Forbidden\r\ncontent-length: 12\r\nserver: envoy\r\n\r\nforbidden";
        let head = Head { bytes: 61, status: 403, length: Some(12), chunked: false };
        assert_eq!(head_of(answer).unwrap(), Some(head));
        assert_eq!(head_of(&answer[..60]).unwrap(), None);
        let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let head = Head { bytes: 27, status: 0, length: None, chunked: false };
        assert_eq!(head_of(request).unwrap(), Some(head));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(head_of(chunked).unwrap().map(|head| head.chunked), Some(true));
    }
}
