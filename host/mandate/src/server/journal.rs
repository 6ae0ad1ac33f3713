//! The log: one JSON object a line, on stderr. No token, secret, query or body is ever in it.
//!
//! A thread writes it, so that nobody who reads slowly, or not at all, holds up a decision: what finds
//! no room is left out, and a line says how much was.

use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::clock;

/// Writes lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journal;

/// Lines that may wait.
const WAITING: usize = 8192;
/// How long the end waits for lines to be written.
const FLUSH: Duration = Duration::from_secs(1);

enum Message {
    Flush(SyncSender<()>),
    Line(String),
}

static LINES: OnceLock<SyncSender<Message>> = OnceLock::new();
static LOST: AtomicU64 = AtomicU64::new(0);

impl Journal {
    /// Something that happened to the server.
    pub(super) fn event(self, event: &str, members: &[(&str, &str)]) {
        let mut line = Map::new();
        line.insert("time".to_owned(), json!(clock::now()));
        line.insert("event".to_owned(), json!(event));
        for (name, value) in members {
            line.insert((*name).to_owned(), json!(value));
        }
        self.write(&Value::Object(line));
    }

    /// A request that was answered.
    pub(super) fn request(self, method: &str, path: &str, status: u16, microseconds: u64) {
        self.write(&json!({
            "time": clock::now(), "event": "request", "method": method, "path": path,
            "status": status, "microseconds": microseconds,
        }));
    }

    /// Waits until what was said is written, but not for ever.
    pub(super) fn flush(self) {
        let (written, wait) = sync_channel(1);
        let begun = Instant::now();
        while let Err(TrySendError::Full(_)) = lines().try_send(Message::Flush(written.clone())) {
            if begun.elapsed() > FLUSH {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = wait.recv_timeout(FLUSH);
    }

    fn write(self, line: &Value) {
        if lines().try_send(Message::Line(format!("{line}\n"))).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn lines() -> &'static SyncSender<Message> {
    LINES.get_or_init(|| {
        let (sender, receiver) = sync_channel(WAITING);
        // Without a thread every line is lost, and counted.
        let _ = std::thread::Builder::new().name("log".to_owned()).spawn(move || write(&receiver));
        sender
    })
}

fn write(messages: &Receiver<Message>) {
    let mut stderr = std::io::stderr();
    for message in messages {
        let lost = LOST.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let line = json!({ "time": clock::now(), "event": "log", "lines_lost": lost });
            let _ = stderr.write_all(format!("{line}\n").as_bytes());
        }
        match message {
            Message::Flush(written) => drop(written.try_send(())),
            // One write for the line, so that lines of others do not mix. Nobody reads a failure.
            Message::Line(line) => drop(stderr.write_all(line.as_bytes())),
        }
    }
}
