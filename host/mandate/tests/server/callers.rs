//! Who may call what: every endpoint with every kind of caller.

use serde_json::{Value, json};

use crate::world::{SERVER, SHARED, gateway, now, sign, token, token_for};

/// A body that each endpoint takes.
fn body(path: &str) -> Value {
    let subject = json!({ "type": "user", "id": "anne" });
    let resource = json!({ "type": "board", "id": "roadmap" });
    let action = json!({ "name": "view" });
    match path {
        "/access/v1/search/action" => json!({ "subject": subject, "resource": resource }),
        "/allowed" => check(),
        "/allowed/bulk" => json!([check()]),
        _ => json!({ "subject": subject, "action": action, "resource": resource }),
    }
}

fn check() -> Value {
    json!({
        "user": { "key": "anne" }, "action": "view",
        "resource": { "type": "board", "key": "roadmap" },
    })
}

fn ask(method: &str, path: &str, token: Option<&str>) -> u16 {
    let path = path.replace("{slice}", "default");
    match method {
        "POST" if path.contains("introspect") || path.contains("revoke") => {
            SHARED.form(&path, token, &[("token", "abc")]).0
        }
        "POST" if path.starts_with("/audit") => SHARED.records(token, "").0,
        "POST" => SHARED.post(&path, token, &body(&path)).0,
        _ => SHARED.get(&format!("{path}{}", query(&path)), token).0,
    }
}

fn query(path: &str) -> &'static str {
    if path.ends_with("/deltas") { "?from=1.0" } else { "" }
}

/// The kinds of callers, which every table has as its first columns.
pub(crate) fn callers() -> [(&'static str, Option<String>); 9] {
    [
        ("nobody", None),
        ("garbage", Some("abc".to_owned())),
        ("another audience", Some(token_for("https://board.example", "svc-gateway", "gateway"))),
        (
            "expired",
            Some(sign(&json!({
                "iss": "https://login.example/realms/acme", "sub": "svc-gateway", "aud": SERVER,
                "client_id": "gateway", "iat": now() - 600, "exp": now() - 300,
            }))),
        ),
        ("agent", Some(token("u-anne", "helper"))),
        ("person", Some(token("u-anne", "board-web"))),
        ("service", Some(token("svc-nobody", "nobody"))),
        ("administrator", Some(token("u-olga", "board-web"))),
        ("gateway", Some(gateway())),
    ]
}

#[test]
fn every_cell_of_endpoint_and_caller_is_as_the_table_says() {
    let callers = callers();
    // Columns as above.
    let open = [200; 9];
    let evaluator = [401, 401, 401, 401, 403, 403, 403, 200, 200];
    let caller = [401, 401, 401, 401, 403, 200, 200, 200, 200];
    let reader = [401, 401, 401, 401, 403, 403, 403, 403, 200];
    let table = [
        ("GET", "/.well-known/authzen-configuration", open),
        ("POST", "/access/v1/evaluation", evaluator),
        ("POST", "/access/v1/evaluations", evaluator),
        ("POST", "/access/v1/search/action", evaluator),
        ("POST", "/access/v1/search/resource", evaluator),
        ("POST", "/access/v1/search/subject", evaluator),
        ("POST", "/allowed", evaluator),
        ("POST", "/allowed/bulk", evaluator),
        ("POST", "/api/auth/introspect", caller),
        ("POST", "/audit/v1/records", reader),
        ("GET", "/contract", caller),
        // On the listener of proxies alone, which no token opens.
        ("POST", "/envoy.service.auth.v3.Authorization/Check", [404; 9]),
        (
            "GET",
            "/feeds/{slice}/v1/deltas",
            reader.map(|status| if status == 200 { 410 } else { status }),
        ),
        ("GET", "/feeds/{slice}/v1/snapshot", reader),
        ("GET", "/healthz", open),
        ("GET", "/metrics", open),
        ("POST", "/oauth2/introspect", caller),
        // What is no opaque token cannot be revoked here: 400 for whoever may ask.
        ("POST", "/oauth2/revoke", caller.map(|status| if status == 200 { 400 } else { status })),
        ("GET", "/openapi.json", open),
        ("GET", "/readyz", open),
    ];
    // Those of `/admin` have a table of their own: tests/server/admin.rs.
    let known: Vec<_> = mandate::server::ENDPOINTS
        .iter()
        .map(|one| (one.method, one.path))
        .filter(|(_, path)| !path.starts_with("/admin/"))
        .collect();
    let listed: Vec<_> = table.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(listed, known);
    for (method, path, row) in table {
        for ((name, token), expected) in callers.iter().zip(row) {
            assert_eq!(ask(method, path, token.as_deref()), expected, "{path} by {name}");
        }
    }
}

#[test]
fn the_threat_table_names_the_same_endpoints() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/threats.md");
    let page = std::fs::read_to_string(page).unwrap();
    let named: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`'))
        .map(|(endpoint, _)| endpoint)
        .collect();
    let known: Vec<String> = mandate::server::ENDPOINTS
        .iter()
        .map(|one| format!("{} {}", one.method, one.path))
        .collect();
    assert_eq!(named, known);
}

#[test]
fn a_caller_without_a_token_is_challenged() {
    let (status, body) = SHARED.post("/access/v1/evaluation", None, &json!({}));
    assert_eq!((status, &body["error"]["code"]), (401, &json!("token-missing")));
}

#[test]
fn a_feed_that_is_not_there_and_one_that_is_closed_look_alike() {
    let closed = SHARED.get("/feeds/default/v1/snapshot", Some(&token("svc-watcher", "watcher")));
    let missing = SHARED.get("/feeds/missing/v1/snapshot", Some(&gateway()));
    assert_eq!((closed.0, &closed.1), (403, &missing.1));
}
