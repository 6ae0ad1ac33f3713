//! One deployment behind a gate, and one request, as data that a test changes before it asks.

use mandate_authn::{Contract, ReasonCode, base64url};
use mandate_authz::container::{
    Kind as Statement, Position, SigningKey, Statement as Header, seal,
};
use mandate_authz::facts::Facts;
use mandate_authz::model::{LocatedModel, Model, ModuleFile};
use mandate_authz::policy::Policy;
use mandate_gate::{
    Answer, Connection, Emission, Gate, Head, Headers, Pass, Reply, Request, Verdict,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const LOGIN: &str = "https://login.example";
pub(crate) const WEB: &str = "https://boards.example";
pub(crate) const MCP: &str = "https://boards.example/mcp";
pub(crate) const SECRET: [u8; 32] = [9; 32];

/// Board roadmap of anne, read by agent helper over HTTP.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) contract: Value,
    pub(crate) facts: String,
    pub(crate) claims: Value,
    pub(crate) route: Option<&'static str>,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) trailers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the token goes along.
    pub(crate) with_token: bool,
    pub(crate) body: String,
    pub(crate) now: u64,
    pub(crate) issued_at: u64,
    pub(crate) with_secret: bool,
    /// The key that signs tokens: its name, and each byte of its seed.
    pub(crate) kid: &'static str,
    pub(crate) seed: u8,
}

pub(crate) fn scene() -> Scene {
    Scene {
        contract: contract(),
        facts: FACTS.to_owned(),
        claims: json!({
            "iss": LOGIN, "sub": "u-anne", "client_id": "board-web", "jti": "t-1",
            "scope": "boards", "iat": NOW, "exp": NOW + 300, "aud": [WEB, MCP],
            "act": {"sub": "sa-helper"},
        }),
        route: None,
        method: "GET",
        target: "/boards/roadmap".to_owned(),
        headers: Vec::new(),
        trailers: Vec::new(),
        with_token: true,
        body: String::new(),
        now: NOW,
        issued_at: NOW,
        with_secret: true,
        kid: "k1",
        seed: 7,
    }
}

