//! Agents, from the shape that existing platforms write.

use mandate_authz::facts::Facts;
use mandate_authz::model::Model;
use mandate_authz::record::{DelegationMode, Grant, Kind, Scope, Status};

use crate::support::{MODEL, load, notes, policy, relationships};

/// As an existing platform writes it, whole; the two lines above are the file's own.
const AS_IT_STANDS: &str = r#"organization: acme
owner: olga

agents:
  - id: "devops-helper"
    name: "DevOps Helper"
    visibility: "team"
    shared_with_teams: ["platform"]
    allowed_tools:
      github:
        - "list_repos"
        - "get_pr"
        - "list_issues"
      jira:
        - "list_issues"
        - "get_issue"
"#;

const AGENT: [&str; 7] = [
    "mcp_server:github#can_call@agent:devops-helper",
    "mcp_server:jira#can_call@agent:devops-helper",
    "tool:github/get_pr#can_call@agent:devops-helper",
    "tool:github/list_issues#can_call@agent:devops-helper",
    "tool:github/list_repos#can_call@agent:devops-helper",
    "tool:jira/get_issue#can_call@agent:devops-helper",
    "tool:jira/list_issues#can_call@agent:devops-helper",
];

const REST: [&str; 9] = [
    "agent:devops-helper#organization@organization:acme",
    "agent:devops-helper#owner@user:olga",
    "agent:devops-helper#shared_with_teams@team:platform#member",
    "team:platform#organization@organization:acme",
    "tool:github/get_pr#server@mcp_server:github",
    "tool:github/list_issues#server@mcp_server:github",
    "tool:github/list_repos#server@mcp_server:github",
    "tool:jira/get_issue#server@mcp_server:jira",
    "tool:jira/list_issues#server@mcp_server:jira",
];

#[test]
fn the_shape_of_an_existing_platform_loads_as_it_stands() {
    let loaded = load(AS_IT_STANDS);
    let mut expected = [&AGENT[..], &REST[..]].concat();
    expected.sort_unstable();
    assert_eq!(relationships(&loaded), expected);
    let [agent] = loaded.world.identities.as_slice() else { panic!("one identity") };
    assert_eq!(
        (agent.object.to_string().as_str(), agent.kind),
        ("agent:devops-helper", Kind::Agent)
    );
    assert_eq!(agent.tenants, ["acme"]);
    assert_eq!((agent.status, agent.delegation), (Status::Active, DelegationMode::Stored));
    loaded.build([7; 16]).expect("a snapshot");
}

#[test]
fn without_grants_the_loader_says_what_the_callers_lack() {
    let tools = "`tool:github/list_repos`, `tool:github/get_pr`, `tool:github/list_issues`, \
                 `mcp_server:github`, `tool:jira/list_issues`, `tool:jira/get_issue`, `mcp_server:jira`";
    assert_eq!(
        notes(&load(AS_IT_STANDS)),
        [
            "line 5: `agents[0]`: `agent:devops-helper` has no `scope`, which covers nothing (rule, line 5)"
                .to_owned(),
            format!(
                "line 5: `agents[0]`: `user:olga` may use `agent:devops-helper`, but not call {tools}: \
                 `grant_callers: true` grants it"
            ),
            format!(
                "line 5: `agents[0]`: `team:platform#member` may use `agent:devops-helper`, but not call \
                 {tools}: `grant_callers: true` grants it"
            ),
            "`owner`: `user:olga` has no entry of its own, and can do nothing".to_owned(),
        ]
    );
}

#[test]
fn granted_callers_are_those_who_may_use_the_agent() {
    let loaded = load(&format!("grant_callers: true\n{AS_IT_STANDS}"));
    let mut expected: Vec<String> =
        [&AGENT[..], &REST[..]].concat().iter().map(|line| (*line).to_owned()).collect();
    for line in AGENT {
        let called = line.strip_suffix("agent:devops-helper").expect("the agent's");
        expected.push(format!("{called}team:platform#member"));
        expected.push(format!("{called}user:olga"));
    }
    expected.sort();
    assert_eq!(relationships(&loaded), expected);
}

#[test]
fn a_denied_or_conditional_caller_is_granted_nothing() {
    let loaded = load(
        r#"
organization: acme
users: [{id: olga}, {id: dan}, {id: carl}]
agents:
- id: helper
  owner: olga
  agent_users: [dan]
  denied: [dan]
  allowed_tools: {github: ["*"]}
  scope: {}
  grant_callers: true
relationships:
- {user: "user:carl", relation: agent_user, object: "agent:helper", condition: {name: on_weekdays, context: {until: "2027-01-01T00:00:00Z"}}}
"#,
    );
    let called: Vec<String> = relationships(&loaded)
        .into_iter()
        .filter(|line| line.contains("#can_call@") && !line.ends_with("agent:helper"))
        .collect();
    assert_eq!(
        called,
        ["mcp_server:github#can_call@user:olga", "tool:github/*#can_call@user:olga"]
    );
    assert_eq!(
        notes(&loaded),
        ["line 5: `agents[0]`: `user:carl` may use `agent:helper`, but not call `tool:github/*`, \
          `mcp_server:github`: under a condition, so it is not granted"]
    );
}

