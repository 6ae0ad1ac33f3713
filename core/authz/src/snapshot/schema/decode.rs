//! Reading the model's sections.

use super::reach::{Reach, assign_reach};
use super::{
    ConditionTable, Form, PRINCIPAL, Plan, RelationTable, Restriction, SHARED, Schema, TENANT,
    TypeTable, local_bits,
};
use crate::snapshot::SnapshotError;
use crate::snapshot::block::{BlockLayout, RowPlace, Width};
use crate::snapshot::body::{Body, Section, Word, index, read};

impl Schema {
    /// Decodes and checks the model's sections.
    pub(crate) fn decode(body: &Body) -> Result<Self, SnapshotError> {
        let strings = Strings::open(body)?;
        let conditions = decode_conditions(body, &strings)?;
        let (mut types, tenant_type) = decode_types(body, &strings)?;
        let mut relations = decode_relations(body, &strings, &types, conditions.len())?;
        check_references(&types, &relations)?;
        assign_places(&mut types, &mut relations)?;
        assign_reach(&mut relations, types.len());
        Ok(Self { types, relations, conditions, tenant_type })
    }
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
    whole(rest, "types")?;
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
        let runs = span(run_first, run_count);
        if relation_first != first_relation || runs.start != first_run {
            return Err(error("overlap"));
        }
        let parents = parents
            .get(span(parent_first, parent_count))
            .ok_or_else(|| error("name parents that are not there"))?;
        let position = u32::try_from(types.len()).unwrap_or(u32::MAX);
        if flags & TENANT != 0 && tenant_type.replace(position).is_some() {
            return Err(error("have two tenant types"));
        }
        let name = strings.text(name)?;
        if flags > (SHARED | PRINCIPAL | TENANT)
            || types.last().is_some_and(|last| last.name >= name)
        {
            return Err(error("are out of order or have unknown flags"));
        }
        let width =
            Width::from_bytes(end_bytes).ok_or_else(|| error("have ends of no known width"))?;
        let table = TypeTable {
            name,
            shared: flags & SHARED != 0,
            principal: flags & PRINCIPAL != 0,
            count,
            first_object,
            blocks: BlockLayout::new(0, width),
            first_offset: 0,
            relations,
            runs,
            parents: parents.iter().map(read).collect(),
        };
        first_object = first_object.checked_add(count).ok_or_else(|| error("have many objects"))?;
        first_relation = table.relations.end;
        first_run = table.runs.end;
        types.push(table);
    }
    Ok((types, tenant_type))
}

fn span(first: u32, count: u32) -> std::ops::Range<usize> {
    index(first)..index(first).saturating_add(index(count))
}

fn whole(rest: &[Word], section: &'static str) -> Result<(), SnapshotError> {
    if rest.is_empty() { Ok(()) } else { Err(SnapshotError::new(section, "are not whole entries")) }
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
            restrictions: tagged(restrictions),
            stores_usersets: restrictions.iter().any(Restriction::is_userset),
            place: RowPlace::default(),
            local_bits: local_bits(restrictions.len()),
            reaches: Reach::default(),
            recursive: false,
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
        Ok(Restriction { type_index, form, condition: condition.checked_sub(1), tag: 0 })
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

/// Puts the position of each restriction above the object's bits.
fn tagged(restrictions: &[Restriction]) -> Vec<Restriction> {
    let bits = local_bits(restrictions.len());
    let tagged = (0_u32..).zip(restrictions).map(|(position, restriction)| Restriction {
        tag: position.checked_shl(bits).unwrap_or_default(),
        ..*restriction
    });
    tagged.collect()
}

/// Finds where the rows of the relations lie that store something, type by type.
fn assign_places(
    types: &mut [TypeTable],
    relations: &mut [RelationTable],
) -> Result<(), SnapshotError> {
    let mut first_offset = 0_usize;
    for table in types {
        let own = index(table.relations.start)..index(table.relations.end);
        let own = relations.get_mut(own).unwrap_or_default();
        let stores = own.iter_mut().filter(|relation| !relation.restrictions.is_empty());
        let stores: Vec<&mut RelationTable> = stores.collect();
        let columns = u32::try_from(stores.len()).unwrap_or(u32::MAX);
        table.blocks = BlockLayout::new(columns, table.blocks.width);
        table.first_offset = first_offset;
        for (column, relation) in (0..).zip(stores) {
            relation.place =
                RowPlace { first_offset, objects: table.count, layout: table.blocks, column };
        }
        if columns > 0 {
            first_offset = first_offset
                .checked_add(index(table.count))
                .ok_or_else(|| SnapshotError::new("types", "have too many objects"))?;
        }
    }
    Ok(())
}

/// Words of a type's entry.
const TYPE_WORDS: usize = 10;
/// Words of a relation's entry.
const RELATION_WORDS: usize = 6;
/// Words of a restriction's entry.
const RESTRICTION_WORDS: usize = 4;
/// Words of a condition's entry.
const CONDITION_WORDS: usize = 3;
