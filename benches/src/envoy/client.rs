//! The load: a few connections that are kept, each with one request at a time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::wire::{Head, chunks, head_of};

/// Connections to one listener.
#[derive(Debug)]
pub struct Client {
    connections: Vec<Connection>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    /// Opens so many connections.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn open(port: u16, connections: usize) -> Result<Self> {
        let connections = (0..connections).map(|_| Connection::open(port));
        Ok(Self { connections: connections.collect::<Result<_>>()? })
    }

    /// Sends so many of the requests, from one of them on and from the first again after the last,
    /// and reads every answer.
    ///
    /// # Errors
    /// The first answer that is not 200 with a body like the upstream's, or no answer.
    pub fn drive(&mut self, requests: &[Vec<u8>], begin_at: usize, count: usize) -> Result<()> {
        let mut next = requests.iter().cycle().skip(begin_at).take(count);
        let mut waiting = std::collections::VecDeque::new();
        for connection in &mut self.connections {
            if let Some(request) = next.next() {
                connection.stream.write_all(request)?;
                waiting.push_back(connection);
            }
        }
        while let Some(connection) = waiting.pop_front() {
            let answered = connection.receive()?;
            if answered.status != 200 || answered.body != super::upstream::BODY {
                bail!("{}: {}", answered.status, String::from_utf8_lossy(&answered.body));
            }
            if let Some(request) = next.next() {
                connection.stream.write_all(request)?;
                waiting.push_back(connection);
            }
        }
        Ok(())
    }
}

impl Connection {
    fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, read: Vec::with_capacity(16 * 1024) })
    }

    fn receive(&mut self) -> Result<Answered> {
        let mut buffer = [0; 16 * 1024];
        loop {
            if let Some(answered) = self.whole()? {
                return Ok(answered);
            }
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                bail!("the connection ended before its answer");
            }
            self.read.extend(buffer.get(..count).unwrap_or_default());
        }
    }

    /// The first answer, if all of it has come.
    fn whole(&mut self) -> Result<Option<Answered>> {
        let Some(Head { bytes, status, length, chunked }) = head_of(&self.read)? else {
            return Ok(None);
        };
        let rest = self.read.get(bytes..).unwrap_or_default();
        let body = if chunked {
            chunks(rest)?
        } else {
            let length = length.context("an answer without a length")?;
            rest.get(..length).map(|body| (body.to_vec(), length))
        };
        let Some((body, end)) = body else { return Ok(None) };
        self.read.drain(..bytes.saturating_add(end));
        Ok(Some(Answered { status, body }))
    }
}

/// Sends one request on a connection of its own.
///
/// # Errors
/// When there is no answer.
pub fn ask(port: u16, request: &[u8]) -> Result<Answered> {
    let mut connection = Connection::open(port)?;
    connection.stream.write_all(request)?;
    connection.receive()
}
