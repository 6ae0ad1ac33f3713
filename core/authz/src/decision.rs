//! What was decided, by which relationships, and for whom. Only [`authorize`](crate::authorize)
//! makes one.

use std::borrow::Cow;

use mandate_authn::{FailingLine, LoadError, ReasonCode, Refusal};

use crate::container::Position;
use crate::evaluate::{EvaluationFailure, Path};
use crate::policy::Policy;
use crate::record::{DelegationMode, Kind};
use crate::snapshot::Object;

/// The answer to a request.
///
/// # Example
/// ```
/// use mandate_authz::decision::Decision;
/// use mandate_authn::{ReasonCode, Refusal};
///
/// let decision = Decision::refused(&Refusal::TokenMissing);
/// assert_eq!(decision.reason(), ReasonCode::TokenMissing);
/// assert!(!decision.is_allowed());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It must not be done.
    Deny(Denial),
    /// It may be done.
    Allow(Grant),
}

/// Why a request is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    failure: Failure,
    circumstances: Circumstances,
}

/// That every line held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    circumstances: Circumstances,
}

/// What a decision rests on, as far as it was found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    pub(crate) bound: Option<Bound>,
    pub(crate) contract_version: Option<[u32; 3]>,
    pub(crate) path: Path,
    pub(crate) position: Option<Position>,
}

/// Who acts for whom, with what. Handles are those of the snapshot that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub(crate) mode: BindingMode,
    pub(crate) user: Option<Object>,
    pub(crate) agent: Option<Object>,
    pub(crate) service: Option<Object>,
    pub(crate) asserter: Option<Object>,
    pub(crate) tenant: Option<Object>,
    pub(crate) credential: Option<String>,
    pub(crate) delegation: Option<DelegationMode>,
    pub(crate) context_id: Option<String>,
    pub(crate) role: Option<String>,
}

/// By which row of the binding table: contract/CONTRACT.md#binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BindingMode {
    /// A service says so that may.
    Asserted,
    /// The token names user and agent.
    ClaimRelation,
    /// A signed agent context names the user.
    ContextRelation,
    /// The agent has one user.
    Relation,
    /// A service for itself.
    Own,
    /// A person for themselves.
    User,
}

impl BindingMode {
    /// The mode as audit records write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asserted => "asserted",
            Self::ClaimRelation => "claim+relation",
            Self::ContextRelation => "context+relation",
            Self::Relation => "relation",
            Self::Own => "self",
            Self::User => "user",
        }
    }
}

impl Decision {
    /// The decision that follows from a token that was not accepted.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let failure = Failure::new(refusal.code(), refusal.to_string());
        Self::deny(failure, Circumstances::default())
    }

    /// The denial of a question that is not understood.
    pub(crate) fn malformed(error: &LoadError) -> Self {
        let failure = Failure::new(ReasonCode::Malformed, error.to_string());
        Self::deny(failure, Circumstances::default())
    }

    /// The same decision, made under a policy.
    pub(crate) fn under(mut self, policy: Option<&Policy>) -> Self {
        match &mut self {
            Self::Allow(Grant { circumstances }) | Self::Deny(Denial { circumstances, .. }) => {
                circumstances.contract_version = policy.map(Policy::contract_version);
            }
        }
        self
    }

    pub(crate) const fn deny(failure: Failure, circumstances: Circumstances) -> Self {
        Self::Deny(Denial { failure, circumstances })
    }

    pub(crate) const fn allow(circumstances: Circumstances) -> Self {
        Self::Allow(Grant { circumstances })
    }

    /// Whether it may be done.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// `ok`, or why not.
    #[must_use]
    pub const fn reason(&self) -> ReasonCode {
        match self {
            Self::Allow(_) => ReasonCode::Ok,
            Self::Deny(denial) => denial.failure.reason,
        }
    }

    /// Where it failed.
    #[must_use]
    pub const fn failing_line(&self) -> Option<FailingLine> {
        match self {
            Self::Allow(_) => None,
            Self::Deny(denial) => Some(denial.failure.line),
        }
    }

    /// Whose fault it is, where an identity or a credential failed.
    #[must_use]
    pub const fn principal(&self) -> Option<Kind> {
        match self {
            Self::Allow(_) => None,
            Self::Deny(denial) => denial.failure.principal,
        }
    }

    /// The operator's line; empty for `ok`. Never for the caller.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Allow(_) => "",
            Self::Deny(denial) => &denial.failure.detail,
        }
    }

    /// What it rests on.
    #[must_use]
    pub const fn circumstances(&self) -> &Circumstances {
        match self {
            Self::Allow(grant) => &grant.circumstances,
            Self::Deny(denial) => &denial.circumstances,
        }
    }
}

