//! Checks as Permit's SDKs ask them.

use serde_json::{Value, json};

use crate::world::{SHARED, gateway};

fn check(user: &str, resource: &Value, context: &Value) -> Value {
    json!({ "user": { "key": user }, "action": "view", "resource": resource, "context": context })
}

fn board(id: &str) -> Value {
    json!({ "type": "board", "key": id, "tenant": "default", "context": { "tenant": "default" } })
}

#[test]
fn an_agent_is_allowed_for_its_user_and_denied_across_users_and_tenants() {
    let ask = |body: &Value| {
        let (status, body) = SHARED.post("/allowed", Some(&gateway()), body);
        assert_eq!(status, 200, "{body}");
        (body["allow"].as_bool().unwrap(), body["debug"]["reason"].as_str().unwrap().to_owned())
    };
    let mut foreign = board("roadmap");
    foreign["tenant"] = json!("globex");
    foreign["context"] = json!({ "tenant": "globex" });
    let for_anne = json!({ "on_behalf_of": "user:anne" });
    let for_bob = json!({ "on_behalf_of": "user:bob" });
    let table = [
        (check("agent:helper", &board("roadmap"), &for_anne), true, "ok"),
        (check("agent:helper", &board("plan"), &for_anne), false, "no-relation"),
        (check("agent:helper", &board("plan"), &for_bob), false, "not-delegate"),
        (check("agent:helper", &board("genome"), &for_anne), false, "cross-tenant"),
        (check("agent:helper", &foreign, &for_anne), false, "cross-tenant"),
        (check("agent:helper", &board("roadmap"), &json!({})), false, "agent-context-missing"),
        (check("anne", &board("roadmap"), &json!({})), true, "ok"),
        (check("anne", &json!({ "type": "board" }), &json!({})), false, "unmapped"),
        (
            check("anne", &json!({ "type": "board", "key": "plan", "id": null }), &json!({})),
            false,
            "no-relation",
        ),
    ];
    for (body, allowed, reason) in table {
        assert_eq!(ask(&body), (allowed, reason.to_owned()), "{body}");
    }
}

#[test]
fn roles_that_a_caller_claims_grant_nothing() {
    let mut body = check("anne", &board("plan"), &json!({}));
    body["user"]["roles"] = json!([{ "role": "admin", "tenant": "acme" }]);
    let (status, body) = SHARED.post("/allowed", Some(&gateway()), &body);
    assert_eq!((status, &body["allow"]), (200, &json!(false)));
}

#[test]
fn several_checks_are_answered_in_their_order() {
    let checks = ["roadmap", "plan", "roadmap"].map(|id| check("anne", &board(id), &json!({})));
    let (status, body) = SHARED.post("/allowed/bulk", Some(&gateway()), &json!(checks));
    let allowed: Vec<_> =
        body["allow"].as_array().unwrap().iter().map(|one| one["allow"].clone()).collect();
    assert_eq!((status, json!(allowed)), (200, json!([true, false, true])));
}

#[test]
fn a_check_with_an_unknown_member_is_refused() {
    let mut body = check("anne", &board("roadmap"), &json!({}));
    body["user"]["is_admin"] = json!(true);
    let (status, _) = SHARED.post("/allowed", Some(&gateway()), &body);
    assert_eq!(status, 400);
}
