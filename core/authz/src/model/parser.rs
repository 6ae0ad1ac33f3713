//! The official grammar by recursive descent. The first syntax error ends a text; names given twice
//! are all reported.
//!
//! Source: `OpenFGAParser.g4` of openfga/language.

mod condition;
mod relation;

pub(super) use condition::expression_text;

use std::collections::BTreeSet;

use super::error::{Duplicate, ModelError, Problem, Span};
use super::lexer::{Token, TokenKind, tokens, without_comments};
use super::source::{Places, RelationPlaces, TypePlaces};
use super::{ConditionDefinition, RelationDefinition, TypeDefinition};
use crate::limits::MODEL_BYTES;

/// What one text says: a model, or one module of several.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) header: Header,
    pub(super) types: Vec<TypeSection>,
    pub(super) conditions: Vec<ConditionDefinition>,
    pub(super) places: Places,
}

/// The first lines of a text.
#[derive(Debug)]
pub(super) enum Header {
    /// `model`, `schema 1.1`
    Model { schema: String, place: Span },
    /// `module core`: every part knows its module's name.
    Module,
}

/// `type …` or `extend type …`
#[derive(Debug)]
pub(super) struct TypeSection {
    pub(super) definition: TypeDefinition,
    pub(super) extends: bool,
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Document, Vec<ModelError>> {
    if text.len() > MODEL_BYTES {
        return Err(vec![ModelError::new(Problem::TooLarge { limit: MODEL_BYTES })]);
    }
    let clean = without_comments(text);
    let mut parser = Parser {
        tokens: tokens(&clean),
        next: 0,
        module: None,
        extended: BTreeSet::new(),
        conditions: BTreeSet::new(),
        errors: Vec::new(),
    };
    match parser.document() {
        Ok(document) if parser.errors.is_empty() => Ok(document),
        Ok(_) => Err(parser.errors),
        Err(error) => {
            parser.errors.push(*error);
            Err(parser.errors)
        }
    }
}

type Parsed<T> = Result<T, Box<ModelError>>;

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
    module: Option<String>,
    /// Names of types that were extended.
    extended: BTreeSet<String>,
    /// Names of conditions.
    conditions: BTreeSet<String>,
    /// What is wrong without being a syntax error.
    errors: Vec<ModelError>,
}

impl<'t> Parser<'t> {
    fn document(&mut self) -> Parsed<Document> {
        self.skip(TokenKind::Whitespace);
        self.skip(TokenKind::Newline);
        let header = self.header()?;
        let mut document = Document {
            header,
            types: Vec::new(),
            conditions: Vec::new(),
            places: Places::default(),
        };
        self.skip(TokenKind::Whitespace);
        while !self.ends(&document)? {
            self.section(&mut document)?;
        }
        Ok(document)
    }

    /// Passes the line ends before the next section, and says whether the text ends there.
    ///
    /// A line with a comment of CEL, which no rule sees, stands between two line ends; the grammar
    /// has room for a second one behind the header, before the conditions and at the end.
    fn ends(&mut self, document: &Document) -> Parsed<bool> {
        let (no_types, no_conditions) = (document.types.is_empty(), document.conditions.is_empty());
        let first = usize::from(no_types && no_conditions);
        let before_conditions = usize::from(no_conditions);
        let mut passed = 0_usize;
        while self.peek(0) == TokenKind::Newline {
            let next = self.peek(1);
            passed = passed.saturating_add(1);
            let room = if next == TokenKind::Condition || next == TokenKind::End {
                1_usize.saturating_add(before_conditions).saturating_add(first)
            } else {
                1_usize.saturating_add(first)
            };
            if passed > room && next != TokenKind::Newline {
                return self.refuse("a section");
            }
            self.advance();
        }
        if self.peek(0) != TokenKind::End && passed == 0 {
            return self.refuse("a line end");
        }
        Ok(self.peek(0) == TokenKind::End)
    }

    fn header(&mut self) -> Parsed<Header> {
        if self.skip(TokenKind::Module) {
            self.expect(TokenKind::Whitespace, "a space and the module's name")?;
            let name = self.identifier("the module's name")?.text.to_owned();
            self.module = Some(name);
            return Ok(Header::Module);
        }
        self.expect(TokenKind::Model, "`model` or `module`")?;
        self.expect(TokenKind::Newline, "a line end")?;
        self.expect(TokenKind::Schema, "`schema`")?;
        self.expect(TokenKind::Whitespace, "a space and the schema's version")?;
        let version =
            self.expect(TokenKind::SchemaVersion, "the schema's version, such as `1.1`")?;
        Ok(Header::Model { schema: version.text.to_owned(), place: version.span })
    }

    fn section(&mut self, document: &mut Document) -> Parsed<()> {
        let types_may_follow = document.conditions.is_empty();
        if self.peek(0) == TokenKind::Condition {
            self.condition_section(document)
        } else if types_may_follow && matches!(self.peek(0), TokenKind::Type | TokenKind::Extend) {
            let (section, places) = self.type_section()?;
            self.check_extension(&section, places.name);
            document.types.push(section);
            document.places.types.push(places);
            Ok(())
        } else if types_may_follow {
            self.refuse("`type`, `extend type` or `condition`")
        } else {
            self.refuse("`condition`: types stand before conditions")
        }
    }

