//! What the deltas changed of identities and credentials, beside the section.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use super::RecordTable;
use super::key::Key;
use crate::name::ObjectName;
use crate::record::{Credential, Identity};
use crate::row::Row;
use crate::snapshot::Object;

/// Identities and credentials that deltas have put or deleted. A copy is cheap until it is changed.
#[derive(Clone, Debug, Default)]
pub struct RecordOverlay(Arc<Changes>);

#[derive(Clone, Debug, Default)]
struct Changes {
    /// `None`: deleted.
    identities: Table<Object, Option<Arc<ChangedIdentity>>>,
    /// By the hash of each key that an identity has or had; what is found is compared exactly.
    claimants: Table<u64, Vec<Object>>,
    /// `None`: deleted.
    credentials: Table<String, Option<Arc<ChangedCredential>>>,
    /// The ids of changed credentials, by whose they are or were.
    credentials_of: Table<Object, Vec<String>>,
    /// The ids of changed credentials, by the certificate that they register or registered.
    certificates: Table<[u8; 32], Vec<String>>,
}

type Table<K, V> = HashMap<K, V, BuildHasherDefault<SipHasher13>>;

/// An identity, with the handles of the objects that it names.
#[derive(Clone, Debug)]
pub(crate) struct ChangedIdentity {
    pub(super) record: Identity,
    pub(super) object: Object,
    pub(super) tenants: Vec<Object>,
    pub(super) sole_user: Option<Object>,
}

/// A credential, with the handle of its identity.
#[derive(Clone, Debug)]
pub(crate) struct ChangedCredential {
    pub(super) record: Credential,
    pub(super) identity: Object,
}

