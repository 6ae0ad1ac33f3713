//! What stands behind Envoy: it answers everything with 200, and counts.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::wire::head_of;

/// Answers until the connection ends; whatever it does not understand ends it.
///
/// # Errors
/// When it breaks off, or is not understood.
pub fn converse(mut connection: TcpStream, seen: &AtomicUsize) -> Result<()> {
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
