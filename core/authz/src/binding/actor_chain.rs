//! The actors before the last: `act` inside `act` (RFC 8693 section 4.1).

use mandate_authn::{Actor, FailingLine, ReasonCode, VerifiedToken};

use super::Principal;
use crate::authorize::Case;
use crate::decision::Failure;
use crate::policy::Chain;
use crate::record::Kind;
use crate::records::Claimant;
use crate::rule::{self, CredentialQuery};
use crate::snapshot::Object;

/// Requires that no earlier actor is disabled or revoked and, where the route restricts chains,
/// that each was delegated by the bound user as well. An actor grants nothing either way.
pub(super) fn check(case: &Case<'_>, token: &VerifiedToken, user: Object) -> Result<(), Failure> {
    token.actor_history().iter().try_for_each(|hop| check_hop(case, token, hop, user))
}

fn check_hop(
    case: &Case<'_>,
    token: &VerifiedToken,
    hop: &Actor,
    user: Object,
) -> Result<(), Failure> {
    let unsure = |_| broken("an earlier actor names nobody for certain");
    let by_subject = match case.records.by_subject(&hop.issuer, &hop.subject) {
        Claimant::Nobody => None,
        Claimant::One(_) | Claimant::Several => {
            let found = Principal::of_subject(case, &hop.issuer, &hop.subject);
            Some(found.map_err(unsure)?)
        }
    };
    let by_client = match &hop.client_id {
        None => None,
        Some(client) => Principal::of_client(case, &hop.issuer, client).map_err(unsure)?,
    };
    for principal in [by_subject, by_client].into_iter().flatten() {
        require_usable(case, token, hop, &principal)?;
    }
    match case.route.chain {
        Chain::Record => Ok(()),
        Chain::Restrict => {
            let agent = by_subject.filter(|principal| principal.kind == Kind::Agent);
            let agent = agent.ok_or_else(|| broken("an earlier actor is no registered agent"))?;
            if by_client.is_some_and(|client| client.object != agent.object) {
                return Err(broken("an earlier actor names two agents"));
            }
            match rule::stored_delegation(case, user, agent.object, FailingLine::Binding)? {
                Some(_) => Ok(()),
                None => Err(broken("an earlier actor was not delegated by the user")),
            }
        }
    }
}

fn require_usable(
    case: &Case<'_>,
    token: &VerifiedToken,
    hop: &Actor,
    principal: &Principal<'_>,
) -> Result<(), Failure> {
    if rule::check_status(principal, case.now).is_err() {
        return Err(broken("an earlier actor is disabled or expired"));
    }
    let query = CredentialQuery {
        client: hop.client_id.as_deref().map(|client| (hop.issuer.as_str(), client)),
        subject: Some((hop.issuer.as_str(), hop.subject.as_str())),
        ..CredentialQuery::of_token(token)
    };
    match rule::select_credential(case, principal, &query, &mut None) {
        // History need not have been registered; what was revoked is another matter.
        Err(failure) if failure.reason != ReasonCode::CredentialUnknown => {
            Err(broken("an earlier actor's credential was revoked or has expired"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn broken(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::ActorChain, detail)
}
