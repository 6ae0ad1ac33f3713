//! Who acts for whom: the closed table of `contract/CONTRACT.md#binding`. No row falls back to
//! another, and evidence that is present but fails denies.

mod actor_chain;
mod asserted;
mod principal;
mod token;

use mandate_authn::ReasonCode;

pub(crate) use self::principal::Principal;

use crate::authorize::{Case, Door};
use crate::decision::{Bound, Failure};
use crate::name::ObjectName;
use crate::snapshot::Object;

/// Binds the evidence of a request: the first row that fits, and nothing else.
pub(crate) fn bind(case: &Case<'_>) -> Result<Bound, Failure> {
    let bound = match case.door {
        Door::Assertion(assertion) => asserted::bind(case, assertion)?,
        Door::Token(evidence) => token::bind(case, evidence)?,
    };
    require_represented(case, &bound)?;
    Ok(bound)
}

/// A request that says for whom it is says so of the bound user.
fn require_represented(case: &Case<'_>, bound: &Bound) -> Result<(), Failure> {
    let Some(named) = case.request.on_behalf_of else { return Ok(()) };
    let named = find_named(case, named);
    if named.is_some() && named == bound.user {
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
