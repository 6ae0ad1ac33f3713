//! A small organization, as the files that the verbs take: model, contract, facts, keys.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    reason = "each test file uses its part"
)]

use serde_json::{Value, json};

use crate::cli::{AUDIENCE, Folder, ISSUER, NOW, Ran, contract, mandate};

/// Who may do what: alice through agent helper, which olga owns; bob is of the other organization.
pub(crate) const FACTS: &str = r#"organization: acme
owner: olga
issuer: https://idp.example/realms/acme
users:
  - {id: alice, subjects: ["alice"]}
  - {id: bob, organizations: [globex]}
  - {id: carol}
  - {id: olga, subjects: ["olga"]}
teams:
  - {id: platform, members: [alice, carol]}
servers:
  - {id: tasks, tools: [list_boards, get_board, move_card]}
tools:
  - {id: tasks/list_boards, callers: ["team:platform#member", olga]}
  - {id: tasks/get_board, callers: ["team:platform#member", olga]}
agents:
  - id: helper
    visibility: team
    shared_with_teams: [platform]
    allowed_tools: {tasks: [list_boards, get_board]}
    delegated_by: [alice]
    subjects: ["agent-1"]
    scope: {workspaces: [planning], boards: "*", modes: [read], actions: "*"}
    credentials: [{id: helper-1, subject: "agent-1"}]
workspaces:
  - {id: planning}
  - {id: private}
  - {id: elsewhere, organization: globex}
boards:
  - {id: roadmap, workspace: planning, relations: {editor: ["team:platform#member"]}}
  - {id: salaries, workspace: planning, relations: {viewer: [olga]}}
  - {id: diary, workspace: private, relations: {viewer: [alice]}}
  - {id: theirs, workspace: elsewhere, relations: {viewer: [bob]}}
relationships:
  - mcp_server:tasks#can_call@team:platform#member
  - mcp_server:tasks#can_call@user:olga
"#;

pub(crate) const MODEL: &str = "model
  schema 1.1

type organization
  relations
    define member: [user]

type user
  relations
    define delegate_of: [agent, agent with before]

type service

type team
  relations
    define member: [user]
    define organization: [organization]

type agent
  relations
    define can_use: owner or shared_with_teams
    define organization: [organization]
    define owner: [user]
    define shared_with_teams: [team#member]

type mcp_server
  relations
    define can_call: [user, team#member, agent]
    define can_call_all: [user, team#member, agent]

type tool
  relations
    define can_call: [user, team#member, agent] or can_call_all from server
    define server: [mcp_server]

type workspace
  relations
    define organization: [organization]
    define viewer: [user]

type board
  relations
    define can_edit: editor
    define can_view: editor or viewer
    define editor: [user, team#member]
    define viewer: [user]
    define workspace: [workspace]

condition before(host_time: timestamp, until: timestamp) {
  host_time < until
}
";

/// The usual contract with what it says about decisions.
pub(crate) fn authz_contract() -> Value {
    let mut contract = contract();
    contract["issuers"][0]["tenants"] = json!(["acme", "globex"]);
    contract["issuers"][0]["act_issuers"] = json!([ISSUER]);
    contract["authz"] = json!({
        "types": {
            "tenant": "organization", "user": "user", "agent": "agent", "service": "service",
            "tool": "tool", "server": "mcp_server", "workspace": "workspace", "board": "board",
            "shared": ["tool", "mcp_server"],
            "parents": {
                "team": ["organization"], "workspace": ["organization"], "board": ["workspace"],
            },
        },
        "actions": {
            "list_boards": { "mode": "read", "on": "none" },
            "view": { "mode": "read", "on": ["board"] },
            "edit": { "mode": "write", "on": ["board"] },
        },
        "scopes": { "board:read": ["list_boards", "view"], "board:write": ["edit"] },
        "servers": { "tasks": { "tools": {
            "list_boards": { "action": "list_boards", "resource": "none" },
            "get_board": {
                "action": "view", "arguments": [{ "pointer": "/board", "type": "board" }],
            },
            "move_card": {
                "action": "edit", "arguments": [{ "pointer": "/board", "type": "board" }],
            },
        } } },
        "routes": { AUDIENCE: { "protocol": "mcp", "server": "tasks" } },
    });
    contract
}

/// The files of one test.
pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) contract: String,
    pub(crate) model: String,
    pub(crate) key: String,
    pub(crate) public: String,
}

impl World {
    /// The usual model and contract, and a key pair.
    pub(crate) fn new(test: &str) -> Self {
        let folder = Folder::new(test);
        let contract = folder.write("contract.json", authz_contract().to_string());
        let model = folder.write("model.fga", MODEL);
        let (key, public) = (folder.path("key.jwk"), folder.path("public.jwk"));
        let made = mandate(&["snapshot", "keygen", "--output", &key, "--public", &public]);
        assert_eq!((made.code, made.stderr.as_str()), (0, ""), "{made:?}");
        Self { folder, contract, model, key, public }
    }

    /// Builds a snapshot of these facts into a file.
    pub(crate) fn build(&self, name: &str, facts: &str) -> Ran {
        self.build_with(name, facts, &[])
    }

    pub(crate) fn build_with(&self, name: &str, facts: &str, more: &[&str]) -> Ran {
        let (output, now) = (self.folder.path(name), NOW.to_string());
        let own = ["--output", &output, "--now", &now];
        self.build_from(&format!("{name}.yaml"), facts, &[&own, more].concat())
    }

    /// Builds the next snapshot of a folder, as `build` names it.
    pub(crate) fn build_into(&self, folder: &str, facts: &str, more: &[&str]) -> Ran {
        self.build_from("facts.yaml", facts, &[&["-o", folder], more].concat())
    }

    fn build_from(&self, file: &str, facts: &str, more: &[&str]) -> Ran {
        let facts = self.folder.write(file, facts);
        let usual = [
            "snapshot",
            "build",
            "--model",
            &self.model,
            "--contract",
            &self.contract,
            "--facts",
            &facts,
            "--key",
            &self.key,
            "--deployment",
            "test",
        ];
        mandate(&[&usual, more].concat())
    }

    /// The file of a snapshot of these facts.
    pub(crate) fn snapshot(&self, name: &str, facts: &str) -> String {
        let built = self.build(name, facts);
        assert_eq!(built.code, 0, "{built:?}");
        self.folder.path(name)
    }
}
