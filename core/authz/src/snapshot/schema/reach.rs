//! What can come out of each relation: the least fixed point over the model.

use smallvec::{SmallVec, smallvec};

use super::{Form, Plan, RelationTable};
use crate::snapshot::body::index;

/// What can come out of a relation, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    types: Bits,
    /// Itself among them where the model has a circle through it.
    relations: Bits,
}

/// One word of bits lies where the relation does: few models have more than 64 types.
type Bits = SmallVec<[u64; 1]>;

/// Finds what can come out of each relation: the least fixed point.
pub(super) fn assign_reach(relations: &mut [RelationTable], types: usize) {
    let empty = Reach {
        types: smallvec![0; types.div_ceil(64)],
        relations: smallvec![0; relations.len().div_ceil(64)],
    };
    let mut reach: Vec<Reach> = vec![empty.clone(); relations.len()];
    loop {
        let mut changed = false;
        for (position, relation) in relations.iter().enumerate() {
            let mut found = empty.clone();
            found.collect(&relation.plan, relation, &reach);
            if let Some(known) = reach.get_mut(position)
                && *known != found
            {
                *known = found;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for (relation, reaches) in relations.iter_mut().zip(reach) {
        relation.recursive = reaches.has_relation(relation.number);
        relation.reaches = reaches;
    }
}

impl Reach {
    pub(super) fn has_type(&self, type_index: u32) -> bool {
        has_bit(&self.types, type_index)
    }

    pub(super) fn has_relation(&self, relation: u32) -> bool {
        has_bit(&self.relations, relation)
    }

    fn collect(&mut self, plan: &Plan, relation: &RelationTable, reach: &[Self]) {
        match plan {
            Plan::Computed(target) => self.join(reach, *target),
            Plan::From { targets, .. } => {
                targets.iter().for_each(|(_, target)| self.join(reach, *target));
            }
            Plan::Direct => {
                for restriction in &relation.restrictions {
                    match restriction.form {
                        Form::Userset(target) => self.join(reach, target),
                        Form::Object | Form::Wildcard => {
                            set_bit(&mut self.types, restriction.type_index);
                        }
                    }
                }
            }
            Plan::Union(children) | Plan::Intersection(children) => {
                children.iter().for_each(|child| self.collect(child, relation, reach));
            }
            Plan::Difference(base, subtracted) => {
                self.collect(base, relation, reach);
                self.collect(subtracted, relation, reach);
            }
        }
    }

    /// Adds another relation and what comes out of it.
    fn join(&mut self, reach: &[Self], target: u32) {
        set_bit(&mut self.relations, target);
        let Some(known) = reach.get(index(target)) else { return };
        for (word, more) in self.types.iter_mut().zip(&known.types) {
            *word |= more;
        }
        for (word, more) in self.relations.iter_mut().zip(&known.relations) {
            *word |= more;
        }
    }
}

fn has_bit(words: &[u64], bit: u32) -> bool {
    words.get(index(bit / 64)).copied().unwrap_or_default() >> (bit % 64) & 1 == 1
}

fn set_bit(words: &mut [u64], bit: u32) {
    if let Some(word) = words.get_mut(index(bit / 64)) {
        *word |= 1 << (bit % 64);
    }
}
