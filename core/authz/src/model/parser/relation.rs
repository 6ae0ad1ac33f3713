//! `define name: …`

use super::{ModelError, Parsed, Parser, Problem, TokenKind};
use crate::limits::MODEL_NESTING;
use crate::model::error::Span;
use crate::model::source::{OperandPlaces, RelationPlaces, RestrictionPlaces};
use crate::model::{RelationDefinition, RestrictionForm, Rewrite, TypeRestriction};

/// What parentheses may still hold: `[…]` stands first or nowhere.
#[derive(Clone, Copy)]
struct Position {
    /// Whether nothing stands to the left.
    first: bool,
    levels_left: usize,
}

/// A relation in the making.
#[derive(Default)]
struct Parts {
    restrictions: Vec<TypeRestriction>,
    restriction_places: Vec<RestrictionPlaces>,
    operands: Vec<OperandPlaces>,
}

impl Parser<'_> {
    /// From behind `define` to the end of the definition.
    pub(super) fn relation(
        &mut self,
        extends: bool,
    ) -> Parsed<(RelationDefinition, RelationPlaces)> {
        self.expect(TokenKind::Whitespace, "a space and the relation's name")?;
        let name = self.extended_identifier("the relation's name")?;
        self.skip(TokenKind::Whitespace);
        self.expect(TokenKind::Colon, "`:`")?;
        self.skip(TokenKind::Whitespace);
        let mut parts = Parts::default();
        let rewrite =
            self.definition(Position { first: true, levels_left: MODEL_NESTING }, &mut parts)?;
        if self.operator().is_some() {
            return self.refuse("a line end: operators that differ need parentheses");
        }
        let places = RelationPlaces {
            name: name.span,
            restrictions: parts.restriction_places,
            operands: parts.operands,
        };
        let definition = RelationDefinition {
            name: name.text.to_owned(),
            rewrite,
            restrictions: parts.restrictions,
            module: self.module.clone().filter(|_| extends),
            file: None,
        };
        Ok((definition, places))
    }

    /// Operands joined by one kind of operator: another kind needs parentheses, and `but not` takes
    /// one operand on its right.
    fn definition(&mut self, position: Position, parts: &mut Parts) -> Parsed<Rewrite> {
        let first = self.operand(position, parts)?;
        let right = Position { first: false, ..position };
        let Some(operator) = self.operator() else {
            return Ok(first);
        };
        if operator == TokenKind::ButNot {
            self.take_operator()?;
            let subtracted = self.operand(right, parts)?;
            return Ok(Rewrite::Difference(Box::new(first), Box::new(subtracted)));
        }
        let mut operands = vec![first];
        while self.operator() == Some(operator) {
            self.take_operator()?;
            operands.push(self.operand(right, parts)?);
        }
        Ok(if operator == TokenKind::Or {
            Rewrite::Union(operands)
        } else {
            Rewrite::Intersection(operands)
        })
    }

    fn operator(&self) -> Option<TokenKind> {
        let spaced = self.peek(0) == TokenKind::Whitespace;
        let operator = self.peek(1);
        let known = matches!(operator, TokenKind::Or | TokenKind::And | TokenKind::ButNot);
        (spaced && known).then_some(operator)
    }

    fn take_operator(&mut self) -> Parsed<()> {
        self.advance();
        self.advance();
        self.expect(TokenKind::Whitespace, "a space and an operand")?;
        Ok(())
    }

    fn operand(&mut self, position: Position, parts: &mut Parts) -> Parsed<Rewrite> {
        if self.peek(0) == TokenKind::LeftParenthesis {
            return self.parenthesis(position, parts);
        }
        if self.peek(0) != TokenKind::LeftBracket {
            let first = position.first;
            let expected = if first { "`[`, `(` or a relation" } else { "`(` or a relation" };
            return self.reference(expected, parts);
        }
        if !position.first {
            return self.refuse("a relation or `(`: `[…]` stands only first in a definition");
        }
        self.restrictions(parts)?;
        Ok(Rewrite::Direct)
    }

    fn parenthesis(&mut self, position: Position, parts: &mut Parts) -> Parsed<Rewrite> {
        let opened = self.advance();
        let Some(levels_left) = position.levels_left.checked_sub(1) else {
            let problem = Problem::Nesting { limit: MODEL_NESTING };
            return Err(Box::new(ModelError::at(opened.span, problem)));
        };
        self.skip(TokenKind::Whitespace);
        let rewrite = self.definition(Position { levels_left, ..position }, parts)?;
        if self.operator().is_some() {
            self.advance();
            return self.refuse("`)`: operators that differ need parentheses");
        }
        self.skip(TokenKind::Whitespace);
        self.expect(TokenKind::RightParenthesis, "`)`")?;
        Ok(rewrite)
    }

    /// `relation` or `relation from tupleset`.
    fn reference(&mut self, expected: &'static str, parts: &mut Parts) -> Parsed<Rewrite> {
        let relation = self.extended_identifier(expected)?;
        if self.peek(0) != TokenKind::Whitespace || self.peek(1) != TokenKind::From {
            parts.operands.push(OperandPlaces { whole: relation.span, tupleset: None });
            return Ok(Rewrite::Computed(relation.text.to_owned()));
        }
        self.advance();
        self.advance();
        self.expect(TokenKind::Whitespace, "a space and the relation to follow")?;
        let tupleset = self.extended_identifier("the relation to follow")?;
        parts.operands.push(OperandPlaces {
            whole: relation.span.to(tupleset.span),
            tupleset: Some(tupleset.span),
        });
        Ok(Rewrite::From { relation: relation.text.to_owned(), tupleset: tupleset.text.to_owned() })
    }

    fn restrictions(&mut self, parts: &mut Parts) -> Parsed<()> {
        self.advance();
        loop {
            self.skip(TokenKind::Whitespace);
            self.skip(TokenKind::Newline);
            let (restriction, places) = self.restriction()?;
            parts.restrictions.push(restriction);
            parts.restriction_places.push(places);
            self.skip(TokenKind::Newline);
            self.skip(TokenKind::Whitespace);
            if !self.skip(TokenKind::Comma) {
                self.expect(TokenKind::RightBracket, "`,` or `]`")?;
                return Ok(());
            }
        }
    }

    fn restriction(&mut self) -> Parsed<(TypeRestriction, RestrictionPlaces)> {
        let type_name = self.extended_identifier("a type")?;
        let (form, end) = self.restriction_form(type_name.span)?;
        let subject = type_name.span.to(end);
        let mut whole = subject;
        let mut condition = None;
        if self.peek(0) == TokenKind::Whitespace && self.peek(1) == TokenKind::With {
            self.advance();
            self.advance();
            self.expect(TokenKind::Whitespace, "a space and a condition")?;
            let name = self.expect(TokenKind::Identifier, "a condition")?;
            whole = whole.to(name.span);
            condition = Some(name);
        }
        let places = RestrictionPlaces {
            whole,
            type_name: type_name.span,
            subject,
            condition: condition.map(|name| name.span),
        };
        let restriction = TypeRestriction {
            type_name: type_name.text.to_owned(),
            form,
            condition: condition.map(|name| name.text.to_owned()),
        };
        Ok((restriction, places))
    }

    fn restriction_form(&mut self, name: Span) -> Parsed<(RestrictionForm, Span)> {
        if self.skip(TokenKind::Colon) {
            let star = self.expect(TokenKind::Star, "`*`")?;
            return Ok((RestrictionForm::Wildcard, star.span));
        }
        if self.skip(TokenKind::Hash) {
            let relation = self.extended_identifier("a relation of the type")?;
            return Ok((RestrictionForm::Userset(relation.text.to_owned()), relation.span));
        }
        Ok((RestrictionForm::Object, name))
    }
}
