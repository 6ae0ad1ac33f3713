//! Random conditions: expressions that are typed by construction, most of them, and contexts.

use serde_json::{Map, Value, json};

use super::random::Random;
use super::values::{
    ADDRESSES, DOUBLES, DURATIONS, INTS, KEYS, NETWORKS, PATTERNS, STRINGS, TIMES, TYPE_NAMES,
    UINTS,
};

/// A type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Any,
    Bool,
    Double,
    Duration,
    Int,
    Ip,
    List(Box<Self>),
    Map(Box<Self>),
    String,
    Timestamp,
    UInt,
}

impl Type {
    /// As OpenFGA's language writes it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Any => "any".into(),
            Self::Bool => "bool".into(),
            Self::Double => "double".into(),
            Self::Duration => "duration".into(),
            Self::Int => "int".into(),
            Self::Ip => "ipaddress".into(),
            Self::List(inner) => format!("list<{}>", inner.text()),
            Self::Map(inner) => format!("map<{}>", inner.text()),
            Self::String => "string".into(),
            Self::Timestamp => "timestamp".into(),
            Self::UInt => "uint".into(),
        }
    }
}

/// Stands in a text for the zone that is left out.
const NO_ZONE: &str = "<none>";

/// A condition and contexts to evaluate it in.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) parameters: Vec<(String, Type)>,
    pub(crate) expression: String,
    /// The same with `'UTC'` wherever a part of a time is read without a zone: OpenFGA reads it in
    /// UTC, the `cel` crate in the offset of the time's text.
    pub(crate) expression_in_utc: String,
    /// The relationship's context and the request's.
    pub(crate) runs: Vec<(Map<String, Value>, Map<String, Value>)>,
}

impl Case {
    /// The parameters as the language writes them.
    pub(crate) fn signature(&self) -> String {
        let parameters = self.parameters.iter();
        parameters.map(|(name, of)| format!("{name}: {}", of.text())).collect::<Vec<_>>().join(", ")
    }

    /// Whether durations may come out anywhere.
    pub(crate) fn has_durations(&self) -> bool {
        self.expression.contains("duration(") || self.signature().contains("duration")
    }
}

/// What the generator may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Addresses, which the `cel` crate does not have.
    pub(crate) addresses: bool,
    /// Contexts with missing parameters and values of other types.
    pub(crate) broken_contexts: bool,
    /// Expressions that are not well typed.
    pub(crate) ill_typed: bool,
    /// Maps that may name a key twice, which the `cel` crate refuses.
    pub(crate) repeated_keys: bool,
}

/// A case; `runs` contexts.
pub(crate) fn case(random: &mut Random, scope: Scope, runs: usize) -> Case {
    let count = 1 + random.below(3);
    let parameters: Vec<_> =
        (0..count).map(|index| (format!("p{index}"), parameter_type(random, scope, 2))).collect();
    let mut generator =
        Generator { random, scope, variables: parameters.clone(), fuel: 24, next_variable: 0 };
    let text = generator.expression(&Type::Bool, 4);
    let mut all = Vec::new();
    for _ in 0..runs {
        let (mut stored, mut request) = (Map::new(), Map::new());
        for (name, of) in &parameters {
            let broken = scope.broken_contexts && one_in(random, 12);
            if broken && one_in(random, 2) {
                continue;
            }
            let other = parameter_type(random, scope, 2);
            let value = value_of(random, if broken { &other } else { of });
            if one_in(random, 3) {
                stored.insert(name.clone(), value);
            } else {
                request.insert(name.clone(), value);
            }
        }
        all.push((stored, request));
    }
    let [expression, expression_in_utc] = ["", "'UTC'"].map(|zone| text.replace(NO_ZONE, zone));
    Case { parameters, expression, expression_in_utc, runs: all }
}

