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

use std::ops::Range;

use super::SnapshotError;
use super::block::{BlockLayout, Width};
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
    /// Its column in the type's blocks; meaningless without restrictions.
    pub(crate) slot: u32,
    /// Bits of a subject word that hold the object; the rest hold the restriction's position.
    pub(crate) local_bits: u32,
    pub(crate) reaches: Reach,
}

/// What can come out of a relation, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    types: Vec<u64>,
    relations: Vec<u64>,
}

/// One entry of a relation's `[…]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restriction {
    pub(crate) type_index: u32,
    pub(crate) form: Form,
    pub(crate) condition: Option<u32>,
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

/// Words of a type's entry.
const TYPE_WORDS: usize = 10;
/// Words of a relation's entry.
const RELATION_WORDS: usize = 6;
/// Words of a restriction's entry.
const RESTRICTION_WORDS: usize = 4;
/// Words of a condition's entry.
const CONDITION_WORDS: usize = 3;
/// Nested operations in one plan.
const PLAN_DEPTH: u32 = 64;

pub(crate) const SHARED: u32 = 1;
pub(crate) const PRINCIPAL: u32 = 2;
pub(crate) const TENANT: u32 = 4;

impl Schema {
    /// Decodes and checks the model's sections.
    pub(crate) fn decode(body: &Body) -> Result<Self, SnapshotError> {
        let strings = Strings::open(body)?;
        let conditions = decode_conditions(body, &strings)?;
        let (mut types, tenant_type) = decode_types(body, &strings)?;
        let mut relations = decode_relations(body, &strings, &types, conditions.len())?;
        check_references(&types, &relations)?;
        assign_slots(&mut types, &mut relations)?;
        assign_reach(&mut relations, types.len());
        Ok(Self { types, relations, conditions, tenant_type })
    }

    pub(crate) fn type_table(&self, type_index: u32) -> Option<&TypeTable> {
        self.types.get(index(type_index))
    }

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
    pub(crate) fn reaches_type(&self, type_index: u32) -> bool {
        has_bit(&self.reaches.types, type_index)
    }

    /// Whether who has that relation can come out.
    pub(crate) fn reaches_relation(&self, relation: u32) -> bool {
        has_bit(&self.reaches.relations, relation)
    }

    /// A subject word: the restriction's position above the object.
    pub(crate) fn subject_word(&self, restriction: usize, local: u32) -> Option<u32> {
        let position = u64::try_from(restriction).ok()?;
        let tagged = position.checked_shl(self.local_bits)? | u64::from(local);
        let fits = u64::from(local) >> self.local_bits == 0;
        u32::try_from(tagged).ok().filter(|_| fits)
    }

    /// The object of a subject word.
    pub(crate) const fn local_of(&self, word: u32) -> u32 {
        if self.local_bits >= 32 { word } else { word & !(u32::MAX << self.local_bits) }
    }

    /// The restriction of a subject word.
    pub(crate) fn restriction_of(&self, word: u32) -> usize {
        index(word.checked_shr(self.local_bits).unwrap_or_default())
    }
}

/// Bits that remain for the object when `restrictions` positions are told apart.
pub(crate) fn local_bits(restrictions: usize) -> u32 {
    let last = u32::try_from(restrictions.saturating_sub(1)).unwrap_or(u32::MAX);
    last.leading_zeros()
}

struct Strings<'b> {
    offsets: &'b [Word],
    bytes: &'b [u8],
}

impl<'b> Strings<'b> {
    fn open(body: &'b Body) -> Result<Self, SnapshotError> {
        let section = body.bytes(Section::Strings);
        let error = || SnapshotError::new("strings", "are malformed");
        let (count, _) = section.split_first_chunk::<4>().ok_or_else(error)?;
        let table = index(read(count)).saturating_add(1).saturating_mul(4);
        let offsets = section.get(4..table.saturating_add(4)).ok_or_else(error)?;
        let bytes = section.get(table.saturating_add(4)..).unwrap_or_default();
        Ok(Self { offsets: offsets.as_chunks::<4>().0, bytes })
    }

    fn text(&self, number: u32) -> Result<String, SnapshotError> {
        let bounds =
            self.offsets.get(index(number)).zip(self.offsets.get(index(number).saturating_add(1)));
        let bytes = bounds
            .and_then(|(start, end)| self.bytes.get(index(read(start))..index(read(end))))
            .filter(|bytes| !bytes.is_empty());
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.map(str::to_owned).ok_or_else(|| SnapshotError::new("strings", "are malformed"))
    }
}

