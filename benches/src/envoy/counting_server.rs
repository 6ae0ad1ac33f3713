//! A server of the bench's own: a thread for each connection, and a count of what was answered.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

/// A server that answers until the process ends.
#[derive(Clone, Debug)]
pub struct CountingServer {
    /// Where it listens.
    pub port: u16,
    seen: Arc<AtomicUsize>,
}

impl CountingServer {
    /// Serves on a port of its own; `converse` answers one connection to its end, and counts.
    ///
    /// # Errors
    /// When there is no port.
    pub fn begin(converse: fn(TcpStream, &AtomicUsize) -> Result<()>) -> Result<Self> {
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
