//! The rows of a delta.

use super::Overlay;
use crate::name::{ObjectName, Subject};
use crate::records::RecordOverlay;
use crate::row::{Row, StoredCondition};
use crate::snapshot::object::{Object, Tenancy};
use crate::snapshot::schema::{Form, RelationTable};
use crate::snapshot::{Snapshot, View};

/// Applies one row of a delta. The snapshot's own overlay has been taken out: the view of it is one
/// of the body.
pub(in crate::snapshot) fn apply(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    records: &mut RecordOverlay,
    row: &Row,
) -> Result<(), String> {
    match row {
        Row::DeleteCredential { .. }
        | Row::DeleteIdentity { .. }
        | Row::PutCredential(_)
        | Row::PutIdentity(_) => apply_record(snapshot, overlay, records, row),
        Row::DeleteObject { object } => delete_object(snapshot, overlay, object),
        Row::DeleteTuple { object, relation, subject } => {
            let change = Change { object, relation, subject };
            change.delete(snapshot, overlay)
        }
        Row::PutObject { object, tenant } => {
            put_object(snapshot, overlay, object, tenant.as_deref())
        }
        Row::WriteTuple(tuple) => {
            let change = Change {
                object: &tuple.object,
                relation: &tuple.relation,
                subject: &tuple.subject,
            };
            change.write(snapshot, overlay, tuple.condition.as_ref())
        }
    }
}

fn apply_record(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    records: &mut RecordOverlay,
    row: &Row,
) -> Result<(), String> {
    let schema = &snapshot.schema;
    let tenant_type = schema.tenant_type.and_then(|tenant| schema.type_table(tenant));
    let tenant_type = tenant_type.map(|table| table.name.as_str());
    let view = snapshot.view();
    let mut resolve = |name: &ObjectName| {
        let type_index = schema.type_named(&name.type_name)?;
        overlay.intern(&view, type_index, &name.id).ok()
    };
    records.apply(&snapshot.records, row, tenant_type, &mut resolve)
}

/// A relationship that changes.
#[derive(Clone, Copy, Debug)]
struct Change<'r> {
    object: &'r ObjectName,
    relation: &'r str,
    subject: &'r Subject,
}

/// A change whose names were found.
struct Resolved<'s> {
    object: Object,
    relation: &'s RelationTable,
    form: Form,
    subject: Object,
}

impl Change<'_> {
    /// Stores the relationship, in place of one with another condition.
    fn write(
        &self,
        snapshot: &Snapshot,
        overlay: &mut Overlay,
        condition: Option<&StoredCondition>,
    ) -> Result<(), String> {
        let view = snapshot.view();
        let (condition, context) = match condition {
            None => (None, None),
            Some(condition) => {
                let number = snapshot.schema.condition_named(&condition.name);
                let number = number.ok_or("the condition is unknown")?;
                let code = view.code(number).map(|(_, code)| code).unwrap_or_default();
                crate::condition::validate_context(code, &condition.context)
                    .map_err(|_| "the condition's context is malformed")?;
                (Some(number), Some(condition.context.clone()))
            }
        };
        let resolved = self.resolve(snapshot, overlay)?;
        let relation = resolved.relation;
        let fitting = relation.restrictions.iter().find(|restriction| {
            restriction.type_index == resolved.subject.type_index
                && restriction.form == resolved.form
                && restriction.condition == condition
        });
        let fitting = fitting.ok_or("the model does not admit this subject here")?;
        check_tenants(snapshot, overlay, &resolved)?;
        let word = relation.subject_word(fitting, resolved.subject.local);
        let word = word.ok_or("there are too many objects")?;
        resolved.remove_others(&view, overlay, Some(word));
        overlay.put(&view, (resolved.object, relation), word, context);
        Ok(())
    }

    fn delete(&self, snapshot: &Snapshot, overlay: &mut Overlay) -> Result<(), String> {
        let resolved = self.resolve(snapshot, overlay)?;
        resolved.remove_others(&snapshot.view(), overlay, None);
        Ok(())
    }

    fn resolve<'s>(
        &self,
        snapshot: &'s Snapshot,
        overlay: &mut Overlay,
    ) -> Result<Resolved<'s>, String> {
        let view = snapshot.view();
        let schema = &snapshot.schema;
        let type_named = |name: &str| schema.type_named(name).ok_or("the type is unknown");
        let object_type = type_named(&self.object.type_name)?;
        let relation = schema.relation_named(object_type, self.relation);
        let relation = relation.and_then(|relation| schema.relation_table(relation));
        let relation = relation.ok_or("the relation is unknown")?;
        if relation.restrictions.is_empty() {
            return Err("the relation stores nothing".to_owned());
        }
        let (form, subject) = match self.subject {
            Subject::Object(name) => {
                let type_index = type_named(&name.type_name)?;
                (Form::Object, overlay.intern(&view, type_index, &name.id)?)
            }
            Subject::Userset(name, of) => {
                let type_index = type_named(&name.type_name)?;
                let of = schema.relation_named(type_index, of).ok_or("the relation is unknown")?;
                (Form::Userset(of), overlay.intern(&view, type_index, &name.id)?)
            }
            Subject::Wildcard(name) => {
                (Form::Wildcard, Object { type_index: type_named(name)?, local: 0 })
            }
        };
        let object = overlay.intern(&view, object_type, &self.object.id)?;
        Ok(Resolved { object, relation, form, subject })
    }
}

