//! How the state comes: asked of the feed, or taken from what the singleton of the process shares.
//!
//! Nothing here is believed: every container is verified against the pinned keys by whoever applies
//! it, and floors are each VM's own.

mod feed;
mod keys;
mod loading;
mod news;
mod shared;

use mandate_authz::state::State;

use self::feed::Feed;
pub(crate) use self::keys::Keys;
use self::shared::{Pickup, Shelf};
use crate::configuration::Supply;
use crate::host::Host;
use crate::metrics::Metrics;

/// What supplies the state of one plugin.
#[derive(Debug)]
pub(crate) struct Sync {
    feed: Option<Feed>,
    pickup: Option<Pickup>,
}

/// An answer to a request of ours, as the host announces it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    pub(crate) call: u32,
    /// Zero where there is no answer.
    pub(crate) fields: u32,
    pub(crate) body: usize,
}

impl Sync {
    pub(crate) fn new(supply: &Supply, state: &State) -> Self {
        let shelf = || Shelf::of(state.config());
        match supply {
            Supply::Feed(address) => {
                Self { feed: Some(Feed::new(address.clone(), None)), pickup: None }
            }
            // What was shared before is taken up, so that a VM that was loaded anew never goes back.
            Supply::Publish(address) => Self {
                feed: Some(Feed::new(address.clone(), Some(shelf()))),
                pickup: Some(Pickup::new(shelf())),
            },
            Supply::Shared => Self { feed: None, pickup: Some(Pickup::new(shelf())) },
        }
    }

    /// Looks for news, at `now` nanoseconds since the epoch.
    pub(crate) fn on_tick(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        now: u64,
    ) {
        match (&mut self.feed, &mut self.pickup) {
            (None, Some(pickup)) => pickup.on_tick(host, state, metrics, now),
            (Some(feed), Some(pickup)) => {
                if !feed.has_begun() {
                    pickup.on_tick(host, state, metrics, now);
                }
                feed.on_tick(host, state, metrics, now);
            }
            (Some(feed), None) => feed.on_tick(host, state, metrics, now),
            (None, None) => {}
        }
    }

    pub(crate) fn on_call_response(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        arrived: &Arrived,
    ) {
        if let Some(feed) = &mut self.feed {
            feed.on_call_response(host, state, metrics, arrived);
        }
    }
}

#[cfg(test)]
mod tests;
