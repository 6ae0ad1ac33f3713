//! A small HTTP/1.1 server: the upstream, and what the feed stands on.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received {
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// Values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let named = self.fields.iter().filter(|(field, _)| field == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// What is sent back.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    /// Nothing: the connection is cut.
    Cut,
    /// A head, and a body in chunks that come when the test sends them.
    Stream(Vec<u8>, Arc<Mutex<Receiver<Vec<u8>>>>),
    /// Bytes, as they are.
    Whole(Vec<u8>),
}

/// An answer with a body that the test sends chunk by chunk; it ends when the sender is dropped.
pub(crate) fn stream(fields: &[(&str, &str)], chunks: &Arc<Mutex<Receiver<Vec<u8>>>>) -> Sent {
    let mut head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n".to_owned();
    for (name, value) in fields {
        head += &format!("{name}: {value}\r\n");
    }
    Sent::Stream((head + "\r\n").into_bytes(), Arc::clone(chunks))
}

/// A chunk of a body (RFC 9112 section 7.1); an empty one ends it.
pub(crate) fn chunk(part: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat()
}

/// An answer with a body and its length.
pub(crate) fn answer(status: &str, fields: &[(&str, &str)], body: &[u8]) -> Sent {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in fields {
        head += &format!("{name}: {value}\r\n");
    }
    Sent::Whole([head.as_bytes(), b"\r\n", body].concat())
}

/// Serves on a port of its own, over TLS where it has a certificate, until the process ends.
pub(crate) fn serve(
    tls: Option<Arc<ServerConfig>>,
    handle: impl Fn(Received) -> Sent + Clone + Send + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let (handle, tls) = (handle.clone(), tls.clone());
            thread::spawn(move || match tls {
                None => converse(connection, &handle),
                Some(config) => {
                    let server = ServerConnection::new(config).expect("a server");
                    converse(StreamOwned::new(server, connection), &handle)
                }
            });
        }
    });
    port
}

fn converse(connection: impl Read + Write, handle: &impl Fn(Received) -> Sent) -> Option<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let received = receive(&mut reader)?;
        let connection = reader.get_mut();
        match handle(received) {
            Sent::Cut => return None,
            Sent::Whole(bytes) => {
                connection.write_all(&bytes).and_then(|()| connection.flush()).ok()?;
            }
            Sent::Stream(head, chunks) => {
                connection.write_all(&head).ok()?;
                let chunks = chunks.lock().ok()?;
                while let Ok(part) = chunks.recv() {
                    connection.write_all(&chunk(&part)).ok()?;
                }
                connection.write_all(&chunk(b"")).ok()?;
            }
        }
    }
}

fn receive(reader: &mut BufReader<impl Read>) -> Option<Received> {
    let line = line(reader)?;
    let mut received =
        Received { target: line.split(' ').nth(1)?.to_owned(), ..Received::default() };
    fields(reader, &mut received)?;
    let length = received.values("content-length").first().and_then(|text| text.parse().ok());
    if let Some(length) = length {
        received.body = bytes(reader, length)?;
    } else if received.values("transfer-encoding") == ["chunked"] {
        loop {
            let size = usize::from_str_radix(&self::line(reader)?, 16).ok()?;
            if size == 0 {
                break;
            }
            received.body.extend(bytes(reader, size)?);
            self::line(reader)?;
        }
        fields(reader, &mut received)?;
    }
    Some(received)
}

fn fields(reader: &mut BufReader<impl Read>, received: &mut Received) -> Option<()> {
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Some(());
        }
        let (name, value) = line.split_once(':')?;
        received.fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn line(reader: &mut BufReader<impl Read>) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok().filter(|count| *count > 0)?;
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn bytes(reader: &mut BufReader<impl Read>, count: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; count];
    reader.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
