//! One file holds one module.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use crate::model::Model;
use crate::model::error::{ModelError, Problem};

pub(super) fn check(model: &Model, report: &mut Report<'_>) {
    let mut modules_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for origin in origins(model) {
        if seen.insert(origin) {
            modules_of.entry(origin.0).or_default().push(origin.1);
        }
    }
    for (file, modules) in modules_of {
        if modules.len() > 1 {
            let modules = modules.into_iter().map(str::to_owned).collect();
            let file = file.to_owned();
            report.errors.push(ModelError::new(Problem::ModulesInFile { file, modules }));
        }
    }
}

/// File and module of everything that has both.
fn origins(model: &Model) -> impl Iterator<Item = (&str, &str)> {
    let types = model.types.iter().map(|definition| (&definition.file, &definition.module));
    let relations = model.types.iter().flat_map(|definition| {
        definition.relations.iter().map(|relation| {
            let file = if relation.file.is_some() { &relation.file } else { &definition.file };
            let module =
                if relation.module.is_some() { &relation.module } else { &definition.module };
            (file, module)
        })
    });
    let conditions = model.conditions.iter().map(|condition| (&condition.file, &condition.module));
    types
        .chain(relations)
        .chain(conditions)
        .filter_map(|(file, module)| Some((file.as_deref()?, module.as_deref()?)))
}
