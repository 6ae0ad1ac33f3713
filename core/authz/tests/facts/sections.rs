//! The other sections.

use mandate_authn::Contract;
use mandate_authz::facts::Facts;
use mandate_authz::model::Model;
use mandate_authz::policy::Policy;
use mandate_authz::record::Kind;
use mandate_authz::snapshot::{Snapshot, Tenancy};

use crate::support::{ISSUER, load, model, notes, policy, relationships, shared_model};

const WORLD: &str = r#"
organization: acme
issuer: https://login.example/realms/acme
organizations:
- id: acme
  name: Acme
  admins: [anne, "team:platform#member"]
  evaluators: [erik]
  can_assert: [bff]
- id: globex
users:
- {id: anne, subjects: ["f:1"]}
- {id: erik, organizations: [acme, globex], status: retired, expires_at: 2027-01-01T00:00:00Z}
teams:
- {id: platform, members: [anne]}
services:
- {id: bff, subjects: ["s:1"], clients: ["bff"], scope: {modes: "*"}}
servers:
- {id: github, tools: [list_repos], callers: ["organization:acme#member"]}
tools:
- {id: github/list_repos, callers: [anne]}
- {id: board-http, callers: ["service:bff"]}
workspaces:
- {id: planning, relations: {viewer: [anne]}}
boards:
- {id: roadmap, workspace: planning, relations: {editor: ["team:platform#member"], viewer: [anne]}}
objects:
- {object: "board:spare", relations: {workspace: ["workspace:planning"]}}
relationships:
- board:roadmap#viewer@team:platform#member
- {user: "user:anne", relation: viewer, object: "board:spare", condition: {name: on_weekdays, context: {until: "2027-01-01T00:00:00Z"}}}
credentials:
- {id: bff-secret, identity: "service:bff", client: bff}
"#;

#[test]
fn sections_become_relationships() {
    assert_eq!(
        relationships(&load(WORLD)),
        [
            "board:roadmap#editor@team:platform#member",
            "board:roadmap#viewer@team:platform#member",
            "board:roadmap#viewer@user:anne",
            "board:roadmap#workspace@workspace:planning",
            "board:spare#viewer@user:anne",
            "board:spare#workspace@workspace:planning",
            "mcp_server:github#can_call@organization:acme#member",
            "organization:acme#admin@team:platform#member",
            "organization:acme#admin@user:anne",
            "organization:acme#can_assert@service:bff",
            "organization:acme#evaluator@user:erik",
            "organization:acme#member@user:anne",
            "organization:acme#member@user:erik",
            "organization:globex#member@user:erik",
            "team:platform#member@user:anne",
            "team:platform#organization@organization:acme",
            "tool:board-http#can_call@service:bff",
            "tool:github/*#can_call@organization:acme#member",
            "tool:github/list_repos#can_call@user:anne",
            "tool:github/list_repos#server@mcp_server:github",
            "workspace:planning#organization@organization:acme",
            "workspace:planning#viewer@user:anne",
        ]
    );
    assert_eq!(notes(&load(WORLD)), [""; 0]);
}

#[test]
fn sections_become_records() {
    let loaded = load(WORLD);
    let records: Vec<_> = loaded
        .world
        .identities
        .iter()
        .map(|identity| (identity.object.to_string(), identity.kind, identity.tenants.join("+")))
        .collect();
    let record = |object: &str, kind, tenants: &str| (object.to_owned(), kind, tenants.to_owned());
    assert_eq!(
        records,
        [
            record("user:anne", Kind::User, "acme"),
            record("user:erik", Kind::User, "acme+globex"),
            record("service:bff", Kind::Service, "acme"),
        ]
    );
    let [credential] = loaded.world.credentials.as_slice() else { panic!("one credential") };
    assert_eq!(credential.identity.to_string(), "service:bff");
    assert_eq!(credential.client.as_ref().map(|client| client.issuer.as_str()), Some(ISSUER));
}

#[test]
fn what_is_registered_without_a_relationship_is_in_the_snapshot() {
    let body = load(WORLD).build([7; 16]).expect("a snapshot");
    let snapshot = Snapshot::from_body(body).expect("a valid snapshot");
    for (type_name, id) in
        [("organization", "globex"), ("tool", "github/list_repos"), ("mcp_server", "github")]
    {
        assert!(snapshot.find(type_name, id).is_some(), "{type_name}:{id}");
    }
    assert_eq!(snapshot.find("tool", "github/get_pr"), None);
    let tenant = snapshot.find("organization", "acme").expect("the tenant");
    let board = snapshot.find("board", "spare").expect("the board");
    assert_eq!(snapshot.tenancy(board), Tenancy::Of(tenant));
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    assert_eq!(load(WORLD).build([7; 16]), load(WORLD).build([7; 16]));
}

