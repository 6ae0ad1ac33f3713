//! The rule: eight lines, each of which must hold; the first that does not names the reason.
//!
//! Line 1 is the state's, and was asked before anything could be bound. The effective right is what
//! user, agent, tool, credential and token scope allow together, for the one bound user.

mod credential;
mod delegation;
mod identity;
mod relation;
mod scope;
mod tenant;
mod tool;
mod usage;

use mandate_authn::FailingLine;

pub(crate) use self::credential::{CredentialQuery, select as select_credential};
pub(crate) use self::delegation::{has_other_delegator, stored as stored_delegation};
pub(crate) use self::identity::check_status;
pub(crate) use self::tenant::bound_tenant as tenant_of;

use crate::authorize::{Case, LineReport, LineVerdict};
use crate::binding::Binding;
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;

/// On a tenant: may name subjects without their tokens.
pub(crate) const CAN_ASSERT: &str = "can_assert";
/// On a tool or server: may call it.
const CAN_CALL: &str = "can_call";
/// On an agent: may be represented by it.
const CAN_USE: &str = "can_use";
/// On a user: may act for them.
const DELEGATE_OF: &str = "delegate_of";
/// On an agent: may not use it, whatever else says so.
const DENIED: &str = "denied";

/// One line: what it adds to what is bound, and the relationships by which it holds. `None` where
/// the binding mode does not ask for it.
type Line = for<'c> fn(&Case<'c>, &Binding<'c>, &mut Bound) -> Result<Option<Path>, Failure>;

const LINES: [(FailingLine, Line); 7] = [
    (FailingLine::Two, identity::line),
    (FailingLine::Three, tenant::line),
    (FailingLine::Four, delegation::line),
    (FailingLine::Five, scope::line),
    (FailingLine::Six, usage::line),
    (FailingLine::Seven, tool::line),
    (FailingLine::Eight, relation::line),
];

/// Requires lines 2 to 8, and gives the relationships of all of them.
pub(crate) fn decide<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    bound: &mut Bound,
) -> Result<Path, Failure> {
    let mut path = Path::default();
    for (_, line) in LINES {
        if let Some(more) = line(case, binding, bound)? {
            path.extend(&more);
        }
    }
    Ok(path)
}

/// Looks at lines 2 to 8 each by itself.
pub(crate) fn explain<'c>(case: &Case<'c>, binding: &Binding<'c>) -> Vec<LineReport> {
    let report = |(number, line): (FailingLine, Line)| {
        let (verdict, path) = match line(case, binding, &mut binding.to_bound()) {
            Ok(Some(path)) => (LineVerdict::Holds, path),
            Ok(None) => (LineVerdict::NotAsked, Path::default()),
            Err(Failure { reason, detail, .. }) => {
                let detail = detail.into_owned();
                (LineVerdict::Fails { reason, detail }, Path::default())
            }
        };
        LineReport { line: number, verdict, path }
    };
    LINES.into_iter().map(report).collect()
}
