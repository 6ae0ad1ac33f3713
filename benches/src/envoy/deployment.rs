//! The deployment whose gate is measured: a contract, and worlds of it of any size.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers of the generator's own, and none of them a divisor that can be zero"
)]

use anyhow::{Context as _, Result, anyhow};
use mandate_authn::Contract;
use mandate_authz::facts::Facts;
use mandate_authz::model::{LocatedModel, Model, ModuleFile};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::policy::Policy;
use mandate_authz::tuple::Tuple;
use serde_json::{Value, json};

/// The issuer of every token.
pub const LOGIN: &str = "https://login.example/realms/acme";
/// Audience of what is asked with GET.
pub const WEB: &str = "https://boards.example";
/// Audience of the MCP server.
pub const MCP: &str = "https://boards.example/mcp";
/// Whose state it is.
pub const NAME: &str = "bench";
/// The tool that agents may call, and one that they may not.
pub const TOOLS: [&str; 2] = ["get_board", "edit_board"];

/// How many there are of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Names the slice, so that one feed is not taken for another's.
    pub slice: &'static str,
    users: usize,
    agents: usize,
    boards: usize,
    /// Viewers of each board.
    viewers: usize,
}

impl Size {
    /// About a thousand relationships.
    pub const THOUSAND: Self =
        Self { slice: "thousand", users: 50, agents: 10, boards: 100, viewers: 7 };
    /// About a million.
    pub const MILLION: Self =
        Self { slice: "million", users: 5000, agents: 250, boards: 100_000, viewers: 9 };
    /// A snapshot of 16 MB.
    pub const SIXTEEN_MEGABYTES: Self =
        Self { slice: "megabytes", users: 5000, agents: 250, boards: 230_000, viewers: 9 };

    /// The user and the agent of a token.
    #[must_use]
    pub fn principals(&self, token: usize) -> (String, String) {
        let user = token % self.users;
        (format!("u{user}"), format!("a{}", user % self.agents))
    }

    /// A board that the user of a token may view; another one for each turn.
    #[must_use]
    pub fn board(&self, token: usize, turn: usize) -> String {
        let (user, spread) = (token % self.users, self.boards / self.users);
        format!("b{}", user + self.users * ((turn + token) % spread))
    }

    /// A board that the user of a token may not view.
    #[must_use]
    pub fn forbidden(&self, token: usize) -> String {
        // INVARIANT: the viewers of a board are its own number and multiples of `STRIDE` after it.
        let strange = (token + 1) % self.users;
        format!("b{strange}")
    }

    /// Writes the world: the body of its snapshot, and how many relationships it has.
    ///
    /// # Errors
    /// When the generator contradicts the contract.
    pub fn build(&self) -> Result<World> {
        let contract = Contract::parse(&contract().to_string())
            .map_err(|error| anyhow!("the contract: {error}"))?;
        let policy = Policy::from_contract(&contract).map_err(|error| anyhow!("{error}"))?;
        let policy = policy.context("the contract has a policy")?;
        let facts = Facts::parse(&self.facts().to_string()).map_err(|error| anyhow!("{error}"))?;
        let loaded = facts.into_world(model()?, &policy).map_err(|error| anyhow!("{error}"))?;
        let mut world = loaded.world;
        for board in 0..self.boards {
            world.tuples.extend(self.relationships(board));
        }
        let relationships = world.tuples.len();
        Ok(World { size: *self, body: world.build([9; 16])?, relationships })
    }

    fn relationships(&self, board: usize) -> Vec<Tuple> {
        let object = ObjectName::new("board", format!("b{board}"));
        let tuple = |relation: &str, subject: ObjectName| {
            Tuple::new(object.clone(), relation, Subject::Object(subject))
        };
        let place = ObjectName::new("workspace", format!("w{}", board % WORKSPACES));
        let mut tuples = vec![tuple("workspace", place)];
        tuples.extend((0..self.viewers).map(|viewer| {
            let user = (board + viewer * STRIDE) % self.users;
            tuple("viewer", ObjectName::new("user", format!("u{user}")))
        }));
        tuples
    }

    fn facts(&self) -> Value {
        let users: Vec<Value> = (0..self.users)
            .map(|user| json!({"id": format!("u{user}"), "subjects": [subject("u", user)]}))
            .collect();
        let agents: Vec<Value> = (0..self.agents).map(|agent| self.agent(agent)).collect();
        let names: Vec<String> = (0..self.agents).map(|agent| format!("agent:a{agent}")).collect();
        let callers: Vec<&str> =
            names.iter().map(String::as_str).chain(["organization:acme#member"]).collect();
        let places: Vec<Value> = (0..WORKSPACES)
            .map(|place| {
                json!({"user": "organization:acme", "relation": "organization",
                    "object": format!("workspace:w{place}")})
            })
            .collect();
        json!({
            "organization": "acme", "owner": "u0", "issuer": LOGIN,
            "organizations": [{"id": "acme"}], "users": users, "agents": agents,
            "servers": [{"id": "tasks", "tools": TOOLS, "callers": callers}],
            "tools": [{"id": "web/page", "callers": callers}],
            "relationships": places,
        })
    }

