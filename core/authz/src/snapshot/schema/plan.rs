//! How a relation is computed.

use super::RelationTable;
use crate::snapshot::body::{Word, index, read};

/// How a relation is computed.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Computed(u32),
    Difference(Box<Self>, Box<Self>),
    Direct,
    /// For each object in the tupleset's row: the relation of its type, where that type has one.
    From {
        tupleset: u32,
        targets: Vec<(u32, u32)>,
    },
    Intersection(Vec<Self>),
    Union(Vec<Self>),
}

/// Operation codes of plans.
pub(crate) mod operation {
    pub(crate) const DIRECT: u32 = 0;
    pub(crate) const COMPUTED: u32 = 1;
    pub(crate) const FROM: u32 = 2;
    pub(crate) const UNION: u32 = 3;
    pub(crate) const INTERSECTION: u32 = 4;
    pub(crate) const DIFFERENCE: u32 = 5;
}

impl Plan {
    pub(super) fn decode(words: &[Word]) -> Option<Self> {
        let mut reader = words.iter();
        let plan = Self::decode_one(&mut reader, PLAN_DEPTH)?;
        reader.next().is_none().then_some(plan)
    }

    fn decode_one(reader: &mut std::slice::Iter<'_, Word>, depth: u32) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let operation = read(reader.next()?);
        Some(match operation {
            operation::DIRECT => Self::Direct,
            operation::COMPUTED => Self::Computed(read(reader.next()?)),
            operation::FROM => {
                let tupleset = read(reader.next()?);
                let count = index(read(reader.next()?));
                // Bounded by what is there, not by what the count claims.
                let mut targets = Vec::with_capacity(count.min(reader.len()));
                for _ in 0..count {
                    targets.push((read(reader.next()?), read(reader.next()?)));
                }
                Self::From { tupleset, targets }
            }
            operation::UNION | operation::INTERSECTION => {
                let count = index(read(reader.next()?));
                let mut children = Vec::with_capacity(count.min(reader.len()));
                for _ in 0..count {
                    children.push(Self::decode_one(reader, depth)?);
                }
                match (children.is_empty(), operation) {
                    (true, _) => return None,
                    (false, operation::UNION) => Self::Union(children),
                    (false, _) => Self::Intersection(children),
                }
            }
            operation::DIFFERENCE => Self::Difference(
                Box::new(Self::decode_one(reader, depth)?),
                Box::new(Self::decode_one(reader, depth)?),
            ),
            _ => return None,
        })
    }

    pub(super) fn is_sound(
        &self,
        relation: &RelationTable,
        belongs: &impl Fn(u32, u32) -> bool,
        relations: &[RelationTable],
    ) -> bool {
        match self {
            Self::Direct => !relation.restrictions.is_empty(),
            Self::Computed(target) => belongs(*target, relation.type_index),
            Self::From { tupleset, targets } => {
                belongs(*tupleset, relation.type_index)
                    && relations
                        .get(index(*tupleset))
                        .is_some_and(|table| !table.restrictions.is_empty())
                    && targets.iter().all(|(type_index, target)| belongs(*target, *type_index))
            }
            Self::Union(children) | Self::Intersection(children) => {
                children.iter().all(|child| child.is_sound(relation, belongs, relations))
            }
            Self::Difference(base, subtracted) => {
                base.is_sound(relation, belongs, relations)
                    && subtracted.is_sound(relation, belongs, relations)
            }
        }
    }
}

/// Nested operations in one plan.
const PLAN_DEPTH: u32 = 64;
