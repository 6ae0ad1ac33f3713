//! Conditions on relationships: CEL, compiled natively to a small bytecode, evaluated with a step
//! count. No parser runs in the guest.

/// The type of a condition's parameter: OpenFGA's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterType {
    /// `any`
    Any,
    /// `bool`
    Bool,
    /// `double`
    Double,
    /// `duration`
    Duration,
    /// `int`
    Int,
    /// `ipaddress`
    IpAddress,
    /// `list<T>`
    List(Box<Self>),
    /// `map<T>`
    Map(Box<Self>),
    /// `string`
    String,
    /// `timestamp`
    Timestamp,
    /// `uint`
    UInt,
}

/// Why a condition gave no answer. Each denies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionFailure {
    /// The expression failed: overflow, division by zero, a key or index that is not there.
    Expression {
        /// One phrase, lower case.
        problem: &'static str,
    },
    /// Neither the relationship nor the request gives a parameter that was needed.
    Missing {
        /// The parameter's name.
        parameter: String,
    },
    /// More steps than the limit: `condition-steps`.
    Steps,
    /// A value does not have its parameter's type.
    Type {
        /// The parameter's name.
        parameter: String,
    },
}
