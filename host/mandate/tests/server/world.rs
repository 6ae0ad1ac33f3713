//! A deployment with two tenants, and the real server on it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mandate::configuration::Configuration;
use mandate::mint::TestKey;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::record::{DelegationMode, Grant, Holder, Scope, Status};
use mandate_authz::tuple::Tuple;
use mandate_registry::actor::Actor;
use mandate_registry::confirm::Confirm;
use mandate_registry::credential::{Material, NewCredential};
use mandate_registry::identity::{External, NewIdentity};
use mandate_registry::person::Person;
use mandate_registry::{Act, Registry};
use serde_json::{Value, json};

use crate::cli::{Folder, mandate};

pub(crate) const ISSUER: &str = "https://login.example/realms/acme";
pub(crate) const SERVER: &str = "https://pdp.example";
pub(crate) const DECISIONS: &str = "https://pdp.example/decisions";
const KEY: &str = "ed25519-server";

/// A deployment, and its server.
pub(crate) struct World {
    pub(crate) folder: Folder,
    pub(crate) process: Child,
    pub(crate) address: String,
}

/// The one that tests share which change nothing.
pub(crate) static SHARED: LazyLock<World> = LazyLock::new(|| World::start("shared", &json!({})));

impl World {
    /// Makes the deployment and starts its server; `settings` are merged into `serve`.
    pub(crate) fn start(test: &str, settings: &Value) -> Self {
        let folder = deploy(test, settings);
        Self::serve(folder)
    }

    /// Starts a server on a deployment that is there.
    pub(crate) fn serve(folder: Folder) -> Self {
        let (process, address) = spawn(&folder);
        Self { folder, process, address }
    }

    /// The registry, connected beside the server.
    pub(crate) fn registry(&self) -> Registry {
        registry(&self.folder)
    }

    /// Waits until the server decides by what the registry has now.
    pub(crate) fn follow(&self) {
        let position = self.registry().position().unwrap();
        let wanted = json!(format!("{}.{}", position.era, position.epoch));
        for _ in 0..200 {
            let (_, body) = self.get("/readyz", None);
            if serde_json::from_str::<Value>(&body).unwrap()["position"] == wanted {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(25));
        }
        panic!("the server does not reach {wanted}");
    }

