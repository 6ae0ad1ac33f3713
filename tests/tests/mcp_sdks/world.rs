//! One MCP server behind one gate, with a route for each form of denial, and three agents.

use mandate::dev_issuer::{DevIssuer, Options};
use serde_json::{Value, json};

/// The forms of a denial: names of routes, and their paths.
pub(crate) const FORMS: [&str; 3] = ["error", "hide", "status"];

/// Who acts for whom: the user's subject and the agent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Acting {
    user: &'static str,
    agent: &'static str,
}

/// May do everything that the server offers.
pub(crate) const OWNER: Acting = Acting { user: "u-olga", agent: "sa-editor" };
/// May read the roadmap, for anne, who sees nothing else.
pub(crate) const READER: Acting = Acting { user: "u-anne", agent: "sa-reader" };
/// May not call the server.
pub(crate) const STRANGER: Acting = Acting { user: "u-anne", agent: "sa-stranger" };

impl Acting {
    /// An access token for every route.
    pub(crate) fn token(self, issuer: &DevIssuer) -> String {
        let audiences: Vec<String> = FORMS.iter().map(|form| audience(form)).collect();
        let claims = json!({
            "sub": self.user, "aud": audiences, "client_id": "board-web", "scope": "boards",
            "act": {"sub": self.agent},
        });
        issuer.mint(claims.as_object().unwrap()).unwrap()
    }
}

pub(crate) fn issuer() -> DevIssuer {
    DevIssuer::start(Options::new(Vec::new())).unwrap()
}

fn audience(form: &str) -> String {
    format!("https://boards.example/{form}")
}

pub(crate) fn contract(issuer: &str) -> Value {
    let tool = |action: &str| json!({"action": action, "arguments": [{"pointer": "/board", "type": "board"}]});
    let route = |form: &str| {
        json!({
            "audience": audience(form), "path": format!("/{form}"), "denied": form, "sessions": true,
            "metadata": format!("https://boards.example/.well-known/oauth-protected-resource/{form}"),
        })
    };
    let app_routes = FORMS.map(|form| json!({"name": form, "audience": audience(form)}));
    let asked = |form| (audience(form), json!({"protocol": "mcp", "server": "tasks"}));
    json!({
        "contract": "mandate", "version": "1.0.0", "status": "draft",
        "issuers": [{
            "issuer": issuer, "algorithms": ["RS256", "ES256", "EdDSA"], "tenants": ["acme"],
            "interactive_clients": ["board-web"], "act_issuers": [issuer],
        }],
        "apps": [{"name": "boards", "audience": "https://boards.example", "routes": app_routes}],
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
            "scopes": {"boards": ["view", "edit", "list", "ping"]},
            "servers": {"tasks": {"tools": {
                "get_board": tool("view"), "edit_board": tool("edit"), "export_board": tool("view"),
                "draw_board": tool("view"), "watch_board": tool("view"), "publish_board": tool("view"),
            }}},
            "routes": FORMS.map(asked).into_iter().collect::<serde_json::Map<_, _>>(),
        },
        "gate": {
            "methods": {"tasks": {
                "session": "ping", "server": "list",
                "resource": {"action": "view", "type": "board"},
                "prompt": {"action": "view", "type": "board"},
            }},
            "routes": FORMS.map(|form| (form.to_owned(), route(form)))
                .into_iter().collect::<serde_json::Map<_, _>>(),
        },
    })
}

pub(crate) fn facts(issuer: &str) -> Value {
    let agent = |id: &str, user: &str, tools: &[&str]| {
        // With a tool comes the server, without which there would be no session.
        let tools = if tools.is_empty() { json!({}) } else { json!({"tasks": tools}) };
        json!({
            "id": id, "owner": user, "visibility": "private", "delegated_by": [user],
            "subjects": [format!("sa-{id}")], "allowed_tools": tools, "grant_callers": true,
            "scope": {"workspaces": "*", "boards": "*", "modes": ["read", "write"], "actions": "*"},
            "credentials": [{"id": format!("{id}-1"), "subject": format!("sa-{id}")}],
        })
    };
    let board = |id: &str, viewers: &[&str]| json!({"id": id, "workspace": "planning", "relations": {"editor": ["olga"], "viewer": viewers}});
    let resource = |id: &str, viewers: &[&str]| {
        json!({"object": format!("board:{id}"), "relations": {
            "workspace": ["workspace:planning"], "editor": ["user:olga"], "viewer": viewers}})
    };
    json!({
        "organization": "acme", "owner": "olga", "issuer": issuer,
        "organizations": [{"id": "acme"}],
        "users": [{"id": "olga", "subjects": ["u-olga"]}, {"id": "anne", "subjects": ["u-anne"]}],
        "servers": [{"id": "tasks", "tools": TOOLS}],
        "agents": [
            agent("editor", "olga", &TOOLS),
            agent("reader", "anne", &["get_board", "watch_board", "publish_board"]),
            agent("stranger", "anne", &[]),
        ],
        "workspaces": [{"id": "planning"}],
        // Prompts have the names of boards, and resources URIs of their own.
        "boards": [board("roadmap", &["anne"]), board("salaries", &[])],
        "objects": [
            resource("board%3A//roadmap", &["user:anne"]), resource("board%3A//salaries", &[]),
        ],
        "relationships":
            ["mcp_server:tasks#can_call@user:olga", "mcp_server:tasks#can_call@user:anne"],
    })
}

/// Every tool of the server, in its order.
pub(crate) const TOOLS: [&str; 6] =
    ["get_board", "edit_board", "export_board", "draw_board", "watch_board", "publish_board"];
