//! What leads from one snapshot to another, as the rows of a delta.

use std::collections::BTreeMap;

use anyhow::{bail, ensure};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{Credential, Identity};
use mandate_authz::row::{Row, StoredCondition, StoredTuple};
use mandate_authz::snapshot::{Object, Snapshot, Tenancy};

/// What differs between two snapshots.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(super) relationships: Changes<Relationship, Option<StoredCondition>>,
    /// With the id of the tenant.
    pub(super) objects: Changes<ObjectName, Option<String>>,
    pub(super) identities: Changes<ObjectName, Identity>,
    pub(super) credentials: Changes<String, Credential>,
}

/// What a relationship is known by.
pub(super) type Relationship = (ObjectName, String, Subject);

/// What is new, what is different, what is gone.
#[derive(Debug)]
pub(super) struct Changes<K, V> {
    pub(super) added: Vec<(K, V)>,
    pub(super) changed: Vec<(K, V)>,
    pub(super) removed: Vec<(K, V)>,
}

impl<K: Ord, V: PartialEq> Changes<K, V> {
    fn compare(
        &mut self,
        before: impl IntoIterator<Item = (K, V)>,
        after: impl IntoIterator<Item = (K, V)>,
    ) {
        let mut before: BTreeMap<K, V> = before.into_iter().collect();
        for (key, value) in after {
            match before.remove(&key) {
                Some(same) if same == value => {}
                Some(_) => self.changed.push((key, value)),
                None => self.added.push((key, value)),
            }
        }
        self.removed.extend(before);
    }
}

impl<K, V> Changes<K, V> {
    pub(super) const fn len(&self) -> usize {
        self.added.len().saturating_add(self.changed.len()).saturating_add(self.removed.len())
    }

    fn put(&self) -> impl Iterator<Item = &(K, V)> {
        self.added.iter().chain(&self.changed)
    }
}

impl<K, V> Default for Changes<K, V> {
    fn default() -> Self {
        Self { added: Vec::new(), changed: Vec::new(), removed: Vec::new() }
    }
}

impl Difference {
    /// Compares two snapshots of one model.
    ///
    /// # Errors
    /// When their models differ: then nothing is comparable.
    pub(crate) fn between(earlier: &Snapshot, later: &Snapshot) -> anyhow::Result<Self> {
        ensure!(
            earlier.has_model_of(later),
            "the snapshots have different models, or different types in the contract"
        );
        let mut difference = Self::default();
        for type_name in later.type_names() {
            difference.compare_type(earlier, later, type_name);
        }
        let identities = |snapshot: &Snapshot| {
            let all = snapshot.identities().into_iter();
            all.map(|one| (one.object.clone(), one)).collect::<Vec<_>>()
        };
        difference.identities.compare(identities(earlier), identities(later));
        let credentials = |snapshot: &Snapshot| {
            let all = snapshot.credentials().into_iter();
            all.map(|one| (one.id.clone(), one)).collect::<Vec<_>>()
        };
        difference.credentials.compare(credentials(earlier), credentials(later));
        Ok(difference)
    }

    fn compare_type(&mut self, earlier: &Snapshot, later: &Snapshot, type_name: &str) {
        let objects = |snapshot: &Snapshot| {
            let all = snapshot.objects(type_name);
            all.map(|one| (snapshot.name(one), tenant(snapshot, one))).collect::<Vec<_>>()
        };
        self.objects.compare(objects(earlier), objects(later));
        for object in later.objects(type_name) {
            let before = earlier.find(type_name, &later.name(object).id);
            let before = before.map(|before| relationships(earlier, before)).unwrap_or_default();
            self.relationships.compare(before, relationships(later, object));
        }
        for object in earlier.objects(type_name) {
            if later.find(type_name, &earlier.name(object).id).is_none() {
                self.relationships.removed.extend(relationships(earlier, object));
            }
        }
    }

    /// How many things differ.
    pub(super) const fn len(&self) -> usize {
        self.relationships
            .len()
            .saturating_add(self.objects.len())
            .saturating_add(self.identities.len())
            .saturating_add(self.credentials.len())
    }

    /// The rows that lead from the earlier snapshot to the later one, in an order in which each can
    /// be applied: a relationship is refused where it joins two tenants, so first everything goes
    /// to its place.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let delete_tuple = |((object, relation, subject), _): &(Relationship, _)| {
            let (object, relation) = (object.clone(), relation.clone());
            Row::DeleteTuple { object, relation, subject: subject.clone() }
        };
        let write_tuple = |((object, relation, subject), condition): &(Relationship, Option<_>)| {
            let (object, relation) = (object.clone(), relation.clone());
            let (subject, condition) = (subject.clone(), condition.clone());
            Row::WriteTuple(StoredTuple { object, relation, subject, condition })
        };
        let put_object = |(object, tenant): &(ObjectName, Option<String>)| Row::PutObject {
            object: object.clone(),
            tenant: tenant.clone(),
        };
        let deleted = self.relationships.removed.iter().map(delete_tuple);
        let credentials = self.credentials.removed.iter();
        let identities = self.identities.removed.iter();
        let objects = self.objects.removed.iter();
        deleted
            .chain(credentials.map(|(id, _)| Row::DeleteCredential { id: id.clone() }))
            .chain(identities.map(|(object, _)| Row::DeleteIdentity { object: object.clone() }))
            .chain(objects.map(|(object, _)| Row::DeleteObject { object: object.clone() }))
            .chain(self.objects.put().map(put_object))
            .chain(self.identities.put().map(|(_, identity)| Row::PutIdentity(identity.clone())))
            .chain(self.credentials.put().map(|(_, one)| Row::PutCredential(one.clone())))
            .chain(self.relationships.put().map(write_tuple))
            .collect()
    }
}

/// Applies the rows to the earlier snapshot and looks whether it has become the later one.
///
/// # Errors
/// A change that rows cannot tell: then only a snapshot helps.
pub(super) fn require_leads(
    earlier: &Snapshot,
    later: &Snapshot,
    rows: &[Row],
) -> anyhow::Result<()> {
    let mut applied = earlier.clone();
    applied.apply(rows)?;
    let left = Difference::between(&applied, later)?;
    // Objects that are gone leave their names behind, without relationships.
    let forgotten = left.objects.removed.len();
    if left.len() != forgotten {
        let changes = left.len().saturating_sub(forgotten);
        bail!("{changes} of the changes cannot be told by a delta: publish the snapshot");
    }
    Ok(())
}

fn relationships(
    snapshot: &Snapshot,
    object: Object,
) -> Vec<(Relationship, Option<StoredCondition>)> {
    let split =
        |tuple: StoredTuple| ((tuple.object, tuple.relation, tuple.subject), tuple.condition);
    snapshot.stored_tuples(object).into_iter().map(split).collect()
}

/// The id of the tenant. Tenants, shared types and people with several have none of their own.
fn tenant(snapshot: &Snapshot, object: Object) -> Option<String> {
    match snapshot.tenancy(object) {
        Tenancy::Of(tenant) if tenant != object => Some(snapshot.name(tenant).id),
        Tenancy::Of(_) | Tenancy::Several | Tenancy::Shared | Tenancy::Unknown => None,
    }
}
