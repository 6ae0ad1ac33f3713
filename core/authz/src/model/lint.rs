//! What is allowed in a model and still looks like a mistake.

mod hint;
mod subjects;

use std::collections::BTreeSet;

pub use hint::{Hint, Warning};

use super::circles::Circles;
use super::error::Span;
use super::index::Index;
use super::source::{OperandPlaces, Places};
use super::validator::{Site, sites};
use super::{Model, RestrictionForm, Rewrite};
use crate::condition::ParameterType;
use subjects::Subjects;

/// Everything that looks like a mistake in a valid model, in the order of the text.
pub(super) fn lint(model: &Model, places: &Places) -> Vec<Warning> {
    let index = Index::new(model);
    let mut lint = Lint {
        model,
        places,
        circles: Circles::of(&index),
        subjects: Subjects::of(&index),
        used: Used::of(model, &index),
        index: &index,
        warnings: Vec::new(),
    };
    lint.types();
    for site in sites(model) {
        lint.relation(site);
    }
    lint.conditions();
    lint.warnings
}

struct Lint<'l, 'm> {
    model: &'m Model,
    places: &'l Places,
    index: &'l Index<'m>,
    circles: Circles<'m>,
    subjects: Option<Subjects<'m>>,
    used: Used<'m>,
    warnings: Vec<Warning>,
}

/// What some definition names.
struct Used<'m> {
    types: BTreeSet<&'m str>,
    relations: BTreeSet<(&'m str, &'m str)>,
}

impl<'m> Used<'m> {
    fn of(model: &'m Model, index: &Index<'m>) -> Self {
        let mut used = Self { types: BTreeSet::new(), relations: BTreeSet::new() };
        for site in sites(model) {
            for restriction in &site.relation.restrictions {
                used.types.insert(&restriction.type_name);
                if let RestrictionForm::Userset(relation) = &restriction.form {
                    used.relations.insert((&restriction.type_name, relation));
                }
            }
            for operand in operands(&site.relation.rewrite) {
                used.operand(&site.definition.name, operand, index);
            }
        }
        used
    }

    fn operand(&mut self, type_name: &'m str, operand: Operand<'m>, index: &Index<'m>) {
        match operand {
            Operand::Computed(relation) => {
                self.relations.insert((type_name, relation));
            }
            Operand::From { relation, tupleset } => {
                self.relations.insert((type_name, tupleset));
                let followed = index.followed(type_name, tupleset);
                let with = followed.and_then(|followed| followed.types_with.get(relation));
                self.relations.extend(with.into_iter().flatten().map(|found| (*found, relation)));
            }
        }
    }
}

/// `a` or `a from b`
#[derive(Clone, Copy)]
enum Operand<'m> {
    Computed(&'m str),
    From { relation: &'m str, tupleset: &'m str },
}

/// The operands of a definition, from left to right.
fn operands(rewrite: &Rewrite) -> Vec<Operand<'_>> {
    match rewrite {
        Rewrite::Direct => Vec::new(),
        Rewrite::Computed(relation) => vec![Operand::Computed(relation)],
        Rewrite::From { relation, tupleset } => vec![Operand::From { relation, tupleset }],
        Rewrite::Union(children) | Rewrite::Intersection(children) => {
            children.iter().flat_map(operands).collect()
        }
        Rewrite::Difference(base, subtract) => {
            [&**base, &**subtract].into_iter().flat_map(operands).collect()
        }
    }
}

