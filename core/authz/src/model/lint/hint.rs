//! What looks like a mistake, in words.

use std::fmt;

use crate::model::error::{Span, write_place};

/// Something in a valid model that looks like a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The module file, in a model of several.
    pub file: Option<String>,
    /// Where; `None` where the model came as JSON or was made in code.
    pub span: Option<Span>,
    /// What.
    pub hint: Hint,
}

/// What looks like a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Relations of a type name each other in a circle: OpenFGA's server refuses the model, though
    /// its validator does not.
    Circle {
        /// A relation of the circle.
        relation: String,
        /// The type.
        type_name: String,
    },
    /// Nobody whom `but not` excludes could have the relation anyway.
    ExcludesNobody {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
    },
    /// The operands of an `and` have no type of subject in common.
    NeverHolds {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
    },
    /// `relation from tupleset` gives nothing for some of the tupleset's types.
    TypesWithoutRelation {
        /// The relation.
        relation: String,
        /// The tupleset.
        tupleset: String,
        /// The types that lack the relation.
        type_names: Vec<String>,
    },
    /// A parameter `host_…` or `token_…` that no request gives, or gives with another type: the
    /// condition never holds unless each relationship brings a value.
    UnknownInput {
        /// The condition.
        condition: String,
        /// The parameter.
        parameter: String,
    },
    /// A parameter that the expression does not name, and that every request must still give.
    UnusedParameter {
        /// The condition.
        condition: String,
        /// The parameter.
        parameter: String,
    },
    /// A relation that is stored, leads to no permission `can_…` and is named nowhere.
    UnusedRelation {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
    },
    /// A type without relations that no relation names.
    UnusedType {
        /// The type.
        type_name: String,
    },
}

impl Hint {
    /// The kind of hint: stable, kebab-case.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Circle { .. } => "circle",
            Self::ExcludesNobody { .. } => "excludes-nobody",
            Self::NeverHolds { .. } => "never-holds",
            Self::TypesWithoutRelation { .. } => "types-without-relation",
            Self::UnknownInput { .. } => "unknown-input",
            Self::UnusedParameter { .. } => "unused-parameter",
            Self::UnusedRelation { .. } => "unused-relation",
            Self::UnusedType { .. } => "unused-type",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(self.file.as_deref(), self.span, &self.hint.to_string(), formatter)
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle { relation, type_name } => write!(
                to,
                "`{relation}` of `{type_name}` leads back to itself: OpenFGA's server refuses that"
            ),
            Self::ExcludesNobody { relation, type_name } => write!(
                to,
                "`{relation}` of `{type_name}`: whom `but not` names could not have it anyway"
            ),
            Self::NeverHolds { relation, type_name } => write!(
                to,
                "`{relation}` of `{type_name}`: no subject can have all sides of the `and`"
            ),
            Self::TypesWithoutRelation { relation, tupleset, type_names } => write!(
                to,
                "`{relation} from {tupleset}` gives nothing for {}, which lack `{relation}`",
                type_names.join(", ")
            ),
            Self::UnknownInput { condition, parameter } => write!(
                to,
                "`{parameter}` of `{condition}` is given by no request under this name and type"
            ),
            Self::UnusedParameter { condition, parameter } => {
                write!(to, "`{parameter}` of `{condition}` must be given and is not used")
            }
            Self::UnusedRelation { relation, type_name } => {
                write!(to, "`{relation}` of `{type_name}` is stored and grants nothing")
            }
            Self::UnusedType { type_name } => {
                write!(to, "`{type_name}` has no relations, and none names it")
            }
        }
    }
}
