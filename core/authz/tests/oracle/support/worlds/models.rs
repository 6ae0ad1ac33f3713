//! Random models.

use mandate_authz::model::{
    Model, RelationDefinition, RestrictionForm, Rewrite, Schema, TypeDefinition, TypeRestriction,
};

use super::super::random::Random;
use super::inputs;

/// The types that relations may have, and the names of relations; `parent` is the tupleset.
const PLAIN: [&str; 2] = ["user", "bot"];
const TYPES: [&str; 4] = ["team", "folder", "doc", "org"];
const RELATIONS: [&str; 5] = ["member", "blocked", "owner", "editor", "viewer"];

/// A model that OpenFGA accepts.
pub(super) fn sound(random: &mut Random) -> Model {
    loop {
        let model = model(random);
        if model.validate().is_ok() {
            return model;
        }
    }
}

/// The same types, relations and conditions, where everything may be stored.
pub(super) fn permissive(model: &Model) -> Model {
    let conditions = model.conditions.iter().map(|condition| Some(condition.name.clone()));
    let conditions: Vec<_> = [None].into_iter().chain(conditions).collect();
    let mut restrictions = Vec::new();
    for of in &model.types {
        let usersets =
            of.relations.iter().map(|relation| RestrictionForm::Userset(relation.name.clone()));
        for form in [RestrictionForm::Object, RestrictionForm::Wildcard].into_iter().chain(usersets)
        {
            for condition in &conditions {
                let (form, condition) = (form.clone(), condition.clone());
                restrictions.push(TypeRestriction { type_name: of.name.clone(), form, condition });
            }
        }
    }
    let mut model = model.clone();
    for relation in model.types.iter_mut().flat_map(|of| &mut of.relations) {
        relation.rewrite = Rewrite::Direct;
        relation.restrictions.clone_from(&restrictions);
    }
    model
}

/// What the definitions may refer to.
struct Plan {
    /// Relations of each type, tuplesets first.
    types: Vec<(&'static str, Vec<&'static str>)>,
    /// Types of each type's parents.
    parents: Vec<Vec<&'static str>>,
    conditions: Vec<String>,
}

fn model(random: &mut Random) -> Model {
    let conditions = inputs::conditions(random);
    let count = 2 + random.below(3);
    let names = &TYPES[..count];
    let mut types = Vec::new();
    let mut parents = Vec::new();
    for name in names {
        let nested = random.percent(60);
        let mut relations = if nested { vec!["parent"] } else { Vec::new() };
        relations.extend(&RELATIONS[..1 + random.below(RELATIONS.len())]);
        types.push((*name, relations));
        parents.push((0..=random.below(2)).map(|_| random.pick(names)).collect());
    }
    let conditions_named = conditions.iter().map(|condition| condition.name.clone()).collect();
    let plan = Plan { types, parents, conditions: conditions_named };
    let plain = PLAIN.iter().map(|name| of_type(name, Vec::new()));
    let defined = (0..count).map(|at| {
        let (name, relations) = &plan.types[at];
        let define = |relation| plan.define(at, relation, random);
        of_type(name, (0..relations.len()).map(define).collect())
    });
    let types = plain.chain(defined.collect::<Vec<_>>()).collect();
    Model { schema: Schema::V1_1, types, conditions }
}

fn of_type(name: &str, relations: Vec<RelationDefinition>) -> TypeDefinition {
    TypeDefinition { name: name.to_owned(), relations, module: None, file: None }
}

impl Plan {
    fn define(&self, of_type: usize, at: usize, random: &mut Random) -> RelationDefinition {
        let name = self.types[of_type].1[at];
        let (rewrite, restrictions) = if name == "parent" {
            let parents = self.parents[of_type].iter();
            let mut found: Vec<TypeRestriction> = Vec::new();
            for parent in parents {
                let condition = self.condition(15, random);
                add(&mut found, restriction(parent, RestrictionForm::Object, condition));
            }
            (Rewrite::Direct, found)
        } else {
            let rewrite = self.rewrite(of_type, at, 0, random);
            let restrictions =
                if is_direct(&rewrite) { self.restrictions(random) } else { Vec::new() };
            (rewrite, restrictions)
        };
        RelationDefinition {
            name: name.to_owned(),
            rewrite,
            restrictions,
            module: None,
            file: None,
        }
    }

    /// Computed relations point back in the list, so that none is defined by itself.
    fn rewrite(&self, of_type: usize, at: usize, depth: usize, random: &mut Random) -> Rewrite {
        let relations = &self.types[of_type].1;
        let has_parent = relations[0] == "parent";
        let operators = if depth < 2 { 100 } else { 60 };
        match random.below(operators) {
            28..43 if at > 0 => Rewrite::Computed(random.pick(&relations[..at]).to_owned()),
            43..60 if has_parent => {
                let parent = random.pick(&self.parents[of_type]);
                let of_parent = self.types.iter().find(|(name, _)| *name == parent);
                let relation = random.pick(&of_parent.expect("a planned type").1).to_owned();
                Rewrite::From { relation, tupleset: "parent".to_owned() }
            }
            60..74 => Rewrite::Union(self.operands(of_type, at, depth, random)),
            74..86 => Rewrite::Intersection(self.operands(of_type, at, depth, random)),
            86..100 => {
                let mut operand = || Box::new(self.rewrite(of_type, at, depth + 1, random));
                Rewrite::Difference(operand(), operand())
            }
            _ => Rewrite::Direct,
        }
    }

    fn operands(
        &self,
        of_type: usize,
        at: usize,
        depth: usize,
        random: &mut Random,
    ) -> Vec<Rewrite> {
        let count = 2 + random.below(2);
        (0..count).map(|_| self.rewrite(of_type, at, depth + 1, random)).collect()
    }

    fn restrictions(&self, random: &mut Random) -> Vec<TypeRestriction> {
        let mut found = Vec::new();
        for _ in 0..=random.below(4) {
            let (of_type, relations) = random.pick(&self.types);
            let (of_type, form) = match random.below(10) {
                0..5 => (random.pick(&PLAIN), RestrictionForm::Object),
                5 => (random.pick(&PLAIN), RestrictionForm::Wildcard),
                6 => (of_type, RestrictionForm::Object),
                _ => (of_type, RestrictionForm::Userset(random.pick(&relations).to_owned())),
            };
            let condition = self.condition(30, random);
            add(&mut found, restriction(of_type, form, condition));
        }
        found
    }

    fn condition(&self, percent: usize, random: &mut Random) -> Option<String> {
        let some = !self.conditions.is_empty() && random.percent(percent);
        some.then(|| random.pick(&self.conditions))
    }
}

fn restriction(
    type_name: &str,
    form: RestrictionForm,
    condition: Option<String>,
) -> TypeRestriction {
    TypeRestriction { type_name: type_name.to_owned(), form, condition }
}

fn add(restrictions: &mut Vec<TypeRestriction>, restriction: TypeRestriction) {
    if !restrictions.contains(&restriction) {
        restrictions.push(restriction);
    }
}

fn is_direct(rewrite: &Rewrite) -> bool {
    match rewrite {
        Rewrite::Direct => true,
        Rewrite::Computed(_) | Rewrite::From { .. } => false,
        Rewrite::Union(children) | Rewrite::Intersection(children) => {
            children.iter().any(is_direct)
        }
        Rewrite::Difference(base, subtracted) => is_direct(base) || is_direct(subtracted),
    }
}
