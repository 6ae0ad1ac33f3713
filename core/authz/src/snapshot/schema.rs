//! The model inside a snapshot: types, relations and how each is computed.
//!
//! It is small, so it is decoded when the snapshot is loaded; relationships are read in place.
//!
//! Strings section: how many texts there are (a word), where each starts and the last one ends, in
//! bytes after these offsets (a word each), and the texts.
//!
//! Types section, sorted by name, ten words each: name (a text's number); flags (1 shared by all
//! tenants, 2 principal, 4 the tenant type); objects; first relation; relations; first tenant run;
//! runs; first parent (an entry of the parents section, which holds relations' numbers); parents;
//! bytes of an end in the type's blocks (1, 2 or 4).
//!
//! Runs section, type by type, two words each: the first object of a run within its type, and the
//! tenant of its objects: the tenant's number plus one, 0 where nobody knows it, all ones where the
//! identity's record lists several. A run ends where the next one starts.
//!
//! Relations section, by type and sorted by name within it, six words each: type; name; first word
//! and number of words of the plan; first restriction; restrictions. A relation with restrictions
//! stores relationships: these are the type's columns, in their order.
//!
//! Restrictions section, four words each: type; form (0 the object, 1 a userset, 2 everybody); the
//! userset's relation, else 0; condition's number plus one, 0 without. A subject word holds the
//! object's number within its type in its lower bits, and the restriction's position above them:
//! with `n` restrictions, as many upper bits as `n - 1` has. Everybody is object 0.
//!
//! Conditions section, three words each: name; where its bytecode lies in the code section; bytes.
//!
//! Plans section, words: 0 what is stored; 1 and a relation: the same as that one; 2, a tupleset's
//! relation, a count, and that many pairs of type and relation: what these relations give of the
//! objects in the tupleset; 3 or 4, a count and that many plans: one of them, or all; 5 and two
//! plans: the first but not the second.

mod decode;
mod plan;
mod reach;

use std::ops::Range;

pub(crate) use self::plan::Plan;
#[cfg(feature = "builder")]
pub(crate) use self::plan::operation;
use self::reach::Reach;
use super::block::{BlockLayout, RowPlace};
use super::body::{Body, Section, Word, index, read};

/// The decoded model.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    pub(crate) types: Vec<TypeTable>,
    pub(crate) relations: Vec<RelationTable>,
    pub(crate) conditions: Vec<ConditionTable>,
    /// The tenant type's position.
    pub(crate) tenant_type: Option<u32>,
}

/// A type.
#[derive(Clone, Debug)]
pub(crate) struct TypeTable {
    pub(crate) name: String,
    pub(crate) shared: bool,
    pub(crate) principal: bool,
    /// Objects in the body.
    pub(crate) count: u32,
    /// The first of them, counted over all types.
    pub(crate) first_object: u32,
    /// How its blocks are laid out.
    pub(crate) blocks: BlockLayout,
    /// Where its blocks start in the offsets section.
    pub(crate) first_offset: usize,
    /// Its relations.
    pub(crate) relations: Range<u32>,
    /// Its tenant runs.
    pub(crate) runs: Range<usize>,
    /// Relations that lead to a parent.
    pub(crate) parents: Vec<u32>,
}

/// A relation of a type.
#[derive(Clone, Debug)]
pub(crate) struct RelationTable {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) type_index: u32,
    pub(crate) plan: Plan,
    pub(crate) restrictions: Vec<Restriction>,
    pub(crate) stores_usersets: bool,
    /// Where its rows lie; nowhere without restrictions.
    pub(crate) place: RowPlace,
    /// Bits of a subject word that hold the object; the rest hold the restriction's position.
    pub(crate) local_bits: u32,
    pub(crate) reaches: Reach,
    /// Whether it can come out of itself.
    pub(crate) recursive: bool,
}

/// One entry of a relation's `[…]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restriction {
    pub(crate) type_index: u32,
    pub(crate) form: Form,
    pub(crate) condition: Option<u32>,
    /// Its position, where subject words have it.
    pub(crate) tag: u32,
}

/// Which subjects a restriction admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Object,
    Userset(u32),
    Wildcard,
}

