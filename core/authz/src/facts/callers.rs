//! The callers of an agent's tools: line 7 asks for agent **and** user. Whoever may use an agent is
//! granted what it may call, or told what is missing.

use std::collections::{BTreeMap, HashSet};

use super::FactsError;
use super::assembly::Assembly;
use super::names::relation;
use super::place::{Place, entries};
use crate::model::{Admission, Rewrite};
use crate::name::{ObjectName, Subject};
use crate::policy::Types;
use crate::tuple::Tuple;

/// Grants, or notes, for every agent of the section.
pub(super) fn callers(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    let types = assembly.types();
    let leaves = leaves(assembly.relationships.admission, &types.agent);
    let stored = Stored::of(assembly);
    for (place, entry) in entries("agents".to_owned(), &assembly.file.agents) {
        let agent = ObjectName::new(&types.agent, entry.id.as_str());
        let granted = entry.grant_callers.unwrap_or(assembly.file.grant_callers);
        let called = stored.called.get(&agent).map(Vec::as_slice).unwrap_or_default();
        for caller in users_of(assembly, &agent, &leaves) {
            let lacking = called.iter().filter(|called| !stored.may_call(called, &caller.subject));
            let lacking: Vec<ObjectName> = lacking.cloned().collect();
            settle(assembly, &agent, &caller, lacking, granted, &place)?;
        }
    }
    Ok(())
}

/// Who may use an agent.
struct Caller {
    subject: Subject,
    /// Only under a condition, which would not stand at what is called.
    conditional: bool,
}

fn settle(
    assembly: &mut Assembly<'_>,
    agent: &ObjectName,
    caller: &Caller,
    lacking: Vec<ObjectName>,
    granted: bool,
    place: &Place,
) -> Result<(), FactsError> {
    let Caller { subject, conditional } = caller;
    let mut left = Vec::new();
    for called in lacking {
        let admission = assembly.relationships.admission;
        let takes = admission.takes(&called.type_name, relation::CAN_CALL, subject);
        if granted && takes && !conditional {
            let grant = Tuple::new(called, relation::CAN_CALL, subject.clone());
            assembly.relationships.write(grant, place)?;
        } else {
            left.push(called);
        }
    }
    if !left.is_empty() {
        let called: Vec<String> = left.iter().map(|called| format!("`{called}`")).collect();
        let way = match (granted, conditional) {
            (false, _) => "`grant_callers: true` grants it",
            (true, true) => "under a condition, so it is not granted",
            (true, false) => "the model cannot store it, so it is not granted",
        };
        let called = called.join(", ");
        let message = format!("`{subject}` may use `{agent}`, but not call {called}: {way}");
        assembly.notes.push(place.note(message));
    }
    Ok(())
}

/// What `can_call` stores so far.
struct Stored {
    /// What each agent may call.
    called: BTreeMap<ObjectName, Vec<ObjectName>>,
    can_call: HashSet<(ObjectName, Subject)>,
    /// Usersets in which somebody is stored, by that somebody.
    memberships: BTreeMap<ObjectName, Vec<Subject>>,
}

impl Stored {
    fn of(assembly: &Assembly<'_>) -> Self {
        let types = assembly.types();
        let mut stored = Self {
            called: BTreeMap::new(),
            can_call: HashSet::new(),
            memberships: BTreeMap::new(),
        };
        let tuples = assembly.relationships.tuples.iter().map(|(tuple, _)| tuple);
        for tuple in tuples.filter(|tuple| tuple.condition.is_none()) {
            let Tuple { object, relation: name, subject, .. } = tuple;
            let called = called(types, object, name);
            if let Some(called) = &called {
                stored.can_call.insert((called.clone(), subject.clone()));
            }
            let Subject::Object(who) = subject else { continue };
            if let Some(called) = called.filter(|_| who.type_name == types.agent) {
                let known = stored.called.entry(who.clone()).or_default();
                if !known.contains(&called) {
                    known.push(called);
                }
            }
            let userset = Subject::Userset(object.clone(), name.clone());
            stored.memberships.entry(who.clone()).or_default().push(userset);
        }
        stored
    }