    fn condition_section(&mut self, document: &mut Document) -> Parsed<()> {
        let (condition, places) = self.condition()?;
        if !self.conditions.insert(condition.name.clone()) {
            let condition = condition.name.clone();
            self.duplicate(places.name, Duplicate::Condition { condition, across_files: false });
        }
        document.conditions.push(condition);
        document.places.conditions.push(places);
        Ok(())
    }

    fn check_extension(&mut self, section: &TypeSection, name: Span) {
        if !section.extends {
            return;
        }
        if self.module.is_none() {
            self.errors.push(ModelError::at(name, Problem::ExtendOutsideModule));
        } else if !self.extended.insert(section.definition.name.clone()) {
            let type_name = section.definition.name.clone();
            self.duplicate(name, Duplicate::Extension { type_name });
        }
    }

    fn type_section(&mut self) -> Parsed<(TypeSection, TypePlaces)> {
        let extends = self.skip(TokenKind::Extend);
        if extends {
            self.expect(TokenKind::Whitespace, "a space and `type`")?;
        }
        self.expect(TokenKind::Type, "`type`")?;
        self.expect(TokenKind::Whitespace, "a space and the type's name")?;
        let name = self.extended_identifier("the type's name")?;
        let mut definition = TypeDefinition {
            name: name.text.to_owned(),
            relations: Vec::new(),
            module: self.module.clone(),
            file: None,
        };
        let mut relations = Vec::new();
        if self.peek(0) == TokenKind::Newline && self.peek(1) == TokenKind::Relations {
            self.advance();
            self.advance();
            self.relations(&mut definition, &mut relations, extends)?;
        }
        let places = TypePlaces { name: name.span, relations };
        Ok((TypeSection { definition, extends }, places))
    }

    fn relations(
        &mut self,
        definition: &mut TypeDefinition,
        places: &mut Vec<RelationPlaces>,
        extends: bool,
    ) -> Parsed<()> {
        let mut names = BTreeSet::new();
        loop {
            self.expect(TokenKind::Newline, "a line end")?;
            self.expect(TokenKind::Define, "`define`")?;
            let (relation, place) = self.relation(extends)?;
            if !names.insert(relation.name.clone()) {
                self.duplicate_relation(place.name, &relation, definition);
            }
            definition.relations.push(relation);
            places.push(place);
            if self.peek(0) != TokenKind::Newline || self.peek(1) != TokenKind::Define {
                return Ok(());
            }
        }
    }

    fn duplicate_relation(
        &mut self,
        place: Span,
        relation: &RelationDefinition,
        definition: &TypeDefinition,
    ) {
        self.duplicate(
            place,
            Duplicate::Relation {
                relation: relation.name.clone(),
                type_name: definition.name.clone(),
                across_files: false,
            },
        );
    }

    fn duplicate(&mut self, place: Span, duplicate: Duplicate) {
        self.errors.push(ModelError::at(place, Problem::Duplicate(duplicate)));
    }
}

/// Tokens: looking, taking, refusing.
impl<'t> Parser<'t> {
    fn peek(&self, ahead: usize) -> TokenKind {
        self.token(ahead).kind
    }

    /// The last token is the end, and stays so however far one looks.
    fn token(&self, ahead: usize) -> Token<'t> {
        let end =
            Token { kind: TokenKind::End, text: "", span: Span { line: 1, column: 1, length: 0 } };
        let found = self.tokens.get(self.next.saturating_add(ahead)).or_else(|| self.tokens.last());
        found.copied().unwrap_or(end)
    }

    fn advance(&mut self) -> Token<'t> {
        let token = self.token(0);
        self.next = self.next.saturating_add(1);
        token
    }

    fn skip(&mut self, kind: TokenKind) -> bool {
        let skipped = self.peek(0) == kind;
        if skipped {
            self.advance();
        }
        skipped
    }

    fn expect(&mut self, kind: TokenKind, expected: &'static str) -> Parsed<Token<'t>> {
        if self.peek(0) == kind { Ok(self.advance()) } else { self.refuse(expected) }
    }

    /// Keywords that open a section may be names as well.
    fn identifier(&mut self, expected: &'static str) -> Parsed<Token<'t>> {
        let names = matches!(
            self.peek(0),
            TokenKind::Identifier
                | TokenKind::Module
                | TokenKind::Model
                | TokenKind::Schema
                | TokenKind::Extend
                | TokenKind::Type
                | TokenKind::Relation
        );
        if names { Ok(self.advance()) } else { self.refuse(expected) }
    }

    fn extended_identifier(&mut self, expected: &'static str) -> Parsed<Token<'t>> {
        if self.peek(0) == TokenKind::ExtendedIdentifier {
            return Ok(self.advance());
        }
        self.identifier(expected)
    }

    fn refuse<T>(&self, expected: &'static str) -> Parsed<T> {
        let token = self.token(0);
        let found = if token.kind == TokenKind::End {
            "the end".to_owned()
        } else if token.kind == TokenKind::Newline {
            "a line end".to_owned()
        } else {
            let shown: String = token.text.chars().take(SHOWN_CHARACTERS).collect();
            format!("`{}`", shown.escape_debug())
        };
        Err(Box::new(ModelError::at(token.span, Problem::Syntax { found, expected })))
    }
}

/// How much of an unexpected token a message repeats.
const SHOWN_CHARACTERS: usize = 40;
