//! Deltas of the workload: grants on random nodes to people who are new.
//!
//! Nobody asks about them, so that every answer stays what the generator says while the rows that
//! are asked about come from the overlay.

use anyhow::{Context as _, Result, anyhow};
use cpu_time::ThreadTime;
use mandate_authz::delta;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::row::{Row, StoredTuple};
use mandate_authz::snapshot::Snapshot;

use super::workload::{Random, Workload};
use super::{Decider, World, engine};
use crate::lineup::median;

/// Changes of one delta.
pub const CHANGES: usize = 100;

/// Draws deltas.
///
/// # Errors
/// A workload that grants nothing.
pub fn draw(workload: &Workload, count: usize) -> Result<Vec<Vec<Row>>> {
    let granted = |relation: &str| relation == "viewer" || relation == "editor";
    let grants = workload.tuples.iter().filter(|[_, relation, _]| granted(relation));
    let grants: Vec<&[String; 3]> = grants.collect();
    let mut random = Random::new(7);
    let mut row = |number: usize| {
        let [object, relation, _] = grants.get(random.below(grants.len()))?;
        let subject = ObjectName::new("user", format!("new-{number}"));
        Some(Row::WriteTuple(StoredTuple {
            object: ObjectName::parse(object)?,
            relation: relation.clone(),
            subject: Subject::Object(subject),
            condition: None,
        }))
    };
    let deltas = (0..count).map(|delta| {
        let first = delta.saturating_mul(CHANGES);
        (first..first.saturating_add(CHANGES)).map(&mut row).collect::<Option<Vec<Row>>>()
    });
    deltas.collect::<Option<_>>().context("the workload grants something")
}

/// Loads a world, and one delta on top of it.
///
/// # Errors
/// When the body is malformed, or the delta does not apply.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    let mut snapshot = Snapshot::from_body(world.body.clone())?;
    for delta in draw(&world.workload, 1)? {
        snapshot.apply(&delta)?;
    }
    engine::by_handle(snapshot)
}

/// Nanoseconds until a delta is visible, from its verified bytes: each of twenty on one snapshot,
/// the median of all rounds.
///
/// # Errors
/// As [`load`].
pub fn cost(world: &World, rounds: u32) -> Result<f64> {
    let deltas = draw(&world.workload, DELTAS)?;
    let problem = |problem| anyhow!("{problem:?}");
    let deltas = deltas.iter().map(|rows| delta::encode(rows).map_err(problem));
    let deltas = deltas.collect::<Result<Vec<Vec<u8>>>>()?;
    let mut costs = Vec::new();
    for _ in 0..rounds {
        let mut snapshot = Snapshot::from_body(world.body.clone())?;
        for body in &deltas {
            let started = ThreadTime::now();
            let rows = delta::decode(body).map_err(problem)?;
            snapshot.apply(&rows)?;
            costs.push(started.elapsed().as_secs_f64() * 1e9);
        }
    }
    Ok(median(costs))
}

/// Deltas on one snapshot.
const DELTAS: usize = 20;