impl Resolved<'_> {
    /// Removes the relationship under every condition but the one whose word is kept: (object,
    /// relation, subject) is one key.
    fn remove_others(&self, view: &View<'_>, overlay: &mut Overlay, kept: Option<u32>) {
        let relation = self.relation;
        let alike = relation.restrictions.iter().filter(|restriction| {
            restriction.type_index == self.subject.type_index && restriction.form == self.form
        });
        let words = alike.filter_map(|alike| relation.subject_word(alike, self.subject.local));
        for word in words.filter(|word| kept != Some(*word)) {
            overlay.remove(view, (self.object, relation), word);
        }
    }
}

/// Refuses a relationship that joins two tenants.
fn check_tenants(
    snapshot: &Snapshot,
    overlay: &Overlay,
    resolved: &Resolved<'_>,
) -> Result<(), String> {
    let view = snapshot.view_with(overlay);
    let tenants = (view.tenancy(resolved.object), view.tenancy(resolved.subject));
    match tenants {
        (Tenancy::Of(one), Tenancy::Of(other))
            if one != other && resolved.form != Form::Wildcard =>
        {
            Err("the relationship joins two tenants".to_owned())
        }
        _ => Ok(()),
    }
}

fn delete_object(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    name: &ObjectName,
) -> Result<(), String> {
    let schema = &snapshot.schema;
    let type_index = schema.type_named(&name.type_name).ok_or("the type is unknown")?;
    let view = snapshot.view();
    let object = overlay.intern(&view, type_index, &name.id)?;
    let stores = schema
        .relations
        .iter()
        .filter(|relation| relation.type_index == type_index && !relation.restrictions.is_empty());
    for relation in stores {
        overlay.empty(&view, object, relation);
    }
    overlay.set_tenancy(object, Tenancy::Unknown);
    Ok(())
}

fn put_object(
    snapshot: &Snapshot,
    overlay: &mut Overlay,
    name: &ObjectName,
    tenant: Option<&str>,
) -> Result<(), String> {
    let schema = &snapshot.schema;
    let type_index = schema.type_named(&name.type_name).ok_or("the type is unknown")?;
    let view = snapshot.view();
    let object = overlay.intern(&view, type_index, &name.id)?;
    let tenancy = match tenant {
        None => Tenancy::Unknown,
        Some(tenant) => {
            let tenant_type = schema.tenant_type.ok_or("the snapshot has no tenants")?;
            Tenancy::Of(overlay.intern(&view, tenant_type, tenant)?)
        }
    };
    overlay.set_tenancy(object, tenancy);
    Ok(())
}
