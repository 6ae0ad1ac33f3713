//! Which entries of a list its reader could ask for.

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
/// It allows nothing: showing an entry is no promise, and only the request decides.
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
) -> Result<Vec<bool>, Box<Decision>> {
    let decision = super::authorize(evidence, list, now, policy, state);
    if !decision.is_allowed() {
        return Err(Box::new(decision));
    }
    let door = Door::Token(*evidence);
    let mut circumstances = Circumstances::default();
    let prepared = prepare(&door, list, now, policy, state, &mut circumstances);
    // INVARIANT: the list was just allowed, so that it can be prepared.
    let Ok((case, binding)) = prepared else { return Err(Box::new(decision)) };
    Ok(candidates.iter().map(|candidate| could(&case, &binding, candidate)).collect())
}

fn could(list: &Case<'_>, binding: &Binding<'_>, candidate: &Candidate<'_>) -> bool {
    let Candidate { action, tool, resources } = *candidate;
    let request =
        Request { action, tool, resources: resources.unwrap_or_default(), ..*list.request };
    let mapped = match resources {
        None => mapping::map_unknown(&request, list.route, list.policy),
        Some(_) => mapping::map(&request, list.route, list.policy),
    };
    let Ok(mapped) = mapped else { return false };
    let case =
        Case::new(list.door, &request, list.now, list.policy, list.route, mapped, list.snapshot);
    rule::decide(&case, binding, &mut binding.to_bound()).is_ok()
}
