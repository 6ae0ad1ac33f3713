//! The two doors: a request with a token, and one whose caller says who it is for.
//!
//! The order, and so the reason where several checks fail, is that of `contract/CONTRACT.md#rule`:
//! policy, route, token, mapping, line 1, the registry's record of the subject, binding, lines 2 to
//! 8.

mod case;
mod inputs;
mod mapping;
mod offer;

use mandate_authn::{FailingLine, ReasonCode, Validator, VerifiedToken};
use serde_json::{Map, Value};

pub(crate) use self::case::{Case, Door};
pub use self::mapping::Resource;
pub(crate) use self::mapping::{Call, Mapped};
pub use self::offer::{Candidate, offered};

use crate::binding::{self, Binding};
use crate::container::Position;
use crate::decision::{Circumstances, Decision, Failure};
use crate::evaluate::Path;
use crate::policy::{Policy, Route};
use crate::rule;
use crate::state::{Freshness, State};

/// What the caller proves who it is with.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'e> {
    /// The token, verified for this route's audience, at this moment.
    pub token: &'e VerifiedToken,
    /// The same token as it came, for the hash in an agent context.
    pub token_text: &'e [u8],
    /// Every `Mandate-Agent-Context` header of the request; more than one is refused.
    pub agent_contexts: &'e [&'e str],
    /// SHA-256 of the client certificate that was verified on this connection: a token that was
    /// verified on another is looked at again.
    pub certificate_sha256: Option<[u8; 32]>,
}

/// Whom an authenticated caller asks for, without a token of that subject.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    /// Who says so.
    pub asserter: Asserter<'a>,
    /// The subject's object: `user:anne`, or an agent with one user.
    pub subject: &'a str,
    /// The agent's object, if an agent acts for that user.
    pub agent: Option<&'a str>,
    /// The public id of the agent's credential, if the caller has checked one.
    pub credential: Option<&'a str>,
    /// The tenant, for people with several.
    pub tenant: Option<&'a str>,
}

/// Who asserts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asserter<'a> {
    /// A tool that guards nothing: it may ask about everybody.
    Offline,
    /// An authenticated service or agent, by its object; it needs `can_assert` on the tenant.
    Principal(&'a str),
}

/// What is to be done. Everything but the callers' own values is mapped by the operator's rules.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The audience of the route: operator's configuration.
    pub audience: &'r str,
    /// The action's name in the contract.
    pub action: &'r str,
    /// The MCP tool that is called.
    pub tool: Option<&'r str>,
    /// What it is done to.
    pub resources: &'r [Resource<'r>],
    /// The user for whom the request says it is, `user:anne`: it must be the bound one.
    pub on_behalf_of: Option<&'r str>,
    /// Values for conditions, known to the model as `caller_…`.
    pub caller: Option<&'r Map<String, Value>>,
    /// The address of the peer, from the connection: `host_address`.
    pub peer_address: Option<&'r str>,
    /// What the caller has seen happen: an older state answers `snapshot-stale`.
    pub minimum_epoch: Option<Position>,
}

/// A decision, and how each line would have gone: for people, never for the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was decided.
    pub decision: Decision,
    /// Lines 1 to 8, as far as they could be looked at.
    pub lines: Vec<LineReport>,
}

/// How one line goes by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineReport {
    /// The line.
    pub line: FailingLine,
    /// Whether it holds.
    pub verdict: LineVerdict,
    /// The relationships by which it holds.
    pub path: Path,
}

/// Whether a line holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineVerdict {
    /// It does not.
    Fails {
        /// Why.
        reason: ReasonCode,
        /// One line for an operator.
        detail: String,
    },
    /// It does.
    Holds,
    /// The binding mode does not ask for it.
    NotAsked,
}

/// Decides a request that came with a token.
///
/// `policy` is `None` where nothing is loaded. Nothing but the arguments is read; an older state
/// than the action allows, an unknown name, a limit: everything that is not allowed is denied.
#[must_use]
pub fn authorize(
    evidence: &Evidence<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> Decision {
    decide(&Door::Token(*evidence), request, now, policy, state)
}

/// What came with a request, before anything of it is verified.
#[derive(Clone, Copy, Debug)]
pub struct Presented<'p> {
    /// The bearer token as it came.
    pub token: &'p [u8],
    /// Every `Mandate-Agent-Context` header of the request.
    pub agent_contexts: &'p [&'p str],
    /// SHA-256 of the client certificate that was verified on this connection.
    pub certificate_sha256: Option<[u8; 32]>,
}