fn contract() -> Value {
    json!({
        "contract": "mandate", "version": "1.0.0", "status": "draft",
        "issuers": [{
            "issuer": LOGIN, "algorithms": ["EdDSA"], "tenants": ["acme"],
            "interactive_clients": ["board-web"], "act_issuers": [LOGIN],
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
                "get_board": {"action": "view", "arguments": [{"pointer": "/board", "type": "board"}]},
                "edit_board": {"action": "edit", "arguments": [{"pointer": "/board", "type": "board"}]},
                "list_boards": {"action": "list", "resource": "none"},
            }}},
            "routes": {
                WEB: {"protocol": "http", "agents": "optional", "tool": "web/page"},
                MCP: {"protocol": "mcp", "server": "tasks"},
            },
        },
        "gate": {
            "methods": {"tasks": {
                "session": "ping", "server": "list",
                "resource": {"action": "view", "type": "board"},
            }},
            "routes": {
                "web": {
                    "audience": WEB,
                    "metadata": "https://boards.example/.well-known/oauth-protected-resource",
                    "open": [{"method": "GET", "path": "/health"}],
                    "rules": [
                        {"method": "GET", "path": "/boards", "action": "list"},
                        {"method": "GET", "path": "/boards/{board}", "action": "view",
                            "resources": [{"path": "board", "type": "board"}]},
                        {"method": "POST", "path": "/copy", "action": "edit",
                            "resources": [{"query": "to", "type": "board"}]},
                        {"method": "GET", "path": "/live", "action": "list", "upgrade": true},
                    ],
                },
                "mcp": {
                    "audience": MCP,
                    "metadata": "https://boards.example/.well-known/oauth-protected-resource/mcp",
                    "path": "/mcp",
                    "sessions": true,
                },
            },
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
- {id: tasks, tools: [get_board, edit_board, list_boards], callers: [anne, 'agent:helper']}
tools:
- {id: web/page, callers: [anne, 'agent:helper']}
agents:
- id: helper
  visibility: private
  allowed_tools: {tasks: [get_board, list_boards]}
  grant_callers: true
  delegated_by: [anne]
  subjects: [sa-helper]
  scope: {workspaces: '*', boards: '*', modes: [read], actions: '*'}
  credentials: [{id: helper-1, subject: sa-helper}]
relationships:
- {user: 'organization:acme', relation: organization, object: 'workspace:planning'}
- {user: 'workspace:planning', relation: workspace, object: 'board:roadmap'}
- {user: 'workspace:planning', relation: workspace, object: 'board:budget'}
- {user: 'user:anne', relation: viewer, object: 'board:roadmap'}
- {user: 'user:bob', relation: viewer, object: 'board:budget'}
";

impl Scene {
    /// A POST of a JSON-RPC message to the MCP endpoint.
    pub(crate) fn mcp(message: &Value) -> Self {
        let mut scene = scene();
        scene.method = "POST";
        scene.target = "/mcp".to_owned();
        scene.body = message.to_string();
        scene.header("content-type", "application/json");
        scene.header("accept", "application/json, text/event-stream");
        scene.header("mcp-protocol-version", "2025-11-25");
        scene
    }

    pub(crate) fn header(&mut self, name: &str, value: &str) {
        self.headers.push((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
    }

    pub(crate) fn token(&self) -> String {
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid});
        let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(&header), encode(&self.claims));
        let signature = self.key().sign(input.as_bytes());
        format!("{input}.{}", base64url::encode(signature.as_ref()))
    }

    pub(crate) fn gate(&self) -> Gate {
        let mut gate = Gate::new();
        gate.load_trust(&self.trust().to_string()).expect("the trust loads");
        let config = state_config().to_string();
        gate.authorizer_mut().configure_state(&config).expect("the configuration loads");
        gate.authorizer_mut().state_mut().load(&self.sealed(7)).expect("the snapshot loads");
        if self.with_secret {
            gate.configure_sealing(&SECRET).expect("the secret is long enough");
        }
        gate
    }

    /// The trust document.
    pub(crate) fn trust(&self) -> Value {
        let sets = json!([{"issuer": LOGIN, "keys": self.key_set()}]);
        json!({"contract": self.contract, "key_sets": sets})
    }

    /// What the issuer publishes.
    pub(crate) fn key_set(&self) -> Value {
        let public = base64url::encode(self.key().public_key().as_ref());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": public}]})
    }

    fn key(&self) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[self.seed; 32]).expect("a seed")
    }

    /// The snapshot of an epoch, as a feed sends it.
    pub(crate) fn sealed(&self, epoch: u64) -> Vec<u8> {
        self.container(Statement::Snapshot, epoch, &self.snapshot())
    }

    /// A container of an epoch, signed.
    pub(crate) fn container(&self, kind: Statement, epoch: u64, body: &[u8]) -> Vec<u8> {
        let statement = Header {
            kind,
            raw: false,
            deployment: "boards".to_owned(),
            slice: "all".to_owned(),
            position: Position::new(1, epoch),
            contract_version: [1, 0, 0],
            issued_at: self.issued_at,
        };
        seal(&statement, body, &signer()).expect("it seals")
    }

    fn snapshot(&self) -> Vec<u8> {
        let contract = Contract::parse(&self.contract.to_string()).expect("the contract loads");
        let policy = Policy::from_contract(&contract).expect("the policy loads").expect("a policy");
        let facts = Facts::parse(&self.facts).unwrap_or_else(|error| panic!("{error}"));
        let loaded = facts.into_world(model(), &policy).unwrap_or_else(|error| panic!("{error}"));
        loaded.build([3; 16]).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn answer(&self) -> Answer {
        self.answer_of(&mut self.gate())
    }

    pub(crate) fn answer_of(&self, gate: &mut Gate) -> Answer {
        let mut headers = self.headers.clone();
        if self.with_token {
            let value = format!("Bearer {}", self.token());
            headers.push((b"authorization".to_vec(), value.into_bytes()));
        }
        let headers: Vec<(&[u8], &[u8])> = borrowed(&headers);
        let trailers: Vec<(&[u8], &[u8])> = borrowed(&self.trailers);
        let head = Head {
            route: self.route,
            method: self.method.as_bytes(),
            target: self.target.as_bytes(),
            headers: Headers(&headers),
        };
        let request = Request {
            head,
            body: self.body.as_bytes(),
            trailers: Headers(&trailers),
            connection: Connection::default(),
        };
        let emission = Emission { decision_id: "gate-1:boot:1", source: "gate-1", sequence: 1 };
        gate.decide(&request, self.now, &emission)
    }

    pub(crate) fn reason(&self) -> ReasonCode {
        self.answer().reason
    }

    /// The answer to a request that must pass.
    pub(crate) fn pass(&self) -> Pass {
        match self.answer() {
            Answer { verdict: Verdict::Pass(pass), .. } => *pass,
            Answer { verdict: Verdict::Reply(reply), reason, .. } => {
                panic!("{} {reply:?}", reason.as_str())
            }
        }
    }

    /// The answer to a request that must not.
    pub(crate) fn reply(&self) -> Reply {
        match self.answer().verdict {
            Verdict::Reply(reply) => reply,
            Verdict::Pass(pass) => panic!("{pass:?}"),
        }
    }
}

fn borrowed(fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
}

/// Whose state it is, and signed by whom.
pub(crate) fn state_config() -> Value {
    let jwk: Value = serde_json::from_str(&signer().to_public_jwk()).expect("JSON");
    json!({"deployment": "boards", "slice": "all", "keys": [jwk]})
}

fn signer() -> SigningKey {
    SigningKey::from_seed([1; 32]).expect("a seed")
}

fn model() -> Model {
    let module =
        |name: &str, text: &str| ModuleFile { name: name.to_owned(), text: text.to_owned() };
    let files = [
        module("core.fga", include_str!("../../../../contract/model/core.fga")),
        module("vault.fga", include_str!("../../../../contract/model/vault.fga")),
        module("tasks.fga", include_str!("../../../../contract/model/tasks.fga")),
    ];
    LocatedModel::from_modules(&files).expect("the shared model is well formed").into_model()
}