#[test]
fn who_may_use_an_agent_through_another_object_is_granted_as_a_userset() {
    let global = MODEL.replace("or visible_to or", "or member from organization or");
    let text = r#"
organization: acme
users: [{id: olga}]
agents: [{id: helper, owner: olga, allowed_tools: {github: ["*"]}, scope: {}, grant_callers: true}]
"#;
    let loaded = Facts::parse(text)
        .and_then(|facts| facts.into_world(Model::parse_dsl(&global).expect("a model"), &policy()))
        .unwrap_or_else(|error| panic!("{error}"));
    let called: Vec<String> = relationships(&loaded)
        .into_iter()
        .filter(|line| line.starts_with("mcp_server:github#can_call@"))
        .collect();
    assert_eq!(
        called,
        [
            "mcp_server:github#can_call@agent:helper",
            "mcp_server:github#can_call@organization:acme#member",
            "mcp_server:github#can_call@user:olga",
        ]
    );
}

#[test]
fn all_tools_of_a_server_are_one_thing_in_both_spellings() {
    let loaded = load(
        r#"
organization: acme
users: [{id: olga}, {id: anne}]
agents: [{id: helper, owner: olga, agent_users: [anne], scope: {}}]
relationships:
- mcp_server:github#can_call_all@agent:helper
- mcp_server:github#can_call_all@user:olga
"#,
    );
    assert_eq!(
        notes(&loaded),
        ["line 4: `agents[0]`: `user:anne` may use `agent:helper`, but not call `tool:github/*`: \
          `grant_callers: true` grants it"]
    );
}

#[test]
fn a_caller_who_has_it_through_a_team_or_the_whole_server_lacks_nothing() {
    let loaded = load(
        r#"
organization: acme
users: [{id: olga}]
teams: [{id: platform, members: [olga]}]
servers:
- {id: github, tools: [list_repos], callers: ["team:platform#member"]}
agents:
- {id: helper, owner: olga, visibility: team, shared_with_teams: [platform], allowed_tools: {github: [list_repos]}, scope: {}}
"#,
    );
    assert_eq!(notes(&loaded), [""; 0]);
}

#[test]
fn every_member_of_an_agent_has_its_place() {
    let loaded = load(
        r#"
organization: acme
issuer: https://login.example/realms/acme
users: [{id: anne}, {id: olga}, {id: root}, {id: dan}]
agents:
- id: helper
  owner: olga
  visibility: global
  agent_users: [anne]
  agent_admins: [root]
  denied: ["user:dan"]
  delegation: on-invoke
  delegated_by: [anne]
  sole_user: anne
  subjects: ["service-account-helper"]
  clients: [{issuer: "https://login.example/realms/acme", name: helper-client}]
  status: suspended
  expires_at: 2027-01-31T00:00:00Z
  scope:
    workspaces: [planning]
    modes: [read, write]
    actions: "*"
  credentials:
  - id: helper-key
    token_ids: [t-1]
    client: helper-client
    subject: service-account-helper
    thumbprint: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
    context_key: {kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}
    expires_at: 1801353600
    revoked_at: 1798761600
"#,
    );
    let agent = loaded.world.identities.iter().find(|identity| identity.kind == Kind::Agent);
    let agent = agent.expect("the agent");
    let expected_scope = Scope {
        workspaces: Grant::Listed(vec!["planning".to_owned()]),
        boards: Grant::Listed(Vec::new()),
        modes: Grant::Listed(vec!["read".to_owned(), "write".to_owned()]),
        actions: Grant::All,
    };
    assert_eq!(agent.scope, Some(expected_scope));
    assert_eq!(agent.status, Status::Suspended);
    assert_eq!(agent.expires_at, Some(1_801_353_600));
    assert_eq!(agent.delegation, DelegationMode::OnInvoke);
    assert_eq!(agent.sole_user.as_ref().map(ToString::to_string).as_deref(), Some("user:anne"));
    let name = |holder: &mandate_authz::record::Holder| holder.name.clone();
    assert_eq!(agent.subjects.iter().map(name).collect::<Vec<_>>(), ["service-account-helper"]);
    assert_eq!(agent.clients.iter().map(name).collect::<Vec<_>>(), ["helper-client"]);
    let [credential] = loaded.world.credentials.as_slice() else { panic!("one credential") };
    assert_eq!(
        credential.thumbprint,
        Some(std::array::from_fn(|byte| u8::try_from(byte).unwrap_or(0)))
    );
    assert_eq!(credential.token_ids, ["t-1"]);
    assert_eq!(
        (credential.expires_at, credential.revoked_at),
        (Some(1_801_353_600), Some(1_798_761_600))
    );
    assert_eq!(
        credential.context_key.as_deref(),
        Some(r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)
    );
    let of_agent: Vec<String> =
        relationships(&loaded).into_iter().filter(|line| line.contains("agent:helper")).collect();
    assert_eq!(
        of_agent,
        [
            "agent:helper#agent_admin@user:root",
            "agent:helper#agent_user@user:anne",
            "agent:helper#denied@user:dan",
            "agent:helper#organization@organization:acme",
            "agent:helper#owner@user:olga",
            "agent:helper#visible_to@organization:acme#member",
            "user:anne#delegate_of@agent:helper",
        ]
    );
    loaded.build([7; 16]).expect("a snapshot");
}
