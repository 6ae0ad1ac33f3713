//! A model's names, to be looked up. Everything that depends on two parts of a model is computed
//! once, so that checking stays proportional to the model and not to its square.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ConditionDefinition, Model, RelationDefinition, RestrictionForm, Rewrite, TypeDefinition,
};

/// Types, relations and conditions by name. Where a name is given twice, the last one stands, as
/// for the official validator.
pub(super) struct Index<'m> {
    types: BTreeMap<&'m str, TypeEntry<'m>>,
    conditions: BTreeMap<&'m str, &'m ConditionDefinition>,
    followed: BTreeMap<&'m str, BTreeMap<&'m str, Followed<'m>>>,
}

struct TypeEntry<'m> {
    definition: &'m TypeDefinition,
    relations: BTreeMap<&'m str, &'m RelationDefinition>,
}

/// What stands after `from`: a relation that holds stored objects and nothing else.
#[derive(Default)]
pub(super) struct Followed<'m> {
    /// The objects' types, each once, in the order of the text.
    pub(super) types: Vec<&'m str>,
    /// Which of the types have a relation.
    pub(super) types_with: BTreeMap<&'m str, Vec<&'m str>>,
}

impl<'m> Index<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        let types = model.types.iter().map(|definition| {
            let relations = definition.relations.iter();
            let relations = relations.map(|relation| (relation.name.as_str(), relation)).collect();
            (definition.name.as_str(), TypeEntry { definition, relations })
        });
        let conditions = model.conditions.iter();
        let mut index = Self {
            types: types.collect(),
            conditions: conditions.map(|condition| (condition.name.as_str(), condition)).collect(),
            followed: BTreeMap::new(),
        };
        for (type_name, tupleset) in followed_names(model) {
            if let Some(followed) = index.follow(type_name, tupleset) {
                index.followed.entry(type_name).or_default().insert(tupleset, followed);
            }
        }
        index
    }

    pub(super) fn has_type(&self, name: &str) -> bool {
        self.types.contains_key(name)
    }

    pub(super) fn has_condition(&self, name: &str) -> bool {
        self.conditions.contains_key(name)
    }

    pub(super) fn relation(
        &self,
        type_name: &str,
        relation: &str,
    ) -> Option<&'m RelationDefinition> {
        self.types.get(type_name)?.relations.get(relation).copied()
    }

    /// Every relation with its type, each name once.
    pub(super) fn relations(
        &self,
    ) -> impl Iterator<Item = (&'m TypeDefinition, &'m RelationDefinition)> {
        self.types.values().flat_map(|entry| {
            let definition = entry.definition;
            entry.relations.values().map(move |relation| (definition, *relation))
        })
    }

    /// What `from tupleset` follows; `None` where the relation is more than stored objects.
    pub(super) fn followed(&self, type_name: &str, tupleset: &str) -> Option<&Followed<'m>> {
        self.followed.get(type_name)?.get(tupleset)
    }

    fn follow(&self, type_name: &str, tupleset: &str) -> Option<Followed<'m>> {
        let relation = self.relation(type_name, tupleset)?;
        let objects =
            relation.restrictions.iter().all(|entry| entry.form == RestrictionForm::Object);
        if relation.rewrite != Rewrite::Direct || relation.restrictions.is_empty() || !objects {
            return None;
        }
        let mut seen = BTreeSet::new();
        let mut followed = Followed::default();
        for restriction in &relation.restrictions {
            let type_name = restriction.type_name.as_str();
            if seen.insert(type_name) {
                followed.types.push(type_name);
                let relations = self.types.get(type_name).into_iter();
                for name in relations.flat_map(|entry| entry.relations.keys()) {
                    followed.types_with.entry(name).or_default().push(type_name);
                }
            }
        }
        Some(followed)
    }
}

/// Every tupleset that some definition follows.
fn followed_names(model: &Model) -> BTreeSet<(&str, &str)> {
    let mut names = BTreeSet::new();
    for definition in &model.types {
        let mut open: Vec<_> =
            definition.relations.iter().map(|relation| &relation.rewrite).collect();
        while let Some(rewrite) = open.pop() {
            match rewrite {
                Rewrite::Direct | Rewrite::Computed(_) => {}
                Rewrite::From { tupleset, .. } => {
                    names.insert((definition.name.as_str(), tupleset.as_str()));
                }
                Rewrite::Union(children) | Rewrite::Intersection(children) => open.extend(children),
                Rewrite::Difference(base, subtract) => open.extend([&**base, &**subtract]),
            }
        }
    }
    names
}
