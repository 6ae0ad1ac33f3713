//! The registry, managed over HTTP.

use std::sync::LazyLock;

use mandate_authz::name::ObjectName;
use mandate_authz::record::{DelegationMode, Grant, Scope, Status};
use mandate_registry::Registry;
use mandate_registry::credential::{Material, NewCredential, SecretSource};
use mandate_registry::identity::NewIdentity;
use mandate_registry::person::Person;
use mandate_registry::relationship::RelationshipFilter;
use serde_json::{Value, json};

use crate::callers::callers;
use crate::world::{ISSUER, World, act, agent, authorization, holder, object, token, tuple};

/// A deployment that the tests of this file share: each changes what is its own.
static WORLD: LazyLock<World> = LazyLock::new(|| {
    let world = World::start("admin", &json!({ "operators": ["user:oscar"] }));
    let mut registry = world.registry();
    let operator = Person {
        object: object("user:oscar"),
        tenants: vec!["acme".to_owned()],
        subjects: vec![holder("u-oscar")],
        status: Status::Active,
        expires_at: None,
    };
    registry.put_person(&act(), &operator).unwrap();
    registry.write_relationships(&act(), &[tuple("organization:globex#admin@user:gina")]).unwrap();
    drop(registry);
    world.follow();
    world
});

fn olga() -> String {
    token("u-olga", "board-web")
}

fn gina() -> String {
    token("u-gina", "board-web")
}

/// A status, the whole body, and `Cache-Control`.
fn ask(method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
    let (status, cache, value) = ask_whole(method, path, token, body);
    assert!(path == "/contract" || cache == "no-store", "{method} {path}: {cache}");
    (status, value)
}

