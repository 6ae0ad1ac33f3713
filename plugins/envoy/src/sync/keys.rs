//! Key sets that are fetched: asked of the issuers' clusters, or taken from what the singleton of the
//! process shares (contract/CONTRACT.md#keys).
//!
//! Unlike the state, a key set is signed by nobody. Who fetches it answers for it: the cluster's TLS,
//! and a `vm_id` that no other plugin has.

mod fetch;
mod shared;

use mandate_authn::{KeySet, LoadError, Validator};
use mandate_authz::state::StateConfig;

use self::fetch::{Fetch, Fetched};
use self::shared::{KeyShelf, Pickup};
use super::Arrived;
use crate::configuration::{KeySetAddress, Supply};
use crate::host::{Host, HostProblem, Level};
use crate::metrics::Metrics;

/// What supplies the key sets of one plugin.
#[derive(Debug)]
pub(crate) enum Keys {
    /// This VM asks the issuers for itself.
    Own(Vec<Fetch>),
    /// This VM asks the issuers and shares what comes: the singleton.
    Publish(Vec<(Fetch, KeyShelf)>),
    /// The singleton of the same `vm_id` shares them.
    Shared(Vec<Pickup>),
}

impl Keys {
    /// `without` are the issuers of the contract that have no key set of the configuration.
    ///
    /// # Errors
    /// An issuer whose keys are not wanted: a line that nobody uses is a mistake.
    pub(crate) fn new(
        supply: &Supply,
        sets: &[KeySetAddress],
        state: &StateConfig,
        without: Vec<String>,
    ) -> Result<Self, LoadError> {
        let shelf = |issuer: &str| KeyShelf::of(state, issuer);
        let fetches = sets.iter().cloned().map(Fetch::new);
        Ok(match supply {
            Supply::Feed(_) => {
                let stray = sets.iter().position(|set| !without.contains(&set.issuer));
                if let Some(position) = stray {
                    let problem = "is no issuer of the contract, or has a key set in `trust`";
                    return Err(LoadError::new(&format!("key_sets[{position}].issuer"), problem));
                }
                Self::Own(fetches.collect())
            }
            Supply::Publish(_) => Self::Publish(
                fetches
                    .map(|fetch| {
                        let shelf = shelf(fetch.issuer());
                        (fetch, shelf)
                    })
                    .collect(),
            ),
            Supply::Shared => {
                let pickup = |issuer: String| Pickup::new(shelf(&issuer));
                Self::Shared(without.into_iter().map(pickup).collect())
            }
        })
    }

    /// A token could not be verified for want of a newer set of this issuer.
    pub(crate) fn want(&mut self, issuer: &str) {
        match self {
            Self::Own(fetches) => {
                fetches.iter_mut().filter(|fetch| fetch.issuer() == issuer).for_each(Fetch::want);
            }
            Self::Shared(pickups) => {
                pickups.iter_mut().filter(|one| one.issuer() == issuer).for_each(Pickup::want);
            }
            // It decides nothing.
            Self::Publish(_) => {}
        }
    }

    /// Looks for news, at `now` nanoseconds since the epoch.
    pub(crate) fn on_tick(
        &mut self,
        host: &dyn Host,
        validator: &mut Validator,
        metrics: &mut Metrics,
        now: u64,
    ) {
        match self {
            Self::Own(fetches) => {
                fetches.iter_mut().for_each(|fetch| fetch.on_tick(host, metrics, now));
            }
            Self::Publish(fetches) => {
                for (fetch, shelf) in fetches {
                    if let Err(problem) = shelf.on_tick(host, fetch) {
                        host.log(Level::Error, &problem.to_string());
                    }
                    fetch.on_tick(host, metrics, now);
                }
            }
            Self::Shared(pickups) => {
                for pickup in pickups {
                    pickup.on_tick(host, validator, metrics, now);
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
        arrived: &Arrived,
    ) -> bool {
        match self {
            Self::Own(fetches) => fetches.iter_mut().any(|fetch| {
                fetch.on_call_response(host, metrics, arrived, |_, issuer, fetched| match fetched {
                    Fetched::Set { text, at } => refused(validator.load_keys(issuer, text, at)),
                    Fetched::Same { at } => refused(validator.confirm_keys(issuer, at)),
                })
            }),
            Self::Publish(fetches) => fetches.iter_mut().any(|(fetch, shelf)| {
                fetch.on_call_response(host, metrics, arrived, |host, _, fetched| {
                    if let Fetched::Set { text, .. } = fetched {
                        refused(KeySet::parse(text).map(drop))?;
                    }
                    Ok(shelf.publish(host, &fetched)?)
                })
            }),
            Self::Shared(_) => false,
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
