//! `mandate snapshot publish`: the registry's changes as signed files, for `snapshot serve`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use mandate_authz::container::{Position, SigningKey};
use mandate_registry::Registry;
use mandate_registry::content::Slice;
use mandate_registry::publication::{Next, Publication, Sealed};
use serde_json::{Value, json};

use super::key_file::PinnedKeys;
use crate::commands::output_file;
use crate::commands::registry_option::ConfigOption;
use crate::commands::session::now;
use crate::configuration::{Configuration, FeedSource};
use crate::feed::{Folder, HEARTBEAT_SECONDS, History};
use crate::output::{self, Page};
use crate::stop::stop_on_signal;

/// Publish the registry into a folder: what `snapshot serve` serves (docs/feed.md).
///
/// The first time a snapshot, then one delta for what has changed since the last file, a snapshot
/// again where a delta does not lead (a new era, or too much at once). Where nothing has changed, a
/// heartbeat. With --watch it goes on, and signs a heartbeat every 10 s, until SIGTERM or SIGINT.
#[derive(Args, Clone, Debug)]
pub(super) struct PublishCommand {
    /// The folder. One slice has one.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The slice of the configuration. Default: the only one, else `default`.
    #[arg(long, value_name = "NAME")]
    slice: Option<String>,
    /// A snapshot even where a delta would do, for consumers that begin.
    #[arg(long)]
    snapshot: bool,
    /// Go on.
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    config: ConfigOption,
    /// When it is issued, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS", conflicts_with = "watch")]
    now: Option<u64>,
    /// Print JSON, one line for each file.
    #[arg(long)]
    json: bool,
}

/// How often the registry is asked for its position.
const PAUSE: Duration = Duration::from_millis(100);

impl PublishCommand {
    /// Publishes: 0 done, 2 not.
    pub(super) fn run(self) -> ExitCode {
        self.publish().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn publish(&self) -> anyhow::Result<ExitCode> {
        let configuration = self.config.read()?;
        let mut publisher = self.publisher(&configuration)?;
        let first = publisher.step(self.snapshot, now(self.now)?)?;
        self.tell(&first)?;
        if !self.watch {
            return Ok(ExitCode::SUCCESS);
        }
        let (stop, stopped) = channel();
        stop_on_signal(stop).context("signals cannot be waited for")?;
        let mut beaten = Instant::now();
        while stopped.recv_timeout(PAUSE).is_err() {
            let moved = publisher.registry.position()? != publisher.at.1;
            if !moved && beaten.elapsed() < Duration::from_secs(HEARTBEAT_SECONDS) {
                continue;
            }
            let written = publisher.step(false, now(None)?)?;
            beaten = Instant::now();
            // Heartbeats are no news.
            if moved {
                self.tell(&written)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn publisher(&self, configuration: &Configuration) -> anyhow::Result<Publisher> {
        let feed = configuration.feed()?;
        let (contract, policy, model) = configuration.rules()?;
        let name = self.slice_name(feed)?;
        let slice = feed.slice(&name)?;
        let key = feed.read_key()?;
        let registry = configuration.registry(&contract.as_version(), policy, model)?;
        let keys = PinnedKeys::of(&key)?.keys;
        let unreadable = || format!("folder `{}` cannot be read", self.folder.display());
        let mut complaint = None;
        let mut complain = |line: &str| complaint = Some(line.to_owned());
        let history = Folder::new(self.folder.clone(), keys).look(&mut complain);
        let history = history.with_context(unreadable)?.unwrap_or_default();
        // What is not served would be published over.
        if let Some(line) = complaint {
            bail!("folder `{}`: {line}", self.folder.display());
        }
        let at = standing(&history, &configuration.deployment, &name)?;
        let (folder, version) = (self.folder.clone(), contract.checked.version());
        let is_empty = history.snapshot().is_none();
        Ok(Publisher { registry, slice, key, folder, version, at, is_empty })
    }

    fn slice_name(&self, feed: &FeedSource) -> anyhow::Result<String> {
        if let Some(name) = &self.slice {
            return Ok(name.clone());
        }
        let mut names = feed.slices.keys();
        match (names.next(), names.next()) {
            (Some(only), None) => Ok(only.clone()),
            _ if feed.slices.contains_key("default") => Ok("default".to_owned()),
            _ => bail!("`--slice` is required: `feed.slices` has no `default`"),
        }
    }

    fn tell(&self, (kind, path, position): &(&str, PathBuf, Position)) -> anyhow::Result<()> {
        let text = if self.json {
            let value: Value = json!({
                "kind": kind, "file": path, "era": position.era, "epoch": position.epoch,
            });
            format!("{value}\n")
        } else {
            let mut page = Page::new();
            page.line(&format!("{kind} {position}: {}", path.display()));
            page.as_str().to_owned()
        };
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
        written.context("stdout cannot be written")
    }
}

/// The epoch of the newest snapshot, and where the deltas lead.
fn standing(history: &History, deployment: &str, slice: &str) -> anyhow::Result<(u64, Position)> {
    let Some(snapshot) = history.snapshot() else { return Ok((0, Position::new(0, 0))) };
    let statement = snapshot.statement();
    if (statement.deployment.as_str(), statement.slice.as_str()) != (deployment, slice) {
        bail!(
            "the folder holds slice `{}` of deployment `{}`",
            statement.slice,
            statement.deployment
        );
    }
    let end = history.position().unwrap_or(statement.position);
    Ok((statement.position.epoch, end))
}

/// What publishes.
struct Publisher {
    registry: Registry,
    slice: Slice,
    key: SigningKey,
    folder: PathBuf,
    version: [u32; 3],
    at: (u64, Position),
    is_empty: bool,
}

impl Publisher {
    /// Writes what comes next.
    fn step(
        &mut self,
        snapshot: bool,
        issued_at: u64,
    ) -> anyhow::Result<(&'static str, PathBuf, Position)> {
        let (base, from) = self.at;
        let Self { slice, key, version, .. } = self;
        let publication = Publication { slice, contract_version: *version, key, issued_at };
        let next = if self.is_empty || snapshot {
            Next::Snapshot
        } else {
            self.registry.seal_delta(publication, from, base)?
        };
        match next {
            Next::Nothing => {
                let sealed = self.registry.seal_heartbeat(publication, base)?;
                if sealed.position != from {
                    // Written since.
                    return self.step(snapshot, issued_at);
                }
                self.write("heartbeat", "heartbeat.mandate".to_owned(), &sealed)
            }
            Next::Delta(sealed) => {
                let name = format!("delta-{from}-{}.mandate", sealed.position.epoch);
                let written = self.write("delta", name, &sealed)?;
                self.at = (base, sealed.position);
                Ok(written)
            }
            Next::Snapshot => {
                let mut seed = [0; 16];
                getrandom::getrandom(&mut seed)
                    .map_err(|error| anyhow!("no randomness: {error}"))?;
                let sealed = self.registry.seal_snapshot(publication, seed)?;
                let name = format!("snapshot-{}.mandate", sealed.position);
                let written = self.write("snapshot", name, &sealed)?;
                self.at = (sealed.position.epoch, sealed.position);
                self.is_empty = false;
                Ok(written)
            }
        }
    }

    fn write(
        &self,
        kind: &'static str,
        name: String,
        sealed: &Sealed,
    ) -> anyhow::Result<(&'static str, PathBuf, Position)> {
        let path = self.folder.join(name);
        output_file::replace(kind, &path, &sealed.bytes)?;
        Ok((kind, path, sealed.position))
    }
}
