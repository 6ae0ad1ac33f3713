//! Typing an expression as cel-go's `checker` does, up to the first error.

#![expect(clippy::wildcard_enum_match_arm, reason = "all other types are one error")]

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, MapExpr,
    SelectExpr,
};

use super::declarations::{Overload, overloads};
use super::types::{Mapping, Type, most_general};
use super::{Checked, Refused};
use crate::condition::ParameterType;

/// Checks that the expression is a bool.
pub(super) fn check(expression: &IdedExpr, parameters: &[&(String, ParameterType)]) -> Checked<()> {
    let scope = parameters.iter().map(|(name, of)| (name.clone(), Type::of_parameter(of)));
    let mut checker = Checker {
        scope: scope.collect(),
        parameters: parameters.len(),
        mapping: Mapping::default(),
    };
    let of = checker.check(expression)?;
    match checker.mapping.resolve(&of) {
        Type::Bool => Ok(()),
        other => {
            Err(Refused::new(expression.id, format!("the expression is of type {other}, not bool")))
        }
    }
}

struct Checker {
    /// The parameters, then the variables of the loops around, innermost last.
    scope: Vec<(String, Type)>,
    parameters: usize,
    mapping: Mapping,
}

impl Checker {
    fn check(&mut self, node: &IdedExpr) -> Checked<Type> {
        match &node.expr {
            Expr::Literal(literal) => literal_type(literal, node.id),
            Expr::Ident(name) => self.identifier(name, node.id),
            Expr::Select(select) => self.select(select, node.id),
            Expr::Call(call) => self.call(call, node.id),
            Expr::List(list) => self.list(list, node.id),
            Expr::Map(map) => self.map(map, node.id),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, node.id),
            Expr::Struct(_) => Err(Refused::new(node.id, "messages are not supported")),
            Expr::Unspecified => Err(Refused::new(node.id, "the expression cannot be read")),
        }
    }

    fn identifier(&self, name: &str, node: u64) -> Checked<Type> {
        if name.starts_with('.') {
            return Err(Refused::new(node, "names with a leading `.` are not supported"));
        }
        if let Some((_, of)) = self.scope.iter().rev().find(|(known, _)| known == name) {
            return Ok(of.clone());
        }
        if type_named(name).is_some() {
            return Ok(Type::Meta);
        }
        let message = if name == "bytes" {
            "bytes are not supported".to_owned()
        } else {
            format!("undeclared reference to `{name}`")
        };
        Err(Refused::new(node, message))
    }

    fn select(&mut self, select: &SelectExpr, node: u64) -> Checked<Type> {
        if self.names_a_type(select) {
            return Ok(Type::Meta);
        }
        let operand = self.check(&select.operand)?;
        let of = match self.mapping.resolve(&operand) {
            Type::Map(_, value) => value.as_ref().clone(),
            Type::Dyn => Type::Dyn,
            variable @ Type::Variable(_) => {
                self.mapping.assign(&Type::Dyn, &variable);
                Type::Dyn
            }
            other => {
                let message = format!("type {other} does not support field selection");
                return Err(Refused::new(node, message));
            }
        };
        Ok(if select.test { Type::Bool } else { self.mapping.resolve(&of) })
    }

    /// Whether a selection spells the qualified name of a type.
    fn names_a_type(&self, select: &SelectExpr) -> bool {
        let loops = self.scope.get(self.parameters..).unwrap_or_default();
        let is_variable = |root: &str| loops.iter().any(|(name, _)| name == root);
        qualified_type(select, is_variable).is_some()
    }

    fn call(&mut self, call: &CallExpr, node: u64) -> Checked<Type> {
        let mut arguments = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            arguments.push(self.check(argument)?);
        }
        if let Some(target) = &call.target {
            arguments.insert(0, self.check(target)?);
        }
        let name = call.func_name.as_str();
        let is_member = call.target.is_some();
        let Some(candidates) = overloads(name, is_member) else {
            let message = if name == "bytes" {
                "bytes are not supported".to_owned()
            } else {
                format!("undeclared reference to `{name}`")
            };
            return Err(Refused::new(node, message));
        };
        let result = self.resolve(candidates, &arguments);
        result.ok_or_else(|| {
            let types: Vec<_> =
                arguments.iter().map(|of| self.mapping.resolve(of).to_string()).collect();
            let message = format!(
                "found no matching overload for `{name}` applied to ({})",
                types.join(", ")
            );
            Refused::new(node, message)
        })
    }

    /// The type of a call: that of the first overload that fits, `dyn` where another one that fits
    /// differs.
    fn resolve(&mut self, candidates: Vec<Overload>, arguments: &[Type]) -> Option<Type> {
        let mut result: Option<Type> = None;
        for candidate in candidates {
            let (a, b) = (self.mapping.new_variable(), self.mapping.new_variable());
            let fresh = |of: &Type| instantiate(of, &a, &b);
            let parameters: Vec<_> = candidate.parameters.iter().map(fresh).collect();
            if self.mapping.assign_all(arguments, &parameters) {
                let found = self.mapping.resolve(&fresh(&candidate.result));
                result = Some(match result {
                    None => found,
                    Some(known) if known == found => known,
                    Some(_) => Type::Dyn,
                });
            }
        }
        result
    }

    fn list(&mut self, list: &ListExpr, node: u64) -> Checked<Type> {
        if !list.optional_indices.is_empty() {
            return Err(Refused::new(node, "optional elements are not supported"));
        }
        let mut joined = None;
        for element in &list.elements {
            let of = self.check(element)?;
            joined = Some(self.join(joined, of));
        }
        Ok(Type::list(joined.unwrap_or_else(|| self.mapping.new_variable())))
    }

    fn map(&mut self, map: &MapExpr, node: u64) -> Checked<Type> {
        let (mut keys, mut values) = (None, None);
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(Refused::new(node, "messages are not supported"));
            };
            if entry.optional {
                return Err(Refused::new(node, "optional entries are not supported"));
            }
            let key = self.check(&entry.key)?;
            self.check_key(&key, entry.key.id)?;
            keys = Some(self.join(keys, key));
            let value = self.check(&entry.value)?;
            values = Some(self.join(values, value));
        }
        let mut or_new = |of: Option<Type>| of.unwrap_or_else(|| self.mapping.new_variable());
        Ok(Type::map(or_new(keys), or_new(values)))
    }

    /// cel-go takes any key, and then finds only these.
    fn check_key(&self, key: &Type, node: u64) -> Checked<()> {
        match self.mapping.resolve(key) {
            Type::Bool | Type::Int | Type::UInt | Type::String | Type::Dyn | Type::Variable(_) => {
                Ok(())
            }
            other => Err(Refused::new(node, format!("a key of a map cannot be of type {other}"))),
        }
    }

    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        match previous {
            None => current,
            Some(previous) if self.mapping.assign(&previous, &current) => {
                most_general(&previous, &current)
            }
            Some(_) => Type::Dyn,
        }
    }

    fn comprehension(&mut self, loops: &ComprehensionExpr, node: u64) -> Checked<Type> {
        if loops.iter_var2.is_some() {
            return Err(Refused::new(node, "macros with two variables are not supported"));
        }
        let range = self.check(&loops.iter_range)?;
        let accumulator = self.check(&loops.accu_init)?;
        let element = match self.mapping.resolve(&range) {
            Type::List(element) => element.as_ref().clone(),
            Type::Map(key, _) => key.as_ref().clone(),
            Type::Dyn => Type::Dyn,
            variable @ Type::Variable(_) => {
                self.mapping.assign(&Type::Dyn, &variable);
                Type::Dyn
            }
            other => {
                let message = format!("type {other} is no range: a list, map or dyn is needed");
                return Err(Refused::new(loops.iter_range.id, message));
            }
        };
        self.scope.push((loops.accu_var.clone(), accumulator.clone()));
        self.scope.push((loops.iter_var.clone(), element));
        let condition = self.check(&loops.loop_cond)?;
        self.assert_type(&Type::Bool, &condition, loops.loop_cond.id)?;
        let step = self.check(&loops.loop_step)?;
        self.assert_type(&accumulator, &step, loops.loop_step.id)?;
        self.scope.pop();
        let result = self.check(&loops.result)?;
        self.scope.pop();
        Ok(self.mapping.resolve(&result))
    }

    fn assert_type(&mut self, expected: &Type, found: &Type, node: u64) -> Checked<()> {
        if self.mapping.assign(expected, found) {
            return Ok(());
        }
        let (expected, found) = (self.mapping.resolve(expected), self.mapping.resolve(found));
        Err(Refused::new(node, format!("expected type {expected} but found {found}")))
    }
}

