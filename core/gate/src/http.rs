//! Plain HTTP: which rule a request is, and which resources it names.

use std::borrow::Cow;

use mandate_authz::authorize::Resource;
use mandate_authz::policy::Form;

use crate::policy::{Rule, Source, SourceKind};
use crate::refused::Refused;
use crate::target::{self, Target};

/// The one rule that a request is.
pub(crate) fn find<'r>(rules: &'r [Rule], method: &[u8], target: &Target<'_>) -> Option<&'r Rule> {
    rules.iter().find(|rule| rule.has_method(method) && rule.path.fits(&target.path))
}

/// The resources that a request names, decoded once.
pub(crate) fn values<'t>(rule: &Rule, target: &Target<'t>) -> Result<Vec<Cow<'t, str>>, Refused> {
    rule.resources.iter().map(|source| value(rule, source, target)).collect()
}

fn value<'t>(rule: &Rule, source: &Source, target: &Target<'t>) -> Result<Cow<'t, str>, Refused> {
    let missing = || Refused::malformed_mapping("a mapped part of the target is missing");
    match &source.kind {
        SourceKind::Path(variable) => {
            let segment = rule.path.variable(&target.path, variable).ok_or_else(missing)?;
            target::decode(segment).ok_or_else(missing)
        }
        SourceKind::Query(parameter) => {
            target::parameter(target.query.unwrap_or_default(), parameter)?.ok_or_else(missing)
        }
    }
}

/// The same for the rule of authorization.
pub(crate) fn resources<'v>(rule: &'v Rule, values: &'v [Cow<'_, str>]) -> Vec<Resource<'v>> {
    let named = rule.resources.iter().zip(values);
    let resource = named.map(|(source, value)| {
        let type_name = source.type_name.as_str();
        match source.form {
            Form::Id => Resource::Id { type_name, id: value },
            Form::Text => Resource::Text { type_name, text: value },
        }
    });
    resource.collect()
}
