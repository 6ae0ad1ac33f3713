//! Identities and credentials, read in place, and what the deltas changed of them.
//!
//! Every look-up hashes once and compares exactly; nothing is parsed when a snapshot is loaded.
//! docs/snapshot-records.md specifies the bytes.

#[cfg(feature = "builder")]
mod encode;
#[cfg(feature = "builder")]
mod export;
mod key;
mod layout;
mod overlay;
mod validate;
mod view;

#[cfg(feature = "builder")]
pub use self::encode::{Encoding, RecordError, encode};
pub use self::overlay::RecordOverlay;
pub use self::view::{Claimant, CredentialView, GrantView, HolderView, IdentityView, ScopeView};

use self::key::{Key, bucket, fingerprint};
use self::layout::{
    CredentialRecord, EntryRecord, HandleRecord, HolderRecord, IdentityRecord, Layout, NameRecord,
    ScopeRecord, Word, index, read, slice, words,
};
use crate::snapshot::Object;

/// The section's layout, after every offset and range in it was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordTable {
    layout: Layout,
}

impl RecordTable {
    /// Checks the section: one pass over each part, no hashing. `within` says whether a handle is
    /// one of an object of the snapshot.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence that starts with `records`.
    pub fn validate(section: &[u8], within: &dyn Fn(Object) -> bool) -> Result<Self, &'static str> {
        let layout = Layout::read(section)?;
        validate::validate(&Parts::open(section, &layout), within)?;
        Ok(Self { layout })
    }
}

/// Identities and credentials of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Records<'s> {
    parts: Parts<'s>,
    overlay: &'s RecordOverlay,
}

impl<'s> Records<'s> {
    /// The records of a section whose table was checked, under the changes since.
    #[must_use]
    pub fn new(section: &'s [u8], table: &RecordTable, overlay: &'s RecordOverlay) -> Self {
        Self { parts: Parts::open(section, &table.layout), overlay }
    }

    /// The identity whose object this is.
    #[must_use]
    pub fn by_object(&self, object: Object) -> Option<IdentityView<'s>> {
        if let Some(change) = self.overlay.identity(object) {
            return change.map(IdentityView::changed);
        }
        self.stored_by_object(object).map(|number| IdentityView::stored(self.parts, number))
    }

    /// The identity that an issuer's subject is.
    #[must_use]
    pub fn by_subject(&self, issuer: &str, name: &str) -> Claimant<'s> {
        self.by_holder(Key::Subject { issuer, name }, issuer, name)
    }

    /// The identity that an issuer's client names.
    #[must_use]
    pub fn by_client(&self, issuer: &str, name: &str) -> Claimant<'s> {
        self.by_holder(Key::Client { issuer, name }, issuer, name)
    }

    /// The credential with this public id.
    #[must_use]
    pub fn credential(&self, id: &str) -> Option<CredentialView<'s>> {
        if let Some(change) = self.overlay.credential(id) {
            return change.map(CredentialView::changed);
        }
        let key = Key::Credential(id);
        self.parts.credential_index.find(&key, self.parts.key, |number| {
            let view = CredentialView::stored(self.parts, number)?;
            (view.id() == id).then_some(view)
        })
    }

    /// Whose certificate this is, by any credential that registers it.
    #[must_use]
    pub fn certificate_holder(&self, thumbprint: &[u8; 32]) -> Option<Object> {
        let changed = self.overlay.certificate_holder(thumbprint);
        changed.or_else(|| {
            let key = Key::Thumbprint(thumbprint);
            self.parts.credential_index.find(&key, self.parts.key, |number| {
                let view = CredentialView::stored(self.parts, number)?;
                let current = view.thumbprint() == Some(thumbprint)
                    && !self.overlay.replaces_credential(view.id());
                current.then(|| view.identity()).flatten()
            })
        })
    }

    /// The credentials of an identity.
    pub fn credentials_of(&self, object: Object) -> impl Iterator<Item = CredentialView<'s>> {
        let (parts, overlay) = (self.parts, self.overlay);
        let stored = self.stored_by_object(object).and_then(|number| parts.credentials_of(number));
        let stored = stored.unwrap_or_default().filter_map(move |number| {
            let view = CredentialView::stored(parts, number)?;
            (!overlay.replaces_credential(view.id())).then_some(view)
        });
        stored.chain(overlay.credentials_of(object).map(CredentialView::changed))
    }

    /// Every identity: those of the section by their objects, then those of the deltas.
    pub fn identities(&self) -> impl Iterator<Item = IdentityView<'s>> {
        let (parts, overlay) = (self.parts, self.overlay);
        let count = u32::try_from(parts.identities.len()).unwrap_or(u32::MAX);
        let stored = (0..count).map(move |number| IdentityView::stored(parts, number));
        let stored = stored.filter(move |view| {
            view.object().is_some_and(|object| overlay.identity(object).is_none())
        });
        stored.chain(overlay.identities().map(IdentityView::changed))
    }

    fn by_holder(&self, key: Key<'_>, issuer: &str, name: &str) -> Claimant<'s> {
        let stored = self.parts.identity_index.find(&key, self.parts.key, |number| {
            let holder = self.parts.holder(number)?;
            (holder.issuer == issuer && holder.name == name).then_some(holder.identity)
        });
        let stored = stored.map(|number| IdentityView::stored(self.parts, number));
        if self.overlay.is_empty() {
            return stored.map_or(Claimant::Nobody, Claimant::One);
        }
        let current = |view: &IdentityView<'_>| {
            view.object().is_some_and(|object| self.overlay.identity(object).is_none())
        };
        let mut claimants = stored
            .filter(current)
            .into_iter()
            .chain(self.overlay.claimants(&key, self.parts.key).map(IdentityView::changed));
        match (claimants.next(), claimants.next()) {
            (None, _) => Claimant::Nobody,
            (Some(only), None) => Claimant::One(only),
            (Some(_), Some(_)) => Claimant::Several,
        }
    }

    fn stored_by_object(&self, object: Object) -> Option<u32> {
        self.parts.identity_index.find(&Key::Object(object), self.parts.key, |number| {
            (IdentityView::stored(self.parts, number).object() == Some(object)).then_some(number)
        })
    }
}