impl RecordOverlay {
    /// Applies a row about an identity or a credential; other rows change nothing here.
    ///
    /// `resolve` gives the handle of an object, which it adds if the snapshot does not know it yet;
    /// `None` where the type is unknown.
    ///
    /// # Errors
    /// An object of an unknown type, tenants where the snapshot has none: one line. The overlay may
    /// then be changed in part; callers apply to a copy.
    pub fn apply(
        &mut self,
        table: &RecordTable,
        row: &Row,
        tenant_type: Option<&str>,
        resolve: &mut dyn FnMut(&ObjectName) -> Option<Object>,
    ) -> Result<(), String> {
        let mut known =
            |name: &ObjectName| resolve(name).ok_or_else(|| "the type is unknown".to_owned());
        match row {
            Row::DeleteCredential { id } => self.changes().put_credential(id, None),
            Row::DeleteIdentity { object } => {
                let object = known(object)?;
                self.changes().identities.insert(object, None);
            }
            Row::PutCredential(record) => {
                let identity = known(&record.identity)?;
                let changed = ChangedCredential { record: record.clone(), identity };
                self.changes().put_credential(&record.id, Some(changed));
            }
            Row::PutIdentity(record) => {
                let object = known(&record.object)?;
                let sole_user = record.sole_user.as_ref().map(&mut known).transpose()?;
                let tenants = record.tenants.iter().map(|tenant| {
                    let tenant_type = tenant_type.ok_or("the snapshot has no tenants")?;
                    known(&ObjectName::new(tenant_type, tenant.as_str()))
                });
                let tenants = tenants.collect::<Result<_, String>>()?;
                let changed =
                    ChangedIdentity { record: record.clone(), object, tenants, sole_user };
                self.changes().put_identity(table.layout.key, changed);
            }
            Row::DeleteObject { .. }
            | Row::DeleteTuple { .. }
            | Row::PutObject { .. }
            | Row::WriteTuple(_) => {}
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.identities.is_empty() && self.0.credentials.is_empty()
    }

    /// The change of an identity: `Some(None)` where it was deleted.
    pub(super) fn identity(&self, object: Object) -> Option<Option<&ChangedIdentity>> {
        if self.0.identities.is_empty() {
            return None;
        }
        self.0.identities.get(&object).map(Option::as_deref)
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = &ChangedIdentity> {
        self.0.identities.values().filter_map(Option::as_deref)
    }

    /// The changed identities that have this subject or client.
    pub(super) fn claimants(
        &self,
        key: &Key<'_>,
        secret: [u8; 16],
    ) -> impl Iterator<Item = &ChangedIdentity> {
        let hash = (!self.0.claimants.is_empty()).then(|| key.hash(secret));
        let objects = hash.and_then(|hash| self.0.claimants.get(&hash)).into_iter().flatten();
        let key = *key;
        objects.filter_map(move |object| {
            self.0.identities.get(object)?.as_deref().filter(|identity| identity.has(&key))
        })
    }

    /// The change of a credential: `Some(None)` where it was deleted.
    pub(super) fn credential(&self, id: &str) -> Option<Option<&ChangedCredential>> {
        if self.0.credentials.is_empty() {
            return None;
        }
        self.0.credentials.get(id).map(Option::as_deref)
    }

    pub(super) fn replaces_credential(&self, id: &str) -> bool {
        self.credential(id).is_some()
    }

    pub(super) fn credentials_of(
        &self,
        object: Object,
    ) -> impl Iterator<Item = &ChangedCredential> {
        let ids = self.0.credentials_of.get(&object).into_iter().flatten();
        let credentials = ids.filter_map(|id| self.credential(id).flatten());
        credentials.filter(move |credential| credential.identity == object)
    }

    pub(super) fn certificate_holder(&self, thumbprint: &[u8; 32]) -> Option<Object> {
        let ids = self.0.certificates.get(thumbprint).into_iter().flatten();
        let mut credentials = ids.filter_map(|id| self.credential(id).flatten());
        let registered = credentials
            .find(|credential| credential.record.thumbprint.as_ref() == Some(thumbprint));
        registered.map(|credential| credential.identity)
    }

    fn changes(&mut self) -> &mut Changes {
        Arc::make_mut(&mut self.0)
    }
}

impl Changes {
    fn put_identity(&mut self, secret: [u8; 16], changed: ChangedIdentity) {
        for key in changed.keys() {
            let claimants = self.claimants.entry(key.hash(secret)).or_default();
            if !claimants.contains(&changed.object) {
                claimants.push(changed.object);
            }
        }
        self.identities.insert(changed.object, Some(Arc::new(changed)));
    }

    fn put_credential(&mut self, id: &str, changed: Option<ChangedCredential>) {
        if let Some(changed) = &changed {
            let mut ids = vec![self.credentials_of.entry(changed.identity).or_default()];
            let certificate = changed.record.thumbprint;
            ids.extend(
                certificate.map(|thumbprint| self.certificates.entry(thumbprint).or_default()),
            );
            for ids in ids.into_iter().filter(|ids| !ids.iter().any(|known| known == id)) {
                ids.push(id.to_owned());
            }
        }
        self.credentials.insert(id.to_owned(), changed.map(Arc::new));
    }
}

impl ChangedIdentity {
    fn keys(&self) -> impl Iterator<Item = Key<'_>> {
        let subjects = self.record.subjects.iter();
        let subjects =
            subjects.map(|holder| Key::Subject { issuer: &holder.issuer, name: &holder.name });
        let clients = self.record.clients.iter();
        let clients =
            clients.map(|holder| Key::Client { issuer: &holder.issuer, name: &holder.name });
        subjects.chain(clients)
    }

    fn has(&self, key: &Key<'_>) -> bool {
        let (holders, issuer, name) = match *key {
            Key::Subject { issuer, name } => (&self.record.subjects, issuer, name),
            Key::Client { issuer, name } => (&self.record.clients, issuer, name),
            Key::Object(_) | Key::Credential(_) | Key::Thumbprint(_) => return false,
        };
        holders.iter().any(|holder| holder.issuer == issuer && holder.name == name)
    }
}
