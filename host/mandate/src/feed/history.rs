//! What is published, in order: the newest snapshot and the chain of deltas through its position.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mandate_authz::container::Position;

use super::container::{Container, Rejected};

/// Everything that a feed serves at one moment.
#[derive(Clone, Debug, Default)]
pub struct History {
    snapshot: Option<Container>,
    /// Deltas that join, in order.
    chain: Vec<Container>,
    /// The newest heartbeat of the position where the chain ends.
    heartbeat: Option<Container>,
}

/// What came of putting containers in order.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// What is served.
    pub history: History,
    /// What is not, by its place among the containers.
    pub rejected: Vec<(usize, Rejected)>,
}

impl History {
    /// Puts containers in order. Those that do not join the newest snapshot are kept for later: a
    /// delta may arrive before the one that it follows on.
    #[must_use]
    pub fn arrange(containers: &[Container]) -> Published {
        let newest = containers
            .iter()
            .filter(|container| container.is_snapshot())
            .max_by_key(|container| (container.position(), container.statement().issued_at));
        let Some(newest) = newest else { return Published::default() };
        let mut rejected = Vec::new();
        let mut ours = Vec::new();
        for (at, container) in containers.iter().enumerate() {
            if is_elsewhere(container, newest) {
                let statement = container.statement();
                let (deployment, slice) = (statement.deployment.clone(), statement.slice.clone());
                rejected.push((at, Rejected::Elsewhere { deployment, slice }));
            } else {
                ours.push((at, container));
            }
        }
        let deltas = Deltas::of(&ours, newest, &mut rejected);
        let chain = deltas.chain(newest.position());
        let end = chain.last().map_or_else(|| newest.position(), |delta| delta.position());
        let heartbeat = ours
            .iter()
            .map(|(_, container)| *container)
            .filter(|container| container.is_heartbeat() && container.position() == end)
            .max_by_key(|container| container.statement().issued_at);
        let chain = chain.into_iter().cloned().collect();
        let history = Self { snapshot: Some(newest.clone()), chain, heartbeat: heartbeat.cloned() };
        Published { history, rejected }
    }

    /// The newest snapshot.
    #[must_use]
    pub const fn snapshot(&self) -> Option<&Container> {
        self.snapshot.as_ref()
    }

    /// The newest heartbeat of the position.
    #[must_use]
    pub const fn heartbeat(&self) -> Option<&Container> {
        self.heartbeat.as_ref()
    }

    /// Takes a heartbeat of the position in place of the one before.
    pub(super) fn beat(&mut self, heartbeat: Container) {
        self.heartbeat = Some(heartbeat);
    }

    /// Where the chain ends.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let snapshot = self.snapshot.as_ref()?.position();
        Some(self.chain.last().map_or(snapshot, Container::position))
    }

    /// Where the chain begins.
    #[must_use]
    pub fn begin(&self) -> Option<Position> {
        let snapshot = self.snapshot.as_ref()?.position();
        self.chain.first().map_or(Some(snapshot), Container::from)
    }

    /// The deltas that lead from a position to the end of the chain; `None` if it is no place of the
    /// chain.
    #[must_use]
    pub fn since(&self, from: Position) -> Option<&[Container]> {
        if self.position() == Some(from) {
            return Some(&[]);
        }
        let at = self.chain.iter().position(|delta| delta.from() == Some(from))?;
        self.chain.get(at..)
    }

    /// The newest issued-at of anything that is served.
    #[must_use]
    pub fn issued_at(&self) -> u64 {
        let all = self.snapshot.iter().chain(&self.chain).chain(&self.heartbeat);
        all.map(|container| container.statement().issued_at).max().unwrap_or_default()
    }
}

/// Deltas that change something, by what they follow on.
struct Deltas<'c> {
    by_start: BTreeMap<Position, &'c Container>,
    by_end: BTreeMap<Position, &'c Container>,
}

impl<'c> Deltas<'c> {
    fn of(
        containers: &[(usize, &'c Container)],
        newest: &Container,
        rejected: &mut Vec<(usize, Rejected)>,
    ) -> Self {
        let mut starts: BTreeMap<Position, Vec<(usize, &'c Container)>> = BTreeMap::new();
        for (at, container) in containers {
            let era = container.position().era == newest.position().era;
            let contract =
                container.statement().contract_version == newest.statement().contract_version;
            if let (Some(from), false, true, true) =
                (container.from(), container.is_heartbeat(), era, contract)
            {
                let alike = starts.entry(from).or_default();
                // The same file under two names is one delta.
                if !alike.iter().any(|(_, known)| known.etag() == container.etag()) {
                    alike.push((*at, *container));
                }
            }
        }
        let mut by_start = BTreeMap::new();
        for (from, alike) in starts {
            match alike.as_slice() {
                [(_, only)] => {
                    by_start.insert(from, *only);
                }
                several => {
                    let fork = |(at, _): &(usize, _)| (*at, Rejected::Fork { from });
                    rejected.extend(several.iter().map(fork));
                }
            }
        }
        let by_end = by_start.values().map(|delta| (delta.position(), *delta)).collect();
        Self { by_start, by_end }
    }

    /// The chain through a position: what leads to it, and what follows on it.
    fn chain(&self, through: Position) -> Vec<&'c Container> {
        let mut chain = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = through;
        while let Some(delta) = self.by_end.get(&at).filter(|_| seen.insert(at)) {
            chain.push(*delta);
            at = delta.from().unwrap_or(at);
        }
        chain.reverse();
        let mut at = through;
        while let Some(delta) = self.by_start.get(&at) {
            chain.push(*delta);
            // INVARIANT: a delta that is no heartbeat ends after it begins, so this ends.
            at = delta.position();
        }
        chain
    }
}

fn is_elsewhere(container: &Container, newest: &Container) -> bool {
    let (statement, of_newest) = (container.statement(), newest.statement());
    let place =
        |of: &mandate_authz::container::Statement| (of.deployment.clone(), of.slice.clone());
    place(statement) != place(of_newest) || statement.raw != of_newest.raw
}

/// Joins containers, whole, up to a number of bytes; also whether all of them fit.
pub(super) fn joined(containers: &[Container], most: usize) -> (Vec<Arc<[u8]>>, bool) {
    let mut length = 0_usize;
    let mut parts = Vec::new();
    for container in containers {
        let bytes = container.bytes();
        length = length.saturating_add(bytes.len());
        if length > most {
            return (parts, false);
        }
        parts.push(bytes);
    }
    (parts, true)
}
