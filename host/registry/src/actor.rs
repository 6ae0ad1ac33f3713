//! Who changes the registry.

use std::fmt;

use mandate_authz::name::ObjectName;

/// Who changes the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever can reach the database itself. May do everything, and is audited as such.
    Local,
    /// A principal that the caller has authenticated.
    Principal(ObjectName),
}

impl fmt::Display for Actor {
    /// As audit records write it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => formatter.write_str("local"),
            Self::Principal(object) => write!(formatter, "{object}"),
        }
    }
}