fn decode_types(
    body: &Body,
    strings: &Strings<'_>,
) -> Result<(Vec<TypeTable>, Option<u32>), SnapshotError> {
    let words = body.whole_words(Section::Types)?;
    let parents = body.whole_words(Section::Parents)?;
    let (entries, rest) = words.as_chunks::<TYPE_WORDS>();
    let error = |message| SnapshotError::new("types", message);
    if !rest.is_empty() {
        return Err(error("are not whole entries"));
    }
    let mut types: Vec<TypeTable> = Vec::with_capacity(entries.len());
    let mut tenant_type = None;
    let (mut first_object, mut first_relation, mut first_run) = (0_u32, 0_u32, 0_usize);
    for entry in entries {
        let [
            name,
            flags,
            count,
            relation_first,
            relation_count,
            run_first,
            run_count,
            parent_first,
            parent_count,
            end_bytes,
        ] = entry.map(|word| read(&word));
        let relations = relation_first..relation_first.saturating_add(relation_count);
        let runs = index(run_first)..index(run_first).saturating_add(index(run_count));
        if relation_first != first_relation || runs.start != first_run {
            return Err(error("overlap"));
        }
        let parents = parents
            .get(index(parent_first)..index(parent_first).saturating_add(index(parent_count)))
            .ok_or_else(|| error("name parents that are not there"))?;
        if flags & TENANT != 0 {
            let duplicate = tenant_type.replace(u32::try_from(types.len()).unwrap_or(u32::MAX));
            if duplicate.is_some() {
                return Err(error("have two tenant types"));
            }
        }
        let name = strings.text(name)?;
        if flags > (SHARED | PRINCIPAL | TENANT)
            || types.last().is_some_and(|last| last.name >= name)
        {
            return Err(error("are out of order or have unknown flags"));
        }
        let width = Width::from_bytes(end_bytes);
        let width = width.ok_or_else(|| error("have ends of no known width"))?;
        let table = TypeTable {
            name,
            shared: flags & SHARED != 0,
            principal: flags & PRINCIPAL != 0,
            count,
            first_object,
            blocks: BlockLayout { columns: 0, width },
            first_offset: 0,
            relations,
            runs,
            parents: parents.iter().map(read).collect(),
        };
        first_object =
            first_object.checked_add(count).ok_or_else(|| error("have too many objects"))?;
        first_relation = table.relations.end;
        first_run = table.runs.end;
        types.push(table);
    }
    Ok((types, tenant_type))
}

fn decode_conditions(
    body: &Body,
    strings: &Strings<'_>,
) -> Result<Vec<ConditionTable>, SnapshotError> {
    let (entries, rest) = body.whole_words(Section::Conditions)?.as_chunks::<CONDITION_WORDS>();
    let all = body.bytes(Section::Code);
    let error = |message| SnapshotError::new("conditions", message);
    if !rest.is_empty() {
        return Err(error("are not whole entries"));
    }
    let mut conditions = Vec::with_capacity(entries.len());
    for entry in entries {
        let [name, offset, length] = entry.map(|word| read(&word));
        let code = index(offset)..index(offset).saturating_add(index(length));
        let bytes = all.get(code.clone()).ok_or_else(|| error("lie outside the code"))?;
        crate::condition::validate(bytes).map_err(|_| error("have malformed code"))?;
        conditions.push(ConditionTable { name: strings.text(name)?, code });
    }
    Ok(conditions)
}

fn decode_relations(
    body: &Body,
    strings: &Strings<'_>,
    types: &[TypeTable],
    conditions: usize,
) -> Result<Vec<RelationTable>, SnapshotError> {
    let (entries, rest) = body.whole_words(Section::Relations)?.as_chunks::<RELATION_WORDS>();
    let restrictions = decode_restrictions(body, conditions)?;
    let plans = body.whole_words(Section::Plans)?;
    let error = |message| SnapshotError::new("relations", message);
    if !rest.is_empty() {
        return Err(error("are not whole entries"));
    }
    let mut relations: Vec<RelationTable> = Vec::with_capacity(entries.len());
    for (position, entry) in entries.iter().enumerate() {
        let [type_index, name, plan_first, plan_words, first, count] =
            entry.map(|word| read(&word));
        let owner = types.get(index(type_index)).map(|table| table.relations.clone());
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        if owner.is_none_or(|owner| !owner.contains(&position)) {
            return Err(error("do not belong to their type"));
        }
        let plan = plans
            .get(index(plan_first)..index(plan_first).saturating_add(index(plan_words)))
            .and_then(Plan::decode)
            .ok_or_else(|| error("have malformed plans"))?;
        let restrictions = restrictions
            .get(index(first)..index(first).saturating_add(index(count)))
            .ok_or_else(|| error("name restrictions that are not there"))?;
        let name = strings.text(name)?;
        let previous = relations.last().filter(|previous| previous.type_index == type_index);
        if previous.is_some_and(|previous| previous.name >= name) {
            return Err(error("are out of order"));
        }
        relations.push(RelationTable {
            name,
            number: position,
            type_index,
            plan,
            restrictions: restrictions.to_vec(),
            slot: 0,
            local_bits: local_bits(restrictions.len()),
            reaches: Reach::default(),
        });
    }
    Ok(relations)
}

