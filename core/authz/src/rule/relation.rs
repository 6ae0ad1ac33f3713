//! Line 8: the user, or the service for itself, has the action's relation to every resource.

use mandate_authn::{FailingLine, ReasonCode};

use crate::authorize::Case;
use crate::binding::Binding;
use crate::decision::{Bound, Failure};
use crate::evaluate::Path;
use crate::policy::ActionTarget;

pub(super) fn line<'c>(
    case: &Case<'c>,
    binding: &Binding<'c>,
    _: &mut Bound,
) -> Result<Option<Path>, Failure> {
    let relation = match &case.mapped.action.on {
        ActionTarget::Session => return Ok(None),
        ActionTarget::Nothing => return Ok(Some(Path::default())),
        ActionTarget::Resources { relation, .. } => relation,
    };
    let missing = || Failure::new(ReasonCode::NoRelation, "no relation that allows the action");
    let subject = binding.user.as_ref().or(binding.service.as_ref()).ok_or_else(missing)?;
    let mut path = Path::default();
    for resource in &case.resources {
        let resource = resource.ok_or_else(missing)?;
        let more = case.holds(resource, relation, subject.object, FailingLine::Eight)?;
        path.extend(&more.ok_or_else(missing)?);
    }
    Ok(Some(path))
}
