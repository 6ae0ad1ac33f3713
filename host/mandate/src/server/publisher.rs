//! From the registry to the plugin and to the feed: snapshots, deltas and heartbeats, a fraction of a
//! second after each write of any node.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use mandate_authz::container::{PinnedKey, Position, SigningKey};
use mandate_host::Policy;
use mandate_registry::Registry;
use mandate_registry::content::Slice;
use mandate_registry::publication::{Next, Publication};
use serde_json::{Value, json};

use super::OpenRegistry;
use super::clock;
use super::journal::Journal;
use super::metrics::Metrics;
use super::shared::pause;
use crate::feed::{Container, Feed, HEARTBEAT_SECONDS, History};

/// Publishes every line.
#[derive(Debug)]
pub(super) struct Publisher {
    signer: Signer,
    lines: Vec<Line>,
    metrics: Arc<Metrics>,
    journal: Journal,
}

#[derive(Debug)]
struct Signer {
    key: SigningKey,
    pinned: Arc<[PinnedKey]>,
    contract_version: [u32; 3],
    /// A clock that was set back must not make what is signed look older than what was.
    newest: u64,
}

/// One slice, and who gets it.
#[derive(Debug)]
pub(super) struct Line {
    slice: Slice,
    sink: Sink,
    /// The newest snapshot, the deltas around it, and when each was made.
    kept: Vec<(Container, Instant)>,
    heartbeat: Option<(Container, Instant)>,
    position: Option<Position>,
}

#[derive(Debug)]
enum Sink {
    Feed(Arc<Feed>),
    Policy(Policy),
}

/// How often the registry is asked for its position.
const POLL: Duration = Duration::from_millis(200);
/// How long deltas are kept: docs/feed.md#history asks for ten minutes.
const KEPT: Duration = Duration::from_secs(15 * 60);
/// Deltas after which a new snapshot is made.
const DELTAS: usize = 256;

impl Publisher {
    pub(super) fn new(
        key: SigningKey,
        pinned: Arc<[PinnedKey]>,
        contract_version: [u32; 3],
        metrics: Arc<Metrics>,
        journal: Journal,
    ) -> Self {
        let signer = Signer { key, pinned, contract_version, newest: 0 };
        Self { signer, lines: Vec::new(), metrics, journal }
    }

    pub(super) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// The first snapshot of every line.
    pub(super) fn begin(&mut self, registry: &mut Registry) -> anyhow::Result<()> {
        let (deployment, _) = registry.standing()?;
        for line in &mut self.lines {
            line.configure(&deployment, &self.signer)?;
            line.step(registry, &mut self.signer)?;
        }
        Ok(())
    }

    /// Follows the registry until the server stops.
    pub(super) fn follow(
        mut self,
        registry: Registry,
        open: OpenRegistry,
        stopping: Arc<AtomicBool>,
    ) -> JoinHandle<()> {
        std::thread::spawn(move || {
            let mut registry = Some(registry);
            let mut failing = false;
            while pause(&stopping, POLL) {
                let outcome = self.look(&mut registry, &open);
                if let Err(error) = &outcome {
                    self.metrics.publication_failures.fetch_add(1, Ordering::Relaxed);
                    registry = None;
                    if !failing {
                        self.journal.event("publication", &[("error", &format!("{error:#}"))]);
                    }
                }
                failing = outcome.is_err();
            }
        })
    }

    fn look(&mut self, registry: &mut Option<Registry>, open: &OpenRegistry) -> anyhow::Result<()> {
        let registry = match registry {
            Some(registry) => registry,
            None => registry.insert(open()?),
        };
        let position = registry.position()?;
        for line in &mut self.lines {
            if line.position != Some(position) || line.is_quiet() {
                line.step(registry, &mut self.signer)?;
            }
        }
        Ok(())
    }
}

impl Signer {
    fn publication<'s>(&'s mut self, slice: &'s Slice) -> Publication<'s> {
        self.newest = self.newest.max(clock::now());
        Publication {
            slice,
            contract_version: self.contract_version,
            key: &self.key,
            issued_at: self.newest,
        }
    }
}

impl Line {
    /// Everything, for the server's own plugin.
    pub(super) fn of_policy(policy: Policy) -> Self {
        Self::new(Slice::all(), Sink::Policy(policy))
    }

    /// A slice for a feed.
    pub(super) fn of_feed(slice: Slice, feed: Arc<Feed>) -> Self {
        Self::new(slice, Sink::Feed(feed))
    }

