//! The members of a store file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) name: Option<String>,
    pub(super) model: Option<Spanned<String>>,
    pub(super) model_file: Option<Spanned<String>>,
    tuples: Option<Vec<TupleShape>>,
    tuple_file: Option<Spanned<String>>,
    tuple_files: Option<Vec<Spanned<String>>>,
    pub(super) tests: Option<Vec<TestShape>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestShape {
    pub(super) name: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    tuples: Option<Vec<TupleShape>>,
    tuple_file: Option<Spanned<String>>,
    tuple_files: Option<Vec<Spanned<String>>>,
    pub(super) check: Option<Vec<CheckShape>>,
    pub(super) list_objects: Option<Vec<ListObjectsShape>>,
    pub(super) list_users: Option<Vec<ListUsersShape>>,
}

/// Relationships, written down here and in other files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relationships<'s> {
    pub(super) written: Option<&'s Vec<TupleShape>>,
    pub(super) file: Option<&'s Spanned<String>>,
    pub(super) files: Option<&'s Vec<Spanned<String>>>,
}

impl Shape {
    pub(super) const fn relationships(&self) -> Relationships<'_> {
        Relationships {
            written: self.tuples.as_ref(),
            file: self.tuple_file.as_ref(),
            files: self.tuple_files.as_ref(),
        }
    }
}

impl TestShape {
    pub(super) const fn relationships(&self) -> Relationships<'_> {
        Relationships {
            written: self.tuples.as_ref(),
            file: self.tuple_file.as_ref(),
            files: self.tuple_files.as_ref(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TupleShape {
    pub(super) user: Spanned<String>,
    pub(super) relation: String,
    pub(super) object: Spanned<String>,
    pub(super) condition: Option<ConditionShape>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionShape {
    pub(super) name: String,
    pub(super) context: Option<Map<String, Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckShape {
    pub(super) user: Option<Spanned<String>>,
    pub(super) users: Option<Vec<Spanned<String>>>,
    pub(super) object: Option<Spanned<String>>,
    pub(super) objects: Option<Vec<Spanned<String>>>,
    pub(super) context: Option<Map<String, Value>>,
    pub(super) assertions: Option<Spanned<BTreeMap<String, bool>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListObjectsShape {
    pub(super) user: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) context: Option<Map<String, Value>>,
    pub(super) assertions: Option<BTreeMap<String, Option<Vec<String>>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListUsersShape {
    pub(super) object: String,
    pub(super) user_filter: Vec<UserFilterShape>,
    pub(super) context: Option<Map<String, Value>>,
    pub(super) assertions: Option<BTreeMap<String, UsersShape>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserFilterShape {
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) relation: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UsersShape {
    pub(super) users: Option<Vec<String>>,
}
