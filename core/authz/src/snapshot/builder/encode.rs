//! Sections of a body, and the model's part of them.

use std::collections::HashMap;

use super::super::block::Width;
use super::super::body::{MAGIC, PREAMBLE_WORDS, Section, VERSION};
use super::super::schema::{PRINCIPAL, SHARED, TENANT, operation};
use super::{BuildError, Census, ModelPlan, TenancyRules, TypePlan, number, runs};
use crate::limits;
use crate::model::{RelationDefinition, RestrictionForm, Rewrite};

/// The sections written so far.
#[derive(Debug, Default)]
pub(super) struct Sections {
    parts: Vec<(Section, Vec<u8>)>,
}

impl Sections {
    pub(super) fn put(&mut self, section: Section, bytes: Vec<u8>) {
        self.parts.push((section, bytes));
    }

    /// Joins the sections in the order of the table.
    pub(super) fn finish(self) -> Result<Vec<u8>, BuildError> {
        let mut parts: Vec<Vec<u8>> = vec![Vec::new(); Section::ALL.len()];
        for (section, bytes) in self.parts {
            let at = Section::ALL.iter().position(|known| *known == section);
            if let Some(part) = at.and_then(|at| parts.get_mut(at)) {
                *part = bytes;
            }
        }
        let mut body = Vec::new();
        for word in [MAGIC, VERSION, number(Section::ALL.len())] {
            push(&mut body, word);
        }
        debug_assert_eq!(body.len(), PREAMBLE_WORDS.saturating_mul(4));
        for part in &parts {
            push(&mut body, number(part.len()));
        }
        for part in parts {
            body.extend(part);
            while !body.len().is_multiple_of(4) {
                body.push(0);
            }
        }
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        if bytes > limits::SNAPSHOT_BYTES {
            return Err(BuildError::new("snapshot", "is larger than the limit of 1 GiB"));
        }
        Ok(body)
    }
}

/// Appends a word.
pub(super) fn push(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_le_bytes());
}

/// Texts, each once.
#[derive(Debug, Default)]
struct Strings {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Strings {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(known) = self.numbers.get(text) {
            return *known;
        }
        let next = number(self.texts.len());
        self.numbers.insert(text.to_owned(), next);
        self.texts.push(text.to_owned());
        next
    }

    fn write(self) -> Vec<u8> {
        let mut section = Vec::new();
        push(&mut section, number(self.texts.len()));
        let mut end = 0_usize;
        push(&mut section, 0);
        for text in &self.texts {
            end = end.saturating_add(text.len());
            push(&mut section, number(end));
        }
        self.texts.iter().for_each(|text| section.extend_from_slice(text.as_bytes()));
        section
    }
}