fn ask_whole(
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> (u16, String, Value) {
    let url = format!("{}{path}", WORLD.address);
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in authorization(token) {
        request = request.header(name, value);
    }
    let mut answer = match body {
        None => agent().run(request.body(()).unwrap()).unwrap(),
        Some(body) => {
            let request = request.header("content-type", "application/json");
            agent().run(request.body(body.to_string()).unwrap()).unwrap()
        }
    };
    let cache =
        answer.headers().get("cache-control").map(|value| value.to_str().unwrap().to_owned());
    let text = answer.body_mut().read_to_string().unwrap();
    let value = serde_json::from_str(&text).unwrap_or(Value::Null);
    (answer.status().as_u16(), cache.unwrap_or_default(), value)
}

fn all() -> Scope {
    let all = || Grant::All;
    Scope { workspaces: all(), boards: all(), modes: all(), actions: all() }
}

/// An identity of bob's, and its credential.
fn identity(registry: &mut Registry, name: &str) -> (ObjectName, String) {
    let new = NewIdentity {
        object: object(name),
        display_name: name.to_owned(),
        owner: Some(object("user:bob")),
        tenant: "acme".to_owned(),
        scope: all(),
        delegation: DelegationMode::Stored,
        sole_user: None,
        expires_at: None,
        external: None,
    };
    registry.create_identity(&act(), &new).unwrap();
    let credential = NewCredential {
        material: Material::Opaque(SecretSource::Generated),
        subject: None,
        token_ids: Vec::new(),
        expires_at: None,
    };
    let issued = registry.add_credential(&act(), &new.object, &credential).unwrap();
    (new.object, issued.outcome.credential.id)
}

/// One request of an endpoint, about an identity of its own.
fn request(method: &str, path: &str, identity: &str, credential: &str) -> (String, Option<Value>) {
    let to = path
        .replace("{identity}", identity)
        .replace("{credential}", credential)
        .replace("{person}", if method == "PUT" { "user:pat" } else { "user:anne" });
    let id = identity.split_once(':').unwrap().1;
    let user = json!([{ "object": identity, "relation": "agent_user", "subject": "user:anne" }]);
    let legacy = json!([{ "algorithm": "bcrypt", "hash": identity, "identity": identity }]);
    let body = match (method, path.strip_prefix("/admin/v1/").unwrap()) {
        ("GET", _) => None,
        (_, "credentials/{credential}/rotate") => Some(json!({ "window_seconds": 5 })),
        (_, "era") => Some(json!({})),
        (_, "facts") => Some(json!({ "facts": "teams: []\n", "dry_run": true })),
        (_, "identities") => Some(json!({ "identity": format!("agent:made-{id}") })),
        (_, "identities/{identity}/credentials") => {
            Some(json!({ "material": { "kind": "opaque" } }))
        }
        (_, "identities/{identity}/credentials/revoke") => Some(json!({ "confirm": true })),
        (_, "identities/{identity}/scope") => Some(json!({ "scope": {} })),
        (_, "legacy-tokens") => Some(json!({ "tokens": legacy, "confirm": true })),
        (_, "persons/{person}") => Some(json!({ "tenants": ["acme"] })),
        (_, "relationships/delete" | "relationships/write") => {
            Some(json!({ "relationships": user }))
        }
        (_, "tenants") => Some(json!({ "tenant": "acme" })),
        (_, "threads") => {
            Some(json!({ "thread": id, "owner": "user:anne", "expires_at": 4_000_000_000_u64 }))
        }
        _ => None,
    };
    (to, body)
}

/// Method, path, and what each caller gets.
fn table() -> [(&'static str, &'static str, [u16; 12]); 27] {
    // Columns: nobody, garbage, another audience, expired, agent, person, service, administrator,
    // gateway, owner, administrator of another tenant, operator.
    let of = |administrator: u16, owner: u16, foreign: u16, operator: u16| {
        [401, 401, 401, 401, 403, 403, 403, administrator, 403, owner, foreign, operator]
    };
    let list = of(200, 403, 200, 403);
    let show = of(200, 403, 404, 403);
    let administrator = of(200, 403, 404, 403);
    let owner = of(200, 200, 404, 403);
    let operator = of(403, 403, 403, 200);
    [
        ("GET", "/admin/v1/audit", list),
        ("GET", "/admin/v1/audit/verification", list),
        // Both tenants have an administrator: tests/server/bootstrap.rs has the one that does not.
        ("POST", "/admin/v1/bootstrap", of(403, 403, 403, 403)),
        ("POST", "/admin/v1/credentials/{credential}/revoke", owner),
        ("POST", "/admin/v1/credentials/{credential}/rotate", owner),
        ("POST", "/admin/v1/era", operator),
        ("POST", "/admin/v1/facts", operator),
        ("GET", "/admin/v1/identities", list),
        // In the tenant of each.
        ("POST", "/admin/v1/identities", of(200, 403, 200, 403)),
        ("GET", "/admin/v1/identities/{identity}", show),
        ("GET", "/admin/v1/identities/{identity}/credentials", show),
        ("POST", "/admin/v1/identities/{identity}/credentials", administrator),
        ("POST", "/admin/v1/identities/{identity}/credentials/revoke", owner),
        ("POST", "/admin/v1/identities/{identity}/resume", administrator),
        ("POST", "/admin/v1/identities/{identity}/retire", administrator),
        ("PUT", "/admin/v1/identities/{identity}/scope", owner),
        ("POST", "/admin/v1/identities/{identity}/suspend", owner),
        ("POST", "/admin/v1/legacy-tokens", administrator),
        ("GET", "/admin/v1/persons", list),
        ("GET", "/admin/v1/persons/{person}", show),
        ("PUT", "/admin/v1/persons/{person}", operator),
        ("GET", "/admin/v1/relationships", list),
        ("POST", "/admin/v1/relationships/delete", administrator),
        ("POST", "/admin/v1/relationships/write", administrator),
        ("GET", "/admin/v1/state", list),
        ("POST", "/admin/v1/tenants", operator),
        // The owner of the thread is no member of the other tenant.
        ("POST", "/admin/v1/threads", of(200, 403, 400, 403)),
    ]
}

#[test]
fn every_cell_of_endpoint_and_caller_is_as_the_table_says() {
    let mut callers: Vec<(&str, Option<String>)> = callers().into();
    callers.extend([
        ("owner", Some(token("u-bob", "board-web"))),
        ("administrator of another tenant", Some(gina())),
        ("operator", Some(token("u-oscar", "board-web"))),
    ]);
    let table = table();
    let known: Vec<_> = mandate::server::ENDPOINTS
        .iter()
        .map(|one| (one.method, one.path))
        .filter(|(_, path)| path.starts_with("/admin/"))
        .collect();
    let listed: Vec<_> = table.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(listed, known);
    let mut registry = WORLD.registry();
    for (row, (method, path, expected)) in table.into_iter().enumerate() {
        for (column, ((name, token), expected)) in callers.iter().zip(expected).enumerate() {
            let (about, credential) =
                identity(&mut registry, &format!("agent:cell-{row}-{column}"));
            if path.ends_with("/resume") {
                registry.suspend_identity(&act(), &about).unwrap();
            }
            let (to, body) = request(method, path, &about.to_string(), &credential);
            let (status, answer) = ask(method, &to, token.as_deref(), body.as_ref());
            assert_eq!(status, expected, "{method} {path} by {name}: {answer}");
        }
    }
}

#[test]
fn an_identity_is_made_limited_stopped_and_ended() {
    let token = olga();
    let post = |path: &str, body: Option<&Value>| ask("POST", path, Some(&token), body);
    let new = json!({
        "identity": "agent:scribe", "owner": "user:bob", "delegation": "on-invoke",
        "scope": { "workspaces": "*", "modes": ["read"] },
        "external": { "issuer": ISSUER, "client": "scribe" },
    });
    let (status, made) = post("/admin/v1/identities", Some(&new));
    assert_eq!(status, 200, "{made}");
    let expected = json!({
        "identity": "agent:scribe", "kind": "agent", "display_name": "scribe", "thread": null,
        "owner": "user:bob", "tenant": "acme", "delegation": "on-invoke", "sole_user": null,
        "scope": { "workspaces": "*", "boards": [], "modes": ["read"], "actions": [] },
        "status": "active", "expires_at": null, "created_at": made["created_at"],
        "last_used_at": null, "last_rotated_at": null, "confirmed": true,
        "external": { "issuer": ISSUER, "subject": null, "client": "scribe" },
        "position": made["position"],
    });
    assert_eq!(made, expected);
    let conflict = json!({ "error": {
        "code": "conflict", "message": "there is an identity `agent:scribe` already",
    } });
    assert_eq!(post("/admin/v1/identities", Some(&new)), (409, conflict));
    let path = "/admin/v1/identities/agent:scribe";
    let narrow = json!({ "scope": { "boards": ["roadmap"] } });
    let (status, scoped) = ask("PUT", &format!("{path}/scope"), Some(&token), Some(&narrow));
    assert_eq!((status, &scoped["scope"]["boards"]), (200, &json!(["roadmap"])));
    for (verb, status, standing) in [
        ("suspend", 200, json!("suspended")),
        ("suspend", 409, Value::Null),
        ("resume", 200, json!("active")),
        ("retire", 200, json!("retired")),
    ] {
        let (found, answer) = post(&format!("{path}/{verb}"), None);
        assert_eq!((found, &answer["status"]), (status, &standing), "{verb} {answer}");
    }
    let (status, shown) = ask("GET", path, Some(&token), None);
    assert_eq!((status, &shown["status"]), (200, &json!("retired")));
    let query = "/admin/v1/audit?identity=agent:scribe";
    let (_, audit) = ask("GET", query, Some(&token), None);
    let records = audit["records"].as_array().unwrap();
    let changes: Vec<(&str, &str)> = records
        .iter()
        .map(|entry| &entry["record"])
        .map(|record| (record["change"].as_str().unwrap(), record["actor"].as_str().unwrap()))
        .filter(|(change, _)| change.starts_with("identity"))
        .collect();
    let expected = ["create", "scope", "suspend", "resume", "retire"];
    let expected = expected.map(|change| format!("identity-{change}"));
    let expected: Vec<_> = expected.iter().map(|change| (change.as_str(), "user:olga")).collect();
    assert_eq!(changes, expected);
}

#[test]
fn a_secret_is_shown_once_to_who_confirms() {
    let token = olga();
    let mut registry = WORLD.registry();
    let (of, _) = identity(&mut registry, "agent:secretive");
    let path = format!("/admin/v1/identities/{of}/credentials");
    let dry = json!({ "material": { "kind": "opaque" } });
    let (status, answer) = ask("POST", &path, Some(&token), Some(&dry));
    assert_eq!((status, &answer["confirmed"], answer.get("secret")), (200, &json!(false), None));
    assert_eq!(registry.credentials(&of, None, 10).unwrap().len(), 1);
    let meant = json!({ "material": { "kind": "opaque" }, "confirm": true });
    let (status, answer) = ask("POST", &path, Some(&token), Some(&meant));
    assert_eq!((status, &answer["confirmed"]), (200, &json!(true)));
    let secret = answer["secret"].as_str().unwrap();
    let (id, word) = mandate_registry::secret::split(secret).unwrap();
    assert_eq!(answer["credential"], json!(id));
    let now = crate::world::now();
    assert_eq!(registry.verify_secret(id, word, now).unwrap().unwrap().id, id);
    let (_, listed) = ask("GET", &path, Some(&token), None);
    assert_eq!(listed["credentials"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(word));
    let rotate = json!({ "window_seconds": 0, "confirm": true });
    let to = format!("/admin/v1/credentials/{id}/rotate");
    let (status, rotated) = ask("POST", &to, Some(&token), Some(&rotate));
    assert_eq!((status, &rotated["replaces"]), (200, &json!(id)));
    let to = format!("/admin/v1/credentials/{}/revoke", rotated["credential"].as_str().unwrap());
    assert_eq!(ask("POST", &to, Some(&token), None).0, 200);
    let again = ask("POST", &to, Some(&token), None);
    assert_eq!((again.0, &again.1["error"]["code"]), (409, &json!("conflict")));
}

#[test]
fn what_is_of_another_tenant_looks_like_what_is_nowhere() {
    let token = olga();
    let missing = json!({ "error": {
        "code": "not-found", "message": "there is no such thing in this tenant",
    } });
    let write = |object: &str, relation: &str, subject: &str| {
        let one = json!({ "object": object, "relation": relation, "subject": subject });
        let body = json!({ "relationships": [one] });
        ask("POST", "/admin/v1/relationships/write", Some(&token), Some(&body))
    };
    for pair in [
        ["/admin/v1/identities/service:foreign", "/admin/v1/identities/service:none"],
        ["/admin/v1/persons/user:gina", "/admin/v1/persons/user:none"],
        [
            "/admin/v1/identities/service:foreign/credentials",
            "/admin/v1/identities/service:none/credentials",
        ],
    ] {
        for path in pair {
            assert_eq!(ask("GET", path, Some(&token), None), (404, missing.clone()), "{path}");
        }
    }
    for name in ["service:foreign", "service:none"] {
        let path = format!("/admin/v1/identities/{name}/suspend");
        assert_eq!(ask("POST", &path, Some(&token), None), (404, missing.clone()), "{name}");
    }
    for (object, relation, subject) in [
        ("board:genome", "editor", "user:anne"),
        ("board:nowhere", "editor", "user:anne"),
        ("board:roadmap", "editor", "user:gina"),
        ("board:roadmap", "editor", "user:none"),
        ("board:genome", "workspace", "workspace:planning"),
        ("tool:pdp/web", "can_call", "user:gina"),
        ("organization:globex", "admin", "user:olga"),
        ("organization:nowhere", "admin", "user:olga"),
    ] {
        let found = write(object, relation, subject);
        assert_eq!(found, (404, missing.clone()), "{object}#{relation}@{subject}");
    }
    let (_, listed) = ask("GET", "/admin/v1/relationships?limit=1000", Some(&token), None);
    let text = listed.to_string();
    for foreign in ["globex", "genome", "gina", "elsewhere", "service:foreign"] {
        assert!(!text.contains(foreign), "{foreign}");
    }
    let (_, records) = ask("GET", "/admin/v1/audit?limit=1000", Some(&token), None);
    let of: Vec<_> =
        records["records"].as_array().unwrap().iter().map(|one| &one["tenant"]).collect();
    assert!(!of.is_empty() && of.iter().all(|tenant| **tenant == json!("acme")));
}

#[test]
fn a_listing_has_all_of_the_tenant_page_by_page() {
    let token = gina();
    // Nothing of this tenant changes meanwhile but identities that sort before this one.
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/admin/v1/relationships?limit=2{after}");
        let (status, page) = ask("GET", &path, Some(&token), None);
        assert_eq!(status, 200, "{page}");
        found.extend(page["relationships"].as_array().unwrap().clone());
        let Some(next) = page.get("next").and_then(Value::as_str) else { break };
        after = format!("&after={}", next.replace('#', "%23").replace('@', "%40"));
    }
    let names: Vec<String> = found
        .iter()
        .map(|one| {
            let part = |name: &str| one[name].as_str().unwrap().to_owned();
            format!("{}#{}@{}", part("object"), part("relation"), part("subject"))
        })
        .filter(|name| !name.contains("made-"))
        .collect();
    let filter = RelationshipFilter { most: 10_000, ..RelationshipFilter::default() };
    let every = WORLD.registry().relationships(&filter).unwrap();
    let expected: Vec<String> = every
        .iter()
        .map(|tuple| format!("{}#{}@{}", tuple.object, tuple.relation, tuple.subject))
        .filter(|name| {
            ["globex", "gina", "genome", "elsewhere", "foreign"].iter().any(|of| name.contains(of))
                && !name.contains("made-")
        })
        .collect();
    assert!(expected.len() > 5, "{expected:?}");
    assert_eq!(names, expected);
    assert_eq!(
        ask("GET", "/admin/v1/persons", Some(&token), None).1["people"],
        json!([{
            "person": "user:gina", "tenants": ["globex"], "status": "active", "expires_at": null,
            "subjects": [{ "issuer": ISSUER, "name": "u-gina" }],
        }])
    );
}

/// Method, path, body, and the code and the beginning of the message of each refusal.
const UNREAD: &[(&str, &str, &str, &str, &str)] = &[
    (
        "POST",
        "/admin/v1/identities",
        r#"{"identity":"agent:x","as":"user:root"}"#,
        "malformed",
        "`as`: unknown field `as`",
    ),
    (
        "POST",
        "/admin/v1/identities",
        r#"{"identity":"agent:x","tenant":"globex"}"#,
        "malformed",
        "`tenant`: unknown field `tenant`",
    ),
    (
        "POST",
        "/admin/v1/identities",
        r#"{"identity":"x"}"#,
        "malformed",
        "`identity`: must be `type:id`",
    ),
    (
        "POST",
        "/admin/v1/identities",
        r#"{"identity":"agent:x","scope":{"modes":["fly"]}}"#,
        "invalid",
        "`fly` is nothing that `modes` of a scope can name",
    ),
    (
        "POST",
        "/admin/v1/identities/agent:helper/suspend",
        r#"{"dry_run":true}"#,
        "malformed",
        "the body must be empty",
    ),
    (
        "GET",
        "/admin/v1/identities?tenant=globex",
        "",
        "query",
        "the parameters are owner, after, limit",
    ),
    ("GET", "/admin/v1/identities?limit=1001", "", "query", "`limit`: must be 1 to 1000"),
    (
        "GET",
        "/admin/v1/identities?limit=1&limit=2",
        "",
        "query",
        "the query has a parameter twice, or is malformed",
    ),
    ("GET", "/admin/v1/audit?from=x", "", "query", "`from`: is no integer of at most 2^53 - 1"),
    ("GET", "/admin/v1/identities/helper", "", "query", "`path`: is no `type:id`"),
    ("GET", "/admin/v1/identities/agent:%FF", "", "query", "`path`: is no text of one line"),
];

#[test]
fn what_nobody_would_read_is_refused_and_named() {
    let token = olga();
    for (method, path, body, code, message) in UNREAD {
        let body: Option<Value> = serde_json::from_str(body).ok();
        let (status, answer) = ask(method, path, Some(&token), body.as_ref());
        let error = &answer["error"];
        assert_eq!((status, &error["code"]), (400, &json!(code)), "{method} {path} {answer}");
        // What else is known follows.
        assert!(error["message"].as_str().unwrap().starts_with(message), "{answer}");
    }
    let many: Vec<Value> = (0..501)
        .map(|number| json!({ "object": format!("board:{number}"), "relation": "editor", "subject": "user:anne" }))
        .collect();
    let body = json!({ "relationships": many });
    let path = "/admin/v1/relationships/write";
    let (status, answer) = ask("POST", path, Some(&token), Some(&body));
    assert_eq!((status, &answer["error"]["code"]), (413, &json!("too-large")));
}

#[test]
fn an_operator_registers_what_no_tenant_has() {
    let token = token("u-oscar", "board-web");
    let ask = |method: &str, path: &str, body: &Value| ask(method, path, Some(&token), Some(body));
    let (status, made) = ask("POST", "/admin/v1/tenants", &json!({ "tenant": "initech" }));
    assert_eq!(
        (status, &made["tenant"], &made["new"]),
        (200, &json!("organization:initech"), &json!(true))
    );
    let record = json!({
        "tenants": ["initech"], "subjects": [{ "issuer": ISSUER, "name": "u-peter" }],
    });
    let (status, made) = ask("PUT", "/admin/v1/persons/user:peter", &record);
    assert_eq!((status, &made["tenants"]), (200, &json!(["initech"])));
    let text = format!(
        "issuer: {ISSUER}\norganizations: [{{id: initech, admins: [peter]}}]\n\
         users: [{{id: peter, organizations: [initech], subjects: [u-peter]}}]\n"
    );
    let facts = json!({ "facts": text });
    let (status, made) = ask("POST", "/admin/v1/facts", &facts);
    assert_eq!((status, &made["changed"]["relationships"]), (200, &json!(1)), "{made}");
    // To what a tenant has, an operator is nobody in particular.
    let body = json!({ "identity": "agent:operated" });
    assert_eq!(ask("POST", "/admin/v1/identities", &body).0, 403);
    let records = WORLD.registry().audit(&mandate_registry::audit::AuditFilter {
        tenant: Some("initech".to_owned()),
        most: 10,
        ..Default::default()
    });
    let records = records.unwrap();
    assert!(!records.is_empty());
    for entry in records {
        let record: Value = serde_json::from_str(&entry.record).unwrap();
        assert_eq!(record["actor"], json!("user:oscar"));
    }
}

#[test]
fn the_chain_and_the_state_are_those_of_the_tenant() {
    let (status, verdict) = ask("GET", "/admin/v1/audit/verification", Some(&olga()), None);
    assert_eq!(
        (status, &verdict["tenant"], &verdict["intact"]),
        (200, &json!("acme"), &json!(true))
    );
    let (status, state) = ask("GET", "/admin/v1/state", Some(&gina()), None);
    assert_eq!(
        (status, &state["deployment"], &state["tenant"]),
        (200, &json!("acme"), &json!("globex"))
    );
    assert_eq!(state["position"]["era"], json!(1));
}
