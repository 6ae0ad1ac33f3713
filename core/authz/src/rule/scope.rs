//! Line 5: the token's scope and the machine identity's limits cover the action.

use mandate_authn::ReasonCode;

use crate::authorize::Case;
use crate::binding::{Binding, Principal};
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::limits;
use crate::records::{GrantView, ScopeView};
use crate::snapshot::Object;

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    _: &mut Bound,
) -> Result<Option<Path>, Failure> {
    require_token_scope(case)?;
    if let Some(machine) = binding.agent.as_ref().or(binding.service.as_ref()) {
        require_identity_scope(case, machine)?;
    }
    Ok(Some(Path::default()))
}

fn require_token_scope(case: &Case<'_>) -> Result<(), Failure> {
    let Some(token) = case.token().filter(|_| case.route.needs_scope()) else { return Ok(()) };
    let action = case.mapped.action_name;
    if token.scopes().iter().any(|scope| case.policy.scope_covers(scope, action)) {
        Ok(())
    } else {
        Err(Failure::new(ReasonCode::ScopeToken, "the token's scope does not cover the action"))
    }
}

/// An identity without limits written down is limited to nothing.
fn require_identity_scope(case: &Case<'_>, machine: &Principal<'_>) -> Result<(), Failure> {
    let scope = machine.identity.scope();
    let mode = case.mapped.action.mode.as_str();
    let ScopeView { workspaces, boards, modes, actions } = scope.unwrap_or(ScopeView::NOTHING);
    let types = case.policy.types();
    require_place(case, types.workspace.as_deref(), &workspaces)?;
    require_place(case, types.board.as_deref(), &boards)?;
    if !modes.covers(mode) {
        return Err(fail(ReasonCode::ScopeMode, "the identity's modes do not cover the action"));
    }
    if !actions.covers(case.mapped.action_name) {
        return Err(fail(ReasonCode::ScopeAction, "the identity's actions do not cover this one"));
    }
    Ok(())
}

/// Requires every resource to be inside of what is granted: a resource without a workspace is
/// outside of every list of workspaces, and so with boards.
fn require_place(
    case: &Case<'_>,
    type_name: Option<&str>,
    granted: &GrantView<'_>,
) -> Result<(), Failure> {
    if granted.is_all() {
        return Ok(());
    }
    let outside =
        || fail(ReasonCode::ScopeWorkspace, "a resource is outside the identity's places");
    for resource in &case.resources {
        let resource = resource.ok_or_else(outside)?;
        let type_name = type_name.ok_or_else(outside)?;
        let places = places(case, resource, type_name).ok_or_else(outside)?;
        let covered = |place: &Object| granted.covers(&case.snapshot.name(*place).id);
        if places.is_empty() || !places.iter().all(covered) {
            return Err(outside());
        }
    }
    Ok(())
}

/// The objects of a type among an object and everything above it; `None` where there is more above
/// it than the limit.
fn places(case: &Case<'_>, object: Object, type_name: &str) -> Option<Vec<Object>> {
    let mut seen = vec![object];
    let mut next = 0;
    while let Some(object) = seen.get(next).copied() {
        next = next.saturating_add(1);
        for parent in case.snapshot.parents(object) {
            if !seen.contains(&parent) {
                seen.push(parent);
            }
        }
        if seen.len() > limits::ANCESTORS {
            return None;
        }
    }
    seen.retain(|object| case.snapshot.type_name(*object) == type_name);
    Some(seen)
}

fn fail(reason: ReasonCode, detail: &'static str) -> Failure {
    Failure::new(reason, detail)
}
