//! As much of HTTP/1.1 as stands on both sides of Envoy: heads and bodies, as bytes.

use std::io::{self, BufRead, Read as _};

/// Names and values, in their order.
pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The first line of a message, and its fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Method and target of a request.
    pub(super) method: Vec<u8>,
    pub(super) target: Vec<u8>,
    /// Status of a response.
    pub(super) status: u16,
    pub(super) fields: Fields,
}

/// What follows a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) body: Vec<u8>,
    pub(super) trailers: Fields,
    /// Whether it broke off before its end.
    pub(super) broken: bool,
}

/// The head of the next request; `None` where the connection has ended.
pub(super) fn request_head(reader: &mut impl BufRead) -> Option<Head> {
    let bytes = head_bytes(reader).ok()?;
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed.parse(&bytes).ok()?.is_complete().then_some(())?;
    Some(Head {
        method: parsed.method?.as_bytes().to_vec(),
        target: parsed.path?.as_bytes().to_vec(),
        status: 0,
        fields: owned(parsed.headers),
    })
}

/// The head of the final response: one that says to go on is passed over.
pub(super) fn response_head(reader: &mut impl BufRead) -> Option<Head> {
    loop {
        let bytes = head_bytes(reader).ok()?;
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut parsed = httparse::Response::new(&mut fields);
        parsed.parse(&bytes).ok()?.is_complete().then_some(())?;
        let status = parsed.code?;
        if status != CONTINUE {
            return Some(Head { status, fields: owned(parsed.headers), ..Head::default() });
        }
    }
}

/// What follows a head with these fields; where neither says how long it is, `open` says whether it
/// lasts until the connection ends.
pub(super) fn content(reader: &mut impl BufRead, fields: &Fields, open: bool) -> Content {
    let length = values(fields, b"content-length").next();
    let length = length.and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok());
    let chunked = values(fields, b"transfer-encoding").any(|coding| coding == b"chunked");
    let mut content = Content::default();
    let read = match (chunked, length, open) {
        (true, _, _) => chunks(reader, &mut content),
        (false, Some(length), _) => bytes(reader, length, &mut content.body),
        (false, None, true) => reader.read_to_end(&mut content.body).map(drop),
        (false, None, false) => Ok(()),
    };
    content.broken = read.is_err();
    content
}

/// The values of a field.
pub(super) fn values<'f>(fields: &'f Fields, name: &'f [u8]) -> impl Iterator<Item = &'f [u8]> {
    let named = move |(field, _): &&(Vec<u8>, Vec<u8>)| field.eq_ignore_ascii_case(name);
    fields.iter().filter(named).map(|(_, value)| value.as_slice())
}

/// A chunk of a body (RFC 9112 section 7.1); an empty one ends it.
pub(super) fn chunk(part: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()
}

fn head_bytes(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let line = reader.by_ref().take(HEAD_BYTES).read_until(b'\n', &mut bytes)?;
        if line == 0 || bytes.len() > LONGEST_HEAD {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if bytes.ends_with(b"\r\n\r\n") {
            return Ok(bytes);
        }
    }
}

fn owned(fields: &[httparse::Header<'_>]) -> Fields {
    let lower = |name: &str| name.to_ascii_lowercase().into_bytes();
    fields.iter().map(|field| (lower(field.name), field.value.to_vec())).collect()
}

fn bytes(reader: &mut impl BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let read = reader.by_ref().take(length).read_to_end(body)?;
    if u64::try_from(read).is_ok_and(|read| read == length) {
        return Ok(());
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

fn chunks(reader: &mut impl BufRead, content: &mut Content) -> io::Result<()> {
    loop {
        let size = line(reader)?;
        let size = std::str::from_utf8(&size).ok();
        let size = size.and_then(|size| u64::from_str_radix(size, 16).ok());
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        if size == 0 {
            break;
        }
        bytes(reader, size, &mut content.body)?;
        line(reader)?;
    }
    loop {
        let field = line(reader)?;
        let Some(colon) = field.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = field.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        content.trailers.push((name.to_ascii_lowercase(), value.to_vec()));
    }
    Ok(())
}

fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.by_ref().take(HEAD_BYTES).read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(line.to_vec()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

const CONTINUE: u16 = 100;
/// Fields of one head.
const FIELDS: usize = 128;
/// Bytes of one line.
const HEAD_BYTES: u64 = 256 * 1024;
/// Bytes of a head.
const LONGEST_HEAD: usize = 512 * 1024;

#[cfg(test)]
mod tests {
    use super::{Content, content, request_head, response_head};

    #[test]
    fn a_message_is_read_by_its_length_or_by_its_chunks() {
        let mut bytes: &[u8] = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: 1\r\n\r\nrest";
        let head = request_head(&mut bytes).unwrap();
        assert_eq!((head.method.as_slice(), head.target.as_slice()), (&b"POST"[..], &b"/a"[..]));
        let expected = Content {
            body: b"ab".to_vec(),
            trailers: vec![(b"x".to_vec(), b"1".to_vec())],
            broken: false,
        };
        assert_eq!(content(&mut bytes, &head.fields, false), expected);
        assert_eq!(bytes, b"rest");
        let mut bytes: &[u8] =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab";
        let head = response_head(&mut bytes).unwrap();
        let broken = Content { body: b"ab".to_vec(), broken: true, ..Content::default() };
        assert_eq!((head.status, content(&mut bytes, &head.fields, true)), (200, broken));
        assert_eq!(request_head(&mut bytes), None);
    }
}
