//! Machine identities: what agents and services have in common, and services.

use super::FactsError;
use super::assembly::Assembly;
use super::credentials;
use super::file::{CredentialFile, List, ScopeFile, StatusFile};
use super::moment::Moment;
use super::place::{Place, entries};
use super::scalar::HolderFile;
use crate::name::ObjectName;
use crate::record::{DelegationMode, Grant, Identity, Kind, Scope};

/// The members of an entry that make a machine identity.
pub(super) struct Machine<'e> {
    pub(super) kind: Kind,
    pub(super) organization: Option<&'e str>,
    pub(super) subjects: &'e List<HolderFile>,
    pub(super) clients: &'e List<HolderFile>,
    pub(super) status: StatusFile,
    pub(super) expires_at: Option<Moment>,
    pub(super) scope: Option<&'e ScopeFile>,
    pub(super) credentials: &'e List<CredentialFile>,
    pub(super) delegation: DelegationMode,
    pub(super) sole_user: Option<ObjectName>,
}

impl Machine<'_> {
    /// Adds identity and credentials, and gives the tenant.
    pub(super) fn enter(
        self,
        assembly: &mut Assembly<'_>,
        object: &ObjectName,
        place: &Place,
    ) -> Result<String, FactsError> {
        let organization = assembly.organization(self.organization, place)?;
        let identity = Identity {
            object: object.clone(),
            kind: self.kind,
            subjects: assembly.holders(place.each("subjects", self.subjects))?,
            clients: assembly.holders(place.each("clients", self.clients))?,
            tenants: vec![organization.clone()],
            status: self.status.into(),
            expires_at: self.expires_at.map(|moment| moment.0),
            scope: self.scope.map(|scope| checked(scope, assembly, place)).transpose()?,
            delegation: self.delegation,
            sole_user: self.sole_user,
        };
        if identity.scope.is_none() {
            let message = format!("`{object}` has no `scope`, which covers nothing (rule, line 5)");
            assembly.notes.push(place.note(message));
        }
        assembly.identities.push((identity, place.clone()));
        credentials::of_identity(assembly, object, place.each("credentials", self.credentials))?;
        Ok(organization)
    }
}

/// Services, which act for themselves.
pub(super) fn services(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("services".to_owned(), &assembly.file.services) {
        let service = assembly.types().service.as_deref();
        let service = service.ok_or_else(|| place.error("the contract has no type `service`"))?;
        let object = assembly.introduce(service, &entry.id, &place)?;
        let machine = Machine {
            kind: Kind::Service,
            organization: entry.organization.as_deref(),
            subjects: &entry.subjects,
            clients: &entry.clients,
            status: entry.status,
            expires_at: entry.expires_at,
            scope: entry.scope.as_ref(),
            credentials: &entry.credentials,
            delegation: DelegationMode::Stored,
            sole_user: None,
        };
        machine.enter(assembly, &object, &place)?;
    }
    Ok(())
}

/// A name that nothing has would cover nothing, and nobody would notice.
fn checked(scope: &ScopeFile, assembly: &Assembly<'_>, place: &Place) -> Result<Scope, FactsError> {
    let known = |member: &str, grant: &Grant, is_known: &dyn Fn(&str) -> bool| {
        let Grant::Listed(names) = grant else { return Ok(()) };
        match names.iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                let place = place.member("scope").member(member);
                Err(place.error(format!("the contract has no `{name}` here")))
            }
        }
    };
    let Scope { workspaces, boards, modes, actions } = Scope {
        workspaces: scope.workspaces.0.clone(),
        boards: scope.boards.0.clone(),
        modes: scope.modes.0.clone(),
        actions: scope.actions.0.clone(),
    };
    known("modes", &modes, &|name| ["admin", "read", "write"].contains(&name))?;
    known("actions", &actions, &|name| assembly.policy.action(name).is_some())?;
    Ok(Scope { workspaces, boards, modes, actions })
}
