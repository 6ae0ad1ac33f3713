//! `condition name(parameters) { expression }`

use super::{Duplicate, Parsed, Parser, TokenKind};
use crate::condition::ParameterType;
use crate::model::ConditionDefinition;
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
        let expression = self.expression()?;
        let definition = ConditionDefinition {
            name: name.text.to_owned(),
            parameters,
            expression,
            module: self.module.clone(),
            file: None,
        };
        Ok((definition, ConditionPlaces { name: name.span }))
    }

    fn parameters(&mut self, condition: &str) -> Parsed<Vec<(String, ParameterType)>> {
        let mut parameters: Vec<(String, ParameterType)> = Vec::new();
        loop {
            self.skip(TokenKind::Whitespace);
            let name = self.expect(TokenKind::Identifier, "a parameter's name")?;
            self.skip(TokenKind::Whitespace);
            self.expect(TokenKind::Colon, "`:`")?;
            self.skip(TokenKind::Whitespace);
            let parameter_type = self.parameter_type()?;
            if parameters.iter().any(|(known, _)| known == name.text) {
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
    fn expression(&mut self) -> Parsed<String> {
        let mut expression = String::new();
        loop {
            if self.skip(TokenKind::RightBrace) {
                return Ok(expression.trim().to_owned());
            }
            if matches!(self.peek(0), TokenKind::End | TokenKind::Unknown) {
                return self.refuse("CEL, then `}`");
            }
            expression.push_str(self.advance().text);
        }
    }
}
