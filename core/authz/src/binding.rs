//! Who acts for whom: the closed table of `contract/CONTRACT.md#binding`. No row falls back to
//! another, and evidence that is present but fails denies.

mod actor_chain;
mod asserted;
mod principal;
mod token;

use mandate_authn::ReasonCode;

pub(crate) use self::principal::Principal;

use crate::authorize::{Case, Door};
use crate::decision::{BindingMode, Bound, Failure};
use crate::name::ObjectName;
use crate::snapshot::Object;

/// Evidence that fits one row: who was bound, with their records.
#[derive(Clone, Debug)]
pub(crate) struct Binding<'p> {
    pub(crate) mode: BindingMode,
    pub(crate) user: Option<Principal<'p>>,
    pub(crate) agent: Option<Principal<'p>>,
    pub(crate) service: Option<Principal<'p>>,
    pub(crate) asserter: Option<Object>,
    /// The `jti` of the agent context.
    pub(crate) context_id: Option<String>,
    /// Recent signed evidence may stand for a delegation that is not stored.
    pub(crate) invoked: bool,
}

impl Binding<'_> {
    const fn new(mode: BindingMode) -> Self {
        Self {
            mode,
            user: None,
            agent: None,
            service: None,
            asserter: None,
            context_id: None,
            invoked: false,
        }
    }

    /// What a decision keeps of it.
    pub(crate) fn to_bound(&self) -> Bound {
        let object = |principal: &Option<Principal<'_>>| {
            principal.as_ref().map(|principal| principal.object)
        };
        Bound {
            user: object(&self.user),
            agent: object(&self.agent),
            service: object(&self.service),
            asserter: self.asserter,
            context_id: self.context_id.clone(),
            ..Bound::new(self.mode)
        }
    }
}

/// Binds the evidence of a request: the first row that fits, and nothing else.
pub(crate) fn bind<'c>(case: &Case<'c>) -> Result<Binding<'c>, Failure> {
    let binding = match case.door {
        Door::Assertion(assertion) => asserted::bind(case, assertion)?,
        Door::Token(evidence) => token::bind(case, evidence)?,
    };
    require_represented(case, &binding)?;
    Ok(binding)
}

/// A request that says for whom it is says so of the bound user.
fn require_represented(case: &Case<'_>, binding: &Binding<'_>) -> Result<(), Failure> {
    let Some(named) = case.request.on_behalf_of else { return Ok(()) };
    let named = find_named(case, named);
    let user = binding.user.as_ref().map(|user| user.object);
    if named.is_some() && named == user {
        Ok(())
    } else {
        Err(Failure::new(ReasonCode::CrossUser, "the request is on behalf of another user"))
    }
}

/// The object that a request or a context names.
fn find_named(case: &Case<'_>, name: &str) -> Option<Object> {
    let name = ObjectName::parse(name)?;
    case.snapshot.find(&name.type_name, &name.id)
}

fn unmatched(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::BindingUnmatched, detail)
}

fn unknown(detail: &'static str) -> Failure {
    Failure::new(ReasonCode::IdentityUnknown, detail)
}
