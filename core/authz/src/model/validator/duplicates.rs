//! Nothing stands twice. The first of the two is named as the place, as OpenFGA does.

use std::collections::{BTreeMap, BTreeSet};

use super::{Report, Site, sites};
use crate::model::error::{Duplicate, Problem};
use crate::model::index::Index;
use crate::model::{Model, Rewrite};

pub(super) fn check(model: &Model, _: &Index<'_>, report: &mut Report<'_>) {
    check_types(model, report);
    let mut relations = BTreeSet::new();
    for site in sites(model) {
        check_relation_name(site, &mut relations, report);
        check_restrictions(site, report);
        check_operands(site, report);
    }
    check_condition_names(model, report);
}

fn check_types(model: &Model, report: &mut Report<'_>) {
    let mut first = BTreeMap::new();
    for (position, definition) in model.types.iter().enumerate() {
        let (original, place) =
            *first.entry(definition.name.as_str()).or_insert((definition, position));
        if place != position {
            let problem = Duplicate::Type { type_name: definition.name.clone() };
            report.type_error(original, place, Problem::Duplicate(problem));
        }
    }
}

/// The readers refuse these; a model made in code may hold them.
fn check_relation_name<'m>(
    site: Site<'m>,
    seen: &mut BTreeSet<(usize, &'m str)>,
    report: &mut Report<'_>,
) {
    if !seen.insert((site.type_position, &site.relation.name)) {
        let problem = Problem::Duplicate(Duplicate::Relation {
            relation: site.relation.name.clone(),
            type_name: site.definition.name.clone(),
            across_files: false,
        });
        report.relation_error(site, problem, |places| Some(places.name));
    }
}

fn check_condition_names(model: &Model, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (position, condition) in model.conditions.iter().enumerate() {
        if !seen.insert(condition.name.as_str()) {
            let duplicate =
                Duplicate::Condition { condition: condition.name.clone(), across_files: false };
            report.condition_error(condition, position, Problem::Duplicate(duplicate));
        }
        let mut parameters = BTreeSet::new();
        for (parameter, _) in &condition.parameters {
            if !parameters.insert(parameter.as_str()) {
                let condition_name = condition.name.clone();
                let duplicate = Duplicate::Parameter {
                    condition: condition_name,
                    parameter: parameter.clone(),
                };
                report.condition_error(condition, position, Problem::Duplicate(duplicate));
            }
        }
    }
}

fn check_restrictions(site: Site<'_>, report: &mut Report<'_>) {
    let mut first = BTreeMap::new();
    for (position, restriction) in site.relation.restrictions.iter().enumerate() {
        let text = restriction.to_string();
        let place = *first.entry(text.clone()).or_insert(position);
        if place != position {
            let relation = site.relation.name.clone();
            let problem =
                Problem::Duplicate(Duplicate::Restriction { restriction: text, relation });
            report.relation_error(site, problem, |places| {
                places.restrictions.get(place).map(|places| places.whole)
            });
        }
    }
}

/// Only the outermost operator is looked at, as OpenFGA does.
fn check_operands(site: Site<'_>, report: &mut Report<'_>) {
    let mut first = BTreeMap::new();
    let mut operand = 0_usize;
    for child in children(&site.relation.rewrite) {
        if let Some(part) = part(child) {
            let place = *first.entry(part.clone()).or_insert(operand);
            if place != operand {
                let relation = site.relation.name.clone();
                let problem = Problem::Duplicate(Duplicate::Part { part, relation });
                report.relation_error(site, problem, |places| {
                    places.operands.get(place).map(|places| places.whole)
                });
            }
        }
        operand = operand.saturating_add(operands(child));
    }
}

fn children(rewrite: &Rewrite) -> Vec<&Rewrite> {
    match rewrite {
        Rewrite::Direct | Rewrite::Computed(_) | Rewrite::From { .. } => Vec::new(),
        Rewrite::Union(children) | Rewrite::Intersection(children) => children.iter().collect(),
        Rewrite::Difference(base, subtract) => vec![base, subtract],
    }
}

fn part(rewrite: &Rewrite) -> Option<String> {
    match rewrite {
        Rewrite::Computed(relation) => Some(relation.clone()),
        Rewrite::From { relation, tupleset } => Some(format!("{relation} from {tupleset}")),
        Rewrite::Direct
        | Rewrite::Union(_)
        | Rewrite::Intersection(_)
        | Rewrite::Difference(..) => None,
    }
}

/// How many operands `a` and `a from b` stand in a definition.
fn operands(rewrite: &Rewrite) -> usize {
    match rewrite {
        Rewrite::Direct => 0,
        Rewrite::Computed(_) | Rewrite::From { .. } => 1,
        Rewrite::Union(_) | Rewrite::Intersection(_) | Rewrite::Difference(..) => {
            children(rewrite).into_iter().map(operands).fold(0, usize::saturating_add)
        }
    }
}