    fn agent(&self, agent: usize) -> Value {
        let served = (agent..self.users).step_by(self.agents).map(|user| format!("u{user}"));
        let [allowed, _] = TOOLS;
        json!({
            "id": format!("a{agent}"), "visibility": "global", "grant_callers": true,
            "allowed_tools": {"tasks": [allowed]},
            "delegated_by": served.collect::<Vec<_>>(),
            "subjects": [subject("a", agent)],
            "scope": {"workspaces": "*", "boards": "*", "modes": ["read"], "actions": "*"},
            "credentials": [{"id": format!("a{agent}-1"), "subject": subject("a", agent)}],
        })
    }
}

/// A world as it was written.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was drawn from.
    pub size: Size,
    /// The body of its snapshot.
    pub body: Vec<u8>,
    /// Its relationships.
    pub relationships: usize,
}

/// The `sub` of a principal.
#[must_use]
pub fn subject(kind: &str, number: usize) -> String {
    format!("{kind}{number:07}-5e6f-4a7b-8c9d-0e1f2a3b4c5d")
}

/// The contract.
#[must_use]
pub fn contract() -> Value {
    let metadata =
        |path: &str| format!("https://boards.example/.well-known/oauth-protected-resource{path}");
    json!({
        "contract": "mandate", "version": "1.0.0", "status": "draft",
        "issuers": [{
            "issuer": LOGIN, "algorithms": ["RS256", "ES256"], "tenants": ["acme"],
            "tenant_claim": "/tenant", "interactive_clients": ["board-web"],
            "act_issuers": [LOGIN],
        }],
        "apps": [{"name": "boards", "audience": WEB, "routes": [{"name": "mcp", "audience": MCP}]}],
        "authz": {
            "types": {
                "tenant": "organization", "user": "user", "agent": "agent", "service": "service",
                "tool": "tool", "server": "mcp_server", "workspace": "workspace", "board": "board",
                "shared": ["tool", "mcp_server"],
                "parents": {"team": ["organization"], "workspace": ["organization"],
                    "board": ["workspace"]},
            },
            "actions": {
                "view": {"mode": "read", "on": ["board"]},
                "edit": {"mode": "write", "on": ["board"]},
                "list": {"mode": "read", "on": "none"},
                "ping": {"mode": "read", "on": "session"},
            },
            "scopes": {"boards": ["view", "list", "ping"], "boards.write": "*"},
            "servers": {"tasks": {"tools": {
                "get_board": {"action": "view",
                    "arguments": [{"pointer": "/board", "type": "board"}]},
                "edit_board": {"action": "edit",
                    "arguments": [{"pointer": "/board", "type": "board"}]},
            }}},
            "routes": {
                WEB: {"protocol": "http", "agents": "optional", "tool": "web/page"},
                MCP: {"protocol": "mcp", "server": "tasks"},
            },
        },
        "gate": {
            "methods": {"tasks": {"session": "ping", "server": "list"}},
            "routes": {
                "web": {"audience": WEB, "metadata": metadata(""), "rules": [
                    {"method": "GET", "path": "/boards/{board}", "action": "view",
                        "resources": [{"path": "board", "type": "board"}]},
                ]},
                "mcp": {"audience": MCP, "metadata": metadata("/mcp"), "path": "/mcp"},
            },
        },
    })
}

fn model() -> Result<Model> {
    let module =
        |name: &str, text: &str| ModuleFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        module("core.fga", include_str!("../../../contract/model/core.fga")),
        module("vault.fga", include_str!("../../../contract/model/vault.fga")),
        module("tasks.fga", include_str!("../../../contract/model/tasks.fga")),
    ];
    let model = LocatedModel::from_modules(&files).map_err(|errors| anyhow!("{errors:?}"))?;
    Ok(model.into_model())
}

/// Workspaces of every world.
const WORKSPACES: usize = 5;
/// Steps between two viewers of a board: never from one user to the next.
const STRIDE: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_has_the_relationships_that_it_is_named_for() {
        let world = Size::THOUSAND.build().unwrap();
        assert!((900..=1100).contains(&world.relationships), "{}", world.relationships);
    }

    #[test]
    fn the_user_of_a_token_views_its_boards_and_not_the_forbidden_one() {
        for size in [Size::THOUSAND, Size::MILLION, Size::SIXTEEN_MEGABYTES] {
            let views = |board: &str, user: &str| {
                let number = board.trim_start_matches('b').parse().unwrap();
                let user = ObjectName::new("user", user);
                size.relationships(number).iter().any(|tuple| {
                    tuple.relation == "viewer" && tuple.subject == Subject::Object(user.clone())
                })
            };
            for token in (0..10_000).step_by(37) {
                let (user, _) = size.principals(token);
                assert!((0..30).all(|turn| views(&size.board(token, turn), &user)));
                assert!(!views(&size.forbidden(token), &user), "{token}");
            }
        }
    }
}
