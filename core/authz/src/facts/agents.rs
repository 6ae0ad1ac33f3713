//! Agents: who may use them, whom they may act for, what they may call.

use super::FactsError;
use super::assembly::Assembly;
use super::file::{AgentFile, DelegationFile, Visibility};
use super::names::{self, TEAM, relation};
use super::place::{Place, entries};
use super::services::Machine;
use super::tools;
use crate::name::{ObjectName, Subject};
use crate::record::{DelegationMode, Kind};
use crate::tuple::Tuple;

pub(super) fn agents(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("agents".to_owned(), &assembly.file.agents) {
        agent(assembly, entry, &place)?;
    }
    Ok(())
}

fn agent(assembly: &mut Assembly<'_>, entry: &AgentFile, place: &Place) -> Result<(), FactsError> {
    let types = assembly.types();
    let agent = assembly.introduce(&types.agent, &entry.id, place)?;
    let machine = Machine {
        kind: Kind::Agent,
        organization: entry.organization.as_deref(),
        subjects: &entry.subjects,
        clients: &entry.clients,
        status: entry.status,
        expires_at: entry.expires_at,
        scope: entry.scope.as_ref(),
        credentials: &entry.credentials,
        delegation: match entry.delegation {
            DelegationFile::OnInvoke => DelegationMode::OnInvoke,
            DelegationFile::Stored => DelegationMode::Stored,
        },
        sole_user: sole_user(assembly, entry, place)?,
    };
    let organization = machine.enter(assembly, &agent, place)?;
    assembly.settle(&agent, &organization, place)?;
    own(assembly, &agent, entry, place)?;
    share(assembly, &agent, entry, &organization, place)?;
    let lists = [
        (relation::AGENT_USER, "agent_users", &entry.agent_users),
        (relation::AGENT_ADMIN, "agent_admins", &entry.agent_admins),
        (relation::DENIED, "denied", &entry.denied),
    ];
    for (relation, member, subjects) in lists {
        let subjects = place.each(member, subjects);
        assembly.relationships.write_each(&agent, relation, &types.user, subjects)?;
    }
    delegate(assembly, &agent, entry, place)?;
    tools::allow(assembly, &agent, &entry.allowed_tools, place)
}

fn sole_user(
    assembly: &Assembly<'_>,
    entry: &AgentFile,
    place: &Place,
) -> Result<Option<ObjectName>, FactsError> {
    let Some(text) = &entry.sole_user else { return Ok(None) };
    let user = assembly.types().user.as_str();
    let place = place.member("sole_user");
    let object = names::object_or_id(user, text).map_err(|message| place.error(message))?;
    if object.type_name != user {
        return Err(place.error(format!("`{object}` is no `{user}`")));
    }
    Ok(Some(object))
}

fn own(
    assembly: &mut Assembly<'_>,
    agent: &ObjectName,
    entry: &AgentFile,
    place: &Place,
) -> Result<(), FactsError> {
    let (owner, place) = match (&entry.owner, &assembly.file.owner) {
        (Some(owner), _) => (owner, place.member("owner")),
        (None, Some(owner)) => (owner, Place::of_file("owner")),
        (None, None) => {
            return Err(place.error("`owner` is missing, here and at the top of the file"));
        }
    };
    let user = &assembly.types().user;
    let owner = names::subject(user, owner).map_err(|message| place.error(message))?;
    assembly.relationships.write(Tuple::new(agent.clone(), relation::OWNER, owner), &place)
}

/// By the agent's visibility: its teams, or everybody of its organization.
fn share(
    assembly: &mut Assembly<'_>,
    agent: &ObjectName,
    entry: &AgentFile,
    organization: &str,
    place: &Place,
) -> Result<(), FactsError> {
    if entry.visibility != Visibility::Team && !entry.shared_with_teams.is_empty() {
        let place = place.member("shared_with_teams");
        return Err(place.error("needs `visibility: team`"));
    }
    for (place, id) in place.each("shared_with_teams", &entry.shared_with_teams) {
        let team = names::object(TEAM, id).map_err(|message| place.error(message))?;
        // A team that is only named here is of the agent's organization: with none it would be
        // nobody's, and any organization could claim it later.
        if !assembly.has_entry(&team) && assembly.home(&team).is_none() {
            assembly.settle(&team, organization, &place)?;
        }
        let members = Subject::Userset(team, relation::MEMBER.to_owned());
        let shared = Tuple::new(agent.clone(), relation::SHARED_WITH_TEAMS, members);
        assembly.relationships.write(shared, &place)?;
    }
    if entry.visibility == Visibility::Global {
        let tenant = ObjectName::new(&assembly.types().tenant, organization);
        let everybody = Subject::Userset(tenant, relation::MEMBER.to_owned());
        let visible = Tuple::new(agent.clone(), relation::VISIBLE_TO, everybody);
        assembly.relationships.write(visible, &place.member("visibility"))?;
    }
    Ok(())
}

/// A person's delegation stands at the person.
fn delegate(
    assembly: &mut Assembly<'_>,
    agent: &ObjectName,
    entry: &AgentFile,
    place: &Place,
) -> Result<(), FactsError> {
    let user = assembly.types().user.as_str();
    for (place, id) in place.each("delegated_by", &entry.delegated_by) {
        let person = names::object_or_id(user, id).map_err(|message| place.error(message))?;
        let subject = Subject::Object(agent.clone());
        let delegation = Tuple::new(person, relation::DELEGATE_OF, subject);
        assembly.relationships.write(delegation, &place)?;
    }
    Ok(())
}
