//! The code and the words of each problem: OpenFGA's own where it has them.

use std::fmt;

use super::error::{Duplicate, Named, Problem, Reference};

impl Problem {
    /// The kind of problem: OpenFGA's code where it has one.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AssignableWithoutTypes => "assignable-relation-must-have-type",
            Self::ConditionExpression { .. } => "condition-expression",
            Self::ConditionNameDiffers { .. } => "different-nested-condition-name",
            Self::Cycle { .. } => "relation-cycle",
            Self::Duplicate(_) => "duplicated-error",
            Self::ExtendOutsideModule => "extend-outside-module",
            Self::Impossible { .. } => "relation-no-entry-point",
            Self::InvalidName { .. } => "invalid-name",
            Self::Json { .. } => "invalid-json",
            Self::Manifest { .. } => "invalid-manifest",
            Self::ModulesInFile { .. } => "multiple-modules-in-file",
            Self::Nesting { .. } => "nesting",
            Self::NotInDsl { .. } => "not-in-dsl",
            Self::NotModule => "not-a-module",
            Self::Reference(reference) => reference.code(),
            Self::ReservedName { what: Named::Relation { .. } } => "reserved-relation-keywords",
            Self::ReservedName { what: Named::Type(_) | Named::Condition(_) } => {
                "reserved-type-keywords"
            }
            Self::Schema { .. } => "invalid-schema",
            Self::SchemaMissing => "schema-version-required",
            Self::Syntax { .. } => "invalid-syntax",
            Self::TooLarge { .. } => "too-large",
            Self::TooManyTypes { .. } => "too-many-types",
            Self::WildcardWithRelation { .. } => "type-wildcard-relation",
        }
    }
}

impl Reference {
    const fn code(&self) -> &'static str {
        match self {
            Self::ConditionNotDefined { .. } => "condition-not-defined",
            Self::ConditionNotUsed { .. } => "condition-not-used",
            Self::ExtendedTypeMissing { .. } => "extended-type-missing",
            Self::RelationNotDefined { .. } => "missing-definition",
            Self::RelationNotOnTupleset { .. } => "invalid-relation-on-tupleset",
            Self::RelationNotOnType { .. } => "invalid-relation-type",
            Self::TuplesetNotDirect { .. } => "tupleuserset-not-direct",
            Self::TypeNotDefined { .. } => "invalid-type",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssignableWithoutTypes => to.write_str("assignable relation must have types"),
            Self::ConditionExpression { condition, message } => {
                write!(to, "condition `{condition}`: {message}")
            }
            Self::ConditionNameDiffers { key, name } => {
                write!(to, "condition key is `{key}` but nested name property is {name}")
            }
            Self::Cycle { relation, type_name } => {
                write!(to, "`{relation}` of `{type_name}` depends on its own `but not`")
            }
            Self::Duplicate(duplicate) => duplicate.fmt(to),
            Self::ExtendOutsideModule => to.write_str("extend can only be used in a modular model"),
            Self::Impossible { relation, type_name, looped } => {
                let cause = if *looped { "potential loop" } else { "no entrypoint" };
                write!(to, "`{relation}` is an impossible relation for `{type_name}` ({cause})")
            }
            Self::InvalidName { what, rule } => {
                write!(to, "{what} does not match naming rule: '{rule}'")
            }
            Self::Json { path, message } if path.is_empty() => to.write_str(message),
            Self::Json { path, message } => write!(to, "`{path}`: {message}"),
            Self::Manifest { message } => to.write_str(message),
            Self::ModulesInFile { file, modules } => write!(
                to,
                "file {file} would contain multiple module definitions ({}) when transforming to \
                 DSL. Only one module can be defined per file",
                modules.join(", ")
            ),
            Self::Nesting { limit } => write!(to, "more than {limit} levels of nesting"),
            Self::NotInDsl { what } => {
                write!(to, "{what} is not supported by the OpenFGA DSL syntax yet")
            }
            Self::NotModule => to.write_str("file is not a module"),
            Self::Reference(reference) => reference.fmt(to),
            Self::ReservedName { what } => {
                let type_named = matches!(what, Named::Type(_));
                let kind = if type_named { "type" } else { "relation" };
                write!(to, "a {kind} cannot be named 'self' or 'this'")
            }
            Self::Schema { found } => write!(to, "invalid schema {found}"),
            Self::SchemaMissing => to.write_str("schema version required"),
            Self::Syntax { found, expected } => write!(to, "found {found}, expected {expected}"),
            Self::TooLarge { limit } => write!(to, "larger than {limit} bytes"),
            Self::TooManyTypes { limit } => write!(to, "more than {limit} types"),
            Self::WildcardWithRelation { restriction } => write!(
                to,
                "type restriction `{restriction}` cannot contain both wildcard and relation"
            ),
        }
    }
}

impl fmt::Display for Duplicate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition { condition, across_files: true } => {
                write!(to, "duplicate condition {condition}")
            }
            Self::Condition { condition, across_files: false } => {
                write!(to, "condition '{condition}' is already defined in the model")
            }
            Self::Extension { type_name } => {
                write!(to, "'{type_name}' is already extended in file")
            }
            Self::Parameter { condition, parameter } => write!(
                to,
                "parameter '{parameter}' is already defined in the condition '{condition}'"
            ),
            Self::Part { part, relation } => write!(
                to,
                "the partial relation definition `{part}` is a duplicate in the relation \
                 `{relation}`"
            ),
            Self::Relation { relation, type_name, across_files: true } => {
                write!(to, "relation {relation} already exists on type {type_name}")
            }
            Self::Relation { relation, type_name, across_files: false } => {
                write!(to, "'{relation}' is already defined in '{type_name}'")
            }
            Self::Restriction { restriction, relation } => write!(
                to,
                "the type restriction `{restriction}` is a duplicate in the relation `{relation}`"
            ),
            Self::Type { type_name } => write!(to, "the type `{type_name}` is a duplicate"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConditionNotDefined { condition } => {
                write!(to, "`{condition}` is not a defined condition in the model")
            }
            Self::ConditionNotUsed { condition } => {
                write!(to, "`{condition}` condition is not used in the model")
            }
            Self::ExtendedTypeMissing { type_name } => {
                write!(to, "extended type {type_name} does not exist")
            }
            Self::RelationNotDefined { relation } => {
                write!(to, "the relation `{relation}` does not exist")
            }
            Self::RelationNotOnTupleset { relation, type_name, tupleset, found } => write!(
                to,
                "the `{relation}` relation definition on type `{type_name}` is not valid: \
                 `{relation}` does not exist on `{tupleset}`, which is of type `{found}`"
            ),
            Self::RelationNotOnType { relation, type_name } => {
                write!(to, "`{relation}` is not a valid relation for `{type_name}`")
            }
            Self::TuplesetNotDirect { relation } => {
                write!(to, "`{relation}` relation used inside from allows only direct relation")
            }
            Self::TypeNotDefined { type_name } => write!(to, "`{type_name}` is not a valid type"),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Condition(name) => write!(to, "condition '{name}'"),
            Self::Relation { relation, type_name } => {
                write!(to, "relation '{relation}' of type '{type_name}'")
            }
            Self::Type(name) => write!(to, "type '{name}'"),
        }
    }
}
