//! The types of expressions, and when one stands for another: cel-go's `checker/types.go`.

#![expect(clippy::wildcard_enum_match_arm, reason = "all other types have no parts")]

use std::fmt;
use std::rc::Rc;

use crate::condition::ParameterType;

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Address,
    Bool,
    /// No value is one here; cel-go's overloads name it, and may find a variable to be it.
    Bytes,
    Double,
    Duration,
    /// Known at evaluation only; `any` is one.
    Dyn,
    Int,
    List(Rc<Self>),
    Map(Rc<Self>, Rc<Self>),
    Null,
    String,
    Timestamp,
    /// The type of types.
    Meta,
    UInt,
    /// A type to be found out.
    Variable(usize),
}

impl Type {
    pub(super) fn list(element: Self) -> Self {
        Self::List(Rc::new(element))
    }

    pub(super) fn map(key: Self, value: Self) -> Self {
        Self::Map(Rc::new(key), Rc::new(value))
    }

    pub(super) fn of_parameter(of: &ParameterType) -> Self {
        match of {
            ParameterType::Any => Self::Dyn,
            ParameterType::Bool => Self::Bool,
            ParameterType::Double => Self::Double,
            ParameterType::Duration => Self::Duration,
            ParameterType::Int => Self::Int,
            ParameterType::IpAddress => Self::Address,
            ParameterType::List(element) => Self::list(Self::of_parameter(element)),
            ParameterType::Map(value) => Self::map(Self::String, Self::of_parameter(value)),
            ParameterType::String => Self::String,
            ParameterType::Timestamp => Self::Timestamp,
            ParameterType::UInt => Self::UInt,
        }
    }

    /// Whether null may stand for it.
    const fn is_nullable(&self) -> bool {
        matches!(self, Self::Address | Self::Dyn | Self::Duration | Self::Null | Self::Timestamp)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Address => "ipaddress",
            Self::Bool => "bool",
            Self::Bytes => "bytes",
            Self::Double => "double",
            Self::Duration => "duration",
            Self::Dyn | Self::Variable(_) => "dyn",
            Self::Int => "int",
            Self::List(element) => return write!(formatter, "list({element})"),
            Self::Map(key, value) => return write!(formatter, "map({key}, {value})"),
            Self::Null => "null",
            Self::String => "string",
            Self::Timestamp => "timestamp",
            Self::Meta => "type",
            Self::UInt => "uint",
        };
        formatter.write_str(name)
    }
}

/// What the variables were found to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Mapping {
    found: Vec<Option<Type>>,
}

impl Mapping {
    pub(super) fn new_variable(&mut self) -> Type {
        self.found.push(None);
        Type::Variable(self.found.len().saturating_sub(1))
    }

    fn find(&self, of: &Type) -> Option<&Type> {
        match of {
            Type::Variable(variable) => self.found.get(*variable)?.as_ref(),
            _ => None,
        }
    }

    fn set(&mut self, variable: &Type, to: Type) {
        if let Type::Variable(variable) = variable
            && let Some(place) = self.found.get_mut(*variable)
        {
            *place = Some(to);
        }
    }

    /// Whether `a` may stand where `b` is asked for; variables are found on the way, and left as
    /// they were where it may not.
    pub(super) fn assign(&mut self, a: &Type, b: &Type) -> bool {
        let mut trial = self.clone();
        let assigned = trial.try_assign(a, b);
        if assigned {
            *self = trial;
        }
        assigned
    }

    /// [`Mapping::assign`] for a list of arguments.
    pub(super) fn assign_all(&mut self, arguments: &[Type], parameters: &[Type]) -> bool {
        if arguments.len() != parameters.len() {
            return false;
        }
        let mut trial = self.clone();
        let assigned = arguments.iter().zip(parameters).all(|(a, b)| trial.try_assign(a, b));
        if assigned {
            *self = trial;
        }
        assigned
    }

    fn try_assign(&mut self, a: &Type, b: &Type) -> bool {
        if matches!(b, Type::Variable(_)) {
            let (is_valid, has_type) = self.is_valid(a, b);
            if is_valid || has_type {
                return is_valid;
            }
        }
        if matches!(a, Type::Variable(_)) {
            return self.is_valid(b, a).0;
        }
        match (a, b) {
            (Type::Dyn, _) | (_, Type::Dyn) => true,
            (Type::Null, other) | (other, Type::Null) => other.is_nullable(),
            (Type::List(a), Type::List(b)) => self.try_assign(a, b),
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.try_assign(key, other_key) && self.try_assign(value, other_value)
            }
            _ => a == b,
        }
    }

    /// Whether `variable` may be `of`, and whether it was something already.
    fn is_valid(&mut self, of: &Type, variable: &Type) -> (bool, bool) {
        if of == variable {
            return (true, true);
        }
        if let Some(known) = self.find(variable).cloned() {
            if *of == known {
                return (true, true);
            }
            if self.try_assign(of, &known) {
                let general = most_general(of, &known);
                if !self.occurs(variable, &general) {
                    self.set(variable, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.occurs(variable, of) {
            return (false, false);
        }
        self.set(variable, of.clone());
        (true, false)
    }

    /// Whether `variable` is, or is a part of, `within`.
    fn occurs(&self, variable: &Type, within: &Type) -> bool {
        if variable == within {
            return true;
        }
        match within {
            Type::Variable(_) => {
                self.find(within).is_some_and(|known| self.occurs(variable, known))
            }
            Type::List(element) => self.occurs(variable, element),
            Type::Map(key, value) => self.occurs(variable, key) || self.occurs(variable, value),
            _ => false,
        }
    }

    /// The type with the variables that were found put in.
    pub(super) fn resolve(&self, of: &Type) -> Type {
        if let Some(known) = self.find(of) {
            return self.resolve(known);
        }
        match of {
            Type::List(element) => Type::list(self.resolve(element)),
            Type::Map(key, value) => Type::map(self.resolve(key), self.resolve(value)),
            other => other.clone(),
        }
    }
}

/// The one of two types that agree which says less.
pub(super) fn most_general(a: &Type, b: &Type) -> Type {
    if says_no_more(a, b) { a.clone() } else { b.clone() }
}

fn says_no_more(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Variable(_), _) => true,
        (_, Type::Dyn | Type::Variable(_)) => false,
        (Type::List(a), Type::List(b)) => says_no_more(a, b),
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            says_no_more(key, other_key) && says_no_more(value, other_value)
        }
        _ => a == b,
    }
}