    /// Whether a subject has `can_call` on an object or on all tools of its server: itself, as
    /// everybody of its type, or as somebody who is stored in a userset that has it.
    fn may_call(&self, called: &ObjectName, caller: &Subject) -> bool {
        let server = called.id.split_once('/').map(|(server, _)| server);
        let every = server.map(|server| ObjectName::new(&called.type_name, format!("{server}/*")));
        let has = |subject: &Subject| {
            let objects = [Some(called), every.as_ref()];
            objects
                .into_iter()
                .flatten()
                .any(|object| self.can_call.contains(&(object.clone(), subject.clone())))
        };
        if has(caller) {
            return true;
        }
        let Subject::Object(who) = caller else { return false };
        let memberships = self.memberships.get(who).map(Vec::as_slice).unwrap_or_default();
        has(&Subject::Wildcard(who.type_name.clone())) || memberships.iter().any(has)
    }
}

/// What a relationship lets its subject call. All tools of a server have two spellings.
fn called(types: &Types, object: &ObjectName, relation: &str) -> Option<ObjectName> {
    match relation {
        relation::CAN_CALL => Some(object.clone()),
        relation::CAN_CALL_ALL => {
            let tool = types.tool.as_ref()?;
            Some(ObjectName::new(tool, format!("{}/*", object.id)))
        }
        _ => None,
    }
}

/// Where `can_use` comes from.
enum Leaf {
    /// What is stored in a relation of the agent.
    Stored(String),
    /// Who has a relation to what is stored in another one.
    From { relation: String, tupleset: String },
}

/// The subjects that may use an agent, each once, without those who are denied it.
fn users_of(assembly: &Assembly<'_>, agent: &ObjectName, leaves: &[Leaf]) -> Vec<Caller> {
    let tuples = assembly.relationships.tuples.iter().map(|(tuple, _)| tuple);
    let own: Vec<&Tuple> = tuples.filter(|tuple| tuple.object == *agent).collect();
    let denied: Vec<&Subject> = own
        .iter()
        .filter(|tuple| tuple.relation == relation::DENIED)
        .map(|tuple| &tuple.subject)
        .collect();
    let mut callers: Vec<Caller> = Vec::new();
    for tuple in own {
        for leaf in leaves {
            let subject = match (leaf, &tuple.subject) {
                (Leaf::Stored(name), subject) if *name == tuple.relation => subject.clone(),
                (Leaf::From { relation, tupleset }, Subject::Object(above))
                    if *tupleset == tuple.relation =>
                {
                    Subject::Userset(above.clone(), relation.clone())
                }
                _ => continue,
            };
            let known = callers.iter().any(|caller| caller.subject == subject);
            if !known && !denied.contains(&&subject) {
                callers.push(Caller { subject, conditional: tuple.condition.is_some() });
            }
        }
    }
    callers
}

/// What gives `can_use` by itself. An `and` gives nothing by one side alone, and is left out: a
/// grant too few is noticed, one too many is not.
fn leaves(admission: &Admission<'_>, agent_type: &str) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut seen: Vec<&str> = vec![relation::CAN_USE];
    let mut next = 0_usize;
    while let Some(name) = seen.get(next).copied() {
        next = next.saturating_add(1);
        let Some(definition) = admission.relation(agent_type, name) else { continue };
        let mut pending = vec![&definition.rewrite];
        while let Some(rewrite) = pending.pop() {
            match rewrite {
                Rewrite::Direct => leaves.push(Leaf::Stored(name.to_owned())),
                Rewrite::Computed(other) => {
                    if !seen.contains(&other.as_str()) {
                        seen.push(other);
                    }
                }
                Rewrite::From { relation, tupleset } => leaves
                    .push(Leaf::From { relation: relation.clone(), tupleset: tupleset.clone() }),
                Rewrite::Union(parts) => pending.extend(parts),
                Rewrite::Difference(base, _) => pending.push(base),
                Rewrite::Intersection(_) => {}
            }
        }
    }
    leaves
}
