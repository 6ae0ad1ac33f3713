//! Line 8: the user, or the service for itself, has the action's relation to every resource.

use mandate_authn::{FailingLine, ReasonCode};

use crate::authorize::Case;
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::policy::ActionTarget;

pub(super) fn line(case: &Case<'_>, bound: &mut Bound) -> Result<Option<Path>, Failure> {
    let relation = match &case.mapped.action.on {
        ActionTarget::Session => return Ok(None),
        ActionTarget::Nothing => return Ok(Some(Path::default())),
        ActionTarget::Resources { relation, .. } => relation,
    };
    let missing = || Failure::new(ReasonCode::NoRelation, "no relation that allows the action");
    let subject = bound.user.or(bound.service).ok_or_else(missing)?;
    let mut path = Path::default();
    for (type_name, id) in &case.mapped.resources {
        let resource = case.snapshot.find(type_name, id).ok_or_else(missing)?;
        let more = case.holds(resource, relation, subject, FailingLine::Eight)?;
        path.extend(&more.ok_or_else(missing)?);
    }
    Ok(Some(path))
}
