//! Line 6: the user may use the agent, by a relationship or by a role in the user's own token. A
//! stored `denied` wins over all of it.

use mandate_authn::{FailingLine, ReasonCode};

use super::{CAN_USE, DENIED};
use crate::authorize::Case;
use crate::binding::Binding;
use crate::decision::{BindingMode, Bound, Failure};
use crate::evaluate::Path;
use crate::policy::IssuerRules;
use crate::snapshot::Object;

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    bound: &mut Bound,
) -> Result<Option<Path>, Failure> {
    let (Some(user), Some(agent)) = (&binding.user, &binding.agent) else { return Ok(None) };
    let (user, agent) = (user.object, agent.object);
    let fail = |detail| Failure::new(ReasonCode::AgentUse, detail);
    if case.holds(agent, DENIED, user, FailingLine::Six)?.is_some() {
        return Err(fail("the user is denied this agent"));
    }
    if let Some(path) = case.holds(agent, CAN_USE, user, FailingLine::Six)? {
        return Ok(Some(path));
    }
    let role = opening_role(case, binding.mode, agent);
    bound.role = Some(role.ok_or_else(|| fail("nothing lets the user use this agent"))?.to_owned());
    Ok(Some(Path::default()))
}

/// The role in the token that opens this agent. A token's roles are its subject's: they count only
/// where the subject is the bound user.
fn opening_role<'c>(case: &Case<'c>, mode: BindingMode, agent: Object) -> Option<&'c str> {
    if mode != BindingMode::ClaimRelation {
        return None;
    }
    let token = case.token()?;
    let issuer: &IssuerRules = case.issuer?;
    let agent = case.snapshot.name(agent).id;
    let of_client = issuer
        .role_sources
        .iter()
        .filter(|source| source.client.is_none() || source.client.as_deref() == token.client_id());
    for source in of_client {
        let scopes = token.scopes().iter().filter(|_| source.claim == issuer.scope_claim);
        let roles = token.roles().iter().filter(|role| role.path == source.claim);
        let mut stated = scopes.map(String::as_str).chain(roles.map(|role| role.name.as_str()));
        if let Some(role) = stated.find(|role| source.opens(role, &agent)) {
            return Some(role);
        }
    }
    None
}