fn parameter_type(random: &mut Random, scope: Scope, depth: usize) -> Type {
    match random.below(if depth == 0 { 9 } else { 13 }) {
        0 => Type::Any,
        1 => Type::Bool,
        2 => Type::Double,
        3 => Type::Duration,
        4 => Type::Int,
        5 if scope.addresses => Type::Ip,
        5 | 6 => Type::String,
        7 => Type::Timestamp,
        8 => Type::UInt,
        9 | 10 => Type::List(Box::new(parameter_type(random, scope, depth - 1))),
        _ => Type::Map(Box::new(parameter_type(random, scope, depth - 1))),
    }
}

/// JSON of a type, in the forms that OpenFGA reads.
pub(crate) fn value_of(random: &mut Random, of: &Type) -> Value {
    match of {
        Type::Any => {
            let kinds = [Type::Bool, Type::Double, Type::String, Type::Int];
            match random.below(8) {
                0 => Value::Null,
                1 => Value::Array(items(random, &Type::Any)),
                2 => members(random, &Type::Any),
                _ => {
                    let of = random.pick(&kinds);
                    value_of(random, &of)
                }
            }
        }
        Type::Bool => Value::Bool(one_in(random, 2)),
        Type::Double => match random.below(6) {
            0 => json!(["0.5", "1", "-2.25", "0.1", "1e3", "x"][random.below(6)]),
            _ => number(random.pick(DOUBLES)),
        },
        Type::Int => match random.below(6) {
            0 => json!(
                ["7", "-1", "1.5", "9223372036854775807", "1e3", "9223372036854775808"]
                    [random.below(6)]
            ),
            1 => json!(1.5),
            _ => number(random.pick(INTS)),
        },
        Type::UInt => match random.below(8) {
            0 => json!(["7", "-1", "18446744073709551615", ""][random.below(4)]),
            1 => json!(-1),
            _ => number(random.pick(UINTS).trim_end_matches('u')),
        },
        Type::String => json!(random.pick(STRINGS)),
        Type::Timestamp => json!(random.pick(TIMES)),
        Type::Duration => json!(random.pick(DURATIONS)),
        Type::Ip => json!(random.pick(ADDRESSES)),
        Type::List(inner) => Value::Array(items(random, inner)),
        Type::Map(inner) => members(random, inner),
    }
}

/// True once in so many times.
fn one_in(random: &mut Random, count: usize) -> bool {
    random.below(count) == 0
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("a number")
}

fn items(random: &mut Random, of: &Type) -> Vec<Value> {
    let count = random.below(4);
    (0..count).map(|_| value_of(random, of)).collect()
}

fn members(random: &mut Random, of: &Type) -> Value {
    let count = random.below(4);
    let members = (0..count).map(|_| (random.pick(KEYS).to_string(), value_of(random, of)));
    Value::Object(members.collect())
}

struct Generator<'r> {
    random: &'r mut Random,
    scope: Scope,
    /// Parameters and the variables of macros.
    variables: Vec<(String, Type)>,
    /// How many more operators the expression may have.
    fuel: usize,
    next_variable: usize,
}

