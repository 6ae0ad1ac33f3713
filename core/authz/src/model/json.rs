//! OpenFGA's JSON form of a model.
//!
//! Members of the official form are known in both spellings of protobuf's JSON, `type_definitions`
//! and `typeDefinitions`; anything else is refused with its path, which is stricter than the
//! official readers: a misspelt member must not silently allow or deny.

mod read;
mod shape;
mod write;

pub(super) use read::read;
pub(super) use write::Written;
