//! Organizations, users and teams.

use super::FactsError;
use super::assembly::Assembly;
use super::names::{TEAM, relation};
use super::place::{Place, entries};
use crate::name::{ObjectName, Subject};
use crate::record::{DelegationMode, Identity, Kind};
use crate::tuple::Tuple;

/// Tenants, and who administers them.
pub(super) fn organizations(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    let types = assembly.types();
    for (place, entry) in entries("organizations".to_owned(), &assembly.file.organizations) {
        let tenant = assembly.introduce(&types.tenant, &entry.id, &place)?;
        let service = types.service.as_deref().unwrap_or(&types.agent);
        let lists = [
            (relation::ADMIN, "admins", &entry.admins, types.user.as_str()),
            (relation::EVALUATOR, "evaluators", &entry.evaluators, types.user.as_str()),
            (relation::CAN_ASSERT, "can_assert", &entry.can_assert, service),
        ];
        for (relation, member, subjects, usual) in lists {
            let subjects = place.each(member, subjects);
            assembly.relationships.write_each(&tenant, relation, usual, subjects)?;
        }
    }
    Ok(())
}

/// People with their memberships.
pub(super) fn users(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    let types = assembly.types();
    for (place, entry) in entries("users".to_owned(), &assembly.file.users) {
        let object = assembly.introduce(&types.user, &entry.id, &place)?;
        let mut tenants = Vec::new();
        match &entry.organizations {
            None => tenants.push((place.clone(), assembly.organization(None, &place)?)),
            Some(stated) => {
                for (place, organization) in place.each("organizations", stated) {
                    tenants
                        .push((place.clone(), assembly.organization(Some(organization), &place)?));
                }
            }
        }
        for (place, tenant) in &tenants {
            join(assembly, &object, tenant, place)?;
        }
        let identity = Identity {
            object: object.clone(),
            kind: Kind::User,
            subjects: assembly.holders(place.each("subjects", &entry.subjects))?,
            clients: Vec::new(),
            tenants: tenants.into_iter().map(|(_, tenant)| tenant).collect(),
            status: entry.status.into(),
            expires_at: entry.expires_at.map(|moment| moment.0),
            scope: None,
            delegation: DelegationMode::Stored,
            sole_user: None,
        };
        assembly.identities.push((identity, place.clone()));
        super::credentials::of_identity(
            assembly,
            &object,
            place.each("credentials", &entry.credentials),
        )?;
    }
    Ok(())
}

/// A user is a member of each of their organizations.
fn join(
    assembly: &mut Assembly<'_>,
    user: &ObjectName,
    organization: &str,
    place: &Place,
) -> Result<(), FactsError> {
    let tenant = ObjectName::new(&assembly.types().tenant, organization);
    let member = Tuple::new(tenant, relation::MEMBER, Subject::Object(user.clone()));
    assembly.relationships.write(member, place)
}

/// Teams with their members.
pub(super) fn teams(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    let user = assembly.types().user.as_str();
    for (place, entry) in entries("teams".to_owned(), &assembly.file.teams) {
        let team = assembly.introduce(TEAM, &entry.id, &place)?;
        let organization = assembly.organization(entry.organization.as_deref(), &place)?;
        assembly.settle(&team, &organization, &place)?;
        let members = place.each("members", &entry.members);
        assembly.relationships.write_each(&team, relation::MEMBER, user, members)?;
    }
    Ok(())
}
