//! Changes of a snapshot: the rows of a delta.

use crate::name::{ObjectName, Subject};
use crate::record::{Credential, Identity};

/// One change. Rows of a delta are applied in their order, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A credential ceases to exist: tokens that need it are `credential-unknown`.
    DeleteCredential {
        /// Its public id.
        id: String,
    },
    /// An identity ceases to exist.
    DeleteIdentity {
        /// Its object.
        object: ObjectName,
    },
    /// An object forgets its relationships (those in which it is the object) and its tenant.
    DeleteObject {
        /// The object.
        object: ObjectName,
    },
    /// A relationship ends. One that is not stored is no error: deltas may be replayed.
    DeleteTuple {
        /// Its object.
        object: ObjectName,
        /// Its relation.
        relation: String,
        /// Its subject.
        subject: Subject,
    },
    /// A credential is new, or replaced whole.
    PutCredential(Credential),
    /// An identity is new, or replaced whole.
    PutIdentity(Identity),
    /// An object is new, or moves to a tenant.
    PutObject {
        /// The object.
        object: ObjectName,
        /// The id of its tenant; `None` where it has none.
        tenant: Option<String>,
    },
    /// A relationship is new, or its condition is replaced.
    WriteTuple(StoredTuple),
}

/// A relationship with its condition's context in binary form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTuple {
    /// The object.
    pub object: ObjectName,
    /// The relation.
    pub relation: String,
    /// Who has it.
    pub subject: Subject,
    /// The condition under which it holds.
    pub condition: Option<StoredCondition>,
}

/// A condition and the context that is stored beside the relationship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCondition {
    /// The condition's name in the model.
    pub name: String,
    /// Typed values of its parameters, as the condition compiler encodes them.
    pub context: Vec<u8>,
}
