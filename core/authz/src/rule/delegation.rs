//! Line 4: the agent is delegated by the bound user.

use mandate_authn::{FailingLine, ReasonCode};

use super::DELEGATE_OF;
use crate::authorize::Case;
use crate::binding::Binding;
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
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
    let relation = case.snapshot.relation(user, DELEGATE_OF);
    let table = relation.and_then(|relation| schema.relation_table(relation.0));
    let written = table.is_some_and(|table| {
        matches!(table.plan, Plan::Direct)
            && table.restrictions.iter().all(|restriction| restriction.form == Form::Object)
    });
    if written { case.holds(user, DELEGATE_OF, agent, line) } else { Ok(None) }
}

/// Whether somebody else has stored a delegation to this agent, under whatever condition.
pub(crate) fn has_other_delegator(case: &Case<'_>, agent: Object, user: Object) -> bool {
    let [type_index, _] = user.to_words();
    let view = case.snapshot.view();
    let users = (0..view.count(type_index)).map(|local| Object::from_words([type_index, local]));
    let mut others = users.filter(|other| *other != user);
    others.any(|other| case.snapshot.stored(other, DELEGATE_OF, agent))
}
