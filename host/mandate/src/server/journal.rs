//! The log: one JSON object a line, on stderr. No token, secret, query or body is ever in it.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::clock;

/// Writes lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journal;

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

    fn write(self, line: &Value) {
        // One write for the line, so that lines of threads do not mix. Nobody reads a failure.
        let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}
