//! Names that OpenFGA refuses.

use super::{Report, sites};
use crate::model::Model;
use crate::model::error::{Named, Problem};
use crate::model::rule::is_space;

pub(super) fn check(model: &Model, report: &mut Report<'_>) {
    for (position, definition) in model.types.iter().enumerate() {
        let what = || Named::Type(definition.name.clone());
        if let Some(problem) = problem(&definition.name, &TYPE_RULE, what) {
            report.type_error(definition, position, problem);
        }
    }
    for site in sites(model) {
        let what = || Named::Relation {
            relation: site.relation.name.clone(),
            type_name: site.definition.name.clone(),
        };
        if let Some(problem) = problem(&site.relation.name, &RELATION_RULE, what) {
            report.relation_error(site, problem, |places| Some(places.name));
        }
    }
    for (position, condition) in model.conditions.iter().enumerate() {
        if !CONDITION_RULE.fits(&condition.name) {
            let what = Named::Condition(condition.name.clone());
            let problem = Problem::InvalidName { what, rule: CONDITION_RULE.text };
            report.condition_error(condition, position, problem);
        }
    }
}

fn problem(name: &str, rule: &Rule, what: impl Fn() -> Named) -> Option<Problem> {
    if matches!(name, "self" | "this") {
        return Some(Problem::ReservedName { what: what() });
    }
    (!rule.fits(name)).then(|| Problem::InvalidName { what: what(), rule: rule.text })
}

/// A rule of OpenFGA for names; lengths count characters.
struct Rule {
    text: &'static str,
    refused: &'static [char],
    longest: usize,
}

impl Rule {
    fn fits(&self, name: &str) -> bool {
        let length = name.chars().count();
        let refused = |character: char| is_space(character) || self.refused.contains(&character);
        (1..=self.longest).contains(&length) && !name.contains(refused)
    }
}

const TYPE_RULE: Rule =
    Rule { text: r"^[^:#@\*\s]{1,254}$", refused: &[':', '#', '@', '*'], longest: 254 };

const RELATION_RULE: Rule =
    Rule { text: r"^[^:#@\*\s]{1,50}$", refused: &[':', '#', '@', '*'], longest: 50 };

const CONDITION_RULE: Rule = Rule { text: r"^[^\*\s]{1,50}$", refused: &['*'], longest: 50 };
