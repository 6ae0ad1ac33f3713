//! Connections that are kept.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Answered> {
        self.stream.write_all(request)?;
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some((answered, end)) = whole(&self.read) {
                self.read.drain(..end);
                return Ok(answered);
            }
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.read.extend(&buffer[..count]);
        }
    }
}

/// The first answer and where it ends, once all of it has come. Envoy writes names of fields in lower
/// case; an answer has its length, or comes in chunks.
fn whole(bytes: &[u8]) -> Option<(Answered, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let (body, end) = match length.and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => (bytes.get(end..end + length)?.to_vec(), end + length),
        None => chunks(bytes, end)?,
    };
    Some((Answered { status, body: String::from_utf8_lossy(&body).into_owned() }, end))
}

fn chunks(bytes: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    loop {
        let line = bytes[at..].windows(2).position(|two| two == b"\r\n")?;
        let size = String::from_utf8_lossy(&bytes[at..at + line]).into_owned();
        let size = usize::from_str_radix(&size, 16).ok()?;
        at += line + 2;
        body.extend(bytes.get(at..at + size)?);
        at += size + 2;
        bytes.get(at - 1)?;
        if size == 0 {
            return Some((body, at));
        }
    }
}
