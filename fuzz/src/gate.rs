//! A small deployment behind a gate: what anne may do through agent helper, and what she may not.

use std::cell::RefCell;
use std::collections::BTreeSet;

use mandate_authn::{Contract, Json, JsonError, base64url};
use mandate_authz::container::{Kind, Position, SigningKey, Statement, seal};
use mandate_authz::facts::Facts;
use mandate_authz::model::{LocatedModel, ModuleFile};
use mandate_authz::policy::Policy;
use mandate_gate::{Answer, Connection, Emission, Gate, Head, Headers, Pass, Request, Verdict};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// The moment of every question.
pub const NOW: u64 = 1_767_225_600;

/// The tools that she may call; `edit_board` and `draw_board` are the others of the contract.
pub const TOOLS: [&str; 2] = ["get_board", "list_boards"];

/// The one board that she may see, and the one resource.
pub const BOARD: &str = "roadmap";

/// See [`BOARD`].
pub const RESOURCE: &str = "mem://plan";

const LOGIN: &str = "https://login.example";
const MCP: &str = "https://boards.example/mcp";

thread_local! {
    static GATE: RefCell<(Gate, String)> = RefCell::new((gate(), token()));
}

/// Decides a POST of this body to the MCP endpoint, in the generation of this version.
pub fn decide(version: &str, body: &[u8]) -> Answer {
    GATE.with_borrow_mut(|(gate, token)| {
        let authorization = format!("Bearer {token}");
        let headers: [(&[u8], &[u8]); 3] = [
            (b"authorization", authorization.as_bytes()),
            (b"content-type", b"application/json"),
            (b"mcp-protocol-version", version.as_bytes()),
        ];
        let head =
            Head { route: None, method: b"POST", target: b"/mcp", headers: Headers(&headers) };
        let (trailers, connection) = (Headers::default(), Connection::default());
        let request = Request { head, body, trailers, connection };
        let emission = Emission { decision_id: "fuzz:0:1", source: "fuzz", sequence: 1 };
        let answer = gate.decide(&request, NOW, &emission);
        assert_eq!(gate.decide(&request, NOW, &emission), answer, "two answers to one request");
        let record = answer.audit.as_ref().map(|record| record.as_json()).unwrap_or_default();
        assert!(
            record.len() <= mandate_gate::limits::AUDIT_BYTES,
            "a record of {} bytes",
            record.len()
        );
        assert!(serde_json::from_str::<Value>(record).is_ok(), "{record}");
        assert!(!format!("{answer:?}").contains(&token[token.len() - 40..]) || is_held(&answer));
        answer
    })
}

/// Runs with the gate.
pub fn with_gate<T>(run: impl FnOnce(&mut Gate) -> T) -> T {
    GATE.with_borrow_mut(|(gate, _)| run(gate))
}

/// How the request of this body passes.
pub fn pass(body: &Value) -> Pass {
    match decide("2025-11-25", body.to_string().as_bytes()).verdict {
        Verdict::Pass(pass) => *pass,
        Verdict::Reply(reply) => panic!("{reply:?}"),
    }
}

/// Whether one member stands twice somewhere: readers would see different values.
pub fn has_duplicates(text: &[u8]) -> bool {
    matches!(Json::parse(text, 100), Err(JsonError::Duplicate))
}

/// The names of the entries of a list, as a reader sees them that takes the last of two.
pub fn names(message: &Value, list: &str, key: &str) -> BTreeSet<String> {
    let entries = message.pointer(&format!("/result/{list}")).and_then(Value::as_array);
    let name = |entry: &Value| entry.get(key).and_then(Value::as_str).map(str::to_owned);
    entries.into_iter().flatten().filter_map(name).collect()
}

/// Only a ticket may have the token in it.
fn is_held(answer: &Answer) -> bool {
    match &answer.verdict {
        Verdict::Pass(pass) => pass.response.list.is_some() || pass.response.stream.is_some(),
        Verdict::Reply(_) => false,
    }
}

fn gate() -> Gate {
    let contract = contract();
    let public = base64url::encode(key().public_key().as_ref());
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": public});
    let sets = json!([{"issuer": LOGIN, "keys": {"keys": [jwk]}}]);
    let trust = json!({"contract": contract, "key_sets": sets});
    let mut gate = Gate::new();
    gate.load_trust(&trust.to_string()).expect("the trust loads");
    let signer = SigningKey::from_seed([1; 32]).expect("a seed");
    let config =
        format!(r#"{{"deployment":"boards","slice":"all","keys":[{}]}}"#, signer.to_public_jwk());
    gate.authorizer_mut().configure_state(&config).expect("the configuration loads");
    let statement = Statement {
        kind: Kind::Snapshot,
        raw: false,
        deployment: "boards".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, 7),
        contract_version: [1, 0, 0],
        issued_at: NOW,
    };
    let sealed = seal(&statement, &snapshot(&contract), &signer).expect("it seals");
    gate.authorizer_mut().state_mut().load(&sealed).expect("the snapshot loads");
    gate.configure_sealing(&[9; 32]).expect("a secret");
    gate
}