impl Circumstances {
    pub(crate) fn of_policy(policy: Option<&Policy>) -> Self {
        Self { contract_version: policy.map(Policy::contract_version), ..Self::default() }
    }

    /// Who acts for whom, if the evidence was bound.
    #[must_use]
    pub const fn bound(&self) -> Option<&Bound> {
        self.bound.as_ref()
    }

    /// The contract's version, if a policy was loaded.
    #[must_use]
    pub const fn contract_version(&self) -> Option<[u32; 3]> {
        self.contract_version
    }

    /// The relationships that decided, line by line. `Snapshot::describe` names them.
    #[must_use]
    pub const fn path(&self) -> &Path {
        &self.path
    }

    /// Era and epoch of the state, if line 1 held.
    #[must_use]
    pub const fn position(&self) -> Option<Position> {
        self.position
    }
}

impl Bound {
    pub(crate) const fn new(mode: BindingMode) -> Self {
        Self {
            mode,
            user: None,
            agent: None,
            service: None,
            asserter: None,
            tenant: None,
            credential: None,
            delegation: None,
            context_id: None,
            role: None,
        }
    }

    /// By which row of the table.
    #[must_use]
    pub const fn mode(&self) -> BindingMode {
        self.mode
    }

    /// The represented person.
    #[must_use]
    pub const fn user(&self) -> Option<Object> {
        self.user
    }

    /// The acting agent.
    #[must_use]
    pub const fn agent(&self) -> Option<Object> {
        self.agent
    }

    /// The service that acts for itself.
    #[must_use]
    pub const fn service(&self) -> Option<Object> {
        self.service
    }

    /// Who asserted the names, in the mode `asserted`.
    #[must_use]
    pub const fn asserter(&self) -> Option<Object> {
        self.asserter
    }

    /// The one tenant of it all, once line 3 has held.
    #[must_use]
    pub const fn tenant(&self) -> Option<Object> {
        self.tenant
    }

    /// The public id of the credential, once line 2 has held, or failed because of it.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        self.credential.as_deref()
    }

    /// Where the delegation came from, once line 4 has held.
    #[must_use]
    pub const fn delegation(&self) -> Option<DelegationMode> {
        self.delegation
    }

    /// The `jti` of the agent context.
    #[must_use]
    pub fn context_id(&self) -> Option<&str> {
        self.context_id.as_deref()
    }

    /// The token's role that opened the agent, where no relationship did.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }
}

/// Why a line does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: ReasonCode,
    pub(crate) line: FailingLine,
    pub(crate) principal: Option<Kind>,
    pub(crate) detail: Cow<'static, str>,
}

impl Failure {
    /// A failure at the reason's own line.
    pub(crate) fn new(reason: ReasonCode, detail: impl Into<Cow<'static, str>>) -> Self {
        // INVARIANT: only `ok` has no line, and nothing fails with it.
        let line = reason.line().unwrap_or(FailingLine::Framing);
        Self { reason, line, principal: None, detail: detail.into() }
    }

    /// A relation that could not be evaluated, at the line that asked for it.
    pub(crate) fn evaluation(failure: &EvaluationFailure, line: FailingLine) -> Self {
        use crate::condition::ConditionFailure as Condition;
        let (reason, detail): (_, Cow<'static, str>) = match failure {
            EvaluationFailure::Budget => {
                (ReasonCode::Budget, "more relationships than the limit".into())
            }
            EvaluationFailure::Depth => (ReasonCode::Depth, "deeper than the limit".into()),
            EvaluationFailure::Condition(Condition::Steps) => {
                (ReasonCode::ConditionSteps, "a condition took more steps than the limit".into())
            }
            EvaluationFailure::Condition(Condition::Expression { problem }) => {
                (ReasonCode::Condition, format!("a condition failed: {problem}").into())
            }
            EvaluationFailure::Condition(Condition::Missing { parameter }) => {
                (ReasonCode::Condition, format!("a condition lacks `{parameter}`").into())
            }
            EvaluationFailure::Condition(Condition::Type { parameter }) => (
                ReasonCode::Condition,
                format!("a condition's `{parameter}` is of the wrong type").into(),
            ),
        };
        Self { line, ..Self::new(reason, detail) }
    }

    /// The same failure at another line than the reason's own.
    pub(crate) const fn at(mut self, line: FailingLine) -> Self {
        self.line = line;
        self
    }

    /// Whose identity or credential it is.
    pub(crate) const fn of(mut self, principal: Kind) -> Self {
        self.principal = Some(principal);
        self
    }
}
