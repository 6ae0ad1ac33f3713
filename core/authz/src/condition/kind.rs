//! The kinds of values, and types as they stand in code: prefix notation, one byte a level.

use super::ParameterType;

/// The kind of a value, or the outermost level of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Bool,
    Double,
    Duration,
    Int,
    IpAddress,
    List,
    Map,
    String,
    Timestamp,
    UInt,
    Null,
    Type,
}

impl Kind {
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Any => 0,
            Self::Bool => 1,
            Self::Double => 2,
            Self::Duration => 3,
            Self::Int => 4,
            Self::IpAddress => 5,
            Self::List => 6,
            Self::Map => 7,
            Self::String => 8,
            Self::Timestamp => 9,
            Self::UInt => 10,
            Self::Null => 11,
            Self::Type => 12,
        }
    }

    pub(super) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Any,
            1 => Self::Bool,
            2 => Self::Double,
            3 => Self::Duration,
            4 => Self::Int,
            5 => Self::IpAddress,
            6 => Self::List,
            7 => Self::Map,
            8 => Self::String,
            9 => Self::Timestamp,
            10 => Self::UInt,
            11 => Self::Null,
            12 => Self::Type,
            _ => return None,
        })
    }
}

/// A type in code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeCode<'a>(&'a [u8]);

impl<'a> TypeCode<'a> {
    pub(super) const ANY: TypeCode<'static> = TypeCode(&[0]);

    /// Exactly one type: what `bytes` holds, and nothing after it.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (last, outer) = bytes.split_last()?;
        let nested = outer.iter().all(|code| is_container(*code));
        let fits = bytes.len() <= TYPE_LEVELS && nested && !is_container(*last);
        (fits && Kind::from_code(*last).is_some()).then_some(Self(bytes))
    }

    /// Whether a parameter may have it: neither null nor the type of types is one.
    pub(super) fn is_of_parameter(self) -> bool {
        self.0.last().is_some_and(|code| *code < Kind::Null.code())
    }

    /// The outermost level. Bytes that are no type are `any`, which nothing was validated as.
    pub(super) fn kind(self) -> Kind {
        self.0.first().and_then(|code| Kind::from_code(*code)).unwrap_or(Kind::Any)
    }

    /// The type of a list's elements, of a map's values.
    pub(super) fn inner(self) -> Self {
        self.0.get(1..).map_or(TypeCode::ANY, Self)
    }

    pub(super) fn decode(self) -> Option<ParameterType> {
        let inner = || self.inner().decode().map(Box::new);
        Some(match self.kind() {
            Kind::Any => ParameterType::Any,
            Kind::Bool => ParameterType::Bool,
            Kind::Double => ParameterType::Double,
            Kind::Duration => ParameterType::Duration,
            Kind::Int => ParameterType::Int,
            Kind::IpAddress => ParameterType::IpAddress,
            Kind::List => ParameterType::List(inner()?),
            Kind::Map => ParameterType::Map(inner()?),
            Kind::String => ParameterType::String,
            Kind::Timestamp => ParameterType::Timestamp,
            Kind::UInt => ParameterType::UInt,
            Kind::Null | Kind::Type => return None,
        })
    }
}

const fn is_container(code: u8) -> bool {
    code == Kind::List.code() || code == Kind::Map.code()
}

/// Levels of a type: `list<list<…>>`. OpenFGA's language writes two; its JSON form nests at will.
pub(super) const TYPE_LEVELS: usize = 8;