impl ModelPlan<'_> {
    /// Writes the model.
    pub(super) fn write(
        &self,
        sections: &mut Sections,
        census: &Census<'_>,
        rules: &TenancyRules,
        widths: &[Width],
    ) -> Result<(), BuildError> {
        let mut strings = Strings::default();
        let mut types = Vec::new();
        let mut parents = Vec::new();
        let mut run = 0_u32;
        for (at, plan) in self.types.iter().enumerate() {
            let ids = census.objects.get(at).map(Vec::as_slice).unwrap_or_default();
            let own_runs = number(runs(ids).len());
            let own_parents = self.parents(number(at), plan, rules)?;
            let first_parent = number(parents.len() / 4);
            own_parents.iter().for_each(|parent| push(&mut parents, *parent));
            let entry = [
                strings.number(plan.name),
                flags(plan.name, rules),
                number(ids.len()),
                plan.first_relation,
                number(plan.relations.len()),
                run,
                own_runs,
                first_parent,
                number(own_parents.len()),
                number(widths.get(at).map_or(1, |width| width.bytes())),
            ];
            entry.into_iter().for_each(|word| push(&mut types, word));
            run = run.saturating_add(own_runs);
        }
        self.write_relations(sections, &mut strings)?;
        let (mut conditions, mut code) = (Vec::new(), Vec::new());
        for (name, compiled) in &self.conditions {
            push(&mut conditions, strings.number(name));
            push(&mut conditions, number(code.len()));
            push(&mut conditions, number(compiled.len()));
            code.extend_from_slice(compiled);
        }
        sections.put(Section::Types, types);
        sections.put(Section::Parents, parents);
        sections.put(Section::Conditions, conditions);
        sections.put(Section::Code, code);
        sections.put(Section::Strings, strings.write());
        Ok(())
    }

    fn parents(
        &self,
        type_number: u32,
        plan: &TypePlan<'_>,
        rules: &TenancyRules,
    ) -> Result<Vec<u32>, BuildError> {
        let names = rules.parents.get(plan.name).map(Vec::as_slice).unwrap_or_default();
        let numbered = names.iter().map(|name| {
            let number = self.relation_number(type_number, name);
            let stores = plan
                .relations
                .iter()
                .any(|relation| relation.name == *name && !relation.restrictions.is_empty());
            number.filter(|_| stores).ok_or_else(|| {
                BuildError::new(plan.name, format!("has no relation `{name}` that stores a parent"))
            })
        });
        numbered.collect()
    }

    fn write_relations(
        &self,
        sections: &mut Sections,
        strings: &mut Strings,
    ) -> Result<(), BuildError> {
        let (mut relations, mut restrictions, mut plans) = (Vec::new(), Vec::new(), Vec::new());
        for (type_number, plan) in self.types.iter().enumerate() {
            let type_number = number(type_number);
            for relation in &plan.relations {
                let first_restriction = number(restrictions.len() / 16);
                self.write_restrictions(&mut restrictions, relation)?;
                let first_word = number(plans.len() / 4);
                self.write_plan(&mut plans, type_number, plan, &relation.rewrite)?;
                let entry = [
                    type_number,
                    strings.number(&relation.name),
                    first_word,
                    number(plans.len() / 4).saturating_sub(first_word),
                    first_restriction,
                    number(relation.restrictions.len()),
                ];
                entry.into_iter().for_each(|word| push(&mut relations, word));
            }
        }
        sections.put(Section::Relations, relations);
        sections.put(Section::Restrictions, restrictions);
        sections.put(Section::Plans, plans);
        Ok(())
    }

    fn write_restrictions(
        &self,
        section: &mut Vec<u8>,
        relation: &RelationDefinition,
    ) -> Result<(), BuildError> {
        let error = |problem| BuildError::new(&relation.name, problem);
        for restriction in &relation.restrictions {
            let type_number = self.type_number(&restriction.type_name)?;
            let (form, target) = match &restriction.form {
                RestrictionForm::Object => (0, 0),
                RestrictionForm::Userset(name) => {
                    let target = self.relation_number(type_number, name);
                    (1, target.ok_or_else(|| error("names a relation that is not there"))?)
                }
                RestrictionForm::Wildcard => (2, 0),
            };
            let condition = match &restriction.condition {
                None => 0,
                Some(name) => self
                    .condition_number(name)
                    .and_then(|known| known.checked_add(1))
                    .ok_or_else(|| error("names a condition that is not there"))?,
            };
            [type_number, form, target, condition].into_iter().for_each(|word| push(section, word));
        }
        Ok(())
    }

    fn write_plan(
        &self,
        words: &mut Vec<u8>,
        type_number: u32,
        plan: &TypePlan<'_>,
        rewrite: &Rewrite,
    ) -> Result<(), BuildError> {
        let named = |name: &str| {
            let found = self.relation_number(type_number, name);
            found.ok_or_else(|| {
                BuildError::new(name, format!("type `{}` has no such relation", plan.name))
            })
        };
        match rewrite {
            Rewrite::Direct => push(words, operation::DIRECT),
            Rewrite::Computed(name) => {
                push(words, operation::COMPUTED);
                push(words, named(name)?);
            }
            Rewrite::From { relation, tupleset } => {
                push(words, operation::FROM);
                push(words, named(tupleset)?);
                let targets = self.targets(plan, tupleset, relation)?;
                push(words, number(targets.len()));
                for (of, target) in targets {
                    push(words, of);
                    push(words, target);
                }
            }
            Rewrite::Union(children) | Rewrite::Intersection(children) => {
                let union = matches!(rewrite, Rewrite::Union(_));
                push(words, if union { operation::UNION } else { operation::INTERSECTION });
                push(words, number(children.len()));
                for child in children {
                    self.write_plan(words, type_number, plan, child)?;
                }
            }
            Rewrite::Difference(base, subtracted) => {
                push(words, operation::DIFFERENCE);
                self.write_plan(words, type_number, plan, base)?;
                self.write_plan(words, type_number, plan, subtracted)?;
            }
        }
        Ok(())
    }

    /// The relation of each type that the tupleset can hold and that has it.
    fn targets(
        &self,
        plan: &TypePlan<'_>,
        tupleset: &str,
        relation: &str,
    ) -> Result<Vec<(u32, u32)>, BuildError> {
        let holder = plan.relations.iter().find(|known| known.name == tupleset);
        let restrictions = holder.map(|known| known.restrictions.as_slice()).unwrap_or_default();
        let mut targets = Vec::new();
        for restriction in restrictions {
            let of = self.type_number(&restriction.type_name)?;
            if let Some(target) = self.relation_number(of, relation) {
                targets.push((of, target));
            }
        }
        targets.sort_unstable();
        targets.dedup();
        Ok(targets)
    }
}

fn flags(name: &str, rules: &TenancyRules) -> u32 {
    let mut flags = 0;
    if rules.shared.iter().any(|shared| shared == name) {
        flags |= SHARED;
    }
    if rules.principals.iter().any(|principal| principal == name) {
        flags |= PRINCIPAL;
    }
    if rules.tenant_type.as_deref() == Some(name) {
        flags |= TENANT;
    }
    flags
}