fn snapshot(contract: &Value) -> Vec<u8> {
    let contract = Contract::parse(&contract.to_string()).expect("the contract loads");
    let policy = Policy::from_contract(&contract).expect("the policy loads").expect("a policy");
    let file = |name: &str, text: &str| ModuleFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        file("core.fga", include_str!("../../contract/model/core.fga")),
        file("vault.fga", include_str!("../../contract/model/vault.fga")),
        file("tasks.fga", include_str!("../../contract/model/tasks.fga")),
    ];
    let model = LocatedModel::from_modules(&files).expect("a model").into_model();
    let facts = Facts::parse(FACTS).unwrap_or_else(|error| panic!("{error}"));
    let loaded = facts.into_world(model, &policy).unwrap_or_else(|error| panic!("{error}"));
    loaded.build([3; 16]).unwrap_or_else(|error| panic!("{error}"))
}

fn token() -> String {
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"});
    let claims = json!({
        "iss": LOGIN, "sub": "u-anne", "client_id": "board-web", "jti": "t-1", "scope": "boards",
        "iat": NOW, "exp": NOW + 300, "aud": [MCP], "act": {"sub": "sa-helper"},
    });
    let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(&header), encode(&claims));
    let signature = base64url::encode(key().sign(input.as_bytes()).as_ref());
    format!("{input}.{signature}")
}

fn key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed")
}

fn contract() -> Value {
    let board = json!([{"pointer": "/board", "type": "board"}]);
    json!({
        "contract": "mandate", "version": "1.0.0", "status": "draft",
        "issuers": [{
            "issuer": LOGIN, "algorithms": ["EdDSA"], "tenants": ["acme"], "act_issuers": [LOGIN],
        }],
        "apps": [{"name": "boards", "audience": MCP}],
        "authz": {
            "types": {
                "tenant": "organization", "user": "user", "agent": "agent", "service": "service",
                "tool": "tool", "server": "mcp_server", "workspace": "workspace", "board": "board",
                "shared": ["tool", "mcp_server"],
                "parents": {"team": ["organization"], "workspace": ["organization"],
                    "board": ["workspace"]},
            },
            "actions": {
                "view": {"mode": "read", "on": ["board"]}, "edit": {"mode": "write", "on": ["board"]},
                "list": {"mode": "read", "on": "none"}, "ping": {"mode": "read", "on": "session"},
            },
            "scopes": {"boards": ["view", "list", "ping"]},
            "servers": {"tasks": {"tools": {
                "get_board": {"action": "view", "arguments": board},
                "edit_board": {"action": "edit", "arguments": board},
                "draw_board": {"action": "view", "arguments": board},
                "list_boards": {"action": "list", "resource": "none"},
            }}},
            "routes": {MCP: {"protocol": "mcp", "server": "tasks"}},
        },
        "gate": {
            "methods": {"tasks": {
                "session": "ping", "server": "list",
                "resource": {"action": "view", "type": "board"},
            }},
            "routes": {"mcp": {
                "audience": MCP, "path": "/mcp", "sessions": true,
                "metadata": "https://boards.example/.well-known/oauth-protected-resource/mcp",
            }},
        },
    })
}

const FACTS: &str = "
organization: acme
owner: anne
issuer: https://login.example
organizations: [{id: acme}]
users:
- {id: anne, subjects: [u-anne]}
- {id: bob, subjects: [u-bob]}
servers:
- {id: tasks, tools: [get_board, edit_board, list_boards]}
agents:
- id: helper
  visibility: private
  allowed_tools: {tasks: [get_board, list_boards]}
  grant_callers: true
  delegated_by: [anne]
  subjects: [sa-helper]
  scope: {workspaces: '*', boards: '*', modes: [read], actions: '*'}
  credentials: [{id: helper-1, subject: sa-helper}]
workspaces: [{id: planning}]
boards:
- {id: roadmap, workspace: planning, relations: {viewer: [anne]}}
- {id: budget, workspace: planning, relations: {viewer: [bob]}}
objects:
- {object: 'board:mem%3A//plan', relations: {workspace: ['workspace:planning'], viewer: ['user:anne']}}
- {object: 'board:mem%3A//pay', relations: {workspace: ['workspace:planning'], viewer: ['user:bob']}}
";
