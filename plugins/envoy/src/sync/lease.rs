//! Which VM of a process asks for news: one at a time, by a lease in what they share.
//!
//! Whoever traps, or is unloaded, stops renewing; another VM takes over when the lease has run out. Two
//! may believe in it for one tick, where there was none before: the host compares no version then. That
//! costs a request: what they share is verified by whoever takes it up.

use super::shared::Shelf;
use crate::configuration::Supply;
use crate::host::{Host, HostProblem, Level};

/// Whether it is for this VM to ask for news.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It shares with nobody.
    Always,
    /// Who is the first.
    Leased(Lease),
    /// It knows no feed.
    Never,
}

impl Turn {
    /// `name` is this VM's among all that there are and were in the process.
    pub(crate) fn new(supply: &Supply, shelf: Option<&Shelf>, name: &str) -> Self {
        match (supply, shelf) {
            (Supply::Shared, _) => Self::Never,
            (Supply::Feed(_), None) => Self::Always,
            (Supply::Feed(_), Some(shelf)) => {
                Self::Leased(Lease { shelf: shelf.clone(), name: name.to_owned() })
            }
        }
    }

    /// Whether it is this VM's turn at `now` nanoseconds since the epoch.
    pub(crate) fn is_ours(&self, host: &dyn Host, now: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Leased(lease) => lease.hold(host, now).unwrap_or_else(|problem| {
                host.log(Level::Error, &problem.to_string());
                false
            }),
            Self::Never => false,
        }
    }
}

/// The lease of one deployment and slice, as one VM sees it.
#[derive(Debug)]
pub(crate) struct Lease {
    shelf: Shelf,
    name: String,
}

impl Lease {
    /// Takes it if it is free, renews it in time; whether this VM holds it.
    fn hold(&self, host: &dyn Host, now: u64) -> Result<bool, HostProblem> {
        let found = self.shelf.versioned(host, KEY)?;
        let (written, version) = found.unwrap_or_default();
        let left = read(&written, now).filter(|(left, _)| *left > 0);
        match left {
            Some((_, holder)) if holder != self.name.as_bytes() => Ok(false),
            Some((left, _)) if left > LEASE_NANOSECONDS / 2 => Ok(true),
            Some(_) | None => {
                let until = now.saturating_add(LEASE_NANOSECONDS);
                let lease = [&until.to_le_bytes(), self.name.as_bytes()].concat();
                self.shelf.put_if(host, KEY, &lease, version)
            }
        }
    }
}

/// Nanoseconds that are left, and who holds it; none where it cannot be one of this clock.
fn read(written: &[u8], now: u64) -> Option<(u64, &[u8])> {
    let (until, holder) = written.split_first_chunk()?;
    let left = u64::from_le_bytes(*until).saturating_sub(now);
    (left <= LEASE_NANOSECONDS).then_some((left, holder))
}

const KEY: &str = "lease";
/// How long a VM that has ended is waited for: less than any state may be old.
const LEASE_NANOSECONDS: u64 = 10_000_000_000;
