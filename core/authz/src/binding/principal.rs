//! Principals: what the registry says that a subject, a client or an object is.

use mandate_authn::Actor;

use super::{unknown, unmatched};
use crate::authorize::Case;
use crate::decision::Failure;
use crate::record::Kind;
use crate::records::{Claimant, IdentityView};
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
    ///
    /// # Errors
    /// Nobody, or more than one, claims to be it; or its object is not of its kind's type.
    pub(super) fn of_subject(
        case: &Case<'p>,
        issuer: &str,
        subject: &str,
    ) -> Result<Self, Failure> {
        let found = Self::of_claimant(case, case.records.by_subject(issuer, subject))?;
        found.ok_or_else(|| unknown("the registry has no record of this subject"))
    }

    /// The principal that an issuer's client names; `None` where it names nobody.
    ///
    /// # Errors
    /// It names more than one, or somebody whose object is not of their kind's type: not knowing
    /// whom is not the same as nobody.
    pub(super) fn of_client(
        case: &Case<'p>,
        issuer: &str,
        client: &str,
    ) -> Result<Option<Self>, Failure> {
        Self::of_claimant(case, case.records.by_client(issuer, client))
    }

    /// The principal whose object this is.
    pub(crate) fn of_object(case: &Case<'p>, object: Object) -> Option<Self> {
        Self::of_identity(case, case.records.by_object(object)?)
    }

    fn of_claimant(case: &Case<'p>, claimant: Claimant<'p>) -> Result<Option<Self>, Failure> {
        match claimant {
            Claimant::Nobody => Ok(None),
            Claimant::Several => Err(unknown("two identities claim to be it")),
            Claimant::One(identity) => Self::of_identity(case, identity)
                .map(Some)
                .ok_or_else(|| unknown("the identity's kind is not that of its object")),
        }
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
        let of_agent = |failure: Failure| failure.of(Kind::Agent);
        let agent = Self::of_subject(case, &actor.issuer, &actor.subject).map_err(of_agent)?;
        let agent = agent.require_agent("`act` names somebody who is no agent")?;
        let Some(client) = &actor.client_id else { return Ok(agent) };
        let by_client = Self::of_client(case, &actor.issuer, client).map_err(of_agent)?;
        let by_client = by_client
            .ok_or_else(|| of_agent(unknown("`act.client_id` names no registered agent")))?;
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
