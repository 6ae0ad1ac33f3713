//! Records as the rule sees them, wherever they lie.

use super::Parts;
use super::layout::{
    CredentialRecord, HandleRecord, IdentityRecord, NONE, NameRecord, credential_flags,
    identity_flags, index, mode_flags, moment, read, slice,
};
use super::overlay::{ChangedCredential, ChangedIdentity};
use crate::record::{DelegationMode, Grant, Kind, Scope, Status};
use crate::snapshot::Object;

/// An identity.
#[derive(Clone, Copy, Debug)]
pub struct IdentityView<'s>(Identity<'s>);

#[derive(Clone, Copy, Debug)]
enum Identity<'s> {
    Stored { parts: Parts<'s>, number: u32 },
    Changed(&'s ChangedIdentity),
}

/// A credential.
#[derive(Clone, Copy, Debug)]
pub struct CredentialView<'s>(Credential<'s>);

#[derive(Clone, Copy, Debug)]
enum Credential<'s> {
    Stored { parts: Parts<'s>, record: &'s CredentialRecord },
    Changed(&'s ChangedCredential),
}

/// Who claims a subject or a client. A section admits one identity for each; deltas may leave
/// several, and then nobody can say which it is.
#[derive(Clone, Copy, Debug)]
pub enum Claimant<'s> {
    /// No identity.
    Nobody,
    /// One.
    One(IdentityView<'s>),
    /// More than one.
    Several,
}

impl<'s> Claimant<'s> {
    /// The identity, where there is exactly one.
    #[must_use]
    pub const fn only(self) -> Option<IdentityView<'s>> {
        if let Self::One(identity) = self { Some(identity) } else { None }
    }
}

/// An issuer's subject or client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderView<'s> {
    /// `iss`
    pub issuer: &'s str,
    /// `sub`, or the client id.
    pub name: &'s str,
}

/// What an identity is limited to.
#[derive(Clone, Copy, Debug)]
pub struct ScopeView<'s> {
    /// Ids of workspaces.
    pub workspaces: GrantView<'s>,
    /// Ids of boards.
    pub boards: GrantView<'s>,
    /// `read`, `write`, `admin`.
    pub modes: GrantView<'s>,
    /// Names of actions.
    pub actions: GrantView<'s>,
}

/// A set that an administrator wrote down.
#[derive(Clone, Copy, Debug)]
pub struct GrantView<'s>(Granted<'s>);

#[derive(Clone, Copy, Debug)]
enum Granted<'s> {
    All,
    Stored { parts: Parts<'s>, names: &'s [NameRecord] },
    Modes(u32),
    Changed(&'s [String]),
}

impl<'s> IdentityView<'s> {
    pub(super) const fn stored(parts: Parts<'s>, number: u32) -> Self {
        Self(Identity::Stored { parts, number })
    }

    pub(super) const fn changed(identity: &'s ChangedIdentity) -> Self {
        Self(Identity::Changed(identity))
    }

    /// Its object.
    #[must_use]
    pub fn object(&self) -> Option<Object> {
        match self.0 {
            Identity::Changed(identity) => Some(identity.object),
            Identity::Stored { .. } => {
                let [type_index, local, ..] = self.record()?;
                Some(Object::from_words([read(type_index), read(local)]))
            }
        }
    }

