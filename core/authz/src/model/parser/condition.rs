//! `condition name(parameters) { expression }`

use std::collections::BTreeSet;

use super::{Duplicate, Parsed, Parser, Token, TokenKind};
use crate::condition::ParameterType;
use crate::model::ConditionDefinition;
use crate::model::error::Span;
use crate::model::source::ConditionPlaces;

impl Parser<'_> {
    /// From `condition` to the closing brace.
    pub(super) fn condition(&mut self) -> Parsed<(ConditionDefinition, ConditionPlaces)> {
        self.advance();
        self.expect(TokenKind::Whitespace, "a space and the condition's name")?;
        let name = self.expect(TokenKind::Identifier, "the condition's name")?;
        self.skip(TokenKind::Whitespace);
        self.expect(TokenKind::LeftParenthesis, "`(`")?;
        let parameters = self.parameters(name.text)?;
        self.skip(TokenKind::Whitespace);
        self.expect(TokenKind::LeftBrace, "`{`")?;
        let (expression, place) = self.expression()?;
        let definition = ConditionDefinition {
            name: name.text.to_owned(),
            parameters,
            expression,
            module: self.module.clone(),
            file: None,
        };
        Ok((definition, ConditionPlaces { name: name.span, expression: place }))
    }

    fn parameters(&mut self, condition: &str) -> Parsed<Vec<(String, ParameterType)>> {
        let mut names = BTreeSet::new();
        let mut parameters = Vec::new();
        loop {
            self.skip(TokenKind::Whitespace);
            let name = self.expect(TokenKind::Identifier, "a parameter's name")?;
            self.skip(TokenKind::Whitespace);
            self.expect(TokenKind::Colon, "`:`")?;
            self.skip(TokenKind::Whitespace);
            let parameter_type = self.parameter_type()?;
            if !names.insert(name.text) {
                let parameter = name.text.to_owned();
                let condition = condition.to_owned();
                self.duplicate(name.span, Duplicate::Parameter { condition, parameter });
            }
            parameters.push((name.text.to_owned(), parameter_type));
            self.skip(TokenKind::Whitespace);
            if !self.skip(TokenKind::Comma) {
                self.expect(TokenKind::RightParenthesis, "`,` or `)`")?;
                return Ok(parameters);
            }
        }
    }

    fn parameter_type(&mut self) -> Parsed<ParameterType> {
        if self.peek(0) != TokenKind::ParameterContainer {
            return self.element_type("a parameter's type");
        }
        let container = self.advance();
        self.expect(TokenKind::Less, "`<`")?;
        let element = Box::new(self.element_type("a type that is neither list nor map")?);
        self.expect(TokenKind::Greater, "`>`")?;
        Ok(if container.text == "list" {
            ParameterType::List(element)
        } else {
            ParameterType::Map(element)
        })
    }

    fn element_type(&mut self, expected: &'static str) -> Parsed<ParameterType> {
        let name = self.expect(TokenKind::ParameterType, expected)?;
        Ok(match name.text {
            "bool" => ParameterType::Bool,
            "double" => ParameterType::Double,
            "duration" => ParameterType::Duration,
            "int" => ParameterType::Int,
            "ipaddress" => ParameterType::IpAddress,
            "string" => ParameterType::String,
            "timestamp" => ParameterType::Timestamp,
            _ => ParameterType::UInt,
        })
    }

    /// The text up to the first `}` that no string or comment holds.
    fn expression(&mut self) -> Parsed<(String, Span)> {
        while matches!(self.peek(0), TokenKind::Whitespace | TokenKind::Newline) {
            self.advance();
        }
        let place = Span { length: 0, ..self.token(0).span };
        let mut tokens = Vec::new();
        loop {
            if self.skip(TokenKind::RightBrace) {
                return Ok((expression_text(&tokens), place));
            }
            if matches!(self.peek(0), TokenKind::End | TokenKind::Unknown) {
                return self.refuse("CEL, then `}`");
            }
            tokens.push(self.advance());
        }
    }
}

/// The tokens of an expression as text, without white space at the ends of lines: comments, which
/// are no tokens, leave some behind.
pub(in crate::model) fn expression_text(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    // Of the line so far, and written with what follows on it: a line whose comment is gone is empty.
    let mut blank = String::new();
    for token in tokens {
        if token.kind == TokenKind::Whitespace {
            blank.push_str(token.text);
        } else if token.kind == TokenKind::Newline {
            let last = token.text.rsplit_once('\n').map_or(token.text, |(_, last)| last);
            let lines = token.text.matches('\n').count();
            text.extend(std::iter::repeat_n('\n', lines));
            last.clone_into(&mut blank);
        } else {
            text.push_str(&blank);
            text.push_str(token.text);
            blank.clear();
        }
    }
    text.trim().to_owned()
}
