//! Ours, in this process: a snapshot, and the general evaluation of core/authz over it.

use anyhow::{Context as _, Result, anyhow};
use mandate_authz::evaluate::{Budget, Holding, Inputs};
use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::relation_query::{RelationAnswer, RelationQuery};
use mandate_authz::snapshot::{Snapshot, World as Facts};
use mandate_authz::tuple::Tuple;
use serde_json::Map;

use super::rule::Rule;
use super::workload::{MODEL, Query, Workload};
use super::{Decider, World};

/// Writes the body of the workload's snapshot.
///
/// # Errors
/// When it cannot be written.
pub fn write(workload: &Workload) -> Result<Vec<u8>> {
    let model = Model::parse_dsl(MODEL).map_err(|errors| anyhow!("{errors:?}"))?;
    let tuples: Option<Vec<Tuple>> = workload.tuples.iter().map(tuple).collect();
    let mut facts = Facts::raw(model, tuples.context("the generator writes tuples")?);
    facts.ignore_unfit = false;
    Ok(facts.build([9; 16])?)
}

/// A relationship by its names.
pub(crate) fn tuple([object, relation, subject]: &[String; 3]) -> Option<Tuple> {
    Some(Tuple::new(ObjectName::parse(object)?, relation.clone(), Subject::parse(subject)?))
}

/// A snapshot, with the types and relations of the rule looked up once.
#[derive(Debug)]
struct ByHandle {
    rule: Rule,
    bytes: usize,
}

impl Decider for ByHandle {
    fn allows(&mut self, query: &Query) -> bool {
        self.rule.allows(query.ids(), query.edit)
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.bytes)
    }
}

/// A decider over a snapshot, deltas included.
///
/// # Errors
/// A snapshot that is not one of the workload.
pub(crate) fn by_handle(snapshot: Snapshot) -> Result<Box<dyn Decider>> {
    let bytes = snapshot.body_bytes();
    Ok(Box::new(ByHandle { rule: Rule::new(snapshot).context("the workload's model")?, bytes }))
}

/// Loads the world's body.
///
/// # Errors
/// When it is malformed.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    by_handle(Snapshot::from_body(world.body.clone())?)
}

/// Types and relations are found by name for every request.
#[derive(Debug)]
struct ByName(Snapshot);

impl ByName {
    fn decide(&self, query: &Query) -> Option<bool> {
        let snapshot = &self.0;
        let agent = snapshot.find("agent", &query.agent)?;
        let user = snapshot.find("user", &query.user)?;
        let tool = snapshot.find("tool", &query.tool)?;
        let node = snapshot.find("node", &query.node)?;
        let holds = |object, relation, subject| {
            let (context, budget) = (Map::new(), &mut Budget::new());
            let inputs = Inputs { context: &context };
            let holding = snapshot.holds(object, relation, subject, &inputs, budget);
            matches!(holding, Holding::Holds(_))
        };
        let reach = if query.edit { "can_edit" } else { "can_view" };
        Some(
            holds(agent, "can_act_for", user)
                && holds(tool, "allowed", agent)
                && holds(node, reach, user),
        )
    }
}

impl Decider for ByName {
    fn allows(&mut self, query: &Query) -> bool {
        self.decide(query).unwrap_or_default()
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.0.body_bytes())
    }
}

/// Loads the world's body, to be asked by name.
///
/// # Errors
/// When it is malformed.
pub fn load_by_name(world: &World) -> Result<Box<dyn Decider>> {
    Ok(Box::new(ByName(Snapshot::from_body(world.body.clone())?)))
}

/// Three Checks in OpenFGA's form, `type:id` and all.
#[derive(Debug)]
struct ByCheck {
    snapshot: Snapshot,
    /// The Checks of every request, by its number.
    checks: Vec<[[String; 3]; 3]>,
}

impl Decider for ByCheck {
    fn allows(&mut self, query: &Query) -> bool {
        let context = Map::new();
        let mut checks = self.checks.get(query.number).into_iter().flatten();
        checks.all(|[user, relation, object]| {
            let query = RelationQuery {
                user,
                relation,
                object,
                contextual_tuples: &[],
                context: &context,
                path: false,
            };
            matches!(self.snapshot.relation_holds(&query), RelationAnswer::Holds(_))
        })
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.snapshot.body_bytes())
    }
}

/// Loads the world's body, to be asked three Checks a request.
///
/// # Errors
/// When it is malformed.
pub fn load_by_check(world: &World) -> Result<Box<dyn Decider>> {
    let checks = world.workload.queries.iter().map(Query::checks).collect();
    Ok(Box::new(ByCheck { snapshot: Snapshot::from_body(world.body.clone())?, checks }))
}
