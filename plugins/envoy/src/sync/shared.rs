//! What the VMs of one process share: the snapshot, the deltas since, the newest heartbeat.
//!
//! A small key says what is there; the large ones are copied when it has changed. The order of
//! writing is data, then version, so that a version never promises what is not there; whoever reads
//! in between gets newer data, which verifies or does not follow, and looks again.
//!
//! Snapshots lie there in pieces, in two places by turns: who takes one up piece by piece is not
//! disturbed by the next one. The one after that would come into its way, and cannot come before the
//! VM that asks has loaded the next one itself, by the same steps.

use mandate_authz::container::split_first;
use mandate_authz::state::{State, StateConfig, StateRefusal};

use super::loading::{Loading, Source, Step};
use crate::host::{Host, HostProblem, Level};
use crate::metrics::Metrics;

/// Where the state of one deployment and slice is shared.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    prefix: String,
}

/// What is shared, in counts that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    /// Snapshots so far.
    pub(super) snapshot: u64,
    /// Bytes of deltas since the snapshot.
    pub(super) log: u64,
    /// Heartbeats so far.
    pub(super) beat: u64,
}

impl Shelf {
    pub(crate) fn of(config: &StateConfig) -> Self {
        // INVARIANT: names of deployments and slices are plain text without a zero byte.
        Self { prefix: format!("mandate/{}\0{}\0", config.deployment(), config.slice()) }
    }

    pub(super) fn version(&self, host: &dyn Host) -> Result<Option<Version>, HostProblem> {
        let Some((bytes, _)) = host.shared(&self.key("version"))? else { return Ok(None) };
        Version::read(&bytes).map(Some).ok_or(HostProblem::unreadable("get_shared_data"))
    }

    pub(super) fn put_version(&self, host: &dyn Host, version: Version) -> Result<(), HostProblem> {
        self.put(host, "version", &version.written())
    }

    pub(super) fn take(&self, host: &dyn Host, what: &str) -> Result<Vec<u8>, HostProblem> {
        let shared = host.shared(&self.key(what))?;
        Ok(shared.map(|(bytes, _)| bytes).unwrap_or_default())
    }

    /// A piece of the snapshot of this number.
    pub(super) fn piece(
        &self,
        host: &dyn Host,
        snapshot: u64,
        number: usize,
    ) -> Result<Vec<u8>, HostProblem> {
        let shared = host.shared(&self.piece_key(snapshot, number))?;
        shared.map(|(bytes, _)| bytes).ok_or(HostProblem::unreadable("get_shared_data"))
    }

    pub(super) fn put_piece(
        &self,
        host: &dyn Host,
        (snapshot, number): (u64, usize),
        bytes: &[u8],
    ) -> Result<(), HostProblem> {
        host.share(&self.piece_key(snapshot, number), bytes, 0).map(|_| ())
    }

    /// What is there, and its version, which is never 0.
    pub(super) fn versioned(
        &self,
        host: &dyn Host,
        what: &str,
    ) -> Result<Option<(Vec<u8>, u32)>, HostProblem> {
        host.shared(&self.key(what))
    }

    /// Writes over that version alone; whether it did.
    pub(super) fn put_if(
        &self,
        host: &dyn Host,
        what: &str,
        bytes: &[u8],
        version: u32,
    ) -> Result<bool, HostProblem> {
        host.share(&self.key(what), bytes, version)
    }

    pub(super) fn put(&self, host: &dyn Host, what: &str, bytes: &[u8]) -> Result<(), HostProblem> {
        // One VM writes: who holds the lease. Version 0 is whatever is there.
        host.share(&self.key(what), bytes, 0).map(|_| ())
    }

    fn key(&self, what: &str) -> String {
        format!("{}{what}", self.prefix)
    }

    fn piece_key(&self, snapshot: u64, number: usize) -> String {
        self.key(&format!("snapshot/{}/{number}", snapshot % 2))
    }
}

