//! Who changes the registry.

use std::fmt;

use mandate_authz::name::ObjectName;

/// Who changes the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever can reach the database itself. May do everything, and is audited as such.
    Local,
    /// A principal that the caller has authenticated, with a token of one tenant: what is of another
    /// one is not there for it.
    Member {
        /// Who.
        principal: ObjectName,
        /// The id of the tenant.
        tenant: String,
    },
    /// A principal that the caller has authenticated, and that the deployment's configuration lets
    /// register tenants and people.
    Operator(ObjectName),
    /// A principal that the caller has authenticated.
    Principal(ObjectName),
}

impl Actor {
    /// The principal; none of the local operator.
    #[must_use]
    pub const fn principal(&self) -> Option<&ObjectName> {
        match self {
            Self::Local => None,
            Self::Member { principal, .. }
            | Self::Operator(principal)
            | Self::Principal(principal) => Some(principal),
        }
    }

    /// The one tenant of which anything is there for it.
    pub(crate) fn bound(&self) -> Option<&str> {
        match self {
            Self::Member { tenant, .. } => Some(tenant),
            Self::Local | Self::Operator(_) | Self::Principal(_) => None,
        }
    }
}

impl fmt::Display for Actor {
    /// As audit records write it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.principal() {
            None => formatter.write_str("local"),
            Some(object) => write!(formatter, "{object}"),
        }
    }
}