#[test]
fn what_the_file_does_not_state_may_be_given_beside_it() {
    let facts = Facts::parse("agents: [{id: helper, scope: {}}]").expect("facts");
    let loaded = facts.with_defaults(Some("acme"), Some("olga")).into_world(model(), &policy());
    let loaded = loaded.expect("a world");
    assert_eq!(
        relationships(&loaded),
        ["agent:helper#organization@organization:acme", "agent:helper#owner@user:olga"]
    );
    let facts =
        Facts::parse("organization: globex\nowner: anne\nagents: [{id: helper, scope: {}}]");
    let facts = facts.expect("facts").with_defaults(Some("acme"), Some("olga"));
    let loaded = facts.into_world(model(), &policy()).expect("a world");
    assert_eq!(
        relationships(&loaded),
        ["agent:helper#organization@organization:globex", "agent:helper#owner@user:anne"]
    );
    assert_eq!(loaded.world.identities[0].tenants, ["globex"]);
}

#[test]
fn the_shared_model_and_contract_take_every_section() {
    let contract = include_str!("../../../../contract/contract.json");
    let text = r#"
organization: globex
owner: olga
issuer: https://login.example/realms/globex
grant_callers: true
organizations: [{id: globex, admins: [olga], evaluators: [olga], can_assert: [gateway]}]
users: [{id: olga, subjects: ["f:1"]}, {id: anne, subjects: ["f:2"]}]
teams: [{id: platform, members: [anne]}]
services:
- {id: gateway, subjects: [gateway], scope: {modes: [read], actions: [view]}}
servers:
- {id: tasks, tools: [list_boards, get_board], callers: ["organization:globex#member"]}
tools: [{id: board/web, callers: [anne]}]
agents:
- id: helper
  visibility: team
  shared_with_teams: [platform]
  agent_users: [olga]
  agent_admins: [olga]
  denied: ["team:platform#member"]
  allowed_tools: {tasks: ["*"], broker: [call]}
  delegated_by: [anne]
  clients: [{issuer: "https://agents.example", name: helper}]
  scope: {workspaces: "*", boards: "*", modes: "*", actions: "*"}
- {id: guide, visibility: global}
workspaces: [{id: planning, relations: {admin: [olga], viewer: ["organization:globex#member"]}}]
boards: [{id: roadmap, workspace: planning, relations: {commenter: [anne]}}]
objects:
- {object: "vault:main", relations: {organization: ["organization:globex"], broker: ["service:gateway"]}}
- {object: "secret:https%3A//github.example/anne", relations: {vault: ["vault:main"], holder: [anne]}}
relationships:
- user: user:olga
  relation: borrower
  object: secret:https%3A//github.example/anne
  condition: {name: from_network, context: {network: 192.0.2.0/24}}
"#;
    let contract = Contract::parse(contract).expect("the contract loads");
    let policy = Policy::from_contract(&contract).expect("the policy loads").expect("a policy");
    let loaded = Facts::parse(text)
        .and_then(|facts| facts.into_world(shared_model(), &policy))
        .unwrap_or_else(|error| panic!("{error}"));
    Snapshot::from_body(loaded.build([7; 16]).expect("a body")).expect("a snapshot");
}

#[test]
fn relationships_alone_need_no_contract() {
    let model = "model\n  schema 1.1\ntype user\ntype document\n  relations\n    define viewer: [user, user:*]\n";
    let model = Model::parse_dsl(model).expect("a model");
    let text = "objects: [{object: \"document:b\"}]\nrelationships: [\"document:a#viewer@user:*\", \"document:a@x#viewer@user:anne@x\"]\n";
    let loaded = Facts::parse(text).expect("facts").into_raw_world(model.clone()).expect("a world");
    assert_eq!(
        relationships(&loaded),
        ["document:a#viewer@user:*", "document:a@x#viewer@user:anne@x"]
    );
    let snapshot = Snapshot::from_body(loaded.build([7; 16]).expect("a body")).expect("a snapshot");
    assert!(snapshot.find("document", "b").is_some());
    let with_users = Facts::parse("users: [{id: anne}]").expect("facts").into_raw_world(model);
    assert_eq!(
        with_users.map(|_| ()).map_err(|error| error.to_string()),
        Err("`users`: needs a contract".to_owned())
    );
}
