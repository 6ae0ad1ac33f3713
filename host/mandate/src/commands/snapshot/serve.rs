//! `mandate snapshot serve`: the feed, out of a folder.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use mandate_authz::container::{PinnedKey, SigningKey};
use mandate_authz::limits;
use serde_json::json;

use super::key_file::{PinnedKeys, read_signing_key};
use crate::feed::{Feed, FeedOptions, FeedServer, Folder, ListenAddress, ServerOptions};
use crate::output;
use crate::stop::{stop_on_end_of_input, stop_on_signal};

/// Serve the snapshots, deltas and heartbeats of a folder: docs/feed.md.
///
/// For development and tests, and as the reference of the feed. It prints one line when it is ready
/// and runs until SIGTERM or SIGINT. With --key it signs a heartbeat every 10 s.
#[derive(Args, Clone, Debug)]
pub(super) struct ServeCommand {
    /// The folder; files whose names end in `.mandate` are served.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The private key that signs heartbeats and has signed the files.
    #[arg(long, value_name = "FILE", required_unless_present = "pin")]
    key: Option<PathBuf>,
    /// Public key (JWK) that has signed files; two in all with --key.
    #[arg(long, value_name = "PUBLIC")]
    pin: Vec<PathBuf>,
    /// Where to listen: a port, 0 for a free one, or a Unix socket (`unix:/PATH`).
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: ListenAddress,
    /// Listen beyond loopback: without TLS and without authentication, everybody who can reach the
    /// address reads every relationship.
    #[arg(long)]
    exposed: bool,
    /// Stop when standard input closes, so that the feed ends with whatever started it.
    #[arg(long)]
    stop_with_stdin: bool,
    /// Print the ready line as JSON.
    #[arg(long)]
    json: bool,
}

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_millis(500);

impl ServeCommand {
    /// Serves until told to stop: 0 after an orderly stop, 2 when it cannot start.
    pub(super) fn run(self) -> ExitCode {
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn serve(&self) -> anyhow::Result<()> {
        if self.listen.is_exposed() && !self.exposed {
            bail!(
                "`--listen` {} is not loopback: the feed has no TLS and no authentication; give \
                 `--exposed` if that is meant",
                self.listen
            );
        }
        let key = self.key.as_deref().map(read_signing_key).transpose()?;
        let folder = Folder::new(self.folder.clone(), self.keys(key.as_ref())?);
        let feed = Arc::new(Feed::new(FeedOptions { key })?);
        let (stop, stopped) = channel();
        // Before the ready line: a signal that follows it must find its handler.
        stop_on_signal(stop.clone()).context("signals cannot be handled")?;
        let mut publisher = Publisher { folder, feed: Arc::clone(&feed), unreadable: false };
        publisher
            .look()
            .with_context(|| format!("folder `{}` cannot be read", self.folder.display()))?;
        let server = FeedServer::start(feed, &ServerOptions { listen: self.listen.clone() })
            .with_context(|| format!("`--listen` {}", self.listen))?;
        self.announce(server.address())?;
        if self.stop_with_stdin {
            stop_on_end_of_input(stop);
        }
        publisher.follow(&stopped);
        drop(server);
        Ok(())
    }

    fn keys(&self, signing: Option<&SigningKey>) -> anyhow::Result<Vec<PinnedKey>> {
        let mut keys = PinnedKeys::read(&self.pin)?.keys;
        if let Some(signing) = signing {
            keys.extend(PinnedKeys::of(signing)?.keys);
        }
        ensure!(
            keys.len() <= limits::PINNED_KEYS,
            "at most {} keys, `--key` and `--pin` together",
            limits::PINNED_KEYS
        );
        Ok(keys)
    }

    fn announce(&self, address: &ListenAddress) -> anyhow::Result<()> {
        let line = if self.json {
            json!({ "feed": address.url() }).to_string()
        } else {
            format!("feed {}", address.url())
        };
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{line}").and_then(|()| stdout.flush()).context("stdout cannot be written")
    }
}

/// Puts what is in the folder on the feed.
struct Publisher {
    folder: Folder,
    feed: Arc<Feed>,
    unreadable: bool,
}

impl Publisher {
    fn look(&mut self) -> std::io::Result<()> {
        if let Some(history) = self.folder.look(&mut output::warn)? {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            self.feed.publish(history, now.unwrap_or_default().as_secs());
        }
        Ok(())
    }

    fn follow(&mut self, stopped: &Receiver<()>) {
        // Either a stop arrives or nobody can send one any more: both end the run.
        while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            // What was published stays while the folder cannot be read; said once.
            match self.look() {
                Ok(()) => self.unreadable = false,
                Err(error) if !self.unreadable => {
                    output::warn(&format!("the folder cannot be read: {error}"));
                    self.unreadable = true;
                }
                Err(_) => {}
            }
        }
    }
}
