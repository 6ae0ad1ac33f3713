//! The row whose evidence is the word of somebody who may give it.

use mandate_authn::FailingLine;

use super::token::{bind_sole_user, require_optional_agents};
use super::{Binding, Principal, find_named, unknown, unmatched};
use crate::authorize::{Asserter, Assertion, Case};
use crate::decision::{BindingMode, Failure};
use crate::record::Kind;
use crate::rule;
use crate::snapshot::Object;

/// Binds the names of an assertion, with the needs of the row that they would have with a token.
pub(super) fn bind<'c>(case: &Case<'c>, assertion: &Assertion<'_>) -> Result<Binding<'c>, Failure> {
    let subject = find_named(case, assertion.subject);
    let subject = subject.and_then(|subject| Principal::of_object(case, subject));
    let subject = subject.ok_or_else(|| unknown("the registry has no record of this subject"))?;
    let binding = match (subject.kind, assertion.agent) {
        (Kind::User, None) => {
            require_optional_agents(case)?;
            Binding { user: Some(subject), ..Binding::new(BindingMode::User) }
        }
        (Kind::User, Some(agent)) => {
            let agent = find_named(case, agent);
            let agent = agent.and_then(|agent| Principal::of_object(case, agent));
            let agent =
                agent.ok_or_else(|| unknown("no record of the asserted agent").of(Kind::Agent))?;
            let agent = agent.require_agent("the asserted agent is none")?;
            let binding = Binding::new(BindingMode::ContextRelation);
            Binding { user: Some(subject), agent: Some(agent), ..binding }
        }
        (Kind::Agent, None) => bind_sole_user(case, subject)?,
        (Kind::Agent, Some(_)) => return Err(unmatched("an agent is asserted for an agent")),
        (Kind::Service, _) => return Err(unmatched("a service comes with its own token")),
    };
    let asserter = require_asserter(case, assertion, &binding)?;
    Ok(Binding { mode: BindingMode::Asserted, asserter, ..binding })
}

/// Requires an asserter that is known, active, of the tenant, and holds `can_assert` on it.
fn require_asserter(
    case: &Case<'_>,
    assertion: &Assertion<'_>,
    binding: &Binding<'_>,
) -> Result<Option<Object>, Failure> {
    let name = match assertion.asserter {
        Asserter::Offline => return Ok(None),
        Asserter::Principal(name) => name,
    };
    let refuse = |detail| Err(unmatched(detail));
    if !case.policy.can_assert() {
        return refuse("the contract lets nobody assert subjects");
    }
    let asserter = find_named(case, name).and_then(|object| Principal::of_object(case, object));
    let Some(asserter) = asserter.filter(|asserter| asserter.kind != Kind::User) else {
        return refuse("the asserter is no registered service or agent");
    };
    if rule::check_status(&asserter, case.now).is_err() {
        return refuse("the asserter is disabled or expired");
    }
    let tenant = rule::tenant_of(case, binding)?;
    if !asserter.identity.tenants().any(|own| own == tenant) {
        return refuse("the asserter is of another tenant");
    }
    let line = FailingLine::Binding;
    match case.holds(tenant, rule::CAN_ASSERT, asserter.object, line)? {
        Some(_) => Ok(Some(asserter.object)),
        None => refuse("the asserter has no `can_assert` on this tenant"),
    }
}
