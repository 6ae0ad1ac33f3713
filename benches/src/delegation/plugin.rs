//! Ours, as the component: three typed Checks a request, through mandate-host.

use std::time::Duration;

use anyhow::Result;
use mandate_host::{Limits, Plugin, PluginOptions, Policy, RelationQuery, Sha256Digest};

use super::workload::Query;
use super::{Decider, World, sealed};
use crate::doors::patient;
use crate::guests;

struct Component {
    policy: Policy,
    /// The Checks of every request, by its number.
    checks: Vec<[RelationQuery; 3]>,
    bytes: usize,
}

impl Decider for Component {
    fn allows(&mut self, query: &Query) -> bool {
        let mut checks = self.checks.get(query.number).into_iter().flatten();
        checks.all(|check| matches!(self.policy.relation_holds(check), Ok(Some(_))))
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.bytes)
    }
}

/// Loads the world into the component.
///
/// # Errors
/// When the plugin was not built, or it refuses the world.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    let policy = policy()?;
    policy.configure_state(&sealed::config()?)?;
    policy.load_state(&sealed::snapshot(&world.body)?)?;
    let checks = world.workload.queries.iter().map(|query| {
        query.checks().map(|[user, relation, object]| {
            let mut check = RelationQuery::default();
            (check.user, check.relation, check.object) = (user, relation, object);
            check
        })
    });
    Ok(Box::new(Component { policy, checks: checks.collect(), bytes: world.body.len() }))
}

/// The plugin with limits that hold a world of ten million relationships.
///
/// # Errors
/// When the plugin was not built, or does not load.
pub fn policy() -> Result<Policy> {
    let bytes = guests::plugin()?;
    let options = PluginOptions::default();
    let plugin = Plugin::from_bytes(&bytes, &Sha256Digest::of(&bytes), &options)?;
    Ok(Policy::new(plugin, roomy())?)
}

/// Limits for large worlds.
#[must_use]
pub fn roomy() -> Limits {
    let load_deadline = Duration::from_secs(60);
    Limits { memory_bytes: 1 << 30, instances: 1, load_deadline, ..patient() }
}
