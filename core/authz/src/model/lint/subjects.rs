//! Which types of subjects can have a relation.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::index::Index;
use crate::model::validator::Site;
use crate::model::{RelationDefinition, RestrictionForm, Rewrite, TypeDefinition};

type Types<'m> = BTreeSet<&'m str>;

/// The types of subjects of every relation of a model.
pub(super) struct Subjects<'m> {
    types_of: BTreeMap<(&'m str, &'m str), Types<'m>>,
}

impl<'m> Subjects<'m> {
    /// `None` for a model too large to be worth the work.
    pub(super) fn of(index: &Index<'m>) -> Option<Self> {
        let relations: Vec<_> = index.relations().collect();
        if relations.len() > MOST_RELATIONS {
            return None;
        }
        let mut subjects = Self { types_of: BTreeMap::new() };
        loop {
            let mut grew = false;
            for (definition, relation) in &relations {
                let types = subjects.types(index, definition, relation, &relation.rewrite);
                let key = (definition.name.as_str(), relation.name.as_str());
                let known = subjects.types_of.entry(key).or_default();
                grew |= types.len() > known.len();
                known.extend(types);
            }
            if !grew {
                return Some(subjects);
            }
        }
    }

    pub(super) fn of_rewrite(
        &self,
        index: &Index<'m>,
        site: Site<'m>,
        rewrite: &'m Rewrite,
    ) -> Types<'m> {
        self.types(index, site.definition, site.relation, rewrite)
    }

    fn types(
        &self,
        index: &Index<'m>,
        definition: &'m TypeDefinition,
        relation: &'m RelationDefinition,
        rewrite: &'m Rewrite,
    ) -> Types<'m> {
        let inner = |rewrite: &'m Rewrite| self.types(index, definition, relation, rewrite);
        match rewrite {
            Rewrite::Direct => self.stored(relation),
            Rewrite::Computed(other) => self.known(&definition.name, other).clone(),
            Rewrite::From { relation, tupleset } => {
                let followed = index.followed(&definition.name, tupleset);
                let types = followed.into_iter().flat_map(|followed| &followed.types);
                types.flat_map(|found| self.known(found, relation)).copied().collect()
            }
            Rewrite::Union(children) => children.iter().flat_map(inner).collect(),
            Rewrite::Intersection(children) => {
                let sets = children.iter().map(inner);
                sets.reduce(|left, right| &left & &right).unwrap_or_default()
            }
            Rewrite::Difference(base, _) => inner(base),
        }
    }

    fn stored(&self, relation: &'m RelationDefinition) -> Types<'m> {
        let mut types = Types::new();
        for restriction in &relation.restrictions {
            match &restriction.form {
                RestrictionForm::Object | RestrictionForm::Wildcard => {
                    types.insert(&restriction.type_name);
                }
                RestrictionForm::Userset(relation) => {
                    types.extend(self.known(&restriction.type_name, relation));
                }
            }
        }
        types
    }

    fn known(&self, type_name: &'m str, relation: &'m str) -> &Types<'m> {
        static NONE: Types<'static> = Types::new();
        self.types_of.get(&(type_name, relation)).unwrap_or(&NONE)
    }
}

/// Relations of a model that is looked at: the work grows with their square at worst.
const MOST_RELATIONS: usize = 2_000;
