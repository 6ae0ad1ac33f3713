//! As much of HTTP/1.1 as a feed needs: requests without bodies, bounded in size and time.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::socket::Stream;

/// Bytes of a request line with its headers.
const HEAD_BYTES: usize = 8 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// How long a request may take to arrive, and how long a connection may be idle.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How long a refused client is listened to, and how often.
const DRAIN_TIME: Duration = Duration::from_millis(500);
const DRAIN_READS: u32 = 64;

/// A request as far as a feed looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) if_none_match: Vec<String>,
    keep_alive: bool,
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The client has gone, or says nothing.
    Closed,
    /// It is no request that is answered here.
    Refused(u16, &'static str),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<Arc<[u8]>>,
}

impl Response {
    pub(super) fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(self, body: Vec<Arc<[u8]>>) -> Self {
        Self { body, ..self }
    }
}

impl Request {
    /// Whether the body is left out.
    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// A connection with one client.
pub(super) struct Connection {
    stream: Stream,
    /// Bytes that came after the last request.
    rest: Vec<u8>,
}

impl Connection {
    pub(super) fn new(stream: Stream) -> io::Result<Self> {
        stream.set_write_timeout(WRITE_TIME)?;
        Ok(Self { stream, rest: Vec::new() })
    }

    /// The next request.
    pub(super) fn read(&mut self) -> Result<Request, Unread> {
        let started = Instant::now();
        loop {
            if let Some(request) = self.parse()? {
                return Ok(request);
            }
            if self.rest.len() >= HEAD_BYTES {
                return Err(Unread::Refused(431, "request line and headers are above 8 KiB"));
            }
            let left = HEAD_TIME.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(Unread::Closed);
            }
            self.stream.set_read_timeout(left).map_err(|_| Unread::Closed)?;
            let mut buffer = [0; 2048];
            let room = HEAD_BYTES.saturating_sub(self.rest.len()).min(buffer.len());
            let part = buffer.get_mut(..room).unwrap_or_default();
            match self.stream.read(part) {
                Ok(0) | Err(_) => return Err(Unread::Closed),
                Ok(read) => self.rest.extend_from_slice(part.get(..read).unwrap_or_default()),
            }
        }
    }

    /// The request that has come whole, if one has.
    fn parse(&mut self) -> Result<Option<Request>, Unread> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(&self.rest) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Unread::Refused(400, "the request is malformed")),
        };
        let request = request(&parsed)?;
        self.rest.drain(..length);
        Ok(Some(request))
    }

    /// Sends an answer; whether the connection may go on.
    pub(super) fn send(&mut self, request: Option<&Request>, response: &Response) -> bool {
        let keep_alive = request.is_some_and(|request| request.keep_alive);
        let written = self.write(response, request.is_some_and(Request::is_head), keep_alive);
        written.is_ok() && keep_alive
    }

    /// Takes what a refused client is still sending, for a moment: a connection that is closed while
    /// bytes arrive is reset, and the answer lost with it.
    pub(super) fn drain(mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
        let _ = self.stream.set_read_timeout(DRAIN_TIME);
        let mut sink = [0; 2048];
        for _ in 0..DRAIN_READS {
            if !self.stream.read(&mut sink).is_ok_and(|read| read > 0) {
                break;
            }
        }
    }

    fn write(&mut self, response: &Response, head_only: bool, keep_alive: bool) -> io::Result<()> {
        let length: usize = response.body.iter().map(|part| part.len()).sum();
        let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, phrase(response.status));
        for (name, value) in &response.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if response.status != 304 {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        let connection = if keep_alive { "keep-alive" } else { "close" };
        head.push_str(&format!("Connection: {connection}\r\n\r\n"));
        self.stream.write_all(head.as_bytes())?;
        if !head_only && response.status != 304 {
            for part in &response.body {
                self.stream.write_all(part)?;
            }
        }
        self.stream.flush()
    }
}

fn request(parsed: &httparse::Request<'_, '_>) -> Result<Request, Unread> {
    let malformed = || Unread::Refused(400, "the request is malformed");
    let method = parsed.method.ok_or_else(malformed)?.to_owned();
    let target = parsed.path.ok_or_else(malformed)?.to_owned();
    let named = |name: &'static str| {
        let headers = parsed.headers.iter();
        headers
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| String::from_utf8_lossy(header.value).trim().to_owned())
    };
    // Nobody sends a body here; one that is announced would be read as the next request.
    let body = named("Content-Length").any(|length| length != "0")
        || named("Transfer-Encoding").next().is_some();
    if body {
        return Err(Unread::Refused(400, "a request has no body here"));
    }
    let close = named("Connection").any(|value| value.eq_ignore_ascii_case("close"));
    Ok(Request {
        method,
        target,
        if_none_match: named("If-None-Match").collect(),
        // HTTP/1.0 clients close.
        keep_alive: parsed.version == Some(1) && !close,
    })
}

const fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