impl Generator<'_> {
    fn any_type(&mut self) -> Type {
        let scope = self.scope;
        parameter_type(self.random, scope, 1)
    }

    /// An expression of a type, in parentheses where it is not simple.
    fn expression(&mut self, of: &Type, depth: usize) -> String {
        if self.scope.ill_typed && one_in(self.random, 150) {
            let other = self.any_type();
            return self.expression(&other, depth.saturating_sub(1));
        }
        let known: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, known)| known == of)
            .map(|(name, _)| name.clone())
            .collect();
        if !known.is_empty() && one_in(self.random, 3) {
            return self.random.pick(&known);
        }
        if depth == 0 || self.fuel == 0 {
            if !known.is_empty() && !one_in(self.random, 3) {
                return self.random.pick(&known);
            }
            return self.literal(of);
        }
        self.fuel -= 1;
        match self.random.below(12) {
            0 => self.literal(of),
            1 => {
                let condition = self.expression(&Type::Bool, depth - 1);
                let (yes, no) = (self.expression(of, depth - 1), self.expression(of, depth - 1));
                format!("({condition} ? {yes} : {no})")
            }
            2 => self.element_or_entry(of, depth),
            _ => self.operator(of, depth),
        }
    }

    fn element_or_entry(&mut self, of: &Type, depth: usize) -> String {
        if one_in(self.random, 2) {
            let list = self.expression(&Type::List(Box::new(of.clone())), depth - 1);
            let index = match self.random.below(6) {
                0 => self.expression(&Type::Int, depth - 1),
                1 => self.expression(&Type::Any, depth - 1),
                _ => self.random.below(3).to_string(),
            };
            format!("{list}[{index}]")
        } else {
            let map = self.expression(&Type::Map(Box::new(of.clone())), depth - 1);
            if one_in(self.random, 2) {
                format!("{map}.{}", ["a", "b", "key"][self.random.below(3)])
            } else {
                let of = if one_in(self.random, 5) { Type::Any } else { Type::String };
                format!("{map}[{}]", self.expression(&of, depth - 1))
            }
        }
    }

    fn literal(&mut self, of: &Type) -> String {
        match of {
            Type::Any => {
                let kind = [Type::Bool, Type::Int, Type::Double, Type::String, Type::UInt];
                match self.random.below(7) {
                    0 => "null".into(),
                    1 => "dyn([1, 'a'])".into(),
                    _ => {
                        let kind = self.random.pick(&kind);
                        format!("dyn({})", self.literal(&kind))
                    }
                }
            }
            Type::Bool => ["true", "false"][self.random.below(2)].into(),
            Type::Double => self.random.pick(DOUBLES).to_string(),
            Type::Duration => format!("duration('{}')", self.random.pick(DURATIONS)),
            Type::Int => self.random.pick(INTS).to_string(),
            Type::Ip => format!("ipaddress('{}')", self.random.pick(ADDRESSES)),
            Type::List(inner) => {
                let count = self.random.below(4);
                let items: Vec<_> = (0..count).map(|_| self.literal(inner)).collect();
                format!("[{}]", items.join(", "))
            }
            Type::Map(inner) => {
                let count = self.random.below(3);
                let entries: Vec<_> = (0..count)
                    .map(|index| format!("'{}': {}", KEYS[index], self.literal(inner)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Type::String => format!("'{}'", self.random.pick(STRINGS)),
            Type::Timestamp => format!("timestamp('{}')", self.random.pick(TIMES)),
            Type::UInt => self.random.pick(UINTS).to_string(),
        }
    }

    fn operator(&mut self, of: &Type, depth: usize) -> String {
        match of {
            Type::Any if one_in(self.random, 4) => self.arithmetic(of, depth),
            Type::Any => {
                let kind = self.any_type();
                format!("dyn({})", self.expression(&kind, depth - 1))
            }
            Type::Bool => self.bool_operator(depth),
            Type::Double => match self.random.below(6) {
                0 => self.conversion("double", &[Type::Int, Type::UInt, Type::String], depth),
                1 => format!("-({})", self.expression(of, depth - 1)),
                _ => self.arithmetic(of, depth),
            },
            Type::Duration | Type::Timestamp => self.time_operator(of, depth),
            Type::Int => self.int_operator(depth),
            Type::Ip => format!("ipaddress({})", self.expression(&Type::String, depth - 1)),
            Type::List(inner) => self.list_operator(inner, depth),
            Type::Map(inner) => {
                let value = self.expression(inner, depth - 1);
                let key = self.expression(&Type::String, depth - 1);
                let key = if self.scope.repeated_keys { key } else { format!("('z' + {key})") };
                format!("{{'a': {value}, {key}: {}}}", self.expression(inner, depth - 1))
            }
            Type::String if one_in(self.random, 4) => {
                let kinds = [
                    Type::Int,
                    Type::UInt,
                    Type::Bool,
                    Type::Duration,
                    Type::Timestamp,
                    Type::Double,
                ];
                self.conversion("string", &kinds, depth)
            }
            Type::String => self.binary("+", of, of, depth),
            Type::UInt if one_in(self.random, 6) => {
                self.conversion("uint", &[Type::Int, Type::Double, Type::String], depth)
            }
            Type::UInt => self.arithmetic(of, depth),
        }
    }

    fn arithmetic(&mut self, of: &Type, depth: usize) -> String {
        let operators = if *of == Type::Double { 4 } else { 5 };
        let operator = ["+", "-", "*", "/", "%"][self.random.below(operators)];
        self.binary(operator, of, of, depth)
    }

    fn time_operator(&mut self, of: &Type, depth: usize) -> String {
        let choice = self.random.below(4);
        if *of == Type::Duration {
            return match choice {
                0 => self.binary("-", &Type::Timestamp, &Type::Timestamp, depth),
                1 => self.conversion("duration", &[Type::String, Type::Duration], depth),
                2 => self.binary("-", of, of, depth),
                _ => self.binary("+", of, of, depth),
            };
        }
        match choice {
            0 => self.conversion("timestamp", &[Type::String, Type::Int, Type::Timestamp], depth),
            1 => self.binary("-", of, &Type::Duration, depth),
            2 => self.binary("+", &Type::Duration, of, depth),
            _ => self.binary("+", of, &Type::Duration, depth),
        }
    }

    fn binary(&mut self, operator: &str, left: &Type, right: &Type, depth: usize) -> String {
        let left = self.expression(left, depth - 1);
        let right = self.expression(right, depth - 1);
        // Without parentheses another expression may come of it, and another type.
        if self.scope.ill_typed && one_in(self.random, 4) {
            format!("{left} {operator} {right}")
        } else {
            format!("({left} {operator} {right})")
        }
    }

    fn conversion(&mut self, name: &str, from: &[Type], depth: usize) -> String {
        let from = if one_in(self.random, 8) { Type::Any } else { self.random.pick(from) };
        format!("{name}({})", self.expression(&from, depth - 1))
    }

    fn int_operator(&mut self, depth: usize) -> String {
        match self.random.below(9) {
            0 => {
                let kinds =
                    [Type::Double, Type::UInt, Type::String, Type::Timestamp, Type::Duration];
                self.conversion("int", &kinds, depth)
            }
            1 => format!("-({})", self.expression(&Type::Int, depth - 1)),
            2 => {
                let inner = Box::new(self.any_type());
                let kinds = [Type::String, Type::List(inner.clone()), Type::Map(inner)];
                let of = self.random.pick(&kinds);
                let operand = self.expression(&of, depth - 1);
                if one_in(self.random, 2) {
                    format!("size({operand})")
                } else {
                    format!("{operand}.size()")
                }
            }
            3 | 4 => self.part(depth),
            _ => self.arithmetic(&Type::Int, depth),
        }
    }

    fn part(&mut self, depth: usize) -> String {
        let parts = [
            "getDate",
            "getDayOfMonth",
            "getDayOfWeek",
            "getDayOfYear",
            "getFullYear",
            "getMonth",
            "getHours",
            "getMinutes",
            "getSeconds",
            "getMilliseconds",
        ];
        let index = self.random.below(parts.len());
        if index >= 6 && one_in(self.random, 2) {
            return format!("{}.{}()", self.expression(&Type::Duration, depth - 1), parts[index]);
        }
        let zone = [NO_ZONE, NO_ZONE, "'UTC'", "'+02:00'", "'-08:30'"][self.random.below(5)];
        format!("{}.{}({zone})", self.expression(&Type::Timestamp, depth - 1), parts[index])
    }

    fn bool_operator(&mut self, depth: usize) -> String {
        match self.random.below(20) {
            0..=2 => self.binary("&&", &Type::Bool, &Type::Bool, depth),
            3..=5 => self.binary("||", &Type::Bool, &Type::Bool, depth),
            6 => format!("!({})", self.expression(&Type::Bool, depth - 1)),
            7..=11 => self.comparison(depth),
            12 => {
                let of = Box::new(self.any_type());
                self.binary("in", &Type::String, &Type::Map(of), depth)
            }
            13 => {
                let of = Box::new(self.any_type());
                let map = self.expression(&Type::Map(of), depth - 1);
                format!("has({map}.{})", ["a", "b", "key"][self.random.below(3)])
            }
            14 => {
                let name = ["startsWith", "endsWith", "contains"][self.random.below(3)];
                let text = self.expression(&Type::String, depth - 1);
                format!("{text}.{name}({})", self.expression(&Type::String, depth - 1))
            }
            15 => {
                let text = self.expression(&Type::String, depth - 1);
                format!("{text}.matches('{}')", self.random.pick(PATTERNS))
            }
            16 if self.scope.addresses => {
                let address = self.expression(&Type::Ip, depth - 1);
                format!("{address}.in_cidr('{}')", self.random.pick(NETWORKS))
            }
            17 => {
                let of = self.any_type();
                let name = self.random.pick(TYPE_NAMES);
                format!("(type({}) == {name})", self.expression(&of, depth - 1))
            }
            _ => self.predicate(depth),
        }
    }

    fn comparison(&mut self, depth: usize) -> String {
        let ordered = [
            Type::Int,
            Type::UInt,
            Type::Double,
            Type::String,
            Type::Timestamp,
            Type::Duration,
            Type::Bool,
            Type::Any,
        ];
        match self.random.below(6) {
            0 | 1 => {
                let of = self.any_type();
                let operator = ["==", "!="][self.random.below(2)];
                self.binary(operator, &of, &of, depth)
            }
            2 | 3 => {
                let of = self.random.pick(&ordered);
                let operator = ["<", "<=", ">", ">="][self.random.below(4)];
                self.binary(operator, &of, &of, depth)
            }
            4 => {
                let of = self.any_type();
                self.binary("in", &of, &Type::List(Box::new(of.clone())), depth)
            }
            _ => {
                let (left, right) = (self.any_type(), self.any_type());
                let operator = ["==", "!=", "<", ">=", "in"][self.random.below(5)];
                let left = self.expression(&left, depth - 1);
                format!("(dyn({left}) {operator} dyn({}))", self.expression(&right, depth - 1))
            }
        }
    }

    fn fresh(&mut self, of: Type) -> String {
        let name = format!("v{}", self.next_variable);
        self.next_variable += 1;
        self.variables.push((name.clone(), of));
        name
    }

    /// The range of a macro, and the type of its elements.
    fn range(&mut self, depth: usize) -> (String, Type) {
        let of = self.any_type();
        if one_in(self.random, 4) {
            (self.expression(&Type::Map(Box::new(of)), depth - 1), Type::String)
        } else {
            (self.expression(&Type::List(Box::new(of.clone())), depth - 1), of)
        }
    }

    fn predicate(&mut self, depth: usize) -> String {
        let (range, element) = self.range(depth);
        let name = self.fresh(element);
        let body = self.expression(&Type::Bool, depth - 1);
        self.variables.pop();
        let function = ["all", "exists", "exists_one"][self.random.below(3)];
        format!("{range}.{function}({name}, {body})")
    }

    fn list_operator(&mut self, inner: &Type, depth: usize) -> String {
        let list = Type::List(Box::new(inner.clone()));
        match self.random.below(5) {
            0 => self.binary("+", &list, &list, depth),
            1 => {
                let range = self.expression(&list, depth - 1);
                let name = self.fresh(inner.clone());
                let body = self.expression(&Type::Bool, depth - 1);
                self.variables.pop();
                format!("{range}.filter({name}, {body})")
            }
            2 => {
                // Not over a map, whose order is nobody's.
                let element = self.any_type();
                let range = self.expression(&Type::List(Box::new(element.clone())), depth - 1);
                let name = self.fresh(element);
                let filter = if one_in(self.random, 3) {
                    format!("{}, ", self.expression(&Type::Bool, depth - 1))
                } else {
                    String::new()
                };
                let body = self.expression(inner, depth - 1);
                self.variables.pop();
                format!("{range}.map({name}, {filter}{body})")
            }
            _ => {
                let count = self.random.below(3) + 1;
                let items: Vec<_> = (0..count).map(|_| self.expression(inner, depth - 1)).collect();
                format!("[{}]", items.join(", "))
            }
        }
    }
}
