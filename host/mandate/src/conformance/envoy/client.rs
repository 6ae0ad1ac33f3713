//! Requests over both protocols, each on a connection of its own.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::Serialize;

use super::message::Fields;
use super::question::WireRequest;
use super::{http1, http2};

/// How requests come to Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS, by prior knowledge.
    Http2,
}

/// Pairs of ports, of a listener and of who asked, that the log knows a request by.
#[derive(Debug, Default)]
pub(super) struct UsedPorts(Mutex<BTreeSet<(u16, u16)>>);

impl UsedPorts {
    /// A connection whose ports no other has had: the system gives them anew after a second.
    fn connect(&self, to: u16) -> Result<(u16, TcpStream)> {
        // What was given again is held meanwhile, so that it is not given once more.
        let mut held = Vec::new();
        loop {
            let connection = TcpStream::connect(("127.0.0.1", to)).context("Envoy")?;
            let from = connection.local_addr()?.port();
            if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((to, from)) {
                return Ok((from, connection));
            }
            held.push(connection);
        }
    }
}

/// What a client sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    /// Absent where the stream or the connection was closed instead.
    pub(super) status: Option<u16>,
    pub(super) fields: Fields,
    pub(super) body: Vec<u8>,
    /// Whether the answer broke off before its end.
    pub(super) broken: bool,
}

impl Protocol {
    /// The word of the command line and of the runner's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
        }
    }

    /// Asks, and says from which port: that is how the log names who asked.
    pub(super) fn ask(
        self,
        port: u16,
        used: &UsedPorts,
        request: &WireRequest,
        host: &str,
    ) -> Result<(u16, Answered)> {
        let (from, connection) = used.connect(port)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        let answered = match self {
            Self::Http1 => http1::ask(&connection, request, host),
            Self::Http2 => http2::ask(&connection, request, host),
        };
        Ok((from, answered))
    }
}

/// Longer than any case waits.
const PATIENCE: Duration = Duration::from_secs(30);
