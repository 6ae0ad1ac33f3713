//! What stands behind Envoy in the soak: it answers, streams, fails, and keeps count.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::stage::RESULT;

/// Events of a stream.
pub(crate) const EVENTS: usize = 3;

/// An upstream that serves until the process ends.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    seen: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Upstream {
    pub(crate) fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let counted = Arc::clone(&seen);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let counted = Arc::clone(&counted);
                std::thread::spawn(move || converse(connection, &counted));
            }
        });
        Self { url, seen }
    }

    /// What it has seen, by the kind that the client wrote.
    pub(crate) fn seen(&self) -> BTreeMap<String, u64> {
        self.seen.lock().unwrap().clone()
    }
}

fn converse(connection: TcpStream, seen: &Mutex<BTreeMap<String, u64>>) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut writer = connection;
    loop {
        let (mut kind, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            } else if let Some(value) = line.strip_prefix("x-kind: ") {
                kind = value.to_owned();
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
        }
        reader.read_exact(&mut vec![0; length]).ok()?;
        *seen.lock().unwrap().entry(kind.clone()).or_default() += 1;
        match kind.as_str() {
            "stream" => stream(&mut writer)?,
            "broken" => whole(&mut writer, "500 Broken", "broken")?,
            _ => whole(&mut writer, "200 OK", RESULT)?,
        }
    }
}

fn whole(writer: &mut TcpStream, status: &str, body: &str) -> Option<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    writer.write_all(answer.as_bytes()).ok()
}

/// Events with a pause between them, as a tool sends them that takes a while.
fn stream(writer: &mut TcpStream) -> Option<()> {
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    writer.write_all(head).ok()?;
    for _ in 0..EVENTS {
        let event = format!("event: message\ndata: {RESULT}\n\n");
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        writer.write_all(chunk.as_bytes()).ok()?;
        std::thread::sleep(Duration::from_millis(20));
    }
    writer.write_all(b"0\r\n\r\n").ok()
}
