//! Requests as bytes: a client library would not send what these tests have to.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// An answer over HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Sends the parts of a request, a moment apart, and reads the answer.
pub(crate) fn send(port: u16, parts: &[Vec<u8>]) -> Option<Answered> {
    exchange(&mut connect(port)?, parts)
}

/// The same over TLS; `None` too where no connection comes about.
pub(crate) fn send_tls(
    port: u16,
    config: &Arc<ClientConfig>,
    parts: &[Vec<u8>],
) -> Option<Answered> {
    let name = ServerName::try_from("localhost").expect("a name");
    let client = ClientConnection::new(Arc::clone(config), name).expect("a client");
    exchange(&mut StreamOwned::new(client, connect(port)?), parts)
}

fn exchange(connection: &mut (impl Read + Write), parts: &[Vec<u8>]) -> Option<Answered> {
    for part in parts {
        // The peer may have answered and closed before all of it came.
        let _ = connection.write_all(part);
        if parts.len() > 1 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let mut bytes = Vec::new();
    let mut buffer = [0; 16384];
    while whole(&bytes).is_none() {
        match connection.read(&mut buffer) {
            Ok(count) if count > 0 => bytes.extend(&buffer[..count]),
            _ => break,
        }
    }
    whole(&bytes)
}

/// The answer, once all of it has come. The end of a chunked one is its empty chunk.
fn whole(bytes: &[u8]) -> Option<Answered> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    // Envoy writes the names of fields in lower case.
    if head.starts_with("HTTP/1.1 100") {
        return whole(text.split_once("\r\n\r\n")?.1.as_bytes());
    }
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let length = length.and_then(|length| length.trim().parse().ok());
    let done = match length {
        Some(length) => body.len() >= length,
        None => body.ends_with("0\r\n\r\n"),
    };
    let status = head.split(' ').nth(1)?.parse().ok()?;
    done.then(|| Answered { status, head: head.to_owned(), body: body.to_owned() })
}

fn connect(port: u16) -> Option<TcpStream> {
    let connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    Some(connection)
}

/// A connection whose answer comes while the test goes on.
#[derive(Debug)]
pub(crate) struct Open {
    connection: TcpStream,
    read: Vec<u8>,
}

impl Open {
    /// Sends bytes.
    pub(crate) fn send(port: u16, bytes: &[u8]) -> Self {
        let mut connection = connect(port).expect("Envoy listens");
        connection.write_all(bytes).expect("it is sent");
        Self { connection, read: Vec::new() }
    }

    /// Reads until this has come, and returns all that has; what came before the end, where it does
    /// not come.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let mut buffer = [0; 16384];
        loop {
            let read = String::from_utf8_lossy(&self.read).into_owned();
            if read.contains(text) {
                return read;
            }
            match self.connection.read(&mut buffer) {
                Ok(count) if count > 0 => self.read.extend(&buffer[..count]),
                _ => return read,
            }
        }
    }
}

/// Sends one request over HTTP/2 with trailers, and returns all that comes back as text: headers are
/// compressed, bodies are not.
pub(crate) fn send_h2(
    port: u16,
    fields: &[(&str, &str)],
    body: &[u8],
    trailers: &[(&str, &str)],
) -> String {
    const HEADERS: u8 = 1;
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    let mut connection = connect(port).expect("Envoy listens");
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, b""));
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &literals(fields)));
    bytes.extend(frame(0, 0, 1, body));
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &literals(trailers)));
    connection.write_all(&bytes).expect("it is sent");
    let (mut received, mut buffer) = (Vec::new(), [0; 16384]);
    // The answer's last frame ends the stream: its flag is looked for in each whole frame.
    while !has_ended(&received) {
        match connection.read(&mut buffer) {
            Ok(count) if count > 0 => received.extend(&buffer[..count]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&received).into_owned()
}

/// RFC 9113 section 4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// RFC 7541 section 6.2.2: literal fields with new names, not indexed.
fn literals(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [integer(text.len()), text.as_bytes().to_vec()].concat();
    let field = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
    fields.iter().flat_map(field).collect()
}

/// RFC 7541 section 5.1, with a prefix of seven bits.
fn integer(number: usize) -> Vec<u8> {
    let byte = |number: usize| u8::try_from(number).expect("a byte");
    if number < 127 {
        return vec![byte(number)];
    }
    let (mut bytes, mut rest) = (vec![127], number - 127);
    while rest >= 128 {
        bytes.push(byte(rest % 128 + 128));
        rest /= 128;
    }
    bytes.push(byte(rest));
    bytes
}

fn has_ended(mut bytes: &[u8]) -> bool {
    while let [a, b, c, kind, flags, _, _, _, stream, rest @ ..] = bytes {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some(after) = rest.get(length..) else { return false };
        if *stream == 1 && matches!(kind, 0 | 1) && flags & 1 == 1 {
            return true;
        }
        bytes = after;
    }
    false
}
