//! Who was bound, by name.

use mandate_authz::decision::Bound;
use mandate_authz::snapshot::{Object, Snapshot};

/// The names that the record, the identity headers and a session's scope share.
#[derive(Debug)]
pub(crate) struct Parties {
    /// The tenant's id.
    pub(crate) tenant: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) service: Option<String>,
}

impl Parties {
    /// Looks the names up. `snapshot` is the one that decided.
    pub(crate) fn of(bound: &Bound, snapshot: &Snapshot) -> Self {
        let named = |object: Option<Object>| object.map(|object| snapshot.name_as_text(object));
        Self {
            tenant: bound.tenant().map(|tenant| snapshot.name(tenant).id),
            user: named(bound.user()),
            agent: named(bound.agent()),
            service: named(bound.service()),
        }
    }

    /// The acting agent, or the service that acts for itself.
    pub(crate) fn machine(&self) -> Option<&str> {
        self.agent.as_deref().or(self.service.as_deref())
    }
}
