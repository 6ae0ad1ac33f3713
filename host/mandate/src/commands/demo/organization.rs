//! The organization of the demo: what its contract says about decisions, and who may do what.

use anyhow::{Context as _, Result};
use mandate_authn::Contract;
use mandate_authz::delta;
use mandate_authz::facts::Facts;
use mandate_authz::policy::Policy as Rules;
use mandate_authz::snapshot::Snapshot;
use mandate_host::Policy;
use serde_json::{Value, json};

use crate::commands::demo::BOARD;
use crate::commands::demo::issuers::{AGENT, SERVICE, TRIAL_AGENT};
use crate::commands::demo::oidc_provider::OidcProvider;
use crate::commands::snapshot::Difference;
use crate::conformance::shared_model;
use crate::engine::LocalState;

/// What the policy has been told of the organization.
pub(super) struct Organization<'policy> {
    policy: &'policy Policy,
    rules: Rules,
    /// Our own, and the certified one where there is Node.
    issuers: Vec<String>,
    state: LocalState,
}

impl<'policy> Organization<'policy> {
    /// Builds a snapshot, signs it and loads it, as of this moment.
    pub(super) fn load(
        policy: &'policy Policy,
        contract: &Value,
        issuers: &[&str],
        now: u64,
    ) -> Result<Self> {
        let contract = Contract::parse(&contract.to_string()).context("the contract")?;
        let rules = Rules::from_contract(&contract).context("the contract")?;
        let rules = rules.context("the contract says nothing about decisions")?;
        let state = LocalState::new(false, contract.version())?;
        let issuers = issuers.iter().map(|url| (*url).to_owned()).collect();
        let organization = Self { policy, rules, issuers, state };
        let body = organization.body(None)?;
        policy.configure_state(&organization.state.config()?)?;
        policy.load_state(&organization.state.snapshot(&body)?)?;
        policy.apply_delta(&organization.state.heartbeat(now)?)?;
        Ok(organization)
    }

    /// Who decides.
    pub(super) const fn policy(&self) -> &'policy Policy {
        self.policy
    }

    /// Publishes that the agent's credential was revoked: a signed delta, and no new snapshot.
    pub(super) fn revoke(&self, now: u64) -> Result<()> {
        let before = Snapshot::from_body(self.body(None)?)?;
        let after = Snapshot::from_body(self.body(Some(now))?)?;
        let rows = delta::encode(&Difference::between(&before, &after)?.rows())?;
        self.policy.apply_delta(&self.state.delta(&rows, now)?)?;
        Ok(())
    }

    fn body(&self, revoked_at: Option<u64>) -> Result<Vec<u8>> {
        let facts = facts(&self.issuers, revoked_at).to_string();
        // JSON is YAML.
        let facts = Facts::parse(&facts).context("facts")?;
        let world = facts.into_world(shared_model()?, &self.rules).context("facts")?;
        Ok(world.build([0; 16])?)
    }
}

/// `authz` of the contract.
pub(super) fn authz(issuers: &[&str]) -> Value {
    let on_a_board = |action: &str| json!({ "action": action, "arguments": [{ "pointer": "/board", "type": "board" }] });
    json!({
        "types": {
            "tenant": "organization", "user": "user", "agent": "agent", "service": "service",
            "tool": "tool", "server": "mcp_server", "workspace": "workspace", "board": "board",
            "shared": ["tool", "mcp_server"],
            "parents": {
                "team": ["organization"], "workspace": ["organization"], "board": ["workspace"],
            },
        },
        "actions": {
            "view": { "mode": "read", "on": ["board"] },
            "edit": { "mode": "write", "on": ["board"] },
            "list": { "mode": "read", "on": "none" },
            "ping": { "mode": "read", "on": "session" },
        },
        "scopes": {
            "board:read": ["view", "list", "ping"],
            "board:write": ["view", "edit", "list", "ping"],
        },
        "servers": { "tasks": { "tools": {
            "get_board": on_a_board("view"),
            "edit_board": on_a_board("edit"),
            "export_board": on_a_board("view"),
            "draw_board": on_a_board("view"),
        } } },
        "routes": { BOARD: { "protocol": "mcp", "server": "tasks", "agents": "optional" } },
        "client_credentials": issuers,
    })
}

