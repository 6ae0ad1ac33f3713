//! The rows of the table whose evidence is a token.

use mandate_authn::{ReasonCode, VerifiedToken};

use super::{Binding, Principal, actor_chain, unknown, unmatched};
use crate::agent_context::{self, AgentContext, ContextRefusal};
use crate::authorize::{Case, Evidence};
use crate::decision::{BindingMode, Failure};
use crate::name::ObjectName;
use crate::policy::Agents;
use crate::record::{DelegationMode, Kind};
use crate::rule;
use crate::snapshot::Object;

/// Binds by what the subject is: the registry's word, not the token's.
pub(super) fn bind<'c>(case: &Case<'c>, evidence: &Evidence<'_>) -> Result<Binding<'c>, Failure> {
    let token = evidence.token;
    let subject = Principal::of_subject(case, token.issuer(), token.subject())?;
    let context = verified_context(case, evidence)?;
    let client = client_agent(case, token)?;
    match subject.kind {
        Kind::User => bind_user(case, token, subject, client, context),
        Kind::Agent => bind_agent(case, token, subject, client, context),
        Kind::Service => bind_service(case, token, subject, client, context.is_some()),
    }
}

/// `sub` is a person: an agent acts for them, or they act themselves.
fn bind_user<'c>(
    case: &Case<'c>,
    token: &VerifiedToken,
    user: Principal<'c>,
    client: Option<Principal<'c>>,
    context: Option<SignedFor<'c>>,
) -> Result<Binding<'c>, Failure> {
    let actor = token.actor().map(|actor| Principal::of_actor(case, actor)).transpose()?;
    let agent = match (actor, client) {
        (Some(actor), Some(client)) if actor.object != client.object => {
            return Err(unmatched("`act` and the client id name two agents"));
        }
        (Some(agent), _) | (None, Some(agent)) => agent,
        (None, None) => return bind_person(case, token, user, context.is_some()),
    };
    if let Some(context) = &context {
        if context.user.object != user.object {
            let detail = "the agent context names another user than the token";
            return Err(Failure::new(ReasonCode::CrossUser, detail));
        }
        if context.agent != agent.object {
            return Err(invalid_context("it names another agent than the token"));
        }
    }
    actor_chain::check(case, token, user.object)?;
    // A client id says nothing of when: only `act` stands for a delegation, as old as its token.
    let signed_at = token.issued_at().filter(|_| actor.is_some());
    Ok(Binding {
        user: Some(user),
        agent: Some(agent),
        context_id: context.map(|context| context.id),
        invoked: recent_evidence(case, &agent, signed_at),
        ..Binding::new(BindingMode::ClaimRelation)
    })
}

/// A person acts for themselves.
fn bind_person<'c>(
    case: &Case<'c>,
    token: &VerifiedToken,
    user: Principal<'c>,
    has_context: bool,
) -> Result<Binding<'c>, Failure> {
    if has_context || token.may_act().is_some() {
        return Err(unmatched("an agent context or `may_act` beside a token that names no agent"));
    }
    let interactive = case.issuer.zip(token.client_id()).is_some_and(|(issuer, client)| {
        issuer.interactive_clients.iter().any(|known| known == client)
    });
    if !interactive {
        let detail = "people sign in through other clients than the token's";
        return Err(Failure::new(ReasonCode::AgentRequired, detail));
    }
    require_optional_agents(case)?;
    Ok(Binding { user: Some(user), ..Binding::new(BindingMode::User) })
}

/// `sub` is an agent: its context names the user, or it has one only.
fn bind_agent<'c>(
    case: &Case<'c>,
    token: &VerifiedToken,
    agent: Principal<'c>,
    client: Option<Principal<'c>>,
    context: Option<SignedFor<'c>>,
) -> Result<Binding<'c>, Failure> {
    if token.actor().is_some() {
        return Err(unmatched("`act` in a token whose subject is an agent"));
    }
    require_same(client, agent.object)?;
    let Some(context) = context else { return bind_sole_user(case, agent) };
    if context.agent != agent.object {
        return Err(invalid_context("it names another agent than the token"));
    }
    Ok(Binding {
        user: Some(context.user),
        agent: Some(agent),
        context_id: Some(context.id),
        invoked: recent_evidence(case, &agent, Some(context.issued_at)),
        ..Binding::new(BindingMode::ContextRelation)
    })
}

/// Nothing names the user: only an agent that the registry pins to one, on a route that allows it.
pub(super) fn bind_sole_user<'c>(
    case: &Case<'c>,
    agent: Principal<'c>,
) -> Result<Binding<'c>, Failure> {
    let missing = |detail| Failure::new(ReasonCode::AgentContextMissing, detail);
    if !case.route.relation_binding {
        return Err(missing("this route needs an agent context"));
    }
    let user = agent.identity.sole_user().ok_or_else(|| missing("the agent has no sole user"))?;
    let user = Principal::of_object(case, user).filter(|user| user.kind == Kind::User);
    let user = user.ok_or_else(|| unknown("the agent's sole user has no record").of(Kind::User))?;
    if rule::has_other_delegator(case, agent.object, user.object)? {
        let detail = "another user has delegated to this agent as well";
        return Err(Failure::new(ReasonCode::UserAmbiguous, detail));
    }
    Ok(Binding { user: Some(user), agent: Some(agent), ..Binding::new(BindingMode::Relation) })
}

