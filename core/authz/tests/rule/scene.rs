//! One deployment and one call, as data that a test changes before it asks.

use mandate_authn::{Contract, FailingLine, ReasonCode, Validator, base64url};
use mandate_authz::authorize::{
    Assertion, Explanation, Presented, Request, Resource, decide_for, explain_for,
    validate_and_authorize,
};
use mandate_authz::container::{
    Kind as Statement, Position, SigningKey, Statement as Header, seal,
};
use mandate_authz::decision::Decision;
use mandate_authz::model::Model;
use mandate_authz::name::ObjectName;
use mandate_authz::policy::Policy;
use mandate_authz::record::{Credential, Identity};
use mandate_authz::snapshot::{Snapshot, World};
use mandate_authz::state::{Freshness, State, StateConfig};
use mandate_authz::tuple::Tuple;
use ring::digest;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

use crate::world::{self, AGENTS, LOGIN};

pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const MCP: &str = "https://boards.example/mcp";
/// As the MCP route, for people and sole users too.
pub(crate) const OPEN: &str = "https://boards.example/open";
/// As the MCP route, with restricted chains.
pub(crate) const STRICT: &str = "https://boards.example/strict";
/// HTTP with a tool.
pub(crate) const WEB: &str = "https://boards.example/web";
/// HTTP without a tool.
pub(crate) const PLAIN: &str = "https://boards.example/plain";

/// Seeds of keys: the issuers' and the agents' own.
pub(crate) const ISSUER_KEY: u8 = 7;
pub(crate) const HELPER_KEY: u8 = 21;
pub(crate) const OTHER_KEY: u8 = 22;

/// A deployment, the state of its registry, and one call: agent helper reads board roadmap for anne.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) contract: Value,
    pub(crate) model: String,
    pub(crate) tuples: Vec<Tuple>,
    pub(crate) objects: Vec<ObjectName>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) claims: Value,
    pub(crate) contexts: Vec<String>,
    pub(crate) certificate: Option<[u8; 32]>,
    pub(crate) audience: &'static str,
    pub(crate) action: &'static str,
    pub(crate) tool: Option<&'static str>,
    pub(crate) resources: Vec<Resource<'static>>,
    pub(crate) on_behalf_of: Option<&'static str>,
    pub(crate) caller: Option<Map<String, Value>>,
    pub(crate) peer_address: Option<&'static str>,
    pub(crate) minimum_epoch: Option<Position>,
    pub(crate) now: u64,
    pub(crate) issued_at: u64,
}

pub(crate) fn scene() -> Scene {
    Scene {
        contract: contract(),
        model: world::MODEL.to_owned(),
        tuples: world::tuples(),
        objects: Vec::new(),
        identities: world::identities(),
        credentials: world::credentials(),
        claims: claims("anne"),
        contexts: Vec::new(),
        certificate: None,
        audience: MCP,
        action: "read_board",
        tool: Some("read_board"),
        resources: vec![argument("roadmap")],
        on_behalf_of: None,
        caller: None,
        peer_address: None,
        minimum_epoch: None,
        now: NOW,
        issued_at: NOW,
    }
}

/// The scene in which the agent comes with its own token.
pub(crate) fn agent_scene() -> Scene {
    let mut scene = scene();
    scene.claims = json!({
        "iss": AGENTS, "sub": "sa-helper", "client_id": "client-helper", "jti": "t-1",
        "scope": "boards.read", "iat": NOW, "exp": NOW + 300, "aud": all_audiences(),
    });
    scene
}

/// The scene in which a person comes without an agent.
pub(crate) fn person_scene() -> Scene {
    let mut scene = scene();
    scene.claims.as_object_mut().unwrap().remove("act");
    scene.audience = OPEN;
    scene
}

/// The scene in which a service comes for itself.
pub(crate) fn service_scene() -> Scene {
    let mut scene = agent_scene();
    scene.claims["sub"] = json!("sa-importer");
    scene.claims["client_id"] = json!("importer");
    scene.audience = OPEN;
    scene
}