/// A condition.
#[derive(Clone, Debug)]
pub(crate) struct ConditionTable {
    pub(crate) name: String,
    /// Where its bytecode lies in the code section.
    pub(crate) code: Range<usize>,
}

pub(crate) const SHARED: u32 = 1;
pub(crate) const PRINCIPAL: u32 = 2;
pub(crate) const TENANT: u32 = 4;

impl Schema {
    #[inline]
    pub(crate) fn type_table(&self, type_index: u32) -> Option<&TypeTable> {
        self.types.get(index(type_index))
    }

    #[inline]
    pub(crate) fn relation_table(&self, relation: u32) -> Option<&RelationTable> {
        self.relations.get(index(relation))
    }

    /// The type with this name. Types are sorted by name.
    pub(crate) fn type_named(&self, name: &str) -> Option<u32> {
        let found = self.types.binary_search_by(|table| table.name.as_str().cmp(name)).ok()?;
        u32::try_from(found).ok()
    }

    /// The type's relation with this name. Relations of a type are sorted by name.
    pub(crate) fn relation_named(&self, type_index: u32, name: &str) -> Option<u32> {
        let range = &self.type_table(type_index)?.relations;
        let relations = self.relations.get(index(range.start)..index(range.end))?;
        let found = relations.binary_search_by(|table| table.name.as_str().cmp(name)).ok()?;
        u32::try_from(found).ok()?.checked_add(range.start)
    }

    pub(crate) fn condition_named(&self, name: &str) -> Option<u32> {
        let found = self.conditions.iter().position(|condition| condition.name == name)?;
        u32::try_from(found).ok()
    }
}

impl RelationTable {
    /// Whether an object of this type can come out.
    #[inline]
    pub(crate) fn reaches_type(&self, type_index: u32) -> bool {
        self.reaches.has_type(type_index)
    }

    /// Whether who has that relation can come out.
    #[inline]
    pub(crate) fn reaches_relation(&self, relation: u32) -> bool {
        self.reaches.has_relation(relation)
    }

    /// A subject word: the restriction's position above the object; `None` where that is beyond
    /// what a word holds.
    #[inline]
    pub(crate) fn subject_word(&self, restriction: &Restriction, local: u32) -> Option<u32> {
        (local & !self.local_mask() == 0).then_some(restriction.tag | local)
    }

    /// The bits of a subject word that hold the object.
    #[inline]
    const fn local_mask(&self) -> u32 {
        match u32::MAX.checked_shl(self.local_bits) {
            Some(upper) => !upper,
            None => u32::MAX,
        }
    }

    /// The object of a subject word.
    #[inline]
    pub(crate) const fn local_of(&self, word: u32) -> u32 {
        word & self.local_mask()
    }

    /// The restriction of a subject word.
    #[inline]
    pub(crate) fn restriction_of(&self, word: u32) -> usize {
        index(word.checked_shr(self.local_bits).unwrap_or_default())
    }
}

impl Restriction {
    pub(crate) const fn is_userset(&self) -> bool {
        matches!(self.form, Form::Userset(_))
    }
}

/// Bits that remain for the object when `restrictions` positions are told apart.
pub(crate) fn local_bits(restrictions: usize) -> u32 {
    let last = u32::try_from(restrictions.saturating_sub(1)).unwrap_or(u32::MAX);
    last.leading_zeros()
}

/// The condition's bytecode.
pub(crate) fn code<'b>(body: &'b Body, condition: &ConditionTable) -> &'b [u8] {
    body.bytes(Section::Code).get(condition.code.clone()).unwrap_or_default()
}

/// The tenant of a type's object by its runs: the value of the last run that starts at or before.
pub(crate) fn run_value(runs: &[Word], range: &Range<usize>, local: u32) -> u32 {
    let words = range.start.saturating_mul(2)..range.end.saturating_mul(2);
    let pairs = runs.get(words).unwrap_or_default().as_chunks::<2>().0;
    let after = pairs.partition_point(|[first, _]| read(first) <= local);
    after.checked_sub(1).and_then(|last| pairs.get(last)).map_or(0, |[_, value]| read(value))
}
