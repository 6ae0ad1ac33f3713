//! Handles of objects and relations within one snapshot.

/// An object of a snapshot: valid for that snapshot and the deltas applied to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    pub(crate) type_index: u32,
    pub(crate) local: u32,
}

/// A type of a snapshot's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectType(pub(crate) u32);

/// A relation of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation(pub(crate) u32);

/// Where an object belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenancy {
    /// To this tenant: an object of the tenant type.
    Of(Object),
    /// To several: a person, whose identity record lists them.
    Several,
    /// To none, since its type is shared by all tenants.
    Shared,
    /// Nobody knows: equals nothing.
    Unknown,
}

impl Object {
    /// The handle as two words, for records that refer to it.
    #[must_use]
    pub const fn to_words(self) -> [u32; 2] {
        [self.type_index, self.local]
    }

    /// A handle from two words.
    #[must_use]
    pub const fn from_words([type_index, local]: [u32; 2]) -> Self {
        Self { type_index, local }
    }
}
