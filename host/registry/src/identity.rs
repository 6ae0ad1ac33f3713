//! Machine identities: agents and services, one record each, whose names are never given twice.

mod create;
mod life;
mod listing;

use mandate_authz::name::ObjectName;
use mandate_authz::record::{DelegationMode, Holder, Identity, Kind, Scope, Status};

pub use self::create::{NewIdentity, NewThread};
pub use self::listing::IdentityFilter;
use crate::database::{Row, Transaction, Value, unreadable};
use crate::error::RegistryError;
use crate::look_up::Matter;
use crate::scope;
use crate::text;
use crate::writing::Writing;

/// How an issuer's tokens name an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: Option<String>,
    /// The client id.
    pub client: Option<String>,
}

/// A machine identity as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineIdentity {
    /// Its object in the model: `agent:devops-helper`. Immutable, never reused.
    pub object: ObjectName,
    /// Agent or service.
    pub kind: Kind,
    /// For people.
    pub display_name: String,
    /// The thread that it was made for.
    pub thread: Option<String>,
    /// The user whose it is.
    pub owner: Option<ObjectName>,
    /// Its tenant.
    pub tenant: String,
    /// What it is limited to.
    pub scope: Scope,
    /// Where its delegations come from.
    pub delegation: DelegationMode,
    /// The one user it acts for, for the binding mode `relation`.
    pub sole_user: Option<ObjectName>,
    /// Whether it may act.
    pub status: Status,
    /// From when on it may not.
    pub expires_at: Option<u64>,
    /// When it was made.
    pub created_at: u64,
    /// When it acted last, as far as audit records have come in.
    pub last_used_at: Option<u64>,
    /// When one of its credentials was replaced last.
    pub last_rotated_at: Option<u64>,
    /// How tokens name it.
    pub external: Option<External>,
}

impl MachineIdentity {
    /// The record that goes into a snapshot.
    #[must_use]
    pub fn record(&self) -> Identity {
        let holders = |name: fn(&External) -> Option<&String>| {
            let external = self.external.as_ref();
            let holder = external.and_then(|external| {
                let name = name(external)?.clone();
                Some(Holder { issuer: external.issuer.clone(), name })
            });
            holder.into_iter().collect()
        };
        Identity {
            object: self.object.clone(),
            kind: self.kind,
            subjects: holders(|external| external.subject.as_ref()),
            clients: holders(|external| external.client.as_ref()),
            tenants: vec![self.tenant.clone()],
            status: self.status,
            expires_at: self.expires_at,
            scope: Some(self.scope.clone()),
            delegation: self.delegation,
            sole_user: self.sole_user.clone(),
        }
    }

    /// What matters for who may change it.
    pub(crate) fn matter(&self) -> Matter<'_> {
        Matter {
            tenants: std::slice::from_ref(&self.tenant),
            identity: Some(&self.object),
            owner: self.owner.as_ref(),
            user: None,
        }
    }
}

/// The columns, in the order of [`read`].
const COLUMNS: &str = "object, kind, display_name, thread, owner, tenant, scope, delegation, \
    sole_user, status, expires_at, created_at, last_used_at, last_rotated_at, external_issuer, \
    external_subject, external_client";

/// Machine identities that fit a condition, in the order of their objects.
pub(crate) fn stored(
    transaction: &mut dyn Transaction,
    condition: &str,
    values: &[Value],
) -> Result<Vec<MachineIdentity>, RegistryError> {
    let sql = format!("select {COLUMNS} from machine_identity where {condition} order by object");
    transaction.query(&sql, values)?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<MachineIdentity, RegistryError> {
    let object = |column| match row.optional_text(column)? {
        None => Ok(None),
        Some(name) => text::object(&name).map(Some),
    };
    let external = match row.optional_text(14)? {
        None => None,
        Some(issuer) => {
            let (subject, client) = (row.optional_text(15)?, row.optional_text(16)?);
            Some(External { issuer, subject, client })
        }
    };
    Ok(MachineIdentity {
        object: text::object(&row.text(0)?)?,
        kind: if row.text(1)? == "agent" { Kind::Agent } else { Kind::Service },
        display_name: row.text(2)?,
        thread: row.optional_text(3)?,
        owner: object(4)?,
        tenant: row.text(5)?,
        scope: scope::read(&row.text(6)?)?,
        delegation: match row.text(7)?.as_str() {
            "on-invoke" => DelegationMode::OnInvoke,
            "stored" => DelegationMode::Stored,
            _ => return Err(unreadable()),
        },
        sole_user: object(8)?,
        status: status(&row.text(9)?)?,
        expires_at: row.optional_number(10)?,
        created_at: row.number(11)?,
        last_used_at: row.optional_number(12)?,
        last_rotated_at: row.optional_number(13)?,
        external,
    })
}

/// A status as the database writes it.
pub(crate) const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Retired => "retired",
        Status::Suspended => "suspended",
    }
}

/// A status as the database wrote it.
pub(crate) fn status(text: &str) -> Result<Status, RegistryError> {
    match text {
        "active" => Ok(Status::Active),
        "retired" => Ok(Status::Retired),
        "suspended" => Ok(Status::Suspended),
        _ => Err(unreadable()),
    }
}

impl Writing<'_> {
    /// A machine identity.
    pub(crate) fn identity(
        &mut self,
        object: &ObjectName,
    ) -> Result<MachineIdentity, RegistryError> {
        let sql = format!("select {COLUMNS} from machine_identity where object = $1");
        let rows = self.query(&sql, &[object.to_string().into()])?;
        rows.first().map_or_else(|| Err(unknown(object)), read)
    }
}

fn unknown(object: &ObjectName) -> RegistryError {
    RegistryError::NotFound(format!("machine identity `{object}`"))
}
