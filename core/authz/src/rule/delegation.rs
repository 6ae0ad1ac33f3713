//! Line 4: the agent is delegated by the bound user.

use mandate_authn::{FailingLine, ReasonCode};

use super::DELEGATE_OF;
use crate::authorize::Case;
use crate::binding::Binding;
use crate::decision::{Bound, Failure};
use crate::evaluate::{Budget, EvaluationFailure, Path};
use crate::record::DelegationMode;
use crate::snapshot::{Form, Object, Plan};

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    bound: &mut Bound,
) -> Result<Option<Path>, Failure> {
    let (Some(user), Some(agent)) = (&binding.user, &binding.agent) else { return Ok(None) };
    if let Some(path) = stored(case, user.object, agent.object, FailingLine::Four)? {
        bound.delegation = Some(DelegationMode::Stored);
        return Ok(Some(path));
    }
    if !binding.invoked {
        let detail = "the user has not delegated to this agent";
        return Err(Failure::new(ReasonCode::NotDelegate, detail));
    }
    // Line 6 is the other half of a delegation on invoke: it stands for what the user has not
    // written down.
    bound.delegation = Some(DelegationMode::OnInvoke);
    Ok(Some(Path::default()))
}

/// The stored delegation of a user to an agent, if its condition holds.
///
/// Only what the user wrote down for this very agent counts: a model whose `delegate_of` admits
/// wildcards or usersets, or computes it, delegates nothing.
pub(crate) fn stored(
    case: &Case<'_>,
    user: Object,
    agent: Object,
    line: FailingLine,
) -> Result<Option<Path>, Failure> {
    let schema = case.snapshot.schema();
    let Some(relation) = case.snapshot.relation(user, DELEGATE_OF) else { return Ok(None) };
    let written = schema.relation_table(relation.0).is_some_and(|table| {
        matches!(table.plan, Plan::Direct)
            && table.restrictions.iter().all(|restriction| restriction.form == Form::Object)
    });
    if written { case.holds_relation(user, relation, agent, line) } else { Ok(None) }
}

/// Whether somebody else has stored a delegation to this agent, under whatever condition.
///
/// Delegations lie with the users: each of them is looked at, and counts as a relationship does.
///
/// # Errors
/// [`ReasonCode::Budget`] where there are more users than a check may look at relationships.
pub(crate) fn has_other_delegator(
    case: &Case<'_>,
    agent: Object,
    user: Object,
) -> Result<bool, Failure> {
    let Some(relation) = case.snapshot.relation(user, DELEGATE_OF) else { return Ok(false) };
    let [type_index, _] = user.to_words();
    let view = case.snapshot.view();
    let users = view.count(type_index);
    if users > Budget::new().edges() {
        return Err(Failure::evaluation(&EvaluationFailure::Budget, FailingLine::Binding));
    }
    let users = (0..users).map(|local| Object::from_words([type_index, local]));
    let mut others = users.filter(|other| *other != user);
    Ok(others.any(|other| view.stores(other, relation.0, agent)))
}