/// The parts of a section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'s> {
    key: [u8; 16],
    identities: &'s [IdentityRecord],
    holders: &'s [HolderRecord],
    handles: &'s [HandleRecord],
    scopes: &'s [ScopeRecord],
    names: &'s [NameRecord],
    credentials: &'s [CredentialRecord],
    identity_index: Index<'s>,
    credential_index: Index<'s>,
    text: &'s [u8],
}

/// A holder whose texts were found.
struct FoundHolder<'s> {
    issuer: &'s str,
    name: &'s str,
    identity: u32,
}

impl<'s> Parts<'s> {
    fn open(section: &'s [u8], layout: &Layout) -> Self {
        let all = words(section);
        let part = |range: &std::ops::Range<usize>| all.get(range.clone()).unwrap_or_default();
        let index = |buckets, entries| Index {
            buckets: part(buckets),
            entries: part(entries).as_chunks().0,
        };
        Self {
            key: layout.key,
            identities: part(&layout.identities).as_chunks().0,
            holders: part(&layout.holders).as_chunks().0,
            handles: part(&layout.handles).as_chunks().0,
            scopes: part(&layout.scopes).as_chunks().0,
            names: part(&layout.names).as_chunks().0,
            credentials: part(&layout.credentials).as_chunks().0,
            identity_index: index(&layout.identity_buckets, &layout.identity_entries),
            credential_index: index(&layout.credential_buckets, &layout.credential_entries),
            text: section.get(layout.text.clone()).unwrap_or_default(),
        }
    }

    /// A text that was checked to be one.
    fn text(&self, start: u32, length: u32) -> &'s str {
        let bytes = slice(self.text, start, length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn name(&self, number: u32) -> &'s str {
        let record = self.names.get(index(number));
        record.map_or("", |[start, length]| self.text(read(start), read(length)))
    }

    fn holder(&self, number: u32) -> Option<FoundHolder<'s>> {
        let [issuer, start, length, identity] = self.holders.get(index(number))?;
        let name = self.text(read(start), read(length));
        Some(FoundHolder { issuer: self.name(read(issuer)), name, identity: read(identity) })
    }

    /// The numbers of an identity's credentials.
    fn credentials_of(&self, identity: u32) -> Option<std::ops::Range<u32>> {
        let [.., first, count] = self.identities.get(index(identity))?;
        Some(read(first)..read(first).saturating_add(read(count)))
    }
}

/// A hash index: buckets by the highest bits of the hash, entries with the lowest.
#[derive(Clone, Copy, Debug)]
struct Index<'s> {
    /// Where each bucket starts among the entries, and the end of the last.
    buckets: &'s [Word],
    entries: &'s [EntryRecord],
}

impl Index<'_> {
    /// The first entry for this key that `accept` recognises.
    fn find<T>(
        &self,
        key: &Key<'_>,
        secret: [u8; 16],
        accept: impl Fn(u32) -> Option<T>,
    ) -> Option<T> {
        let bits = self.buckets.len().checked_sub(1)?.checked_ilog2()?;
        let hash = key.hash(secret);
        let [start, end] = self.buckets.get(bucket(hash, bits)..)?.first_chunk()?;
        let entries = self.entries.get(index(read(start))..index(read(end)))?;
        let wanted = fingerprint(hash);
        let alike = entries.iter().filter(|[fingerprint, _]| read(fingerprint) == wanted);
        let mut numbers = alike.filter_map(|[_, entry]| {
            let entry = read(entry);
            (entry & TAG == u32::from(key.tag())).then_some(entry >> TAG_BITS)
        });
        numbers.find_map(accept)
    }
}

/// The bits of an entry that hold the tag.
const TAG: u32 = (1 << TAG_BITS) - 1;
/// How many they are.
const TAG_BITS: u32 = 2;