/// `sub` is a service: it acts for itself and for nobody else.
fn bind_service<'c>(
    case: &Case<'c>,
    token: &VerifiedToken,
    service: Principal<'c>,
    client: Option<Principal<'c>>,
    has_context: bool,
) -> Result<Binding<'c>, Failure> {
    if has_context || token.actor().is_some() || token.may_act().is_some() {
        return Err(unmatched("a service acts for itself only"));
    }
    require_same(client, service.object)?;
    require_optional_agents(case)?;
    Ok(Binding { service: Some(service), ..Binding::new(BindingMode::Own) })
}

pub(super) fn require_optional_agents(case: &Case<'_>) -> Result<(), Failure> {
    match case.route.agents {
        Agents::Optional => Ok(()),
        Agents::Required => {
            Err(Failure::new(ReasonCode::AgentRequired, "this route is for agents"))
        }
    }
}

/// The agent that the token's client id names, where the issuer's do.
fn client_agent<'p>(
    case: &Case<'p>,
    token: &VerifiedToken,
) -> Result<Option<Principal<'p>>, Failure> {
    let names_agent = case.issuer.is_some_and(|issuer| issuer.client_id_names_agent);
    let Some(client) = token.client_id().filter(|_| names_agent) else { return Ok(None) };
    let named = Principal::of_client(case, token.issuer(), client)?;
    named
        .map(|named| named.require_agent("the client id names somebody who is no agent"))
        .transpose()
}

fn require_same(client: Option<Principal<'_>>, subject: Object) -> Result<(), Failure> {
    if client.is_none_or(|client| client.object == subject) {
        Ok(())
    } else {
        Err(unmatched("the subject and the client id name two machines"))
    }
}

/// Signed evidence stands for a stored delegation while it is recent, where the agent's record says
/// so. Line 4 looks for the stored one first.
fn recent_evidence(case: &Case<'_>, agent: &Principal<'_>, signed_at: Option<u64>) -> bool {
    let allowed = agent.identity.delegation() == DelegationMode::OnInvoke;
    let recent = signed_at.is_some_and(|signed_at| {
        case.now.saturating_sub(signed_at) <= case.policy.on_invoke_seconds()
    });
    allowed && recent
}

/// A context whose names were found.
struct SignedFor<'c> {
    agent: Object,
    user: Principal<'c>,
    issued_at: u64,
    id: String,
}

/// The agent context that came with the request, if one did.
fn verified_context<'c>(
    case: &Case<'c>,
    evidence: &Evidence<'_>,
) -> Result<Option<SignedFor<'c>>, Failure> {
    let header = match evidence.agent_contexts {
        [] => return Ok(None),
        [header] => header,
        [_, _, ..] => return Err(invalid_context("there are several")),
    };
    let call = agent_context::Call {
        audience: case.request.audience,
        server: case.mapped.call.server(),
        tool: case.mapped.call.tool(),
        token: evidence.token_text,
        now: case.now,
        skew: case.policy.skew(),
    };
    let context =
        agent_context::verify(header, &call, &case.records).map_err(|refusal| match refusal {
            ContextRefusal::CredentialExpired => {
                let detail = "the agent context's credential has expired";
                Failure::new(ReasonCode::CredentialExpired, detail).of(Kind::Agent)
            }
            ContextRefusal::CredentialRevoked => {
                let detail = "the agent context's credential was revoked";
                Failure::new(ReasonCode::CredentialRevoked, detail).of(Kind::Agent)
            }
            ContextRefusal::Invalid(detail) => invalid_context(detail),
        })?;
    resolve(case, context).map(Some)
}

fn resolve<'c>(case: &Case<'c>, context: AgentContext) -> Result<SignedFor<'c>, Failure> {
    let find = |name: &ObjectName| case.snapshot.find(&name.type_name, &name.id);
    if find(&context.agent) != Some(context.signer) {
        return Err(invalid_context("its agent is not its credential's"));
    }
    let user = find(&context.user).and_then(|user| Principal::of_object(case, user));
    let user = user.filter(|user| user.kind == Kind::User);
    let user =
        user.ok_or_else(|| unknown("the agent context names no known user").of(Kind::User))?;
    let AgentContext { signer: agent, issued_at, id, .. } = context;
    Ok(SignedFor { agent, user, issued_at, id })
}

fn invalid_context(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::AgentContextInvalid, detail)
}
