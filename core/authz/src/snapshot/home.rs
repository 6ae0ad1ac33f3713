//! Where an object belongs: one rule for who builds snapshots and who writes relationships.

/// The tenants of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home<T> {
    /// None, by the contract: tools and MCP servers.
    Shared,
    /// These; several only for people.
    Tenants(Vec<T>),
    /// Nobody knows, which equals nothing.
    Unknown,
}

/// The objects above an object are of two tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoTenants;

impl<T: PartialEq> Home<T> {
    /// Where an object belongs that finds its tenant through the objects above it.
    ///
    /// # Errors
    /// [`TwoTenants`] when they do not agree.
    pub fn below(parents: impl IntoIterator<Item = Self>) -> Result<Self, TwoTenants> {
        let mut home = Self::Unknown;
        for parent in parents {
            match (&home, parent) {
                (_, Self::Unknown | Self::Shared) => {}
                (Self::Unknown, found) => home = found,
                (known, found) if *known == found => {}
                _ => return Err(TwoTenants),
            }
        }
        Ok(home)
    }

    /// Whether a relationship between the two would let one tenant decide in another.
    #[must_use]
    pub fn joins(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tenants(one), Self::Tenants(other)) => {
                !one.iter().any(|tenant| other.contains(tenant))
            }
            _ => false,
        }
    }
}
