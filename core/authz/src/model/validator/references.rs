//! Every name that a definition uses exists, and is what it is used as.

use super::{Report, Site, sites};
use crate::model::error::{Problem, Reference, Span};
use crate::model::index::Index;
use crate::model::source::{OperandPlaces, RestrictionPlaces};
use crate::model::{Model, RestrictionForm, Rewrite, TypeRestriction};

pub(super) fn check(model: &Model, index: &Index<'_>, report: &mut Report<'_>) {
    for site in sites(model) {
        // Of two definitions of a name, the last stands; the other is reported as a duplicate.
        let standing = index.relation(&site.definition.name, &site.relation.name);
        if !standing.is_some_and(|standing| std::ptr::eq(standing, site.relation)) {
            continue;
        }
        let mut check = Check { index, site, report, operand: 0 };
        check.rewrite(&site.relation.rewrite);
    }
}

struct Check<'c, 'm, 'p> {
    index: &'c Index<'m>,
    site: Site<'c>,
    report: &'c mut Report<'p>,
    /// How many operands were passed, from left to right.
    operand: usize,
}

impl Check<'_, '_, '_> {
    fn rewrite(&mut self, rewrite: &Rewrite) {
        match rewrite {
            Rewrite::Direct => self.direct(),
            Rewrite::Computed(relation) => {
                self.computed(relation);
                self.operand = self.operand.saturating_add(1);
            }
            Rewrite::From { relation, tupleset } => {
                self.from(relation, tupleset);
                self.operand = self.operand.saturating_add(1);
            }
            Rewrite::Union(children) | Rewrite::Intersection(children) => {
                for child in children {
                    self.rewrite(child);
                }
            }
            Rewrite::Difference(base, subtract) => {
                self.rewrite(base);
                self.rewrite(subtract);
            }
        }
    }

    fn direct(&mut self) {
        if self.site.relation.restrictions.is_empty() {
            let problem = Problem::AssignableWithoutTypes;
            self.report.relation_error(self.site, problem, |places| Some(places.name));
        }
        for (position, restriction) in self.site.relation.restrictions.iter().enumerate() {
            self.restriction(restriction, position);
        }
    }

    fn restriction(&mut self, restriction: &TypeRestriction, position: usize) {
        let type_name = &restriction.type_name;
        if !self.index.has_type(type_name) {
            let problem = Reference::TypeNotDefined { type_name: type_name.clone() };
            self.restriction_error(problem, position, |places| Some(places.type_name));
        }
        if let Some(condition) = &restriction.condition
            && !self.index.has_condition(condition)
        {
            let problem = Reference::ConditionNotDefined { condition: condition.clone() };
            self.restriction_error(problem, position, |places| places.condition);
        }
        if let RestrictionForm::Userset(relation) = &restriction.form
            && self.index.relation(type_name, relation).is_none()
        {
            let problem = Reference::RelationNotOnType {
                relation: relation.clone(),
                type_name: type_name.clone(),
            };
            self.restriction_error(problem, position, |places| Some(places.subject));
        }
    }

    fn computed(&mut self, relation: &str) {
        if self.index.relation(&self.site.definition.name, relation).is_none() {
            let problem = Reference::RelationNotDefined { relation: relation.to_owned() };
            self.operand_error(problem, |places| Some(places.whole));
        }
    }

    fn from(&mut self, relation: &str, tupleset: &str) {
        let type_name = &self.site.definition.name;
        if self.index.relation(type_name, tupleset).is_none() {
            let problem = Reference::RelationNotOnType {
                relation: tupleset.to_owned(),
                type_name: type_name.clone(),
            };
            self.operand_error(problem, |places| Some(places.whole));
            return;
        }
        let Some(followed) = self.index.followed(type_name, tupleset) else {
            let problem = Reference::TuplesetNotDirect { relation: tupleset.to_owned() };
            self.operand_error(problem, |places| places.tupleset);
            return;
        };
        // One type with the relation is enough.
        if followed.types_with.contains_key(relation) {
            return;
        }
        for found in &followed.types {
            let problem = Reference::RelationNotOnTupleset {
                relation: relation.to_owned(),
                type_name: self.site.definition.name.clone(),
                tupleset: tupleset.to_owned(),
                found: (*found).to_owned(),
            };
            self.operand_error(problem, |places| Some(places.whole));
        }
    }

    fn restriction_error(
        &mut self,
        problem: Reference,
        position: usize,
        place: impl FnOnce(&RestrictionPlaces) -> Option<Span>,
    ) {
        let problem = Problem::Reference(problem);
        self.report.relation_error(self.site, problem, |places| {
            places.restrictions.get(position).and_then(place)
        });
    }

    fn operand_error(
        &mut self,
        problem: Reference,
        place: impl FnOnce(&OperandPlaces) -> Option<Span>,
    ) {
        let position = self.operand;
        let problem = Problem::Reference(problem);
        self.report.relation_error(self.site, problem, |places| {
            places.operands.get(position).and_then(place)
        });
    }
}
