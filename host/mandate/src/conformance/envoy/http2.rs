//! A request over HTTP/2 (RFC 9113), without a library that would not send what cases have to.

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;

use httlib_hpack::{Decoder, Encoder};

use super::client::Answered;
use super::message::Fields;
use super::question::WireRequest;

/// Sends a request and reads the answer. Names are in lower case, as section 8.2.1 has them.
pub(super) fn ask(connection: &TcpStream, request: &WireRequest, host: &str) -> Answered {
    let mut stream = Stream {
        writer: connection,
        reader: BufReader::new(connection),
        decoder: Decoder::default(),
        windows: Windows { connection: FIRST_WINDOW, stream: FIRST_WINDOW, initial: FIRST_WINDOW },
        answered: Answered::default(),
        ended: false,
    };
    // A peer that is gone ends it: what has come by then is the answer.
    let _ = stream.exchange(request, host);
    let Stream { mut answered, ended, .. } = stream;
    answered.broken = answered.status.is_some() && !ended;
    answered
}

struct Stream<'c> {
    writer: &'c TcpStream,
    reader: BufReader<&'c TcpStream>,
    decoder: Decoder<'c>,
    windows: Windows,
    answered: Answered,
    /// Whether the answer has come to its own end.
    ended: bool,
}

/// Bytes that may still be sent (section 5.2).
struct Windows {
    connection: i64,
    stream: i64,
    initial: i64,
}

