//! Line 2: user, agent, service and credential are known, active, unexpired and belong together;
//! nothing is revoked.

use mandate_authn::{ReasonCode, VerifiedToken};

use super::credential::{self, CredentialQuery};
use crate::authorize::{Case, Door};
use crate::binding::{Binding, Principal};
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::record::Status;

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    bound: &mut Bound,
) -> Result<Option<Path>, Failure> {
    let Binding { user, agent, service, .. } = binding;
    for principal in [user, agent, service].into_iter().flatten() {
        check_status(principal, case.now)?;
    }
    match case.door {
        Door::Token(evidence) => {
            let token = evidence.token;
            for principal in [user, agent, service].into_iter().flatten() {
                credential::refuse_revoked_token(case, principal, token, &mut bound.credential)?;
            }
            if let Some(machine) = agent.as_ref().or(service.as_ref()) {
                let query = query(case, token);
                credential::select(case, machine, &query, &mut bound.credential)?;
            }
        }
        Door::Assertion(assertion) => {
            if let Some(id) = assertion.credential {
                credential::asserted(case, agent.as_ref(), id, &mut bound.credential)?;
            }
        }
    }
    Ok(Some(Path::default()))
}

/// Requires an identity that is active and unexpired.
pub(crate) fn check_status(principal: &Principal<'_>, now: u64) -> Result<(), Failure> {
    let fail = |reason, detail| Err(Failure::new(reason, detail).of(principal.kind));
    match principal.identity.status() {
        Status::Active => {}
        Status::Retired => return fail(ReasonCode::IdentityDisabled, "the identity is retired"),
        Status::Suspended => {
            return fail(ReasonCode::IdentityDisabled, "the identity is suspended");
        }
    }
    if principal.identity.expires_at().is_some_and(|expires_at| now >= expires_at) {
        return fail(ReasonCode::IdentityExpired, "the identity has expired");
    }
    Ok(())
}

/// What the token shows of the machine that acts. The token's own subject and client are the
/// machine's where the machine is the subject; else `act` says which subject is.
fn query<'t>(case: &Case<'_>, token: &'t VerifiedToken) -> CredentialQuery<'t> {
    let query = CredentialQuery::of_token(token);
    match token.actor() {
        None => query,
        Some(actor) => {
            let of_actor = actor.client_id.as_deref().filter(|_| {
                let issuer = case.policy.issuer(&actor.issuer);
                issuer.is_some_and(|issuer| issuer.client_is_credential)
            });
            CredentialQuery {
                actor_client: of_actor.map(|client| (actor.issuer.as_str(), client)),
                subject: Some((actor.issuer.as_str(), actor.subject.as_str())),
                ..query
            }
        }
    }
}