    /// What it is. An unreadable record is a service: it can represent nobody.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if let Identity::Changed(identity) = self.0 {
            return identity.record.kind;
        }
        match self.field(identity_flags::KIND) {
            0 => Kind::Agent,
            2 => Kind::User,
            _ => Kind::Service,
        }
    }

    /// Whether it may act.
    #[must_use]
    pub fn status(&self) -> Status {
        if let Identity::Changed(identity) = self.0 {
            return identity.record.status;
        }
        match self.field(identity_flags::STATUS) {
            0 => Status::Active,
            2 => Status::Suspended,
            _ => Status::Retired,
        }
    }

    /// Seconds since the epoch, from which on it may not.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        match self.0 {
            Identity::Changed(identity) => identity.record.expires_at,
            Identity::Stored { .. } => {
                let [_, _, _, _, low, high, ..] = self.record()?;
                moment(low, high)
            }
        }
    }

    /// Where its delegations come from.
    #[must_use]
    pub fn delegation(&self) -> DelegationMode {
        match self.0 {
            Identity::Changed(identity) => identity.record.delegation,
            Identity::Stored { .. } if self.flags() & identity_flags::ON_INVOKE != 0 => {
                DelegationMode::OnInvoke
            }
            Identity::Stored { .. } => DelegationMode::Stored,
        }
    }

    /// Its tenants: several only for people.
    pub fn tenants(&self) -> impl Iterator<Item = Object> + use<'s> {
        let changed: &[Object] = match self.0 {
            Identity::Changed(identity) => &identity.tenants,
            Identity::Stored { .. } => &[],
        };
        self.handles().iter().map(handle).chain(changed.iter().copied())
    }

    /// The one user it acts for, in the binding mode `relation`.
    #[must_use]
    pub fn sole_user(&self) -> Option<Object> {
        match self.0 {
            Identity::Changed(identity) => identity.sole_user,
            Identity::Stored { parts, .. } => {
                if self.flags() & identity_flags::SOLE_USER == 0 {
                    return None;
                }
                let [_, _, _, _, _, _, first, tenants, ..] = self.record()?;
                let number = read(first).checked_add(read(tenants))?;
                parts.handles.get(index(number)).map(handle)
            }
        }
    }

    /// What it is limited to.
    #[must_use]
    pub fn scope(&self) -> Option<ScopeView<'s>> {
        match self.0 {
            Identity::Changed(identity) => identity.record.scope.as_ref().map(ScopeView::changed),
            Identity::Stored { parts, .. } => {
                let [_, _, _, scope, ..] = self.record()?;
                ScopeView::stored(parts, read(scope))
            }
        }
    }

    /// Subjects of tokens that are this principal.
    pub fn subjects(&self) -> impl Iterator<Item = HolderView<'s>> {
        self.holders(false)
    }

    /// Client ids of tokens that name this agent.
    pub fn clients(&self) -> impl Iterator<Item = HolderView<'s>> {
        self.holders(true)
    }

    fn holders(&self, clients: bool) -> impl Iterator<Item = HolderView<'s>> + use<'s> {
        let changed: &[_] = match self.0 {
            Identity::Changed(identity) if clients => &identity.record.clients,
            Identity::Changed(identity) => &identity.record.subjects,
            Identity::Stored { .. } => &[],
        };
        let changed =
            changed.iter().map(|holder| HolderView { issuer: &holder.issuer, name: &holder.name });
        let stored = match self.0 {
            Identity::Stored { parts, .. } => Some((parts, self.holder_numbers(clients))),
            Identity::Changed(_) => None,
        };
        let stored = stored.into_iter().flat_map(|(parts, numbers)| {
            numbers.filter_map(move |number| {
                let holder = parts.holder(number)?;
                Some(HolderView { issuer: holder.issuer, name: holder.name })
            })
        });
        stored.chain(changed)
    }

    fn holder_numbers(&self, clients: bool) -> std::ops::Range<u32> {
        let Some([_, _, _, _, _, _, _, _, first, of_subjects, of_clients, ..]) = self.record()
        else {
            return 0..0;
        };
        let middle = read(first).saturating_add(read(of_subjects));
        if clients { middle..middle.saturating_add(read(of_clients)) } else { read(first)..middle }
    }

    fn handles(&self) -> &'s [HandleRecord] {
        let Identity::Stored { parts, .. } = self.0 else { return &[] };
        let Some([_, _, _, _, _, _, first, tenants, ..]) = self.record() else { return &[] };
        slice(parts.handles, read(first), read(tenants)).unwrap_or_default()
    }

    fn record(&self) -> Option<&'s IdentityRecord> {
        match self.0 {
            Identity::Stored { parts, number } => parts.identities.get(index(number)),
            Identity::Changed(_) => None,
        }
    }

    fn flags(&self) -> u32 {
        // INVARIANT: the record exists; without one, every field reads as the strictest value.
        self.record().map_or(!identity_flags::ON_INVOKE, |[_, _, flags, ..]| read(flags))
    }

    fn field(&self, (shift, mask): (u32, u32)) -> u32 {
        self.flags() >> shift & mask
    }
}

impl<'s> CredentialView<'s> {
    pub(super) fn stored(parts: Parts<'s>, number: u32) -> Option<Self> {
        let record = parts.credentials.get(index(number))?;
        Some(Self(Credential::Stored { parts, record }))
    }

    pub(super) const fn changed(credential: &'s ChangedCredential) -> Self {
        Self(Credential::Changed(credential))
    }