pub(crate) const fn argument(board: &'static str) -> Resource<'static> {
    Resource::Argument { pointer: "/board", value: board }
}

pub(crate) const fn board(id: &'static str) -> Resource<'static> {
    Resource::Id { type_name: "board", id }
}

/// The claims of a token for a user, with agent helper in `act`.
pub(crate) fn claims(subject: &str) -> Value {
    json!({
        "iss": LOGIN, "sub": subject, "client_id": "board-web", "jti": "t-1",
        "scope": "boards.read", "iat": NOW, "exp": NOW + 300, "aud": all_audiences(),
        "act": {"iss": AGENTS, "sub": "sa-helper"},
    })
}

fn all_audiences() -> Value {
    json!([MCP, OPEN, STRICT, WEB, PLAIN])
}

fn contract() -> Value {
    let issuer = |issuer: &str| {
        json!({
            "issuer": issuer, "algorithms": ["EdDSA"], "tenants": ["acme", "globex"],
            "tenant_claim": "/tenant", "interactive_clients": ["board-web"],
            "role_claims": ["/realm_access/roles", "/resource_access/*/roles"],
            "act_issuers": [AGENTS], "client_id_names_agent": issuer == AGENTS,
        })
    };
    json!({
        "contract": "mandate", "version": "1.0.0", "status": "draft",
        "issuers": [issuer(LOGIN), issuer(AGENTS)],
        "apps": [{"name": "boards", "audience": "https://boards.example", "routes": [
            {"name": "mcp", "audience": MCP}, {"name": "open", "audience": OPEN},
            {"name": "strict", "audience": STRICT}, {"name": "web", "audience": WEB},
            {"name": "plain", "audience": PLAIN},
        ]}],
        "authz": {
            "types": {
                "tenant": "organization", "user": "user", "agent": "agent", "service": "service",
                "tool": "tool", "server": "mcp_server", "workspace": "workspace", "board": "board",
                "shared": ["tool", "mcp_server"],
                "parents": {"team": ["organization"], "workspace": ["organization"],
                    "board": ["workspace"]},
            },
            "actions": {
                "read_board": {"mode": "read", "on": ["board"]},
                "edit_board": {"mode": "write", "on": ["board"], "relation": "can_edit"},
                "configure": {"mode": "admin", "on": ["agent"]},
                "list": {"mode": "read", "on": "none"},
                "ping": {"mode": "read", "on": "session"},
            },
            "scopes": {"boards.read": ["read_board", "list", "ping", "configure"],
                "boards.all": "*"},
            "servers": {"boards": {"tools": {
                "read_board": {"action": "read_board",
                    "arguments": [{"pointer": "/board", "type": "board"}]},
                "move_card": {"action": "edit_board", "arguments": [
                    {"pointer": "/from", "type": "board"}, {"pointer": "/to", "type": "board"}]},
                "open_link": {"action": "read_board",
                    "arguments": [{"pointer": "/uri", "type": "board", "form": "text"}]},
                "list_boards": {"action": "list", "resource": "none"},
            }}},
            "routes": {
                MCP: {"protocol": "mcp", "server": "boards"},
                OPEN: {"protocol": "mcp", "server": "boards", "agents": "optional",
                    "relation_binding": true},
                STRICT: {"protocol": "mcp", "server": "boards", "chain": "restrict"},
                WEB: {"protocol": "http", "agents": "optional", "tool": "web/page"},
                PLAIN: {"protocol": "http", "agents": "optional"},
            },
        },
    })
}

/// What a decision says, without handles: what tests compare.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) reason: ReasonCode,
    pub(crate) line: Option<FailingLine>,
}

pub(crate) const ALLOWED: Said = Said { reason: ReasonCode::Ok, line: None };

/// A denial at the reason's own line.
pub(crate) fn denied(reason: ReasonCode) -> Said {
    Said { reason, line: reason.line() }
}

pub(crate) fn denied_at(reason: ReasonCode, line: FailingLine) -> Said {
    Said { reason, line: Some(line) }
}

impl Scene {
    /// The decision for the call.
    pub(crate) fn said(&self) -> Said {
        said(&self.decide())
    }

    pub(crate) fn decide(&self) -> Decision {
        self.decide_in(&self.state())
    }

    /// The decision, in a state that was loaded before.
    pub(crate) fn decide_in(&self, state: &State) -> Decision {
        let token = self.token();
        let contexts: Vec<&str> = self.contexts.iter().map(String::as_str).collect();
        let presented = Presented {
            token: token.as_bytes(),
            agent_contexts: &contexts,
            certificate_sha256: self.certificate,
        };
        let policy = self.policy();
        let mut validator = self.validator();
        let (decision, _) = validate_and_authorize(
            &mut validator,
            &presented,
            &self.request(),
            self.now,
            policy.as_ref(),
            state,
        );
        decision
    }

    /// The decision for whom an assertion names.
    pub(crate) fn decide_for(&self, assertion: &Assertion<'_>) -> Decision {
        decide_for(assertion, &self.request(), self.now, self.policy().as_ref(), &self.state())
    }

    pub(crate) fn explain_for(&self, assertion: &Assertion<'_>) -> Explanation {
        explain_for(assertion, &self.request(), self.now, self.policy().as_ref(), &self.state())
    }

    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            audience: self.audience,
            action: self.action,
            tool: self.tool,
            resources: &self.resources,
            on_behalf_of: self.on_behalf_of,
            caller: self.caller.as_ref(),
            peer_address: self.peer_address,
            minimum_epoch: self.minimum_epoch,
        }
    }

    pub(crate) fn policy(&self) -> Option<Policy> {
        let contract = Contract::parse(&self.contract.to_string()).expect("the contract loads");
        Policy::from_contract(&contract).expect("the policy loads")
    }

    /// The trust document: the contract and its issuers' keys.
    pub(crate) fn trust(&self) -> String {
        let set = |issuer: &str| json!({"issuer": issuer, "keys": {"keys": [jwk(ISSUER_KEY)]}});
        json!({"contract": self.contract, "key_sets": [set(LOGIN), set(AGENTS)]}).to_string()
    }

    pub(crate) fn validator(&self) -> Validator {
        let mut validator = Validator::new();
        validator.load_trust(&self.trust()).expect("the trust loads");
        validator
    }

    pub(crate) fn token(&self) -> String {
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": "k1"});
        sign(ISSUER_KEY, &header, &self.claims)
    }

    /// The state of the registry, at era 1 and epoch 7.
    pub(crate) fn state(&self) -> State {
        self.state_with(false)
    }

    /// The same, marked as one for tests of models.
    pub(crate) fn raw_state(&self) -> State {
        self.state_with(true)
    }

    fn state_with(&self, raw: bool) -> State {
        let statement = Header {
            kind: Statement::Snapshot,
            raw,
            deployment: "boards".to_owned(),
            slice: "all".to_owned(),
            position: Position::new(1, 7),
            contract_version: [1, 0, 0],
            issued_at: self.issued_at,
        };
        let key = SigningKey::from_seed([1; 32]).unwrap();
        let mut state = empty_state();
        state.load(&seal(&statement, &self.body(), &key).unwrap()).expect("the snapshot loads");
        state
    }

    fn body(&self) -> Vec<u8> {
        let world = World {
            model: Model::parse_dsl(&self.model).expect("the model parses"),
            tuples: self.tuples.clone(),
            identities: self.identities.clone(),
            credentials: self.credentials.clone(),
            objects: self.objects.clone(),
            tenancy: self.policy().expect("a policy").types().tenancy_rules(),
            ignore_unfit: false,
        };
        world.build([3; 16]).expect("the world builds")
    }

    pub(crate) fn identity(&mut self, object: &str) -> &mut Identity {
        let object = world::object(object);
        self.identities.iter_mut().find(|identity| identity.object == object).expect("known")
    }

    pub(crate) fn credential(&mut self, id: &str) -> &mut Credential {
        self.credentials.iter_mut().find(|credential| credential.id == id).expect("known")
    }

    pub(crate) fn add(&mut self, text: &str) {
        self.tuples.push(world::tuple(text));
    }

    /// Adds a relationship under a condition.
    pub(crate) fn add_if(&mut self, text: &str, condition: &str, context: &Value) {
        let condition = mandate_authz::tuple::TupleCondition {
            name: condition.to_owned(),
            context: context.as_object().unwrap().clone(),
        };
        self.tuples.push(Tuple { condition: Some(condition), ..world::tuple(text) });
    }

    pub(crate) fn remove(&mut self, text: &str) {
        let wanted = world::tuple(text);
        let before = self.tuples.len();
        self.tuples.retain(|tuple| *tuple != wanted);
        assert_eq!(self.tuples.len() + 1, before, "{text} was there once");
    }

    /// Sets a member of `authz`.
    pub(crate) fn authz(&mut self, pointer: &str, value: Value) {
        set(&mut self.contract["authz"], pointer, value);
    }
}