    /// Asks, with the token of a caller where there is one.
    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.post_with(path, &authorization(token), body)
    }

    /// Asks with these header fields.
    pub(crate) fn post_with(
        &self,
        path: &str,
        fields: &[(String, String)],
        body: &Value,
    ) -> (u16, Value) {
        let mut request = agent().post(format!("{}{path}", self.address));
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Sends a form.
    pub(crate) fn form(
        &self,
        path: &str,
        token: Option<&str>,
        form: &[(&str, &str)],
    ) -> (u16, Value) {
        let mut request = agent().post(format!("{}{path}", self.address));
        for (name, value) in authorization(token) {
            request = request.header(name, value);
        }
        let mut answer = request.send_form(form.iter().copied()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Sends lines of records.
    pub(crate) fn records(&self, token: Option<&str>, lines: &str) -> (u16, Value) {
        let mut request = agent().post(format!("{}/audit/v1/records", self.address));
        for (name, value) in authorization(token) {
            request = request.header(name, value);
        }
        let mut answer =
            request.header("content-type", "application/x-ndjson").send(lines).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        let mut request = agent().get(format!("{}{path}", self.address));
        for (name, value) in authorization(token) {
            request = request.header(name, value);
        }
        let mut answer = request.call().unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_string().unwrap_or_default())
    }

    /// The verdict and the reason of one question.
    pub(crate) fn evaluate(&self, token: &str, question: &Value) -> (bool, String) {
        let (status, body) = self.post("/access/v1/evaluation", Some(token), question);
        assert_eq!(status, 200, "{question} {body}");
        let reason = body["context"]["reason"].as_str().unwrap().to_owned();
        (body["decision"].as_bool().unwrap(), reason)
    }

    /// Asks the server to end, and waits until it has; what it wrote to stderr.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let id = self.process.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(killed.success());
        let mut stderr = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.process.wait().unwrap().code(), stderr)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

pub(crate) fn authorization(token: Option<&str>) -> Vec<(String, String)> {
    let field = |token: &str| ("authorization".to_owned(), format!("Bearer {token}"));
    token.map(field).into_iter().collect()
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A token of the server's audience.
pub(crate) fn token(subject: &str, client: &str) -> String {
    token_for(SERVER, subject, client)
}

pub(crate) fn token_for(audience: &str, subject: &str, client: &str) -> String {
    let claims = json!({
        "iss": ISSUER, "sub": subject, "aud": audience, "client_id": client, "iat": now(),
        "exp": now() + 300, "scope": "board:read board:write",
    });
    sign(&claims)
}

pub(crate) fn sign(claims: &Value) -> String {
    let key = TestKey::derive(KEY).unwrap();
    let kid = key.jwk()["kid"].clone();
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(claims));
    let signature = key.sign("EdDSA", message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The callers of the table.
pub(crate) fn gateway() -> String {
    token("svc-gateway", "gateway")
}

/// Starts the command, and waits for its ready line.
pub(crate) fn spawn(folder: &Folder) -> (Child, String) {
    let mut process = command(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let Some(address) = line.trim().strip_prefix("server ") else {
        let mut stderr = String::new();
        process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        panic!("no ready line: {line} {stderr}");
    };
    (process, address.to_owned())
}

pub(crate) fn command(folder: &Folder) -> Command {
    // An optimized one, where speed is looked at.
    let program = std::env::var_os("MANDATE_SERVER_PROGRAM");
    let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_mandate").into());
    let mut command = Command::new(program);
    command
        .args(["serve", "--stop-with-stdin", "--config", &folder.path("acme/mandate.yaml")])
        .env("MANDATE_CACHE", folder.path("../server-cache"));
    command
}

/// A working folder with the contract, the model and the registry of these tests.
pub(crate) fn deploy(test: &str, settings: &Value) -> Folder {
    let folder = Folder::new(&format!("server-{test}"));
    let ran = mandate(&["init", &folder.path("acme"), "--deployment", "acme"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    folder.write("acme/contract.json", contract().to_string());
    let module = fs::read_to_string(folder.path("acme/model/fga.mod")).unwrap();
    folder.write("acme/model/fga.mod", format!("{}\n  - todo.fga\n", module.trim_end()));
    folder.write("acme/model/todo.fga", include_str!("todo.fga"));
    let key = TestKey::derive(KEY).unwrap();
    folder.write("acme/keys/issuer.json", json!({ "keys": [key.jwk()] }).to_string());
    let mut serve = json!({
        "listen": "127.0.0.1:0", "base_url": SERVER, "audience": SERVER, "decisions": DECISIONS,
        "introspection": { "service:gateway": [DECISIONS] },
        "audit_sources": { "service:gateway": ["gate-1"] },
        "feed_readers": { "default": ["service:gateway"] },
        "key_sets": { ISSUER: "keys/issuer.json" },
    });
    for (name, value) in settings.as_object().unwrap() {
        serve[name] = value.clone();
    }
    let file = fs::read_to_string(folder.path("acme/mandate.yaml")).unwrap();
    let (rest, _) = file.split_once("serve:").unwrap();
    folder.write("acme/mandate.yaml", format!("{rest}serve: {serve}\n"));
    seed(&mut registry(&folder));
    folder
}

/// Has the server of a deployment listen on a Unix socket, whose path this is.
pub(crate) fn listen_on_a_socket(folder: &Folder, test: &str) -> PathBuf {
    // Not in the folder: paths of sockets are short.
    let path = std::env::temp_dir().join(format!("mandate-{test}-{}", std::process::id()));
    let file = folder.path("acme/mandate.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let listen = format!("\"unix:{}\"", path.display());
    fs::write(&file, text.replace("\"127.0.0.1:0\"", &listen)).unwrap();
    path
}

pub(crate) fn registry(folder: &Folder) -> Registry {
    let path = folder.path("acme/mandate.yaml");
    Configuration::read(path.as_ref()).unwrap().open_registry().unwrap()
}

pub(crate) fn contract() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/boards/contract.json");
    let mut contract: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let authz = &mut contract["authz"];
    authz["types"]["parents"]["todo"] = json!(["organization"]);
    authz["actions"]["list_boards"] = json!({ "mode": "read", "on": "none" });
    for (name, on) in [
        ("can_read_user", "user"),
        ("can_read_todos", "todo"),
        ("can_create_todo", "todo"),
        ("can_update_todo", "todo"),
        ("can_delete_todo", "todo"),
    ] {
        authz["actions"][name] = json!({ "mode": "write", "relation": name, "on": [on] });
    }
    authz["scopes"]["board:read"] = json!(["view", "list_boards"]);
    contract["gate"] = json!({
        "methods": { "tasks": { "server": "list_boards" } },
        "routes": {
            "web": {
                "audience": DECISIONS,
                "metadata": "https://pdp.example/.well-known/oauth-protected-resource/decisions",
                "open": [{ "method": "GET", "path": "/health" }],
                "rules": [{
                    "method": "GET", "path": "/boards/{board}", "action": "view",
                    "resources": [{ "path": "board", "type": "board" }],
                }],
            },
            "mcp": {
                "audience": "https://board.example",
                "metadata": "https://board.example/.well-known/oauth-protected-resource",
                "path": "/mcp",
            },
        },
    });
    contract
}

/// The people of the todo application: `(name in ids of subjects, e-mail)`.
pub(crate) const CITIZENS: [(&str, &str); 5] = [
    ("CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "rick@the-citadel.com"),
    ("CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "morty@the-citadel.com"),
    ("CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "summer@the-smiths.com"),
    ("CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "beth@the-smiths.com"),
    ("CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", "jerry@the-smiths.com"),
];

/// Todos by the number at the end of their ids, which is that of their owner.
const TODO: &str = "7240d0db-8ff0-41ec-98b2-34a096273b9";

pub(crate) fn seed(registry: &mut Registry) {
    let act = act();
    for tenant in ["acme", "globex"] {
        registry.register_object(&act, &object(&format!("organization:{tenant}"))).unwrap();
    }
    let mut people = vec![("anne", "acme"), ("bob", "acme"), ("olga", "acme"), ("gina", "globex")];
    for (id, mail) in CITIZENS {
        people.extend([(id, "acme"), (mail, "acme")]);
    }
    for (id, tenant) in people {
        let person = Person {
            object: object(&format!("user:{id}")),
            tenants: vec![tenant.to_owned()],
            subjects: vec![holder(&format!("u-{id}"))],
            status: Status::Active,
            expires_at: None,
        };
        registry.put_person(&act, &person).unwrap();
    }
    let machines = [
        ("service:gateway", "acme", "svc-gateway"),
        ("service:watcher", "acme", "svc-watcher"),
        ("service:nobody", "acme", "svc-nobody"),
        ("service:foreign", "globex", "svc-foreign"),
        ("agent:helper", "acme", "svc-helper"),
    ];
    for (name, tenant, subject) in machines {
        let identity = NewIdentity {
            object: object(name),
            display_name: name.to_owned(),
            owner: None,
            tenant: tenant.to_owned(),
            scope: Scope {
                workspaces: Grant::All,
                boards: Grant::All,
                modes: Grant::All,
                actions: Grant::All,
            },
            delegation: DelegationMode::Stored,
            sole_user: None,
            expires_at: None,
            external: Some(External {
                issuer: ISSUER.to_owned(),
                subject: Some(subject.to_owned()),
                // A client that names a machine names an agent: contract/CONTRACT.md#binding.
                client: name.strip_prefix("agent:").map(str::to_owned),
            }),
        };
        registry.create_identity(&act, &identity).unwrap();
        let client = subject.replace("svc-", "");
        let credential = NewCredential {
            material: Material::OauthClient(holder(&client)),
            subject: Some(holder(subject)),
            token_ids: Vec::new(),
            expires_at: None,
        };
        registry.add_credential(&act, &object(name), &credential).unwrap();
    }
    registry.write_relationships(&act, &tuples()).unwrap();
}

pub(crate) fn tuples() -> Vec<Tuple> {
    let mut tuples: Vec<String> = [
        "organization:acme#admin@user:olga",
        "organization:acme#evaluator@service:gateway",
        "organization:acme#can_assert@service:gateway",
        "organization:acme#evaluator@service:watcher",
        "organization:globex#evaluator@service:foreign",
        "organization:globex#can_assert@service:foreign",
        "user:anne#delegate_of@agent:helper",
        "agent:helper#agent_user@user:anne",
        "agent:helper#agent_user@user:bob",
        "tool:pdp/web#can_call@organization:acme#member",
        "tool:pdp/web#can_call@organization:globex#member",
        "tool:pdp/web#can_call@agent:helper",
        "tool:tasks/get_board#can_call@organization:acme#member",
        "tool:tasks/get_board#can_call@agent:helper",
        "mcp_server:tasks#can_call@organization:acme#member",
        "mcp_server:tasks#can_call@agent:helper",
        "workspace:planning#organization@organization:acme",
        "workspace:elsewhere#organization@organization:globex",
        "board:roadmap#workspace@workspace:planning",
        "board:plan#workspace@workspace:planning",
        "board:genome#workspace@workspace:elsewhere",
        "board:roadmap#editor@user:anne",
        "board:plan#editor@user:bob",
        "board:genome#editor@user:gina",
        "todo:todo-1#organization@organization:acme",
    ]
    .map(str::to_owned)
    .to_vec();
    for (at, (id, mail)) in CITIZENS.iter().enumerate() {
        // The suite numbers rick's todo 2, morty's 1, and the others' from 3.
        let number = [2, 1, 3, 4, 5][at];
        tuples.push(format!("todo:{TODO}{number}#organization@organization:acme"));
        tuples.push(format!("todo:{TODO}{number}#owner@user:{id}"));
        tuples.push(format!("user:{mail}#home@organization:acme"));
        match at {
            0 => tuples.extend([
                format!("organization:acme#admin@user:{id}"),
                format!("organization:acme#evil_genius@user:{id}"),
            ]),
            1 | 2 => tuples.push(format!("organization:acme#todo_editor@user:{id}")),
            _ => {}
        }
    }
    tuples.iter().map(|text| tuple(text)).collect()
}

pub(crate) fn act() -> Act {
    Act { actor: Actor::Local, now: now(), confirm: Confirm::Confirmed }
}

pub(crate) fn object(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

pub(crate) fn tuple(text: &str) -> Tuple {
    let (of, rest) = text.split_once('#').unwrap();
    let (relation, subject) = rest.split_once('@').unwrap();
    Tuple::new(object(of), relation, Subject::parse(subject).unwrap())
}

pub(crate) fn holder(name: &str) -> Holder {
    Holder { issuer: ISSUER.to_owned(), name: name.to_owned() }
}
