//! Principals: what the registry says that a subject, a client or an object is.

use mandate_authn::Actor;

use super::{unknown, unmatched};
use crate::authorize::Case;
use crate::decision::Failure;
use crate::record::Kind;
use crate::records::IdentityView;
use crate::snapshot::Object;

/// A registered identity whose object exists and is of the type of its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Principal<'p> {
    pub(crate) object: Object,
    pub(crate) kind: Kind,
    pub(crate) identity: IdentityView<'p>,
}

impl<'p> Principal<'p> {
    /// The principal that an issuer's subject is.
    pub(super) fn of_subject(case: &Case<'p>, issuer: &str, subject: &str) -> Option<Self> {
        Self::of_identity(case, case.records.by_subject(issuer, subject)?)
    }

    /// The principal that an issuer's client names.
    pub(super) fn of_client(case: &Case<'p>, issuer: &str, client: &str) -> Option<Self> {
        Self::of_identity(case, case.records.by_client(issuer, client)?)
    }

    /// The principal whose object this is.
    pub(crate) fn of_object(case: &Case<'p>, object: Object) -> Option<Self> {
        Self::of_identity(case, case.records.by_object(object)?)
    }

    fn of_identity(case: &Case<'p>, identity: IdentityView<'p>) -> Option<Self> {
        let (object, kind) = (identity.object()?, identity.kind());
        let types = case.policy.types();
        let expected = match kind {
            Kind::Agent => &types.agent,
            Kind::Service => types.service.as_ref()?,
            Kind::User => &types.user,
        };
        // A user record on an agent's object would make the agent a person.
        (case.snapshot.type_name(object) == expected).then_some(Self { object, kind, identity })
    }

    /// The agent that an actor names: by its subject and, where stated, its client; both must name
    /// the same one.
    pub(super) fn of_actor(case: &Case<'p>, actor: &Actor) -> Result<Self, Failure> {
        let by_subject = Self::of_subject(case, &actor.issuer, &actor.subject)
            .ok_or_else(|| unknown(Kind::Agent, "`act` names a subject without a record"))?;
        let agent = by_subject.require_agent("`act` names somebody who is no agent")?;
        let Some(client) = &actor.client_id else { return Ok(agent) };
        let by_client = Self::of_client(case, &actor.issuer, client)
            .ok_or_else(|| unknown(Kind::Agent, "`act.client_id` names no registered agent"))?;
        if by_client.object == agent.object {
            Ok(agent)
        } else {
            Err(unmatched("`act.sub` and `act.client_id` name two agents"))
        }
    }

    pub(super) fn require_agent(self, detail: &'static str) -> Result<Self, Failure> {
        if self.kind == Kind::Agent { Ok(self) } else { Err(unmatched(detail)) }
    }
}
