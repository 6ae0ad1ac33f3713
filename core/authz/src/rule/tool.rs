//! Line 7: agent and user may call the tool, or the server for methods without one.

use mandate_authn::{FailingLine, ReasonCode};

use super::CAN_CALL;
use crate::authorize::{Call, Case};
use crate::binding::Binding;
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::snapshot::Object;

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    _: &mut Bound,
) -> Result<Option<Path>, Failure> {
    let called = match case.mapped.call {
        Call::Session { .. } => return Ok(None),
        Call::Http { tool: None } if binding.agent.is_none() => return Ok(None),
        Call::Http { tool: None } => {
            return Err(fail(ReasonCode::AgentTool, "this route names no tool for agents"));
        }
        Call::Http { tool: Some(_) } | Call::Tool { .. } => case.tool,
        Call::Server { .. } => case.server,
    };
    let mut path = Path::default();
    let caller = binding.user.as_ref().or(binding.service.as_ref());
    let callers =
        [(binding.agent.as_ref(), ReasonCode::AgentTool), (caller, ReasonCode::CallerTool)];
    for (caller, reason) in callers {
        let Some(caller) = caller else { continue };
        let missing = || fail(reason, "no relation `can_call` to the tool or server");
        // A tool that nobody registered is no tool, whatever is granted for all of them.
        let called = called.ok_or_else(missing)?;
        path.extend(&by(case, called, caller.object)?.ok_or_else(missing)?);
    }
    Ok(Some(path))
}

/// The relationships by which somebody may call what is called: the tool itself, or `server/*`,
/// which stands for every tool of the server that the snapshot knows.
fn by(case: &Case<'_>, called: Object, caller: Object) -> Result<Option<Path>, Failure> {
    if let Some(path) = case.holds(called, CAN_CALL, caller, FailingLine::Seven)? {
        return Ok(Some(path));
    }
    let Call::Tool { server, .. } = case.mapped.call else { return Ok(None) };
    let tool_type = case.policy.types().tool.as_ref();
    let all = tool_type.and_then(|of| case.snapshot.find(of, &format!("{server}/*")));
    match all {
        Some(all) => case.holds(all, CAN_CALL, caller, FailingLine::Seven),
        None => Ok(None),
    }
}

fn fail(reason: ReasonCode, detail: &'static str) -> Failure {
    Failure::new(reason, detail)
}