/// `gate` of the contract: the MCP server's endpoint.
pub(super) fn gate() -> Value {
    json!({
        "methods": { "tasks": { "session": "ping", "server": "list" } },
        "routes": { "tasks": {
            "audience": BOARD,
            "metadata": "https://board.example/.well-known/oauth-protected-resource",
            "path": "/mcp",
            "sessions": true,
        } },
    })
}

/// Alice has written down that the mail agent acts for her; bob has not.
pub(super) fn facts(issuers: &[String], revoked_at: Option<u64>) -> Value {
    let board = |id: &str, workspace: &str, editor: &str| {
        let relations = json!({ "editor": [editor] });
        json!({ "id": id, "workspace": workspace, "relations": relations })
    };
    let services = services(issuers);
    let readers = services.iter().filter_map(|service| service.get("id")?.as_str());
    let readers: Vec<String> = readers.map(|id| format!("service:{id}")).collect();
    let team = json!(["team:platform#member"]);
    let callers: Vec<&str> =
        std::iter::once("team:platform#member").chain(readers.iter().map(String::as_str)).collect();
    json!({
        "organization": "acme", "owner": "olga", "issuer": issuers.first(),
        "organizations": [{ "id": "acme" }, { "id": "globex" }],
        "users": [
            { "id": "alice", "subjects": ["alice"] },
            { "id": "bob", "subjects": ["bob"] },
            { "id": "olga" },
            { "id": "gina", "organizations": ["globex"] },
        ],
        "teams": [{ "id": "platform", "members": ["alice", "bob"] }],
        "servers": [
            { "id": "tasks", "tools": ["get_board", "edit_board", "export_board", "draw_board"] },
        ],
        "tools": [
            { "id": "tasks/get_board", "callers": callers },
            { "id": "tasks/edit_board", "callers": team },
            { "id": "tasks/draw_board", "callers": team },
            { "id": "tasks/export_board", "callers": ["olga"] },
        ],
        // An agent has the server with its tools, a person by the team.
        "relationships": ["mcp_server:tasks#can_call@team:platform#member"],
        "agents": agents(revoked_at),
        "services": services,
        "workspaces": [
            { "id": "planning" }, { "id": "private" }, { "id": "elsewhere", "organization": "globex" },
        ],
        "boards": [
            {
                "id": "roadmap", "workspace": "planning",
                "relations": { "editor": ["alice"], "viewer": readers },
            },
            board("bobs-plan", "planning", "bob"),
            board("diary", "private", "alice"),
            board("genome", "elsewhere", "gina"),
        ],
    })
}

/// The mail agent, and one that was there for a trial.
fn agents(revoked_at: Option<u64>) -> [Value; 2] {
    let mut credential = json!({ "id": "mail-agent-1", "client": AGENT });
    if let (Some(moment), Some(members)) = (revoked_at, credential.as_object_mut()) {
        members.insert("revoked_at".to_owned(), json!(moment));
    }
    let agent = |id: &str, credential: Value, more: Value| {
        let usual = json!({
            "id": id, "subjects": [id], "clients": [id], "credentials": [credential],
            "visibility": "team", "shared_with_teams": ["platform"], "delegated_by": ["alice"],
            "allowed_tools": { "tasks": ["get_board", "edit_board", "export_board"] },
            "scope": {
                "workspaces": ["planning"], "boards": "*", "modes": ["read", "write"],
                "actions": ["view", "edit", "list", "ping"],
            },
        });
        crate::mint::merge_patch(&usual, &more)
    };
    [
        agent(AGENT, credential, json!({})),
        agent(
            TRIAL_AGENT,
            json!({ "id": "trial-agent-1", "client": TRIAL_AGENT }),
            json!({ "expires_at": 1_767_225_600 }),
        ),
    ]
}

/// One service at each issuer. Each is known by issuer and name together.
fn services(issuers: &[String]) -> Vec<Value> {
    let service = |(issuer, id): (&String, &str)| {
        let subject = json!({ "issuer": issuer, "name": id });
        json!({
            "id": id, "subjects": [subject],
            "credentials": [{ "id": format!("{id}-1"), "subject": subject }],
            "scope": {
                "workspaces": ["planning"], "boards": "*", "modes": ["read"], "actions": ["view"],
            },
        })
    };
    issuers.iter().zip([SERVICE, OidcProvider::CLIENT]).map(service).collect()
}