/// Validates the token, then decides: [`authorize`] with the checks before it, in their order.
///
/// The second value is the issuer whose key set should be fetched again, where that could help.
#[must_use]
pub fn validate_and_authorize(
    validator: &mut Validator,
    presented: &Presented<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> (Decision, Option<String>) {
    if let Err(failure) = find_route(request, policy) {
        return (Decision::deny(failure, Circumstances::of_policy(policy)), None);
    }
    let Presented { token, agent_contexts, certificate_sha256 } = *presented;
    let wanted =
        mandate_authn::Request { audience: Some(request.audience), now, certificate_sha256 };
    let validation = validator.validate(token, &wanted);
    match validation.outcome() {
        Ok(verified) => {
            let evidence =
                Evidence { token: verified, token_text: token, agent_contexts, certificate_sha256 };
            (authorize(&evidence, request, now, policy, state), None)
        }
        Err(refusal) => {
            let refused = Decision::refused(refusal).under(policy);
            (refused, refusal.refresh().map(str::to_owned))
        }
    }
}

/// Decides a request whose caller has authenticated somebody itself: binding mode `asserted`.
///
/// It guards nothing by itself: whoever calls it vouches for the names.
#[must_use]
pub fn decide_for(
    assertion: &Assertion<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> Decision {
    decide(&Door::Assertion(*assertion), request, now, policy, state)
}

/// [`authorize`], with every line by itself.
#[must_use]
pub fn explain(
    evidence: &Evidence<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> Explanation {
    explain_door(&Door::Token(*evidence), request, now, policy, state)
}

/// [`decide_for`], with every line by itself.
#[must_use]
pub fn explain_for(
    assertion: &Assertion<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> Explanation {
    explain_door(&Door::Assertion(*assertion), request, now, policy, state)
}

fn decide(
    door: &Door<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> Decision {
    let mut circumstances = Circumstances::default();
    match prepare(door, request, now, policy, state, &mut circumstances).and_then(
        |(case, binding)| {
            let bound = circumstances.bound.insert(binding.to_bound());
            rule::decide(&case, &binding, bound)
        },
    ) {
        Ok(path) => Decision::allow(Circumstances { path, ..circumstances }),
        Err(failure) => Decision::deny(failure, circumstances),
    }
}

fn explain_door(
    door: &Door<'_>,
    request: &Request<'_>,
    now: u64,
    policy: Option<&Policy>,
    state: &State,
) -> Explanation {
    let decision = decide(door, request, now, policy, state);
    let mut lines = Vec::new();
    let mut circumstances = Circumstances::default();
    let prepared = prepare(door, request, now, policy, state, &mut circumstances);
    if circumstances.position.is_some() {
        let line = FailingLine::One;
        lines.push(LineReport { line, verdict: LineVerdict::Holds, path: Path::default() });
    }
    if let Ok((case, binding)) = prepared {
        lines.extend(rule::explain(&case, &binding));
    } else if let (Decision::Deny(_), Some(FailingLine::One)) = (&decision, decision.failing_line())
    {
        let (reason, detail) = (decision.reason(), decision.detail().to_owned());
        let verdict = LineVerdict::Fails { reason, detail };
        lines.push(LineReport { line: FailingLine::One, verdict, path: Path::default() });
    }
    Explanation { decision, lines }
}

fn find_route<'p>(
    request: &Request<'_>,
    policy: Option<&'p Policy>,
) -> Result<(&'p Policy, &'p Route), Failure> {
    let missing =
        || Failure::new(ReasonCode::PolicyMissing, "the contract says nothing of `authz`");
    let policy = policy.ok_or_else(missing)?;
    let route = policy.route(request.audience).ok_or_else(|| {
        Failure::new(ReasonCode::Unmapped, "the contract has no route for this audience")
    })?;
    Ok((policy, route))
}

/// Everything up to the binding.
fn prepare<'c>(
    door: &'c Door<'c>,
    request: &'c Request<'c>,
    now: u64,
    policy: Option<&'c Policy>,
    state: &'c State,
    circumstances: &mut Circumstances,
) -> Result<(Case<'c>, Binding<'c>), Failure> {
    *circumstances = Circumstances::of_policy(policy);
    let (policy, route) = find_route(request, policy)?;
    door.require_current_token(request.audience, now, policy.skew())?;
    let mapped = mapping::map(request, route, policy)?;
    let freshness = Freshness {
        now,
        max_age: policy.max_age(mapped.action.mode),
        skew: policy.skew(),
        minimum: request.minimum_epoch,
        contract: Some(policy.contract_version()),
    };
    let snapshot = state.fresh(&freshness).map_err(|refusal| {
        Failure::new(refusal.code(), refusal.to_string()).at(FailingLine::One)
    })?;
    circumstances.position = state.meta().map(|meta| meta.position);
    let case = Case::new(door, request, now, policy, route, mapped, snapshot);
    let binding = binding::bind(&case)?;
    Ok((case, binding))
}
