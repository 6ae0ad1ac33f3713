//! The delegation workload, those who decide it, and what that costs them.

pub mod bench;
pub mod chart;
pub mod command;
pub mod delta;
pub mod engine;
pub mod guest;
pub mod kernel;
pub mod loads;
pub mod module;
pub mod page;
pub mod plugin;
mod rule;
pub mod sealed;
pub mod targets;
pub mod v8;
pub mod workload;

use std::collections::HashSet;

use anyhow::Result;

use self::workload::{Query, Workload};

/// Decides requests by their relationships. Whether an agent is suspended or has expired is a
/// record, which nobody is asked about here.
pub trait Decider {
    /// Whether the relationships allow it.
    fn allows(&mut self, query: &Query) -> bool;

    /// Bytes that it holds, where it knows.
    fn bytes(&self) -> Option<usize> {
        None
    }

    /// Nanoseconds of one request, of so many in a row: for those who run elsewhere and measure
    /// themselves.
    fn turn(&mut self, calls: u32) -> Option<f64> {
        let _ = calls;
        None
    }
}

/// One way to decide.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// Its name in the tables.
    pub name: &'static str,
    /// How it is asked: only those who are asked alike are compared.
    pub form: Form,
    /// The largest world that it is given: what it loads in bearable time.
    pub most: usize,
    /// Loads a world.
    pub load: fn(&World) -> Result<Box<dyn Decider>>,
}

/// How a request is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As four ids: the rule is one call.
    Ids,
    /// As three Checks of `type:id` texts, each answered with the path that decided.
    Checks,
    /// As the same three Checks in JSON, and JSON out.
    Json,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ids, Self::Checks, Self::Json];

    /// What one call gets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ids => "four ids",
            Self::Checks => "three Checks",
            Self::Json => "three Checks in JSON",
        }
    }
}

/// A drawn world, and the body of the snapshot that holds it.
#[derive(Debug)]
pub struct World {
    /// What was drawn.
    pub workload: Workload,
    /// The body of its snapshot.
    pub body: Vec<u8>,
}

impl World {
    /// Draws a world of about so many relationships, and writes its snapshot.
    ///
    /// # Errors
    /// When the snapshot cannot be written.
    pub fn draw(relationships: usize, queries: usize) -> Result<Self> {
        let workload = Workload::draw(SEED, relationships, queries);
        let body = engine::write(&workload)?;
        Ok(Self { workload, body })
    }

    /// How many of the first answers are not those of the generator.
    pub fn wrong(&self, decider: &mut dyn Decider, queries: usize) -> usize {
        let live = self.workload.agents.iter().filter(|agent| agent.live);
        let live: HashSet<&str> = live.map(|agent| agent.id.as_str()).collect();
        let wrong = self.workload.queries.iter().take(queries).filter(|query| {
            (decider.allows(query) && live.contains(query.agent.as_str())) != query.allow
        });
        wrong.count()
    }
}

/// The seed of every world: the same on every machine.
const SEED: u64 = 20_261_121;

#[cfg(test)]
mod tests {
    use super::bench::native;
    use super::*;

    #[test]
    fn everybody_gives_the_answers_of_the_generator() {
        let world = World::draw(1_000, 2_000).unwrap();
        let wrong = native().into_iter().map(|contestant| {
            let mut decider = (contestant.load)(&world).unwrap();
            (contestant.name, world.wrong(decider.as_mut(), 2_000))
        });
        let none: Vec<_> = native().iter().map(|contestant| (contestant.name, 0)).collect();
        assert_eq!(wrong.collect::<Vec<_>>(), none);
        let allowed = world.workload.queries.iter().filter(|query| query.allow).count();
        assert_eq!(allowed, 1_000);
    }
}