    /// Its public id.
    #[must_use]
    pub fn id(&self) -> &'s str {
        match self.0 {
            Credential::Changed(credential) => &credential.record.id,
            Credential::Stored { parts, record: [_, start, length, ..] } => {
                parts.text(read(start), read(length))
            }
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn identity(&self) -> Option<Object> {
        match self.0 {
            Credential::Changed(credential) => Some(credential.identity),
            Credential::Stored { parts, record: [identity, ..] } => {
                IdentityView::stored(parts, read(identity)).object()
            }
        }
    }

    /// SHA-256 of the client certificate.
    #[must_use]
    pub fn thumbprint(&self) -> Option<&'s [u8; 32]> {
        match self.0 {
            Credential::Changed(credential) => credential.record.thumbprint.as_ref(),
            Credential::Stored { record, .. } => {
                let [_, _, _, flags, rest @ ..] = record;
                let thumbprint = rest.first_chunk::<8>()?.as_flattened().as_array();
                thumbprint.filter(|_| read(flags) & credential_flags::THUMBPRINT != 0)
            }
        }
    }

    /// Whether a `jti` is registered for it.
    #[must_use]
    pub fn registers_token(&self, token_id: &str) -> bool {
        match self.0 {
            Credential::Changed(credential) => {
                credential.record.token_ids.iter().any(|known| known == token_id)
            }
            Credential::Stored { parts, record } => {
                let [_, _, _, _, _, _, _, _, _, _, _, _, first, count, ..] = record;
                let names = slice(parts.names, read(first), read(count)).unwrap_or_default();
                sorted_contains(parts, names, token_id)
            }
        }
    }

    /// The `jti`s that are registered for it.
    #[must_use]
    pub fn token_ids(&self) -> Vec<&'s str> {
        match self.0 {
            Credential::Changed(credential) => {
                credential.record.token_ids.iter().map(String::as_str).collect()
            }
            Credential::Stored { parts, record } => {
                let [_, _, _, _, _, _, _, _, _, _, _, _, first, count, ..] = record;
                let names = slice(parts.names, read(first), read(count)).unwrap_or_default();
                names.iter().map(|[at, of]| parts.text(read(at), read(of))).collect()
            }
        }
    }

    /// The (issuer, client id) that it is.
    #[must_use]
    pub fn client(&self) -> Option<HolderView<'s>> {
        match self.0 {
            Credential::Changed(credential) => {
                credential.record.client.as_ref().map(HolderView::changed)
            }
            Credential::Stored { parts, record } => {
                let [.., issuer, start, length, _, _, _, _, _, _, _, _, _] = record;
                let holder = || HolderView::stored(parts, [issuer, start, length]);
                (self.flags() & credential_flags::CLIENT != 0).then(holder)
            }
        }
    }

    /// The (issuer, subject) that it is.
    #[must_use]
    pub fn subject(&self) -> Option<HolderView<'s>> {
        match self.0 {
            Credential::Changed(credential) => {
                credential.record.subject.as_ref().map(HolderView::changed)
            }
            Credential::Stored { parts, record } => {
                let [.., issuer, start, length, _, _, _, _, _, _] = record;
                let holder = || HolderView::stored(parts, [issuer, start, length]);
                (self.flags() & credential_flags::SUBJECT != 0).then(holder)
            }
        }
    }

    /// The public key (JWK) that signs agent contexts.
    #[must_use]
    pub fn context_key(&self) -> Option<&'s str> {
        match self.0 {
            Credential::Changed(credential) => credential.record.context_key.as_deref(),
            Credential::Stored { parts, record: [.., start, length, _, _, _, _] } => {
                let key = || parts.text(read(start), read(length));
                (self.flags() & credential_flags::CONTEXT_KEY != 0).then(key)
            }
        }
    }

    /// Seconds since the epoch, from which on it is void.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        match self.0 {
            Credential::Changed(credential) => credential.record.expires_at,
            Credential::Stored { record: [.., low, high, _, _], .. } => moment(low, high),
        }
    }

    /// When it was revoked, in seconds since the epoch.
    #[must_use]
    pub fn revoked_at(&self) -> Option<u64> {
        match self.0 {
            Credential::Changed(credential) => credential.record.revoked_at,
            Credential::Stored { record: [.., low, high], .. } => moment(low, high),
        }
    }

    fn flags(&self) -> u32 {
        match self.0 {
            Credential::Changed(_) => 0,
            Credential::Stored { record: [_, _, _, flags, ..], .. } => read(flags),
        }
    }
}

