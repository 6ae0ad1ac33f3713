//! One issuer's key set as the VMs of a process share it.
//!
//! Set first, then version: a version never promises what is not there. Who reads in between gets a
//! newer set, and looks again.

use mandate_authn::{LoadError, Validator};

use super::fetch::{Fetch, Fetched};
use crate::host::{Host, HostProblem, Level};
use crate::metrics::Metrics;
use crate::sync::shared::Shelf;
use crate::worker::seconds;

/// Where one issuer's key set is shared.
#[derive(Debug)]
pub(crate) struct KeyShelf {
    shelf: Shelf,
    issuer: String,
    /// What this VM has shared, or found.
    known: Option<Version>,
}

/// Which set it is, and when it was the newest last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Version {
    /// Sets so far.
    count: u64,
    /// Seconds since the epoch.
    fetched_at: u64,
}

impl KeyShelf {
    pub(super) fn new(shelf: Shelf, issuer: &str) -> Self {
        Self { shelf, issuer: issuer.to_owned(), known: None }
    }

    /// Looks whether a worker wants a newer set, and once for what was shared before this VM began.
    pub(super) fn on_tick(
        &mut self,
        host: &dyn Host,
        fetch: &mut Fetch,
    ) -> Result<(), HostProblem> {
        if self.known.is_none() {
            let found = self.version(host)?;
            if let Some(version) = found {
                fetch.attempted(version.fetched_at);
            }
            self.known = Some(found.unwrap_or_default());
        }
        let wanted = self.shelf.take(host, &self.key("wanted"))?;
        let wanted = <[u8; 8]>::try_from(wanted.as_slice()).map(u64::from_le_bytes);
        if wanted.is_ok_and(|wanted| fetch.last_attempt().is_none_or(|last| wanted > last)) {
            fetch.want();
        }
        Ok(())
    }

    /// Shares a set that parses, or that the one before is still the newest.
    pub(super) fn publish(
        &mut self,
        host: &dyn Host,
        fetched: &Fetched<'_>,
    ) -> Result<(), HostProblem> {
        let mut version = self.known.unwrap_or_default();
        match fetched {
            Fetched::Set { text, at } => {
                self.shelf.put(host, &self.key("set"), text.as_bytes())?;
                version = Version { count: version.count.saturating_add(1), fetched_at: *at };
            }
            Fetched::Same { at } => version.fetched_at = *at,
        }
        self.shelf.put(host, &self.key("version"), &version.written())?;
        self.known = Some(version);
        Ok(())
    }

    fn version(&self, host: &dyn Host) -> Result<Option<Version>, HostProblem> {
        let bytes = self.shelf.take(host, &self.key("version"))?;
        if bytes.is_empty() {
            return Ok(None);
        }
        Version::read(&bytes).map(Some).ok_or(HostProblem::unreadable("get_shared_data"))
    }

    fn key(&self, what: &str) -> String {
        format!("keys\0{}\0{what}", self.issuer)
    }
}

impl Version {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (count, fetched_at) = bytes.split_at_checked(8)?;
        let number = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.try_into().ok()?));
        Some(Self { count: number(count)?, fetched_at: number(fetched_at)? })
    }

    fn written(self) -> Vec<u8> {
        [self.count.to_le_bytes(), self.fetched_at.to_le_bytes()].concat()
    }
}

/// Takes up one issuer's key set.
#[derive(Debug)]
pub(crate) struct Pickup {
    place: KeyShelf,
    /// What is in force here.
    seen: Version,
    /// What was no set: it is not tried again.
    failed: Option<Version>,
    wanted: bool,
}

impl Pickup {
    pub(super) fn new(place: KeyShelf) -> Self {
        Self { place, seen: Version::default(), failed: None, wanted: false }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.place.issuer
    }

    /// A token could not be verified for want of a newer set: who fetches is told at the next tick.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    pub(super) fn on_tick(
        &mut self,
        host: &dyn Host,
        validator: &mut Validator,
        metrics: &mut Metrics,
        now: u64,
    ) {
        match self.look(host, validator, seconds(now)) {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => metrics.count(host, "keys", "loaded"),
            Ok(Err(problem)) => {
                metrics.count(host, "keys", "not-loaded");
                let issuer = self.issuer();
                host.log(Level::Error, &format!("the key set of `{issuer}` as shared: {problem}"));
            }
            Err(problem) => host.log(Level::Error, &problem.to_string()),
        }
    }

    /// Whether a set was put in force.
    fn look(
        &mut self,
        host: &dyn Host,
        validator: &mut Validator,
        now: u64,
    ) -> Result<Result<bool, LoadError>, HostProblem> {
        if std::mem::take(&mut self.wanted) {
            self.place.shelf.put(host, &self.place.key("wanted"), &now.to_le_bytes())?;
        }
        let is_new = |version: &Version| *version != self.seen && self.failed != Some(*version);
        let Some(version) = self.place.version(host)?.filter(is_new) else { return Ok(Ok(false)) };
        // Both VMs ask one clock: a set from the future would not age.
        let at = version.fetched_at.min(now);
        let issuer = &self.place.issuer;
        let loaded = if version.count == self.seen.count {
            validator.confirm_keys(issuer, at).map(|()| false)
        } else {
            let set = self.place.shelf.take(host, &self.place.key("set"))?;
            validator.load_keys(issuer, &String::from_utf8_lossy(&set), at).map(|()| true)
        };
        match &loaded {
            Ok(_) => self.seen = version,
            Err(_) => self.failed = Some(version),
        }
        Ok(loaded)
    }
}
