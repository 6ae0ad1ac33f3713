//! The registry's side: a model, relationships, identities and credentials of two tenants.

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{
    Credential, DelegationMode, Grant, Holder, Identity, Kind, Scope, Status,
};
use mandate_authz::tuple::Tuple;

pub(crate) const LOGIN: &str = "https://login.example";
pub(crate) const AGENTS: &str = "https://agents.example";

pub(crate) const MODEL: &str = "model
  schema 1.1
type organization
  relations
    define member: [user]
    define can_assert: [service, agent, service:*]
type user
  relations
    define delegate_of: [agent, agent with before]
type service
type team
  relations
    define organization: [organization]
    define member: [user]
type agent
  relations
    define owner: [user]
    define shared_with_teams: [team#member]
    define denied: [user, team#member]
    define can_use: (owner or member_of_team) but not denied
    define member_of_team: shared_with_teams
    define can_configure: owner
type mcp_server
  relations
    define can_call: [user, user:*, agent, service]
type tool
  relations
    define can_call: [user, user:*, agent, agent:*, service, user with from_office]
type workspace
  relations
    define organization: [organization]
    define viewer: [user, service]
type board
  relations
    define workspace: [workspace]
    define viewer: [user, user:*, team#member, service, user with from_office]
    define editor: [user, service]
    define can_read_board: viewer or editor or viewer from workspace
    define can_edit: editor
condition before(host_time: timestamp, until: timestamp) {
  host_time < until
}
condition from_office(host_address: ipaddress, caller_ticket: string) {
  host_address.in_cidr(\"192.0.2.0/24\") && caller_ticket == \"t-1\"
}
";

pub(crate) fn object(name: &str) -> ObjectName {
    ObjectName::parse(name).unwrap_or_else(|| panic!("no object: {name}"))
}

/// `object#relation@subject`
pub(crate) fn tuple(text: &str) -> Tuple {
    let (object_name, rest) = text.split_once('#').expect("a relation");
    let (relation, subject) = rest.split_once('@').expect("a subject");
    Tuple::new(object(object_name), relation, Subject::parse(subject).expect("a subject"))
}

pub(crate) fn tuples() -> Vec<Tuple> {
    [
        "user:anne#delegate_of@agent:helper",
        "user:carol#delegate_of@agent:alien",
        "user:dana#delegate_of@agent:helper",
        "agent:helper#owner@user:anne",
        "agent:helper#owner@user:dana",
        "agent:alien#owner@user:carol",
        "agent:other#owner@user:anne",
        "tool:boards/read_board#can_call@agent:helper",
        "tool:boards/read_board#can_call@user:anne",
        "tool:boards/read_board#can_call@user:bob",
        "tool:boards/read_board#can_call@user:carol",
        "tool:boards/read_board#can_call@user:dana",
        "tool:boards/read_board#can_call@agent:alien",
        "tool:boards/read_board#can_call@service:importer",
        "tool:boards/move_card#can_call@user:anne",
        "tool:boards/list_boards#can_call@agent:helper",
        "tool:boards/list_boards#can_call@user:anne",
        "tool:web/page#can_call@agent:helper",
        "tool:web/page#can_call@user:anne",
        "mcp_server:boards#can_call@agent:helper",
        "mcp_server:boards#can_call@user:anne",
        "workspace:main#organization@organization:acme",
        "workspace:lab#organization@organization:acme",
        "workspace:plans#organization@organization:globex",
        "board:roadmap#workspace@workspace:main",
        "board:secret#workspace@workspace:lab",
        "board:launch#workspace@workspace:plans",
        "board:roadmap#viewer@user:anne",
        "board:roadmap#viewer@user:dana",
        "board:roadmap#viewer@service:importer",
        "board:launch#viewer@user:carol",
        "team:red#organization@organization:acme",
        "team:red#member@user:anne",
    ]
    .map(tuple)
    .to_vec()
}

/// A person with a subject of the login issuer.
pub(crate) fn user(id: &str, tenants: &[&str]) -> Identity {
    Identity {
        object: ObjectName::new("user", id),
        kind: Kind::User,
        subjects: vec![holder(LOGIN, id)],
        clients: Vec::new(),
        tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
        status: Status::Active,
        expires_at: None,
        scope: None,
        delegation: DelegationMode::Stored,
        sole_user: None,
    }
}

/// An agent with a subject `sa-ID` and a client `client-ID` of the agents' issuer, limited to
/// nothing.
pub(crate) fn agent(id: &str, tenant: &str) -> Identity {
    Identity {
        object: ObjectName::new("agent", id),
        kind: Kind::Agent,
        subjects: vec![holder(AGENTS, &format!("sa-{id}"))],
        clients: vec![holder(AGENTS, &format!("client-{id}"))],
        scope: Some(everything()),
        ..user(id, &[tenant])
    }
}

pub(crate) fn service(id: &str, tenant: &str) -> Identity {
    Identity {
        object: ObjectName::new("service", id),
        kind: Kind::Service,
        clients: Vec::new(),
        ..agent(id, tenant)
    }
}

pub(crate) fn everything() -> Scope {
    Scope { workspaces: Grant::All, boards: Grant::All, modes: Grant::All, actions: Grant::All }
}

pub(crate) fn listed(names: &[&str]) -> Grant {
    Grant::Listed(names.iter().map(|name| (*name).to_owned()).collect())
}

pub(crate) fn holder(issuer: &str, name: &str) -> Holder {
    Holder { issuer: issuer.to_owned(), name: name.to_owned() }
}

pub(crate) fn identities() -> Vec<Identity> {
    vec![
        user("anne", &["acme"]),
        user("bob", &["acme"]),
        user("carol", &["globex"]),
        user("dana", &["acme", "globex"]),
        user("nobody", &[]),
        agent("helper", "acme"),
        agent("other", "acme"),
        agent("alien", "globex"),
        service("importer", "acme"),
        service("pep", "acme"),
        service("foreign-pep", "globex"),
    ]
}

/// A credential that is the machine's subject at the agents' issuer.
pub(crate) fn credential(id: &str, identity: &str) -> Credential {
    let identity = object(identity);
    let subject = holder(AGENTS, &format!("sa-{}", identity.id));
    Credential {
        id: id.to_owned(),
        identity,
        thumbprint: None,
        token_ids: Vec::new(),
        client: None,
        subject: Some(subject),
        context_key: None,
        expires_at: None,
        revoked_at: None,
    }
}

pub(crate) fn credentials() -> Vec<Credential> {
    vec![
        credential("c-helper", "agent:helper"),
        credential("c-other", "agent:other"),
        credential("c-alien", "agent:alien"),
        credential("c-importer", "service:importer"),
    ]
}