/// The type with its two general types replaced.
fn instantiate(of: &Type, a: &Type, b: &Type) -> Type {
    match of {
        Type::Variable(0) => a.clone(),
        Type::Variable(_) => b.clone(),
        Type::List(element) => Type::list(instantiate(element, a, b)),
        Type::Map(key, value) => Type::map(instantiate(key, a, b), instantiate(value, a, b)),
        other => other.clone(),
    }
}

fn literal_type(literal: &LiteralValue, node: u64) -> Checked<Type> {
    Ok(match literal {
        LiteralValue::Boolean(_) => Type::Bool,
        LiteralValue::Bytes(_) => return Err(Refused::new(node, "bytes are not supported")),
        LiteralValue::Double(_) => Type::Double,
        LiteralValue::Int(_) => Type::Int,
        LiteralValue::Null => Type::Null,
        LiteralValue::String(_) => Type::String,
        LiteralValue::UInt(_) => Type::UInt,
    })
}

/// The type that a name without a dot spells.
pub(super) fn type_named(name: &str) -> Option<crate::condition::kind::Kind> {
    use crate::condition::kind::Kind;
    Some(match name {
        "bool" => Kind::Bool,
        "double" => Kind::Double,
        "int" => Kind::Int,
        "list" => Kind::List,
        "map" => Kind::Map,
        "null_type" => Kind::Null,
        "string" => Kind::String,
        "type" => Kind::Type,
        "uint" => Kind::UInt,
        _ => return None,
    })
}

/// The type that a name with dots spells, where its first part is no variable of a loop.
pub(super) fn qualified_type(
    select: &SelectExpr,
    is_variable: impl Fn(&str) -> bool,
) -> Option<crate::condition::kind::Kind> {
    use crate::condition::kind::Kind;
    let Expr::Select(protobuf) = &select.operand.expr else { return None };
    let Expr::Ident(google) = &protobuf.operand.expr else { return None };
    let is_plain = !select.test && !protobuf.test && !is_variable(google);
    if !is_plain || google != "google" || protobuf.field != "protobuf" {
        return None;
    }
    match select.field.as_str() {
        "Duration" => Some(Kind::Duration),
        "Timestamp" => Some(Kind::Timestamp),
        _ => None,
    }
}
