//! Decisions over AuthZEN.

use std::fs;

use serde_json::{Value, json};

use crate::world::{DECISIONS, SHARED, gateway, token, token_for};

fn question(subject: &str, action: &str, resource: &str) -> Value {
    let (subject_type, subject_id) = subject.split_once(':').unwrap();
    let (resource_type, resource_id) = resource.split_once(':').unwrap();
    json!({
        "subject": { "type": subject_type, "id": subject_id },
        "action": { "name": action },
        "resource": { "type": resource_type, "id": resource_id },
    })
}

fn for_user(user: &str, agent: &str, action: &str, resource: &str) -> Value {
    let mut question = question(agent, action, resource);
    question["context"] = json!({ "on_behalf_of": user });
    question
}

fn decided(allowed: bool, reason: &str) -> (bool, String) {
    (allowed, reason.to_owned())
}

#[test]
fn a_person_and_an_agent_are_decided_about_and_each_denial_has_its_reason() {
    let ask = |question: &Value| SHARED.evaluate(&gateway(), question);
    let table = [
        (question("user:anne", "view", "board:roadmap"), true, "ok"),
        (question("user:anne", "view", "board:plan"), false, "no-relation"),
        (question("user:anne", "view", "board:genome"), false, "cross-tenant"),
        (question("user:gina", "view", "board:genome"), false, "cross-tenant"),
        (question("user:unknown", "view", "board:roadmap"), false, "identity-unknown"),
        (question("user:anne", "fly", "board:roadmap"), false, "unmapped"),
        (question("user:anne", "list_boards", "none:none"), true, "ok"),
        (for_user("user:anne", "agent:helper", "edit", "board:roadmap"), true, "ok"),
        (for_user("user:anne", "agent:helper", "edit", "board:plan"), false, "no-relation"),
        (for_user("user:bob", "agent:helper", "edit", "board:plan"), false, "not-delegate"),
        (question("agent:helper", "view", "board:roadmap"), false, "agent-context-missing"),
        (question("service:gateway", "view", "board:roadmap"), false, "binding-unmatched"),
    ];
    for (question, allowed, reason) in table {
        assert_eq!(ask(&question), decided(allowed, reason), "{question}");
    }
}

#[test]
fn a_caller_who_is_not_believed_may_ask_with_the_token_of_the_subject() {
    let watcher = token("svc-watcher", "watcher");
    let asked = question("user:anne", "view", "board:roadmap");
    assert_eq!(SHARED.evaluate(&watcher, &asked), decided(false, "binding-unmatched"));
    let with = |subject_token: &str, question: &Value| {
        let mut fields = crate::world::authorization(Some(&watcher));
        fields.push(("mandate-subject-token".to_owned(), subject_token.to_owned()));
        let (status, body) = SHARED.post_with("/access/v1/evaluation", &fields, question);
        (status, body["decision"].clone(), body["context"]["reason"].clone())
    };
    let annes = token_for(DECISIONS, "u-anne", "board-web");
    assert_eq!(with(&annes, &asked), (200, json!(true), json!("ok")));
    let of_bob = question("user:bob", "view", "board:roadmap");
    assert_eq!(with(&annes, &of_bob), (200, json!(false), json!("cross-user")));
    let of_ginas_tenant = token_for(DECISIONS, "u-gina", "board-web");
    let asked = question("user:gina", "view", "board:genome");
    assert_eq!(with(&of_ginas_tenant, &asked), (200, json!(false), json!("cross-tenant")));
    // A token for the door of callers opens nothing behind it.
    let other = token("u-anne", "board-web");
    let asked = question("user:anne", "view", "board:roadmap");
    assert_eq!(with(&other, &asked), (200, json!(false), json!("token-audience")));
}

#[test]
fn several_decisions_end_where_their_semantic_says() {
    let semantic = |name: &str| {
        let body = json!({
            "subject": { "type": "user", "id": "anne" },
            "action": { "name": "view" },
            "evaluations": [
                { "resource": { "type": "board", "id": "roadmap" } },
                { "resource": { "type": "board", "id": "plan" } },
                { "resource": { "type": "board", "id": "roadmap" }, "action": { "name": "edit" } },
            ],
            "options": { "evaluations_semantic": name },
        });
        let (status, body) = SHARED.post("/access/v1/evaluations", Some(&gateway()), &body);
        assert_eq!(status, 200, "{body}");
        let decisions = body["evaluations"].as_array().unwrap().clone();
        decisions.iter().map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(semantic("execute_all"), [true, false, true]);
    assert_eq!(semantic("deny_on_first_deny"), [true, false]);
    assert_eq!(semantic("permit_on_first_permit"), [true]);
}

#[test]
fn without_entries_it_is_one_decision() {
    let body = question("user:anne", "view", "board:roadmap");
    let (status, body) = SHARED.post("/access/v1/evaluations", Some(&gateway()), &body);
    assert_eq!((status, &body["decision"]), (200, &json!(true)));
}

#[test]
fn what_is_malformed_is_named_and_refused() {
    let whole = question("user:anne", "view", "board:roadmap");
    let changed = |member: &str, value: Value| {
        let mut question = whole.clone();
        question[member] = value;
        question
    };
    let table = [
        (changed("extra", json!(1)), "extra"),
        (changed("subject", json!({ "type": "user" })), "subject"),
        (changed("subject", json!({ "type": "user", "id": "anne", "x": 1 })), "subject.x"),
        (changed("action", json!("view")), "action"),
        (changed("context", Value::Null), "context"),
        (changed("context", json!({ "on_behalf_of": "agent:x" })), "context.on_behalf_of"),
        (changed("context", json!({ "minimum_epoch": "1" })), "context.minimum_epoch"),
    ];
    for (body, member) in table {
        let (status, answer) = SHARED.post("/access/v1/evaluation", Some(&gateway()), &body);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!("malformed")), "{body}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("`{member}`")), "{member}: {message}");
    }
}

