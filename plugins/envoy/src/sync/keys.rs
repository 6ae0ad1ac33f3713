//! Key sets that are fetched: one VM of a process asks the issuers' clusters and shares what comes, all
//! take it up; where nothing can be shared safely, each VM asks for itself (contract/CONTRACT.md#keys).
//!
//! Unlike the state, a key set is signed by nobody. Who fetches it answers for it: the cluster's TLS,
//! and a `vm_id` that no other plugin has.

mod fetch;
mod shared;

use mandate_authn::{KeySet, LoadError, Validator};

use self::fetch::{Fetch, Fetched};
use self::shared::{KeyShelf, Pickup};
use super::{Arrived, Shelf};
use crate::configuration::KeySetAddress;
use crate::host::{Host, HostProblem, Level};
use crate::metrics::Metrics;

/// What supplies the key sets of one plugin.
#[derive(Debug)]
pub(crate) enum Keys {
    /// This VM asks the issuers for itself.
    Own(Vec<Fetch>),
    /// What one VM is given, all of the same `vm_id` take up.
    Shared(Shared),
}

/// How key sets are shared.
#[derive(Debug)]
pub(crate) struct Shared {
    shelf: Shelf,
    addresses: Vec<KeySetAddress>,
    /// While it is this VM's turn to ask.
    fetches: Vec<(Fetch, KeyShelf)>,
    pickups: Vec<Pickup>,
}

impl Keys {
    /// `without` are the issuers of the contract that have no key set of the configuration; `None`
    /// where there is no contract, and nothing is decided.
    ///
    /// # Errors
    /// An issuer whose keys are not wanted: a line that nobody uses is a mistake.
    pub(crate) fn new(
        addresses: Vec<KeySetAddress>,
        shelf: Option<Shelf>,
        without: Option<&[String]>,
    ) -> Result<Self, LoadError> {
        let stray = |address: &KeySetAddress| {
            without.is_some_and(|without| !without.contains(&address.issuer))
        };
        if let Some(position) = addresses.iter().position(stray) {
            let problem = "is no issuer of the contract, or has a key set in `trust`";
            return Err(LoadError::new(&format!("key_sets[{position}].issuer"), problem));
        }
        let Some(shelf) = shelf else {
            return Ok(Self::Own(addresses.into_iter().map(Fetch::new).collect()));
        };
        let pickup = |issuer: &String| Pickup::new(KeyShelf::new(shelf.clone(), issuer));
        let pickups = without.unwrap_or_default().iter().map(pickup).collect();
        Ok(Self::Shared(Shared { shelf, addresses, fetches: Vec::new(), pickups }))
    }

    /// A token could not be verified for want of a newer set of this issuer.
    pub(crate) fn want(&mut self, issuer: &str) {
        match self {
            Self::Own(fetches) => {
                fetches.iter_mut().filter(|fetch| fetch.issuer() == issuer).for_each(Fetch::want);
            }
            Self::Shared(Shared { pickups, .. }) => {
                pickups.iter_mut().filter(|one| one.issuer() == issuer).for_each(Pickup::want);
            }
        }
    }

    /// Looks for news, at `now` nanoseconds since the epoch; `ours` where it is this VM's turn to ask.
    pub(crate) fn on_tick(
        &mut self,
        host: &dyn Host,
        validator: &mut Validator,
        metrics: &mut Metrics,
        (now, ours): (u64, bool),
    ) {
        match self {
            Self::Own(fetches) => {
                fetches.iter_mut().for_each(|fetch| fetch.on_tick(host, metrics, now));
            }
            Self::Shared(shared) => {
                shared.turn(ours);
                for pickup in &mut shared.pickups {
                    pickup.on_tick(host, validator, metrics, now);
                }
                for (fetch, shelf) in &mut shared.fetches {
                    if let Err(problem) = shelf.on_tick(host, fetch) {
                        host.log(Level::Error, &problem.to_string());
                    }
                    fetch.on_tick(host, metrics, now);
                }
            }
        }
    }

    /// An answer; `false` where it is not to a request of these.
    pub(crate) fn on_call_response(
        &mut self,
        host: &dyn Host,
        validator: &mut Validator,
        metrics: &mut Metrics,
        (arrived, ours): (&Arrived, bool),
    ) -> bool {
        match self {
            Self::Own(fetches) => fetches.iter_mut().any(|fetch| {
                fetch.on_call_response(host, metrics, arrived, |_, issuer, fetched| match fetched {
                    Fetched::Set { text, at } => refused(validator.load_keys(issuer, text, at)),
                    Fetched::Same { at } => refused(validator.confirm_keys(issuer, at)),
                })
            }),
            Self::Shared(shared) => {
                shared.turn(ours);
                shared.on_call_response(host, metrics, arrived)
            }
        }
    }
}

impl Shared {
    fn on_call_response(
        &mut self,
        host: &dyn Host,
        metrics: &mut Metrics,
        arrived: &Arrived,
    ) -> bool {
        self.fetches.iter_mut().any(|(fetch, shelf)| {
            fetch.on_call_response(host, metrics, arrived, |host, _, fetched| {
                if let Fetched::Set { text, .. } = fetched {
                    refused(KeySet::parse(text).map(drop))?;
                }
                Ok(shelf.publish(host, &fetched)?)
            })
        })
    }

    fn turn(&mut self, ours: bool) {
        if !ours {
            self.fetches.clear();
        } else if self.fetches.is_empty() {
            let fetch = |address: &KeySetAddress| {
                let shelf = KeyShelf::new(self.shelf.clone(), &address.issuer);
                (Fetch::new(address.clone()), shelf)
            };
            self.fetches = self.addresses.iter().map(fetch).collect();
        }
    }
}

/// Why an answer that came is not used.
#[derive(Debug)]
pub(crate) enum Unused {
    Host(HostProblem),
    Set(LoadError),
}

fn refused(loaded: Result<(), LoadError>) -> Result<(), Unused> {
    loaded.map_err(Unused::Set)
}

impl From<HostProblem> for Unused {
    fn from(problem: HostProblem) -> Self {
        Self::Host(problem)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests")]
mod tests;