impl<'m> Lint<'_, 'm> {
    fn types(&mut self) {
        for (position, definition) in self.model.types.iter().enumerate() {
            let used = self.used.types.contains(definition.name.as_str());
            if definition.relations.is_empty() && !used {
                let span = self.places.types.get(position).map(|places| places.name);
                let hint = Hint::UnusedType { type_name: definition.name.clone() };
                self.warnings.push(Warning { file: definition.file.clone(), span, hint });
            }
        }
    }

    fn relation(&mut self, site: Site<'m>) {
        let (type_name, relation) = (site.definition.name.as_str(), site.relation.name.as_str());
        if self.circles.has(type_name, relation) {
            self.warn(
                site,
                Hint::Circle { relation: relation.to_owned(), type_name: type_name.to_owned() },
            );
        }
        if self.is_stored_for_nothing(site) {
            self.warn(
                site,
                Hint::UnusedRelation {
                    relation: relation.to_owned(),
                    type_name: type_name.to_owned(),
                },
            );
        }
        for (position, operand) in operands(&site.relation.rewrite).into_iter().enumerate() {
            self.operand(site, position, operand);
        }
        self.rewrite(site, &site.relation.rewrite);
    }

    /// In a type with derived permissions called `can_…`, what is only stored should lead to one of them, or
    /// to something else.
    fn is_stored_for_nothing(&self, site: Site<'m>) -> bool {
        let permission = |name: &str| name.starts_with("can_");
        let mut derived =
            site.definition.relations.iter().filter(|relation| relation.rewrite != Rewrite::Direct);
        site.relation.rewrite == Rewrite::Direct
            && !permission(&site.relation.name)
            && derived.any(|relation| permission(&relation.name))
            && !self.used.relations.contains(&(&site.definition.name, &site.relation.name))
    }

    fn operand(&mut self, site: Site<'m>, position: usize, operand: Operand<'m>) {
        let Operand::From { relation, tupleset } = operand else { return };
        let Some(followed) = self.index.followed(&site.definition.name, tupleset) else { return };
        let lacks = |found: &&&str| self.index.relation(found, relation).is_none();
        let without: Vec<_> = followed.types.iter().filter(lacks).collect();
        if !without.is_empty() {
            let hint = Hint::TypesWithoutRelation {
                relation: relation.to_owned(),
                tupleset: tupleset.to_owned(),
                type_names: without.into_iter().map(|name| (*name).to_owned()).collect(),
            };
            let span = self.operand_place(site, position, |places| places.whole);
            self.push(site, span, hint);
        }
    }

    fn rewrite(&mut self, site: Site<'m>, rewrite: &'m Rewrite) {
        let Some(subjects) = &self.subjects else { return };
        let hint = match rewrite {
            Rewrite::Direct | Rewrite::Computed(_) | Rewrite::From { .. } | Rewrite::Union(_) => {
                None
            }
            Rewrite::Intersection(_) => {
                let nobody = subjects.of_rewrite(self.index, site, rewrite).is_empty();
                nobody.then(|| Hint::NeverHolds {
                    relation: site.relation.name.clone(),
                    type_name: site.definition.name.clone(),
                })
            }
            Rewrite::Difference(base, subtract) => {
                let base = subjects.of_rewrite(self.index, site, base);
                let subtract = subjects.of_rewrite(self.index, site, subtract);
                base.is_disjoint(&subtract).then(|| Hint::ExcludesNobody {
                    relation: site.relation.name.clone(),
                    type_name: site.definition.name.clone(),
                })
            }
        };
        if let Some(hint) = hint {
            self.warn(site, hint);
        }
        match rewrite {
            Rewrite::Direct | Rewrite::Computed(_) | Rewrite::From { .. } => {}
            Rewrite::Union(children) | Rewrite::Intersection(children) => {
                for child in children {
                    self.rewrite(site, child);
                }
            }
            Rewrite::Difference(base, subtract) => {
                self.rewrite(site, base);
                self.rewrite(site, subtract);
            }
        }
    }

    fn conditions(&mut self) {
        for (position, condition) in self.model.conditions.iter().enumerate() {
            let span = self.places.conditions.get(position).map(|places| places.name);
            for (parameter, kind) in &condition.parameters {
                let names = |hint| Warning { file: condition.file.clone(), span, hint };
                let (condition_name, parameter_name) = (condition.name.clone(), parameter.clone());
                if !has_word(&condition.expression, parameter) {
                    self.warnings.push(names(Hint::UnusedParameter {
                        condition: condition_name,
                        parameter: parameter_name,
                    }));
                } else if is_unknown_input(parameter, kind) {
                    self.warnings.push(names(Hint::UnknownInput {
                        condition: condition_name,
                        parameter: parameter_name,
                    }));
                }
            }
        }
    }

    fn warn(&mut self, site: Site<'m>, hint: Hint) {
        let span = self
            .places
            .types
            .get(site.type_position)
            .and_then(|places| places.relations.get(site.relation_position))
            .map(|places| places.name);
        self.push(site, span, hint);
    }

    fn push(&mut self, site: Site<'m>, span: Option<Span>, hint: Hint) {
        let file = site.relation.file.clone().or_else(|| site.definition.file.clone());
        self.warnings.push(Warning { file, span, hint });
    }

    fn operand_place(
        &self,
        site: Site<'m>,
        position: usize,
        place: impl FnOnce(&OperandPlaces) -> Span,
    ) -> Option<Span> {
        let places = self.places.types.get(site.type_position)?;
        places.relations.get(site.relation_position)?.operands.get(position).map(place)
    }
}

fn has_word(expression: &str, word: &str) -> bool {
    expression
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .any(|found| found == word)
}

/// A parameter that looks like an input of the request and is none: `authorize` gives what the host
/// and the token say under these names and types.
fn is_unknown_input(name: &str, kind: &ParameterType) -> bool {
    let expected = match name {
        "host_address" => Some(ParameterType::IpAddress),
        "host_time" | "token_issued_at" | "token_expires_at" => Some(ParameterType::Timestamp),
        "token_scopes" => Some(ParameterType::List(Box::new(ParameterType::String))),
        "token_client_id" | "token_issuer" | "token_subject" | "token_tenant"
        | "token_token_id" => Some(ParameterType::String),
        _ => None,
    };
    let reserved = name.starts_with("host_") || name.starts_with("token_");
    reserved && expected.as_ref() != Some(kind)
}
