//! Records as they were written down: for tools that show and compare snapshots. Native only.

use super::view::{CredentialView, GrantView, HolderView, IdentityView, ScopeView};
use crate::name::ObjectName;
use crate::record::{Credential, Grant, Holder, Identity, Scope};
use crate::snapshot::Object;

impl IdentityView<'_> {
    /// Everything that the record says; `None` where it cannot be read.
    #[must_use]
    pub fn to_record(&self, name: &dyn Fn(Object) -> ObjectName) -> Option<Identity> {
        Some(Identity {
            object: name(self.object()?),
            kind: self.kind(),
            subjects: self.subjects().map(|holder| holder.to_record()).collect(),
            clients: self.clients().map(|holder| holder.to_record()).collect(),
            tenants: self.tenants().map(|tenant| name(tenant).id).collect(),
            status: self.status(),
            expires_at: self.expires_at(),
            scope: self.scope().map(|scope| scope.to_record()),
            delegation: self.delegation(),
            sole_user: self.sole_user().map(name),
        })
    }
}

impl CredentialView<'_> {
    /// Everything that the record says; `None` where it cannot be read.
    #[must_use]
    pub fn to_record(&self, name: &dyn Fn(Object) -> ObjectName) -> Option<Credential> {
        Some(Credential {
            id: self.id().to_owned(),
            identity: name(self.identity()?),
            thumbprint: self.thumbprint().copied(),
            token_ids: self.token_ids().into_iter().map(str::to_owned).collect(),
            client: self.client().map(|holder| holder.to_record()),
            subject: self.subject().map(|holder| holder.to_record()),
            context_key: self.context_key().map(str::to_owned),
            expires_at: self.expires_at(),
            revoked_at: self.revoked_at(),
        })
    }
}

impl HolderView<'_> {
    fn to_record(self) -> Holder {
        Holder { issuer: self.issuer.to_owned(), name: self.name.to_owned() }
    }
}

impl ScopeView<'_> {
    fn to_record(self) -> Scope {
        Scope {
            workspaces: self.workspaces.to_record(),
            boards: self.boards.to_record(),
            modes: self.modes.to_record(),
            actions: self.actions.to_record(),
        }
    }
}

impl GrantView<'_> {
    fn to_record(self) -> Grant {
        self.names().map_or(Grant::All, |names| {
            Grant::Listed(names.into_iter().map(str::to_owned).collect())
        })
    }
}
