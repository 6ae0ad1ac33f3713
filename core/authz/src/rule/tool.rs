//! Line 7: agent and user may call the tool, or the server for methods without one.

use mandate_authn::{FailingLine, ReasonCode};

use super::CAN_CALL;
use crate::authorize::{Call, Case};
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::snapshot::Object;

pub(super) fn line(case: &Case<'_>, bound: &mut Bound) -> Result<Option<Path>, Failure> {
    let called = match case.mapped.call {
        Call::Session { .. } => return Ok(None),
        Call::Http { tool: None } => {
            return match bound.agent {
                None => Ok(None),
                Some(_) => Err(fail(ReasonCode::AgentTool, "this route names no tool for agents")),
            };
        }
        Call::Http { tool: Some(tool) } => Called { tool: find_tool(case, tool), all: None },
        Call::Server { server } => Called { tool: find_server(case, server), all: None },
        Call::Tool { server, tool } => Called {
            tool: find_tool(case, &format!("{server}/{tool}")),
            all: find_tool(case, &format!("{server}/*")),
        },
    };
    let mut path = Path::default();
    let caller = bound.user.or(bound.service);
    let callers = [(bound.agent, ReasonCode::AgentTool), (caller, ReasonCode::CallerTool)];
    for (caller, reason) in callers {
        let Some(caller) = caller else { continue };
        let more = called.by(case, caller)?;
        let detail = "no relation `can_call` to the tool or server";
        path.extend(&more.ok_or_else(|| fail(reason, detail))?);
    }
    Ok(Some(path))
}

/// What is called.
struct Called {
    /// The tool or server, where the snapshot knows it.
    tool: Option<Object>,
    /// `server/*`, which stands for every tool of the server that the snapshot knows.
    all: Option<Object>,
}

impl Called {
    fn by(&self, case: &Case<'_>, caller: Object) -> Result<Option<Path>, Failure> {
        // A tool that nobody registered is no tool, whatever is granted for all of them.
        let Some(tool) = self.tool else { return Ok(None) };
        if let Some(path) = case.holds(tool, CAN_CALL, caller, FailingLine::Seven)? {
            return Ok(Some(path));
        }
        match self.all {
            Some(all) => case.holds(all, CAN_CALL, caller, FailingLine::Seven),
            None => Ok(None),
        }
    }
}

fn find_tool(case: &Case<'_>, id: &str) -> Option<Object> {
    case.snapshot.find(case.policy.types().tool.as_ref()?, id)
}

fn find_server(case: &Case<'_>, id: &str) -> Option<Object> {
    case.snapshot.find(case.policy.types().server.as_ref()?, id)
}

fn fail(reason: ReasonCode, detail: &'static str) -> Failure {
    Failure::new(reason, detail)
}