fn decode_restrictions(body: &Body, conditions: usize) -> Result<Vec<Restriction>, SnapshotError> {
    let (entries, rest) = body.whole_words(Section::Restrictions)?.as_chunks::<RESTRICTION_WORDS>();
    let error = || SnapshotError::new("restrictions", "are malformed");
    if !rest.is_empty() {
        return Err(error());
    }
    let decode = |entry: &[Word; RESTRICTION_WORDS]| {
        let [type_index, form, relation, condition] = entry.map(|word| read(&word));
        let form = match (form, relation) {
            (0, 0) => Form::Object,
            (1, relation) => Form::Userset(relation),
            (2, 0) => Form::Wildcard,
            _ => return Err(error()),
        };
        if index(condition) > conditions {
            return Err(error());
        }
        Ok(Restriction { type_index, form, condition: condition.checked_sub(1) })
    };
    entries.iter().map(decode).collect()
}

/// Every type and relation that is named exists and belongs together.
fn check_references(types: &[TypeTable], relations: &[RelationTable]) -> Result<(), SnapshotError> {
    let last = types.last().map_or(0, |table| table.relations.end);
    if index(last) != relations.len() {
        return Err(SnapshotError::new("types", "do not own every relation"));
    }
    let error = || SnapshotError::new("relations", "name what is not there");
    let belongs = |relation: u32, type_index: u32| {
        relations.get(index(relation)).is_some_and(|table| table.type_index == type_index)
    };
    for relation in relations {
        for restriction in &relation.restrictions {
            let fits = match restriction.form {
                Form::Object | Form::Wildcard => index(restriction.type_index) < types.len(),
                Form::Userset(target) => belongs(target, restriction.type_index),
            };
            if !fits {
                return Err(error());
            }
        }
        if !relation.plan.is_sound(relation, &belongs, relations) {
            return Err(error());
        }
    }
    let parents = types.iter().enumerate().flat_map(|(position, table)| {
        table
            .parents
            .iter()
            .map(move |parent| (*parent, u32::try_from(position).unwrap_or(u32::MAX)))
    });
    for (parent, type_index) in parents {
        let stores =
            relations.get(index(parent)).is_some_and(|table| !table.restrictions.is_empty());
        if !belongs(parent, type_index) || !stores {
            return Err(error());
        }
    }
    Ok(())
}

impl Plan {
    fn decode(words: &[Word]) -> Option<Self> {
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

    fn is_sound(
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

/// Numbers the relations that store something, type by type, and finds where their blocks start.
fn assign_slots(
    types: &mut [TypeTable],
    relations: &mut [RelationTable],
) -> Result<(), SnapshotError> {
    let mut first_offset = 0_usize;
    for table in types {
        let own = index(table.relations.start)..index(table.relations.end);
        for relation in relations.get_mut(own).into_iter().flatten() {
            if !relation.restrictions.is_empty() {
                relation.slot = table.blocks.columns;
                table.blocks.columns = table.blocks.columns.saturating_add(1);
            }
        }
        table.first_offset = first_offset;
        if table.blocks.columns > 0 {
            first_offset = first_offset
                .checked_add(index(table.count))
                .ok_or_else(|| SnapshotError::new("types", "have too many objects"))?;
        }
    }
    Ok(())
}

/// Finds what can come out of each relation: the least fixed point.
fn assign_reach(relations: &mut [RelationTable], types: usize) {
    let empty = Reach {
        types: vec![0; types.div_ceil(64)],
        relations: vec![0; relations.len().div_ceil(64)],
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
        relation.reaches = reaches;
    }
}

impl Reach {
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
