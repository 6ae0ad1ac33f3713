//! Which entries of a list its reader could ask for.

use mandate_authn::FailingLine;

use super::{Case, Door, Evidence, Request, Resource, mapping, prepare};
use crate::binding::Binding;
use crate::decision::{Circumstances, Decision};
use crate::policy::Policy;
use crate::rule;
use crate::state::State;

/// Something that a list names, as the request for it would.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'c> {
    /// The action's name in the contract.
    pub action: &'c str,
    /// The MCP tool that would be called.
    pub tool: Option<&'c str>,
    /// What it would be done to; `None` where that is not known yet, as a tool's arguments are not.
    pub resources: Option<&'c [Resource<'c>]>,
}

/// Says of each candidate whether its reader could ask for it, by the lines that decide the request
/// itself; where its resources are not known yet, by all that do not depend on them.
///
/// It allows nothing: showing an entry is no promise, and only the request decides. `passes` names
/// the lines whose failure does not stop a request here, while they are only observed.
///
/// # Errors
/// The denial of the list itself.
pub fn offered(
    evidence: &Evidence<'_>,
    list: &Request<'_>,
    candidates: &[Candidate<'_>],
    now: u64,
    policy: Option<&Policy>,
    state: &State,
    passes: &dyn Fn(FailingLine) -> bool,
) -> Result<Vec<bool>, Box<Decision>> {
    let decision = super::authorize(evidence, list, now, policy, state);
    if decision.failing_line().is_some_and(|line| !passes(line)) {
        return Err(Box::new(decision));
    }
    let door = Door::Token(*evidence);
    let mut circumstances = Circumstances::default();
    let prepared = prepare(&door, list, now, policy, state, &mut circumstances);
    // INVARIANT: the list came as far as the rule, so that it can be prepared.
    let Ok((case, binding)) = prepared else { return Err(Box::new(decision)) };
    let shown = |candidate| match could(&case, &binding, candidate) {
        Ok(()) => true,
        Err(line) => passes(line),
    };
    Ok(candidates.iter().map(shown).collect())
}

/// Whether a candidate could be asked for; the line that it fails at.
fn could(
    list: &Case<'_>,
    binding: &Binding<'_>,
    candidate: &Candidate<'_>,
) -> Result<(), FailingLine> {
    let Candidate { action, tool, resources } = *candidate;
    let request =
        Request { action, tool, resources: resources.unwrap_or_default(), ..*list.request };
    let mapped = match resources {
        None => mapping::map_unknown(&request, list.route, list.policy),
        Some(_) => mapping::map(&request, list.route, list.policy),
    };
    let mapped = mapped.map_err(|failure| failure.line)?;
    let case =
        Case::new(list.door, &request, list.now, list.policy, list.route, mapped, list.snapshot);
    let decided = rule::decide(&case, binding, &mut binding.to_bound());
    decided.map(drop).map_err(|failure| failure.line)
}
