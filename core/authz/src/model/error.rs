//! What is wrong with a model, and where.

use std::fmt;

/// A place in a text. Lines and columns count from 1, columns and lengths in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The line.
    pub line: u32,
    /// The first character's column.
    pub column: u32,
    /// How many characters of that line.
    pub length: u32,
}

/// One thing that is wrong with a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelError {
    /// The module file, in a model of several.
    pub file: Option<String>,
    /// Where; `None` where the model came as JSON or was made in code.
    pub span: Option<Span>,
    /// What.
    pub problem: Problem,
}

/// What can be wrong with a model.
///
/// Wording follows OpenFGA's own messages, so that what people find about them helps here too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An assignable relation without types.
    AssignableWithoutTypes,
    /// The expression of a condition does not compile.
    ConditionExpression {
        /// The condition.
        condition: String,
        /// The compiler's words.
        message: String,
    },
    /// A JSON condition whose key and `name` differ.
    ConditionNameDiffers {
        /// The key.
        key: String,
        /// The member `name`.
        name: String,
    },
    /// A relation that its own `but not` depends on: there is no answer to give.
    Cycle {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
    },
    /// Something twice.
    Duplicate(Duplicate),
    /// `extend type` outside a module.
    ExtendOutsideModule,
    /// A relation that nobody can ever have.
    Impossible {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
        /// Whether it is defined by itself.
        looped: bool,
    },
    /// A name that does not fit OpenFGA's rule for names.
    InvalidName {
        /// What is named.
        what: Named,
        /// The rule.
        rule: &'static str,
    },
    /// The JSON text, or the shape of what it holds.
    Json {
        /// Where, `type_definitions[0].relations`; empty for the document as a whole.
        path: String,
        /// What is wrong there.
        message: String,
    },
    /// A manifest `fga.mod` that cannot be used.
    Manifest {
        /// What is wrong with it.
        message: String,
    },
    /// Modules of several names in one file.
    ModulesInFile {
        /// The file.
        file: String,
        /// The modules.
        modules: Vec<String>,
    },
    /// More parentheses in each other than the limit.
    Nesting {
        /// The limit.
        limit: usize,
    },
    /// The official language has no way to write it.
    NotInDsl {
        /// The relation or condition.
        what: String,
    },
    /// A file of a modular model that is none.
    NotModule,
    /// A name that leads nowhere, or to the wrong thing.
    Reference(Reference),
    /// `self` or `this` as a name.
    ReservedName {
        /// Whether a type or a relation bears it.
        what: Named,
    },
    /// A schema version that is not known.
    Schema {
        /// The version.
        found: String,
    },
    /// No schema version.
    SchemaMissing,
    /// Something else stands where the grammar wants something.
    Syntax {
        /// What stands there.
        found: String,
        /// What may.
        expected: &'static str,
    },
    /// A text larger than the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// More types than the limit.
    TooManyTypes {
        /// The limit.
        limit: usize,
    },
    /// A restriction with both `:*` and `#relation`.
    WildcardWithRelation {
        /// The restriction.
        restriction: String,
    },
}

/// What stands twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duplicate {
    /// Two conditions of a name.
    Condition {
        /// The name.
        condition: String,
        /// Whether the other one is in another file.
        across_files: bool,
    },
    /// A type extended twice in one file.
    Extension {
        /// The type.
        type_name: String,
    },
    /// A parameter declared twice.
    Parameter {
        /// The condition.
        condition: String,
        /// The parameter.
        parameter: String,
    },
    /// The same operand twice beside each other.
    Part {
        /// The operand, `viewer` or `viewer from parent`.
        part: String,
        /// The relation that it is part of.
        relation: String,
    },
    /// Two relations of a name.
    Relation {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
        /// Whether the other one is in another file.
        across_files: bool,
    },
    /// The same entry twice in `[…]`.
    Restriction {
        /// The entry, `team#member with condition`.
        restriction: String,
        /// The relation.
        relation: String,
    },
    /// Two types of a name.
    Type {
        /// The name.
        type_name: String,
    },
}

/// A name that leads nowhere, or to the wrong thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `with condition` names none of the model's.
    ConditionNotDefined {
        /// The name.
        condition: String,
    },
    /// No type restriction names the condition.
    ConditionNotUsed {
        /// The condition.
        condition: String,
    },
    /// `extend type` of a type that no module defines.
    ExtendedTypeMissing {
        /// The type.
        type_name: String,
    },
    /// An operand names no relation of the type.
    RelationNotDefined {
        /// The name.
        relation: String,
    },
    /// `relation from tupleset`, and no type that the tupleset allows has that relation.
    RelationNotOnTupleset {
        /// The relation wanted.
        relation: String,
        /// The type that defines the reference.
        type_name: String,
        /// The tupleset.
        tupleset: String,
        /// The type that the tupleset allows.
        found: String,
    },
    /// `type#relation`, or the tupleset after `from`, names no relation of that type.
    RelationNotOnType {
        /// The relation wanted.
        relation: String,
        /// The type that lacks it.
        type_name: String,
    },
    /// A relation after `from` that is more than stored objects.
    TuplesetNotDirect {
        /// The relation.
        relation: String,
    },
    /// A type restriction names no type.
    TypeNotDefined {
        /// The name.
        type_name: String,
    },
}

/// A type, relation or condition, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A condition.
    Condition(String),
    /// A relation of a type.
    Relation {
        /// The relation.
        relation: String,
        /// The type.
        type_name: String,
    },
    /// A type.
    Type(String),
}

impl ModelError {
    pub(super) const fn new(problem: Problem) -> Self {
        Self { file: None, span: None, problem }
    }

    pub(super) const fn at(span: Span, problem: Problem) -> Self {
        Self { file: None, span: Some(span), problem }
    }

    pub(super) fn in_file(self, file: &str) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }
}

impl std::error::Error for ModelError {}

impl fmt::Display for ModelError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_place(self.file.as_deref(), self.span, &self.problem.to_string(), formatter)
    }
}

/// `file:line:column: words`, on one line whatever the words are.
pub(super) fn write_place(
    file: Option<&str>,
    span: Option<Span>,
    words: &str,
    formatter: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if let Some(file) = file {
        write!(formatter, "{}:", one_line(file))?;
    }
    if let Some(span) = span {
        write!(formatter, "{}:{}:", span.line, span.column)?;
    }
    if file.is_some() || span.is_some() {
        formatter.write_str(" ")?;
    }
    formatter.write_str(&one_line(words))
}

/// Names that came as JSON or YAML may hold any character.
fn one_line(text: &str) -> String {
    let escaped = |character: char| {
        let escape = character.is_control().then(|| character.escape_default());
        let plain = escape.is_none().then_some(character);
        escape.into_iter().flatten().chain(plain)
    };
    text.chars().flat_map(escaped).collect()
}
