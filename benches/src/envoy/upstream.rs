//! What stands behind Envoy: it answers everything with 200, and counts.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::wire::head_of;

/// An upstream that serves until the process ends.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where it listens.
    pub port: u16,
    seen: Arc<AtomicUsize>,
}

impl Upstream {
    /// Serves on a port of its own: a thread for each connection.
    ///
    /// # Errors
    /// When there is no port.
    pub fn begin() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || converse(connection, &counted));
            }
        });
        Ok(Self { port, seen })
    }

    /// Requests that it has seen.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// Answers until the connection ends; whatever it does not understand ends it.
fn converse(mut connection: TcpStream, seen: &AtomicUsize) -> Result<()> {
    let answer = answer();
    connection.set_nodelay(true)?;
    let (mut read, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        while let Some(end) = request(&read)? {
            seen.fetch_add(1, Ordering::SeqCst);
            connection.write_all(&answer)?;
            read.drain(..end);
        }
        let count = connection.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        read.extend(buffer.get(..count).unwrap_or_default());
    }
}

/// Where the first request ends, if all of it has come.
fn request(read: &[u8]) -> Result<Option<usize>> {
    let Some(head) = head_of(read)? else { return Ok(None) };
    anyhow::ensure!(!head.chunked, "a request in chunks");
    let end = head.bytes.saturating_add(head.length.unwrap_or_default());
    Ok((read.len() >= end).then_some(end))
}

fn answer() -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        BODY.len()
    );
    [head.as_bytes(), BODY].concat()
}

/// The body of every answer: what a tool would give.
pub const BODY: &[u8] =
    br#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"a board"}]}}"#;