impl<'s> HolderView<'s> {
    fn changed(holder: &'s crate::record::Holder) -> Self {
        Self { issuer: &holder.issuer, name: &holder.name }
    }

    fn stored(parts: Parts<'s>, [issuer, start, length]: [&[u8; 4]; 3]) -> Self {
        Self { issuer: parts.name(read(issuer)), name: parts.text(read(start), read(length)) }
    }
}

impl<'s> ScopeView<'s> {
    /// What an identity without a scope is limited to.
    pub(crate) const NOTHING: Self = Self {
        workspaces: GrantView(Granted::Changed(&[])),
        boards: GrantView(Granted::Changed(&[])),
        modes: GrantView(Granted::Changed(&[])),
        actions: GrantView(Granted::Changed(&[])),
    };

    fn stored(parts: Parts<'s>, number: u32) -> Option<Self> {
        if number == NONE {
            return None;
        }
        let record = parts.scopes.get(index(number))?;
        let [workspaces, of_workspaces, boards, of_boards, actions, of_actions, modes] = record;
        let grant = |first, count| GrantView::stored(parts, read(first), read(count));
        Some(Self {
            workspaces: grant(workspaces, of_workspaces),
            boards: grant(boards, of_boards),
            modes: GrantView(Granted::Modes(read(modes))),
            actions: grant(actions, of_actions),
        })
    }

    fn changed(scope: &'s Scope) -> Self {
        Self {
            workspaces: GrantView::changed(&scope.workspaces),
            boards: GrantView::changed(&scope.boards),
            modes: GrantView::changed(&scope.modes),
            actions: GrantView::changed(&scope.actions),
        }
    }
}

impl<'s> GrantView<'s> {
    fn stored(parts: Parts<'s>, first: u32, count: u32) -> Self {
        if count == NONE {
            return Self(Granted::All);
        }
        let names = slice(parts.names, first, count).unwrap_or_default();
        Self(Granted::Stored { parts, names })
    }

    const fn changed(grant: &'s Grant) -> Self {
        match grant {
            Grant::All => Self(Granted::All),
            Grant::Listed(names) => Self(Granted::Changed(names.as_slice())),
        }
    }

    /// Whether it is `*`, written out.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        match self.0 {
            Granted::All => true,
            Granted::Modes(modes) => modes & mode_flags::ALL != 0,
            Granted::Stored { .. } | Granted::Changed(_) => false,
        }
    }

    /// Whether a name is in the set.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        match self.0 {
            Granted::All => true,
            Granted::Modes(modes) => modes & (mode_flag(name) | mode_flags::ALL) != 0,
            Granted::Stored { parts, names } => sorted_contains(parts, names, name),
            Granted::Changed(names) => names.iter().any(|known| known == name),
        }
    }

    /// The names, unless the set is `*`.
    #[must_use]
    pub fn names(&self) -> Option<Vec<&'s str>> {
        match self.0 {
            Granted::All => None,
            Granted::Modes(modes) if modes & mode_flags::ALL != 0 => None,
            Granted::Modes(modes) => {
                Some(MODES.into_iter().filter(|name| mode_flag(name) & modes != 0).collect())
            }
            Granted::Stored { parts, names } => {
                Some(names.iter().map(|[at, of]| parts.text(read(at), read(of))).collect())
            }
            Granted::Changed(names) => Some(names.iter().map(String::as_str).collect()),
        }
    }
}

/// The modes, in the order of their bits.
pub(super) const MODES: [&str; 3] = ["read", "write", "admin"];

/// The bit of a mode; none for what is no mode.
pub(super) fn mode_flag(name: &str) -> u32 {
    match name {
        "read" => mode_flags::READ,
        "write" => mode_flags::WRITE,
        "admin" => mode_flags::ADMIN,
        _ => 0,
    }
}

fn handle([type_index, local]: &HandleRecord) -> Object {
    Object::from_words([read(type_index), read(local)])
}

/// Whether a name is among names in ascending order of their bytes.
fn sorted_contains(parts: Parts<'_>, names: &[NameRecord], wanted: &str) -> bool {
    let text = |[start, length]: &NameRecord| parts.text(read(start), read(length));
    names.binary_search_by(|record| text(record).cmp(wanted)).is_ok()
}
