//! A contract and a model like the shared one, small enough to be read here.

use mandate_authn::Contract;
use mandate_authz::facts::{Facts, FactsError, Loaded};
use mandate_authz::model::{LocatedModel, Model, ModuleFile};
use mandate_authz::policy::Policy;

pub(crate) const ISSUER: &str = "https://login.example/realms/acme";

pub(crate) fn policy() -> Policy {
    let contract = Contract::parse(CONTRACT).expect("the contract loads");
    Policy::from_contract(&contract).expect("the policy loads").expect("the policy is there")
}

pub(crate) fn model() -> Model {
    Model::parse_dsl(MODEL).expect("the model is well formed")
}

/// contract/model, whole.
pub(crate) fn shared_model() -> Model {
    let module =
        |name: &str, text: &str| ModuleFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        module("core.fga", include_str!("../../../../contract/model/core.fga")),
        module("vault.fga", include_str!("../../../../contract/model/vault.fga")),
        module("tasks.fga", include_str!("../../../../contract/model/tasks.fga")),
    ];
    LocatedModel::from_modules(&files).expect("the shared model is well formed").into_model()
}

pub(crate) fn load(text: &str) -> Loaded {
    Facts::parse(text)
        .and_then(|facts| facts.into_world(model(), &policy()))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The error of a file, at whichever stage.
pub(crate) fn refusal(text: &str) -> String {
    let outcome = Facts::parse(text)
        .and_then(|facts| facts.into_world(model(), &policy()))
        .and_then(|loaded| loaded.build([7; 16]));
    outcome.map_or_else(|error: FactsError| error.to_string(), |_| "nothing".to_owned())
}

/// Relationships as text, sorted.
pub(crate) fn relationships(loaded: &Loaded) -> Vec<String> {
    let mut lines: Vec<String> = loaded.world.tuples.iter().map(ToString::to_string).collect();
    lines.sort();
    lines
}

pub(crate) fn notes(loaded: &Loaded) -> Vec<String> {
    loaded.notes.iter().map(ToString::to_string).collect()
}

const CONTRACT: &str = r#"{
  "contract": "mandate",
  "version": "1.0.0",
  "status": "draft",
  "issuers": [
    {
      "issuer": "https://login.example/realms/acme",
      "preset": "keycloak",
      "algorithms": ["RS256"],
      "tenants": ["acme", "globex"]
    }
  ],
  "apps": [{ "name": "gateway", "audience": "https://gateway.example" }],
  "authz": {
    "types": {
      "tenant": "organization",
      "user": "user",
      "agent": "agent",
      "service": "service",
      "tool": "tool",
      "server": "mcp_server",
      "workspace": "workspace",
      "board": "board",
      "shared": ["tool", "mcp_server"],
      "parents": {
        "team": ["organization"],
        "workspace": ["organization"],
        "board": ["workspace"]
      }
    },
    "actions": {
      "view": { "mode": "read", "on": ["board"] },
      "edit": { "mode": "write", "on": ["board"] }
    },
    "routes": {
      "https://gateway.example": { "protocol": "http", "agents": "optional", "scopes": "none" }
    }
  }
}"#;

pub(crate) const MODEL: &str = "model
  schema 1.1
type organization
  relations
    define admin: [user, team#member]
    define can_assert: [service, agent]
    define evaluator: [user]
    define member: [user]
type user
  relations
    define delegate_of: [agent]
type service
type team
  relations
    define member: [user]
    define organization: [organization]
type agent
  relations
    define agent_admin: [user, team#member]
    define agent_user: [user, user with on_weekdays]
    define can_use: (owner or shared_with_teams or visible_to or agent_user or agent_admin) but not denied
    define denied: [user]
    define organization: [organization]
    define owner: [user]
    define shared_with_teams: [team#member]
    define visible_to: [organization#member]
type mcp_server
  relations
    define can_call: [user, agent, service, team#member, organization#member]
    define can_call_all: [user, agent, service, team#member, organization#member]
type tool
  relations
    define can_call: [user, agent, service, team#member, organization#member]
    define server: [mcp_server]
type workspace
  relations
    define organization: [organization]
    define viewer: [user, team#member]
type board
  relations
    define can_edit: editor
    define can_view: editor or viewer
    define editor: [user, team#member]
    define viewer: [user, user with on_weekdays, team#member]
    define workspace: [workspace]
condition on_weekdays(host_time: timestamp, until: timestamp) {
  host_time < until
}
";
