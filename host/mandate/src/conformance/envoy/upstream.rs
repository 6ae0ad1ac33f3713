//! The server behind Envoy: it keeps what it sees, and answers as a case says.

use std::collections::BTreeMap;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::message::{self, Content, Head};
use super::question::WireResponse;

/// A request as the upstream saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) head: Head,
    pub(super) content: Content,
}

/// The server. Cases are told apart by their `Host`, which decides nothing.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    plans: Arc<Mutex<Plans>>,
    received: Arc<Mutex<BTreeMap<String, Vec<Received>>>>,
    pub(super) port: u16,
}

/// Responses by host.
pub(super) type Plans = BTreeMap<String, WireResponse>;

impl Upstream {
    /// Serves on a port of its own until the process ends.
    pub(super) fn serve() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("the upstream")?;
        let port = listener.local_addr()?.port();
        let upstream = Self { plans: Arc::default(), received: Arc::default(), port };
        let served = upstream.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let upstream = served.clone();
                thread::spawn(move || upstream.converse(&connection));
            }
        });
        Ok(upstream)
    }

    /// Puts these responses in the place of those before.
    pub(super) fn put(&self, plans: Plans) {
        *self.plans.lock().unwrap_or_else(PoisonError::into_inner) = plans;
    }

    /// What has come for a host.
    pub(super) fn take(&self, host: &str) -> Vec<Received> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.remove(host).unwrap_or_default()
    }

    fn converse(&self, connection: &TcpStream) -> Option<()> {
        connection.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(connection);
        loop {
            let head = message::request_head(&mut reader)?;
            let content = message::content(&mut reader, &head.fields, false);
            let host = message::values(&head.fields, b"host").next().unwrap_or_default();
            let host = String::from_utf8_lossy(host).into_owned();
            let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
            let plan = plans.get(&host).cloned().unwrap_or_default();
            let switches = message::values(&head.fields, b"upgrade").next().map(<[u8]>::to_vec);
            drop(plans);
            let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
            received.entry(host).or_default().push(Received { head, content });
            drop(received);
            match switches {
                Some(protocol) => switch(connection, &protocol)?,
                None => respond(connection, &plan)?,
            }
        }
    }
}

/// Takes up another protocol, in which nothing is said.
fn switch(mut connection: &TcpStream, protocol: &[u8]) -> Option<()> {
    let head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ";
    connection.write_all(&[head, protocol, b"\r\n\r\n"].concat()).ok()
}

fn respond(mut connection: &TcpStream, plan: &WireResponse) -> Option<()> {
    let WireResponse { content_type, chunks, session_id, delay } = plan;
    thread::sleep(Duration::from_secs(*delay));
    let mut head = b"HTTP/1.1 200 OK\r\n".to_vec();
    let fields = [("content-type", content_type), ("mcp-session-id", session_id)];
    for (name, value) in fields {
        if let Some(value) = value {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
    }
    match chunks.as_slice() {
        [] => head.extend_from_slice(b"content-length: 0\r\n\r\n"),
        [body] => {
            head.extend(format!("content-length: {}\r\n\r\n", body.len()).into_bytes());
            head.extend(body);
        }
        _ => head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n"),
    }
    connection.write_all(&head).ok()?;
    if chunks.len() > 1 {
        for part in chunks {
            connection.write_all(&message::chunk(part)).ok()?;
            // So that most parts come by themselves; what is shown does not depend on it.
            thread::sleep(Duration::from_millis(2));
        }
        connection.write_all(&message::chunk(b"")).ok()?;
    }
    Some(())
}