impl Version {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut numbers = bytes.chunks_exact(8).map(|eight| {
            let eight: Option<[u8; 8]> = eight.try_into().ok();
            eight.map(u64::from_le_bytes)
        });
        let mut next = || numbers.next().flatten();
        let version = Self { snapshot: next()?, log: next()?, beat: next()? };
        (bytes.len() == 24).then_some(version)
    }

    fn written(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        let numbers = [self.snapshot, self.log, self.beat];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

/// Takes up what is shared.
#[derive(Debug)]
pub(super) struct Pickup {
    shelf: Shelf,
    /// What of it is in force here.
    seen: Version,
    /// How much of the deltas has been looked at.
    log_at: usize,
    loading: Option<(Version, Loading)>,
    /// Nanoseconds since the epoch before which a failure is not tried again.
    wait_until: u64,
}

impl Pickup {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf, seen: Version::default(), log_at: 0, loading: None, wait_until: 0 }
    }

    /// Whether a snapshot has been begun.
    pub(super) const fn is_loading(&self) -> bool {
        self.loading.is_some()
    }

    pub(super) fn on_tick(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        now: u64,
    ) {
        if now < self.wait_until {
            return;
        }
        if let Err(problem) = self.look(host, state) {
            self.wait_until = now.saturating_add(RETRY_NANOSECONDS);
            self.seen = Version::default();
            self.loading = None;
            metrics.count(host, "state.refused", problem.reason());
            host.log(Level::Warn, &format!("what is shared is not taken: {problem}"));
        }
    }

    fn look(&mut self, host: &dyn Host, state: &mut State) -> Result<(), Trouble> {
        let Some(version) = self.shelf.version(host)? else { return Ok(()) };
        if version.snapshot != self.seen.snapshot && self.loading.is_none() {
            let source = Source::Shelf(self.shelf.clone(), version.snapshot);
            let first = source.piece(host, 0)?;
            match Loading::begin(source, &first, state) {
                Ok(loading) => self.loading = Some((version, loading)),
                // Deltas have gone further than the snapshot that was shared.
                Err(trouble) if trouble.is_rollback() && state.meta().is_some() => {
                    self.follow_from(version);
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if let Some((loaded, loading)) = &mut self.loading {
            let loaded = *loaded;
            match loading.step(host, state) {
                Ok(Step::More) => {
                    // Meanwhile what is in force must not age: the heartbeat may be one of its position.
                    if version.beat != self.seen.beat {
                        let beat = self.shelf.take(host, "beat")?;
                        let _ = apply_all(state, &beat);
                        self.seen.beat = version.beat;
                    }
                    return Ok(());
                }
                Ok(Step::Done) => {}
                Err(trouble) if trouble.is_rollback() && state.meta().is_some() => {}
                Err(trouble) => return Err(trouble),
            }
            self.loading = None;
            self.follow_from(loaded);
        }
        if version.log != self.seen.log {
            let log = self.shelf.take(host, "log")?;
            let news = log.get(self.log_at..).unwrap_or(&log);
            apply_all(state, news)?;
            self.log_at = log.len();
            self.seen.log = version.log;
        }
        if version.beat != self.seen.beat {
            apply_all(state, &self.shelf.take(host, "beat")?)?;
            self.seen.beat = version.beat;
        }
        Ok(())
    }

    /// Another snapshot begins other deltas.
    fn follow_from(&mut self, version: Version) {
        self.seen = Version { snapshot: version.snapshot, log: 0, beat: 0 };
        self.log_at = 0;
    }
}

/// Applies containers one after the other; one that came twice is passed over.
pub(super) fn apply_all(state: &mut State, mut containers: &[u8]) -> Result<usize, StateRefusal> {
    let mut applied: usize = 0;
    while !containers.is_empty() {
        let (first, rest) = split_first(containers).map_err(StateRefusal::Container)?;
        match state.apply_delta(first) {
            Ok(_) => applied = applied.saturating_add(1),
            Err(StateRefusal::Rollback { .. }) => {}
            Err(refusal) => return Err(refusal),
        }
        containers = rest;
    }
    Ok(applied)
}

/// Why nothing was taken up.
#[derive(Debug)]
pub(super) enum Trouble {
    Host(HostProblem),
    State(StateRefusal),
}

impl Trouble {
    /// Whether what is in force has gone further already.
    const fn is_rollback(&self) -> bool {
        matches!(self, Self::State(StateRefusal::Rollback { .. }))
    }

    const fn reason(&self) -> &'static str {
        match self {
            Self::Host(_) => "internal",
            Self::State(refusal) => refusal.code().as_str(),
        }
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(problem) => problem.fmt(formatter),
            Self::State(refusal) => refusal.fmt(formatter),
        }
    }
}

impl From<HostProblem> for Trouble {
    fn from(problem: HostProblem) -> Self {
        Self::Host(problem)
    }
}

impl From<StateRefusal> for Trouble {
    fn from(refusal: StateRefusal) -> Self {
        Self::State(refusal)
    }
}

/// Bytes of a piece: `State::load_chunk` takes at most so many.
pub(super) const PIECE_BYTES: usize = 1024 * 1024;
/// Nanoseconds until what failed is tried again: a snapshot is copied each time.
const RETRY_NANOSECONDS: u64 = 1_000_000_000;