    const fn new(slice: Slice, sink: Sink) -> Self {
        Self { slice, sink, kept: Vec::new(), heartbeat: None, position: None }
    }

    fn configure(&self, deployment: &str, signer: &Signer) -> anyhow::Result<()> {
        let Sink::Policy(policy) = &self.sink else { return Ok(()) };
        let key: Value = serde_json::from_str(&signer.key.to_public_jwk())?;
        let slice = self.slice.name();
        let config = json!({ "deployment": deployment, "slice": slice, "keys": [key] });
        policy.configure_state(&config.to_string()).map_err(|error| anyhow!("{error}"))
    }

    /// Whether a heartbeat is due.
    fn is_quiet(&self) -> bool {
        let last = self.heartbeat.as_ref().map(|(_, at)| at.elapsed());
        last.is_none_or(|elapsed| elapsed >= Duration::from_secs(HEARTBEAT_SECONDS))
    }

    /// Goes to where the registry is, and says with a heartbeat that it is there.
    fn step(&mut self, registry: &mut Registry, signer: &mut Signer) -> anyhow::Result<()> {
        // A write may come between the two readings; not for ever.
        const TURNS: usize = 8;
        for _ in 0..TURNS {
            self.advance(registry, signer)?;
            let beat = registry.seal_heartbeat(signer.publication(&self.slice), 0)?;
            if Some(beat.position) == self.position {
                let beat = verify(beat.bytes, signer)?;
                self.deliver_delta(&beat)?;
                self.heartbeat = Some((beat, Instant::now()));
                self.publish();
                return Ok(());
            }
        }
        self.publish();
        Ok(())
    }

    fn advance(&mut self, registry: &mut Registry, signer: &mut Signer) -> anyhow::Result<()> {
        let Some(from) = self.position else { return self.renew(registry, signer) };
        match registry.seal_delta(signer.publication(&self.slice), from, 0)? {
            Next::Nothing => Ok(()),
            Next::Snapshot => self.renew(registry, signer),
            Next::Delta(sealed) => {
                let delta = verify(sealed.bytes, signer)?;
                if self.deliver_delta(&delta).is_err() {
                    return self.renew(registry, signer);
                }
                self.position = Some(delta.position());
                self.kept.push((delta, Instant::now()));
                let deltas = self.kept.iter().filter(|(kept, _)| !kept.is_snapshot()).count();
                if deltas > DELTAS { self.renew(registry, signer) } else { Ok(()) }
            }
        }
    }

    /// A new snapshot takes the place of the one before; deltas stay for those who have that one.
    fn renew(&mut self, registry: &mut Registry, signer: &mut Signer) -> anyhow::Result<()> {
        let mut seed = [0; 16];
        getrandom::getrandom(&mut seed).map_err(|error| anyhow!("no randomness: {error}"))?;
        let sealed = registry.seal_snapshot(signer.publication(&self.slice), seed)?;
        let snapshot = verify(sealed.bytes, signer)?;
        if let Sink::Policy(policy) = &self.sink {
            policy.load_state(&snapshot.bytes()).map_err(|error| anyhow!("{error}"))?;
        }
        let position = snapshot.position();
        let joins = Some(position) == self.position;
        self.kept.retain(|(kept, at)| {
            let young = at.elapsed() < KEPT && kept.position().era == position.era;
            !kept.is_snapshot() && young && joins
        });
        let excess = self.kept.len().saturating_sub(DELTAS / 2);
        self.kept.drain(..excess);
        self.kept.push((snapshot, Instant::now()));
        self.position = Some(position);
        self.heartbeat = None;
        Ok(())
    }

    fn deliver_delta(&self, delta: &Container) -> anyhow::Result<()> {
        let Sink::Policy(policy) = &self.sink else { return Ok(()) };
        policy.apply_delta(&delta.bytes()).map(drop).map_err(|error| anyhow!("{error}"))
    }

    fn publish(&self) {
        let Sink::Feed(feed) = &self.sink else { return };
        let kept = self.kept.iter().chain(&self.heartbeat).map(|(container, _)| container.clone());
        let kept: Vec<Container> = kept.collect();
        feed.publish(History::arrange(&kept).history, clock::now());
    }
}

/// What goes out is read as those who get it will.
fn verify(bytes: Vec<u8>, signer: &Signer) -> anyhow::Result<Container> {
    Container::verify(bytes, &signer.pinned).map_err(|error| anyhow!("{error}"))
}
