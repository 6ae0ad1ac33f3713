//! Every condition is used, and its expression compiles.

use std::collections::BTreeSet;

use super::Report;
use crate::condition::{Place, compile};
use crate::model::Model;
use crate::model::error::{ModelError, Problem, Reference, Span};

pub(super) fn check_use(model: &Model, report: &mut Report<'_>) {
    let mut used = BTreeSet::new();
    for relation in model.types.iter().flat_map(|definition| &definition.relations) {
        used.extend(relation.restrictions.iter().filter_map(|entry| entry.condition.as_deref()));
    }
    for (position, condition) in model.conditions.iter().enumerate() {
        if !used.contains(condition.name.as_str()) {
            let name = condition.name.clone();
            let problem = Problem::Reference(Reference::ConditionNotUsed { condition: name });
            report.condition_error(condition, position, problem);
        }
    }
}

/// OpenFGA's transformers leave this to the server, which refuses the model as well.
pub(super) fn check_expressions(model: &Model, report: &mut Report<'_>) {
    for (position, condition) in model.conditions.iter().enumerate() {
        if let Err(error) = compile(condition) {
            let start = report.places.conditions.get(position).map(|places| places.expression);
            let span = start.map(|start| error.place.map_or(start, |place| moved(start, place)));
            let problem = Problem::ConditionExpression {
                condition: condition.name.clone(),
                message: error.message,
            };
            report.errors.push(ModelError { file: condition.file.clone(), span, problem });
        }
    }
}

/// A place in an expression as a place in the text that holds it.
fn moved(start: Span, place: Place) -> Span {
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let (line, column) = (number(place.line), number(place.column));
    let first = line <= 1;
    Span {
        line: start.line.saturating_add(line).saturating_sub(1),
        column: if first { start.column.saturating_add(column).saturating_sub(1) } else { column },
        length: 0,
    }
}
