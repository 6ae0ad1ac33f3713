//! How the state comes: one VM of a process asks the feed and shares what comes, all take it up; where
//! nothing can be shared safely, each VM asks for itself.
//!
//! Nothing here is believed: every container is verified against the pinned keys by whoever applies
//! it, and floors are each VM's own.

mod feed;
mod keys;
mod lease;
mod loading;
mod news;
mod shared;

use mandate_authz::state::State;

use self::feed::Feed;
pub(crate) use self::keys::Keys;
pub(crate) use self::lease::Turn;
use self::shared::Pickup;
pub(crate) use self::shared::Shelf;
use crate::configuration::{FeedAddress, Supply};
use crate::host::Host;
use crate::metrics::Metrics;

/// What supplies the state of one plugin.
#[derive(Debug)]
pub(crate) struct Sync {
    shelf: Option<Shelf>,
    address: Option<FeedAddress>,
    /// While it is this VM's turn to ask.
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
    pub(crate) fn new(supply: &Supply, shelf: Option<Shelf>) -> Self {
        let address = match supply {
            Supply::Feed(address) => Some(address.clone()),
            Supply::Shared => None,
        };
        let pickup = shelf.clone().map(Pickup::new);
        Self { shelf, address, feed: None, pickup }
    }

    /// Looks for news, at `now` nanoseconds since the epoch; `ours` where it is this VM's turn to ask.
    pub(crate) fn on_tick(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        (now, ours): (u64, bool),
    ) {
        self.turn(ours);
        // Whoever begins to ask goes on from what was shared before, and never goes back. Of the two
        // one at a time loads a snapshot.
        let is_idle = self.feed.as_ref().is_none_or(Feed::is_idle);
        if let Some(pickup) = self.pickup.as_mut().filter(|_| is_idle) {
            pickup.on_tick(host, state, metrics, now);
        }
        let is_taking_up = self.pickup.as_ref().is_some_and(Pickup::is_loading);
        if let Some(feed) = self.feed.as_mut().filter(|_| !is_taking_up) {
            feed.on_tick(host, state, metrics, now);
        }
    }

    pub(crate) fn on_call_response(
        &mut self,
        host: &dyn Host,
        state: &mut State,
        metrics: &mut Metrics,
        (arrived, ours): (&Arrived, bool),
    ) {
        self.turn(ours);
        if let Some(feed) = &mut self.feed {
            feed.on_call_response(host, state, metrics, arrived);
        }
    }

    fn turn(&mut self, ours: bool) {
        let feed = self.feed.take().filter(|_| ours);
        let address = self.address.as_ref().filter(|_| ours);
        self.feed =
            feed.or_else(|| address.map(|address| Feed::new(address.clone(), self.shelf.clone())));
    }
}

#[cfg(test)]
mod tests;