#[test]
fn a_caller_who_has_seen_more_than_there_is_is_told_to_wait() {
    let mut body = question("user:anne", "view", "board:roadmap");
    body["context"] = json!({ "minimum_epoch": "1.999999" });
    let (status, body) = SHARED.post("/access/v1/evaluation", Some(&gateway()), &body);
    assert_eq!((status, &body["error"]["code"]), (503, &json!("snapshot-stale")));
}

#[test]
fn a_search_lists_what_a_decision_would_allow() {
    let ask = |what: &str, body: &Value| {
        let path = format!("/access/v1/search/{what}");
        let (status, body) = SHARED.post(&path, Some(&gateway()), body);
        assert_eq!(status, 200, "{body}");
        body
    };
    let anne = json!({ "type": "user", "id": "anne" });
    let roadmap = json!({ "type": "board", "id": "roadmap" });
    let found = ask(
        "resource",
        &json!({
            "subject": anne, "action": { "name": "view" }, "resource": { "type": "board" },
        }),
    );
    assert_eq!(found["results"], json!([roadmap]));
    let found = ask(
        "subject",
        &json!({
            "subject": { "type": "user" }, "action": { "name": "edit" }, "resource": roadmap,
        }),
    );
    let users = |ids: [&str; 3]| ids.map(|id| json!({ "type": "user", "id": id }));
    // Administrators may edit everything of their tenant.
    assert_eq!(found["results"], json!(users([crate::world::CITIZENS[0].0, "anne", "olga"])));
    let found = ask("action", &json!({ "subject": anne, "resource": roadmap }));
    assert_eq!(found["results"], json!([{ "name": "edit" }, { "name": "view" }]));
}

#[test]
fn pages_of_a_search_join() {
    let mut body = json!({
        "subject": { "type": "user" }, "action": { "name": "can_read_todos" },
        "resource": { "type": "todo", "id": "todo-1" }, "page": { "limit": 5 },
    });
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let (status, page) = SHARED.post("/access/v1/search/subject", Some(&gateway()), &body);
        assert_eq!(status, 200, "{page}");
        let results = page["results"].as_array().unwrap();
        assert!(results.len() <= 5);
        ids.extend(results.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        pages += 1;
        let next = page["page"]["next_token"].as_str().unwrap();
        if next.is_empty() {
            break;
        }
        body["page"]["token"] = json!(next);
    }
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!((ids.len(), pages, once), (13, 3, ids));
}

#[test]
fn every_row_of_the_todo_suite_is_as_expected() {
    let Some(suites) = std::env::var_os("MANDATE_SUITES") else {
        crate::cli::skip("the todo suite of AuthZEN: MANDATE_SUITES is not set");
        return;
    };
    let file =
        std::path::Path::new(&suites).join("authzen/todo/decisions-authorization-api-1_0-02.json");
    let suite: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let rows = suite["evaluation"].as_array().unwrap();
    for row in rows {
        let (status, body) =
            SHARED.post("/access/v1/evaluation", Some(&gateway()), &row["request"]);
        assert_eq!((status, &body["decision"]), (200, &row["expected"]), "{row} {body}");
    }
    let batches = suite["evaluations"].as_array().unwrap();
    for row in batches {
        let (status, body) =
            SHARED.post("/access/v1/evaluations", Some(&gateway()), &row["request"]);
        assert_eq!(status, 200, "{row} {body}");
        let decisions = body["evaluations"].as_array().unwrap().iter();
        let decisions: Vec<Value> =
            decisions.map(|one| json!({ "decision": one["decision"] })).collect();
        assert_eq!(json!(decisions), row["expected"], "{row}");
    }
    assert_eq!((rows.len(), batches.len()), (40, 3));
}

#[test]
fn the_metadata_has_the_configured_urls_whatever_the_host() {
    let (status, body) = SHARED.get("/.well-known/authzen-configuration", None);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(body["policy_decision_point"], json!("https://pdp.example"));
    let evaluation = json!("https://pdp.example/access/v1/evaluation");
    assert_eq!(body["access_evaluation_endpoint"], evaluation);
}

#[test]
fn every_decision_is_in_the_audit_chain() {
    let world = crate::world::World::start("audit", &json!({}));
    let asked = question("user:anne", "view", "board:roadmap");
    let (_, body) = world.post("/access/v1/evaluation", Some(&gateway()), &asked);
    let id = body["context"]["decision_id"].as_str().unwrap().to_owned();
    let mut registry = world.registry();
    // The server writes what it has accepted before it ends.
    let (code, _) = world.stop();
    assert_eq!(code, Some(0));
    let filter = mandate_registry::audit::AuditFilter {
        tenant: Some("acme".to_owned()),
        most: 1000,
        ..Default::default()
    };
    let entries = registry.audit(&filter).unwrap();
    let found = entries.iter().find(|entry| entry.record.contains(&id)).unwrap();
    let record: Value = serde_json::from_str(&found.record).unwrap();
    let expected = [
        ("action", json!("view")),
        ("actor_chain", json!([{ "subject": "service:gateway" }])),
        ("binding_mode", json!("asserted")),
        ("resource", json!(["board:roadmap"])),
        ("tenant", json!("acme")),
        ("user", json!("user:anne")),
        ("verdict", json!("allow")),
    ];
    for (member, value) in expected {
        assert_eq!(record[member], value, "{record}");
    }
}
