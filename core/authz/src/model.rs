//! OpenFGA's authorization model, schema 1.1 and 1.2 modules: what the DSL and the JSON form say.
//!
//! Source: OpenFGA's configuration language, <https://openfga.dev/docs/configuration-language>.

mod admission;
mod circles;
mod dsl;
mod error;
mod index;
mod json;
mod lexer;
mod lint;
mod located;
mod module;
mod parser;
mod problem_text;
mod rule;
mod source;
mod validator;

use std::fmt;

pub use admission::Admission;
pub use error::{Duplicate, ModelError, Named, Problem, Reference, Span};
pub use lint::{Hint, Warning};
pub use located::LocatedModel;
pub use module::{Manifest, ModuleFile};
pub use rule::is_store_object_id;

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// `1.1` or `1.2`.
    pub schema: Schema,
    /// Types, in the order of the text.
    pub types: Vec<TypeDefinition>,
    /// Conditions, in the order of the text.
    pub conditions: Vec<ConditionDefinition>,
}

/// The schema version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// `schema 1.1`
    V1_1,
    /// `schema 1.2`: modules.
    V1_2,
}

/// A type and its relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeDefinition {
    /// The type's name.
    pub name: String,
    /// Relations, in the order of the text.
    pub relations: Vec<RelationDefinition>,
    /// The module that defines it.
    pub module: Option<String>,
    /// The file that defines it.
    pub file: Option<String>,
}

/// `define name: …`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationDefinition {
    /// The relation's name.
    pub name: String,
    /// How it is computed.
    pub rewrite: Rewrite,
    /// `[user, team#member, user:* with condition]`: what may be stored; empty where nothing may.
    pub restrictions: Vec<TypeRestriction>,
    /// The module that defines it, where `extend type` added it.
    pub module: Option<String>,
    /// The file that defines it, where `extend type` added it.
    pub file: Option<String>,
}

/// How a relation is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// What is stored: the `[…]` of the definition (`this`).
    Direct,
    /// Another relation of the same object.
    Computed(String),
    /// `relation from tupleset`: the relation of each object that the tupleset holds.
    From {
        /// The relation of the objects found.
        relation: String,
        /// The relation of this object that names them.
        tupleset: String,
    },
    /// `a or b`
    Union(Vec<Self>),
    /// `a and b`
    Intersection(Vec<Self>),
    /// `a but not b`
    Difference(Box<Self>, Box<Self>),
}

/// One entry of `[…]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeRestriction {
    /// The subject's type.
    pub type_name: String,
    /// Which subjects of it.
    pub form: RestrictionForm,
    /// `with condition`.
    pub condition: Option<String>,
}

/// Which subjects of a type may be stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RestrictionForm {
    /// `user`
    Object,
    /// `team#member`
    Userset(String),
    /// `user:*`
    Wildcard,
}

/// `condition name(parameters) { expression }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionDefinition {
    /// The condition's name.
    pub name: String,
    /// Parameters in the order of the text (of the name in JSON, whose object has no order).
    pub parameters: Vec<(String, crate::condition::ParameterType)>,
    /// The CEL expression as written.
    pub expression: String,
    /// The module that defines it.
    pub module: Option<String>,
    /// The file that defines it.
    pub file: Option<String>,
}

impl Model {
    /// Reads OpenFGA's language.
    ///
    /// The model is well formed, which is not yet sound: see [`Model::validate`].
    ///
    /// # Errors
    /// Everything that is wrong up to the first syntax error, with line and column.
    pub fn parse_dsl(text: &str) -> Result<Self, Vec<ModelError>> {
        LocatedModel::parse_dsl(text).map(LocatedModel::into_model)
    }

    /// Reads OpenFGA's JSON form.
    ///
    /// # Errors
    /// The first thing that is wrong, with its path.
    pub fn from_json(text: &str) -> Result<Self, Vec<ModelError>> {
        json::read(text).map_err(|error| vec![*error])
    }

    /// OpenFGA's JSON form, in which objects have no order.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(json::Written(self)).unwrap_or_default()
    }

    /// OpenFGA's JSON form as text, indented, in the order of the model.
    #[must_use]
    pub fn to_json_text(&self) -> String {
        serde_json::to_string_pretty(&json::Written(self)).unwrap_or_default()
    }

    /// OpenFGA's language, in the official layout. A model of modules is sorted by module, file and
    /// name; which module a part came from is not said.
    ///
    /// # Errors
    /// What the language cannot say: `[…]` elsewhere than first, parameters of type `any`, names
    /// that are its keywords.
    pub fn to_dsl(&self) -> Result<String, Vec<ModelError>> {
        dsl::write(self, false)
    }

    /// As [`Model::to_dsl`], with comments that name the module and file of each part.
    ///
    /// # Errors
    /// As [`Model::to_dsl`].
    pub fn to_dsl_with_sources(&self) -> Result<String, Vec<ModelError>> {
        dsl::write(self, true)
    }

    /// Checks what OpenFGA's validator checks: see [`LocatedModel::validate`], which also knows
    /// lines.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn validate(&self) -> Result<(), Vec<ModelError>> {
        let errors = validator::validate(self, &source::Places::default());
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}

impl Schema {
    /// The version as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::V1_1, Self::V1_2].into_iter().find(|version| version.as_str() == text)
    }
}

/// As it stands in `[…]`.
impl fmt::Display for TypeRestriction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.type_name)?;
        match &self.form {
            RestrictionForm::Object => {}
            RestrictionForm::Userset(relation) => write!(formatter, "#{relation}")?,
            RestrictionForm::Wildcard => formatter.write_str(":*")?,
        }
        match &self.condition {
            Some(condition) => write!(formatter, " with {condition}"),
            None => Ok(()),
        }
    }
}