/// The stream is over: by its end, or because it was reset.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl Stream<'_> {
    fn exchange(&mut self, request: &WireRequest, host: &str) -> Result<(), Over> {
        let mut opening = PREFACE.to_vec();
        let [a, b] = INITIAL_WINDOW_SIZE.to_be_bytes();
        let window = LARGEST_WINDOW.to_be_bytes();
        opening.extend(frame(SETTINGS, 0, 0, &[&[a, b][..], &window].concat()));
        let more = LARGEST_WINDOW.saturating_sub(65_535).to_be_bytes();
        opening.extend(frame(WINDOW_UPDATE, 0, 0, &more));
        self.writer.write_all(&opening)?;
        // The peer's windows are known once its settings are.
        while !self.next()? {}
        let body = request.body.as_deref().unwrap_or_default();
        let trailers = !request.trailers.is_empty();
        let mut fields = vec![
            (b":method".to_vec(), request.method.clone()),
            (b":scheme".to_vec(), b"http".to_vec()),
            (b":authority".to_vec(), host.as_bytes().to_vec()),
            (b":path".to_vec(), request.target.clone()),
        ];
        fields.extend(request.fields.iter().cloned());
        self.headers(&fields, body.is_empty() && !trailers)?;
        self.body(body, !trailers)?;
        if trailers {
            self.headers(&request.trailers, true)?;
        }
        loop {
            self.next()?;
        }
    }

    fn headers(&mut self, fields: &Fields, last: bool) -> Result<(), Over> {
        let mut encoder = Encoder::default();
        let mut block = Vec::new();
        for (name, value) in fields {
            let field = (name.to_ascii_lowercase(), value.clone(), Encoder::NEVER_INDEXED);
            encoder.encode(field, &mut block).map_err(|_| Over)?;
        }
        let mut parts = block.chunks(LARGEST_FRAME).peekable();
        let (mut kind, mut flags) = (HEADERS, if last { END_STREAM } else { 0 });
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                flags |= END_HEADERS;
            }
            self.writer.write_all(&frame(kind, flags, 1, part))?;
            (kind, flags) = (CONTINUATION, 0);
        }
        Ok(())
    }

    fn body(&mut self, mut body: &[u8], last: bool) -> Result<(), Over> {
        while !body.is_empty() {
            let room = self.windows.connection.min(self.windows.stream);
            let room = usize::try_from(room).unwrap_or(0).min(LARGEST_FRAME).min(body.len());
            if room == 0 {
                self.next()?;
                continue;
            }
            let (part, rest) = body.split_at_checked(room).ok_or(Over)?;
            let flags = if last && rest.is_empty() { END_STREAM } else { 0 };
            self.writer.write_all(&frame(DATA, flags, 1, part))?;
            let sent = i64::try_from(room).unwrap_or(i64::MAX);
            self.windows.connection = self.windows.connection.saturating_sub(sent);
            self.windows.stream = self.windows.stream.saturating_sub(sent);
            body = rest;
        }
        Ok(())
    }

    /// Takes the next frame; whether it was the peer's settings.
    fn next(&mut self) -> Result<bool, Over> {
        let Frame { kind, mut flags, stream, mut payload } = self.frame()?;
        match kind {
            SETTINGS if flags & ACKNOWLEDGED == 0 => {
                self.settings(&payload);
                self.writer.write_all(&frame(SETTINGS, ACKNOWLEDGED, 0, &[]))?;
                return Ok(true);
            }
            PING if flags & ACKNOWLEDGED == 0 => {
                self.writer.write_all(&frame(PING, ACKNOWLEDGED, 0, &payload))?;
            }
            WINDOW_UPDATE => {
                let more = number(&payload);
                let window = match stream {
                    0 => &mut self.windows.connection,
                    _ => &mut self.windows.stream,
                };
                *window = window.saturating_add(more);
            }
            HEADERS => {
                let last = flags & END_STREAM != 0;
                while flags & END_HEADERS == 0 {
                    let more = self.frame()?;
                    flags = more.flags;
                    payload.extend(more.payload);
                }
                self.fields(payload)?;
                self.end_if(last)?;
            }
            DATA => {
                self.answered.body.extend(payload);
                self.end_if(flags & END_STREAM != 0)?;
            }
            RESET | GO_AWAY => return Err(Over),
            _ => {}
        }
        Ok(false)
    }

    fn end_if(&mut self, last: bool) -> Result<(), Over> {
        self.ended = last;
        if last { Err(Over) } else { Ok(()) }
    }

    fn settings(&mut self, payload: &[u8]) {
        for setting in payload.chunks_exact(6) {
            let (id, value) = setting.split_at(2);
            if id == INITIAL_WINDOW_SIZE.to_be_bytes() {
                let more = number(value).saturating_sub(self.windows.initial);
                self.windows.initial = number(value);
                self.windows.stream = self.windows.stream.saturating_add(more);
            }
        }
    }

    /// The head of the answer; one that says to go on is passed over, and trailers are.
    fn fields(&mut self, mut block: Vec<u8>) -> Result<(), Over> {
        let mut decoded = Vec::new();
        self.decoder.decode(&mut block, &mut decoded).map_err(|_| Over)?;
        let mut fields: Fields = Vec::new();
        let mut status = None;
        for (name, value, _) in decoded {
            match name.as_slice() {
                b":status" => {
                    status = std::str::from_utf8(&value).ok().and_then(|it| it.parse().ok())
                }
                _ => fields.push((name, value)),
            }
        }
        if status.is_some_and(|status: u16| status >= 200) {
            self.answered.status = status;
            self.answered.fields = fields;
        }
        Ok(())
    }

    fn frame(&mut self) -> Result<Frame, Over> {
        let mut head = [0; 9];
        self.reader.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let mut payload = Vec::new();
        self.reader.by_ref().take(u64::from(length)).read_to_end(&mut payload)?;
        let mut frame = Frame { kind, flags, stream: u32::from_be_bytes(stream), payload };
        if matches!(kind, DATA | HEADERS) && flags & PADDED != 0 {
            return Err(Over);
        }
        if kind == HEADERS && flags & PRIORITY != 0 {
            frame.payload.drain(..5.min(frame.payload.len()));
        }
        Ok(frame)
    }
}

/// Section 4.1.
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let length = length.get(1..).unwrap_or_default();
    [length, &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Four bytes as a number.
fn number(bytes: &[u8]) -> i64 {
    bytes
        .iter()
        .take(4)
        .fold(0_i64, |sum, byte| sum.saturating_mul(256).saturating_add(i64::from(*byte)))
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const ACKNOWLEDGED: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;
/// The setting of section 6.5.2.
const INITIAL_WINDOW_SIZE: u16 = 4;
const FIRST_WINDOW: i64 = 65_535;
const LARGEST_WINDOW: u32 = 0x7fff_ffff;
const LARGEST_FRAME: usize = 16_384;