/// Sets or removes (`null`) a member at a JSON Pointer whose parent exists.
pub(crate) fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/");
    match document.pointer_mut(parent).unwrap() {
        Value::Object(members) if value.is_null() => drop(members.remove(&name)),
        Value::Object(members) => drop(members.insert(name, value)),
        Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("no container at {parent}")
        }
    }
}

pub(crate) fn empty_state() -> State {
    State::new(config(None))
}

/// The state's configuration, with the epoch of a floor.
pub(crate) fn config(floor: Option<u64>) -> StateConfig {
    let key = SigningKey::from_seed([1; 32]).unwrap().to_public_jwk();
    let floor = floor.map(|epoch| format!(r#","floor":{{"era":1,"epoch":{epoch}}}"#));
    let floor = floor.unwrap_or_default();
    let config = format!(r#"{{"deployment":"boards","slice":"all","keys":[{key}]{floor}}}"#);
    StateConfig::parse(&config).unwrap()
}

/// What is in force in a state.
pub(crate) fn in_force(state: &State) -> &Snapshot {
    state.fresh(&Freshness { max_age: u64::MAX, ..Freshness::at(NOW) }).expect("loaded")
}

pub(crate) fn said(decision: &Decision) -> Said {
    Said { reason: decision.reason(), line: decision.failing_line() }
}

/// The relationships of a decision's path, in order.
pub(crate) fn path(decision: &Decision, state: &State) -> Vec<String> {
    let steps = in_force(state).describe(decision.circumstances().path());
    let text = |step: &mandate_authz::evaluate::PathStep| {
        format!("{}#{}@{}", step.object, step.relation, step.subject)
    };
    steps.iter().map(text).collect()
}

fn key_pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

pub(crate) fn jwk(seed: u8) -> Value {
    let public = base64url::encode(key_pair(seed).public_key().as_ref());
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": public})
}

pub(crate) fn sign(seed: u8, header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| base64url::encode(value.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = key_pair(seed).sign(input.as_bytes());
    format!("{input}.{}", base64url::encode(signature.as_ref()))
}

pub(crate) fn token_hash(token: &str) -> String {
    base64url::encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

/// The scene's state after a delta.
pub(crate) fn with_rows(scene: &Scene, rows: &[mandate_authz::row::Row]) -> State {
    let mut state = scene.state();
    let statement = Header {
        kind: Statement::Delta { base: 7, from: 7 },
        raw: false,
        deployment: "boards".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, 8),
        contract_version: [1, 0, 0],
        issued_at: scene.issued_at,
    };
    let key = SigningKey::from_seed([1; 32]).unwrap();
    let body = mandate_authz::delta::encode(rows).unwrap();
    state.apply_delta(&seal(&statement, &body, &key).unwrap()).expect("the delta applies");
    state
}
