//! OpenFGA's store file, `.fga.yaml`: a model, relationships, and tests of what follows from them.
//!
//! Source: `docs/STORE_FILE.md` of OpenFGA's command line. Unlike there, a member that nobody knows
//! is an error: a misspelt assertion would assert nothing.

mod error;
mod parts;
mod shape;

pub use error::StoreFileError;

use serde_json::{Map, Value};

use self::parts::Parts;
use self::shape::Shape;
use crate::model::{LocatedModel, Model};
use crate::tuple::Tuple;

/// A store file together with the files that it names.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreFile {
    /// What its author calls it.
    pub name: String,
    /// The model, valid.
    pub model: Model,
    /// Relationships of every test.
    pub tuples: Vec<Tuple>,
    /// The tests, in the order of the file.
    pub tests: Vec<StoreTest>,
}

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreTest {
    /// What its author calls it.
    pub name: String,
    /// Relationships of this test, beside those of every test.
    pub tuples: Vec<Tuple>,
    /// What Check must say, one question an entry.
    pub checks: Vec<CheckTest>,
    /// What ListObjects must say.
    pub list_objects: Vec<ListObjectsTest>,
    /// What ListUsers must say.
    pub list_users: Vec<ListUsersTest>,
}

/// Whether a user has a relation to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckTest {
    /// The user, as written.
    pub user: String,
    /// The relation.
    pub relation: String,
    /// The object, as written.
    pub object: String,
    /// Values for conditions.
    pub context: Map<String, Value>,
    /// The answer that is right.
    pub expected: bool,
}

/// To which objects a user has a relation.
#[derive(Clone, Debug, PartialEq)]
pub struct ListObjectsTest {
    /// The user, as written.
    pub user: String,
    /// The relation.
    pub relation: String,
    /// The objects' type.
    pub type_name: String,
    /// Values for conditions.
    pub context: Map<String, Value>,
    /// The objects, as written, in any order.
    pub expected: Vec<String>,
}

/// Which users have a relation to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ListUsersTest {
    /// The object, as written.
    pub object: String,
    /// The relation.
    pub relation: String,
    /// Which users are asked for.
    pub filters: Vec<UserFilter>,
    /// Values for conditions.
    pub context: Map<String, Value>,
    /// The users, as written, in any order.
    pub expected: Vec<String>,
}

/// Users of a type, or usersets of a type's relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFilter {
    /// The type.
    pub type_name: String,
    /// The relation, where usersets are asked for.
    pub relation: Option<String>,
}

/// Reads a file that a store file names: the path is as written there, relative to the store file.
/// An error is one line.
pub type Open<'o> = &'o mut dyn FnMut(&str) -> Result<String, String>;

impl StoreFile {
    /// Reads a store file, and through `open` what it names.
    ///
    /// # Errors
    /// Everything that is wrong, with file, line and column where they are known.
    pub fn parse(name: &str, text: &str, open: Open<'_>) -> Result<Self, Vec<StoreFileError>> {
        let shape: Shape = serde_saphyr::from_str(text)
            .map_err(|error| vec![StoreFileError::yaml(name, &error)])?;
        let mut parts = Parts::new(name, open);
        let model = parts.model(&shape);
        let tuples = parts.tuples(&shape.relationships());
        let tests: Vec<_> = shape.tests.iter().flatten().map(|test| parts.test(test)).collect();
        match (model, parts.finish()) {
            (Some(model), Ok(())) => {
                let model = LocatedModel::into_model(model);
                Ok(Self { name: shape.name.unwrap_or_default(), model, tuples, tests })
            }
            (_, errors) => Err(errors.err().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
