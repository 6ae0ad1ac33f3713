//! Plain HTTP.

use mandate_authn::ReasonCode;
use mandate_gate::{SessionDuty, Verdict};
use serde_json::{Value, json};

use crate::scene::{NOW, scene};

#[test]
fn an_agent_reads_its_users_board() {
    let pass = scene().pass();
    let set = [
        ("x-mandate-user", "user:anne"),
        ("x-mandate-agent", "agent:helper"),
        ("x-mandate-tenant", "acme"),
        ("x-mandate-credential", "helper-1"),
        ("x-mandate-decision-id", "gate-1:boot:1"),
    ];
    assert_eq!(pass.set, set.map(|(name, value)| (name, value.to_owned())));
    assert_eq!(pass.remove, ["authorization"]);
    assert_eq!(pass.response.session, SessionDuty::Untouched);
}

#[test]
fn anothers_board_is_denied_with_a_neutral_text() {
    let mut scene = scene();
    scene.target = "/boards/budget".to_owned();
    let answer = scene.answer();
    assert_eq!(answer.reason, ReasonCode::NoRelation);
    let Verdict::Reply(reply) = answer.verdict else { panic!("it passes") };
    assert_eq!(reply.status, 403);
    assert_eq!(reply.body, "Access denied.\n");
    let fields = [("cache-control", "no-store"), ("content-type", "text/plain; charset=utf-8")];
    assert_eq!(reply.headers, fields.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn a_record_says_who_did_what_and_why_not() {
    let mut scene = scene();
    scene.target = "/boards/budget".to_owned();
    scene.header("x-request-id", "r-1");
    let record = scene.answer().audit.expect("a record").to_json();
    let record: Value = serde_json::from_str(&record).expect("JSON");
    let expected = json!({
        "decision_id": "gate-1:boot:1", "source": "gate-1", "source_sequence": 1, "time": NOW,
        "client_request_id": "r-1", "client_id": "board-web", "token_id": "t-1",
        "actor_chain": [{"issuer": "https://login.example", "subject": "sa-helper"}],
        "action": "view", "resource": ["board:budget"], "verdict": "deny", "enforced": true,
        "reason": "no-relation", "failing_line": "8", "binding_mode": "claim+relation",
        "user": "user:anne", "machine_identity_id": "agent:helper", "tenant": "acme",
        "credential_id": "helper-1", "delegation": "stored", "era": 1, "epoch": 7,
        "contract_version": "1.0.0",
    });
    assert_eq!(record, expected);
}

#[test]
fn no_token_is_asked_for_one() {
    let mut scene = scene();
    scene.with_token = false;
    let reply = scene.reply();
    assert_eq!(reply.status, 401);
    let challenge =
        "Bearer resource_metadata=\"https://boards.example/.well-known/oauth-protected-resource\"";
    assert_eq!(reply.headers[0], ("www-authenticate", challenge.to_owned()));
}

#[test]
fn a_bad_token_is_told_so() {
    let mut scene = scene();
    scene.claims["exp"] = json!(NOW - 120);
    let answer = scene.answer();
    assert_eq!(answer.reason, ReasonCode::TokenExpired);
    let Verdict::Reply(reply) = answer.verdict else { panic!("it passes") };
    let challenge = "Bearer error=\"invalid_token\", resource_metadata=\"https://boards.example/.well-known/oauth-protected-resource\"";
    assert_eq!(reply.headers[0], ("www-authenticate", challenge.to_owned()));
}

#[test]
fn a_scope_too_small_is_told_which_one_is_needed() {
    let mut scene = scene();
    scene.method = "POST";
    scene.target = "/copy?to=roadmap".to_owned();
    let reply = scene.reply();
    assert_eq!(reply.status, 403);
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"boards.write\", resource_metadata=\"https://boards.example/.well-known/oauth-protected-resource\"";
    assert_eq!(reply.headers[0], ("www-authenticate", challenge.to_owned()));
}

#[test]
fn an_old_state_answers_that_nobody_can_say() {
    let mut scene = scene();
    scene.issued_at = NOW - 121;
    let reply = scene.reply();
    assert_eq!(reply.status, 503);
    assert_eq!(reply.headers[0], ("retry-after", "1".to_owned()));
    let mut scene = super::scene::scene();
    scene.header("mandate-minimum-epoch", "1.8");
    assert_eq!(scene.reason(), ReasonCode::SnapshotStale);
    scene.headers.clear();
    scene.header("mandate-minimum-epoch", "1.7");
    assert_eq!(scene.reason(), ReasonCode::Ok);
}

#[test]
fn what_fits_no_rule_is_unmapped() {
    for (method, target) in [
        ("GET", "/other"),
        ("PUT", "/boards/roadmap"),
        ("HEAD", "/boards/roadmap"),
        ("GET", "/boards/roadmap/"),
        ("GET", "/boards/"),
        ("GET", "/%62oards/roadmap"),
        ("GET", "/health/"),
        ("POST", "/health"),
        ("PUT", "/mcp"),
    ] {
        let mut scene = scene();
        (scene.method, scene.target) = (method, target.to_owned());
        assert_eq!(scene.reason(), ReasonCode::Unmapped, "{method} {target}");
    }
}

#[test]
fn a_path_with_two_readings_is_refused_before_anything_else() {
    let mut scene = scene();
    scene.with_token = false;
    scene.target = "/boards/../health".to_owned();
    let answer = scene.answer();
    assert_eq!(answer.reason, ReasonCode::Path);
    let Verdict::Reply(reply) = answer.verdict else { panic!("it passes") };
    assert_eq!(reply.status, 400);
}

#[test]
fn a_query_names_a_resource_once() {
    let mut scene = scene();
    scene.method = "POST";
    scene.claims["scope"] = json!("boards.write");
    for target in
        ["/copy", "/copy?", "/copy?to=a&to=b", "/copy?to=", "/copy?to=a;b=c", "/copy?to=a%20b"]
    {
        scene.target = target.to_owned();
        assert_eq!(scene.reason(), ReasonCode::Malformed, "{target}");
    }
}

#[test]
fn an_upgrade_passes_only_where_its_rule_says_so() {
    let mut scene = scene();
    scene.header("upgrade", "websocket");
    assert_eq!(scene.reason(), ReasonCode::Malformed);
    scene.target = "/live".to_owned();
    assert_eq!(scene.reason(), ReasonCode::Ok);
}

#[test]
fn nobody_speaks_in_our_name() {
    let mut scene = scene();
    scene.header("X_Mandate-User", "user:eve");
    scene.trailers.push((b"x-mandate-agent".to_vec(), b"agent:eve".to_vec()));
    let pass = scene.pass();
    assert_eq!(pass.remove, ["authorization", "x_mandate-user"]);
    assert_eq!(pass.remove_trailers, ["x-mandate-agent"]);
    scene.target = "/health".to_owned();
    scene.with_token = false;
    let open = scene.pass();
    assert_eq!(open.remove, ["x_mandate-user"]);
    assert_eq!(open.set, []);
}

#[test]
fn what_is_open_needs_nobody_and_leaves_no_record() {
    let mut scene = scene();
    scene.with_token = false;
    scene.target = "/health".to_owned();
    let answer = scene.answer();
    assert_eq!((answer.reason, answer.audit), (ReasonCode::Ok, None));
}

#[test]
fn a_client_finds_out_where_to_get_a_token() {
    let mut scene = scene();
    scene.with_token = false;
    scene.target = "/.well-known/oauth-protected-resource".to_owned();
    let reply = scene.reply();
    let document: Value = serde_json::from_str(&reply.body).expect("JSON");
    let expected = json!({
        "resource": "https://boards.example", "authorization_servers": ["https://login.example"],
        "bearer_methods_supported": ["header"], "scopes_supported": ["boards", "boards.write"],
    });
    assert_eq!((reply.status, document), (200, expected));
}

#[test]
fn a_token_goes_upstream_only_where_it_is_meant_for_nobody_else() {
    let mut scene = scene();
    scene.contract["gate"]["routes"]["web"]["forward_token"] = json!(true);
    assert_eq!(scene.pass().remove, ["authorization"]);
    scene.claims["aud"] = json!("https://boards.example");
    assert_eq!(scene.pass().remove, [""; 0]);
}

#[test]
fn the_host_names_the_route_where_two_fit() {
    let mut scene = scene();
    let web = scene.contract["gate"]["routes"]["web"].clone();
    scene.contract["gate"]["routes"]["web2"] = web;
    assert_eq!(scene.reason(), ReasonCode::Unmapped);
    scene.route = Some("web2");
    assert_eq!(scene.reason(), ReasonCode::Ok);
    scene.route = Some("web3");
    assert_eq!(scene.reason(), ReasonCode::Unmapped);
}

#[test]
fn an_observed_denial_passes_until_its_date_and_is_recorded() {
    let mut scene = scene();
    scene.target = "/boards/budget".to_owned();
    scene.contract["gate"]["routes"]["web"]["observe_until"] = json!(NOW + 1);
    let answer = scene.answer();
    assert_eq!(answer.reason, ReasonCode::NoRelation);
    let Verdict::Pass(_) = &answer.verdict else { panic!("it is enforced") };
    let record = answer.audit.expect("a record").to_json();
    assert!(
        record.contains(r#""enforced":false"#) && record.contains(r#""verdict":"deny""#),
        "{record}"
    );
    scene.contract["gate"]["routes"]["web"]["observe_until"] = json!(NOW);
    let Verdict::Reply(_) = scene.answer().verdict else { panic!("it passes") };
}

#[test]
fn who_is_not_known_is_never_only_observed() {
    let mut scene = scene();
    scene.contract["gate"]["routes"]["web"]["observe_until"] = json!(NOW + 1);
    scene.claims["sub"] = json!("u-nobody");
    let answer = scene.answer();
    assert_eq!(answer.reason, ReasonCode::IdentityUnknown);
    let Verdict::Reply(_) = answer.verdict else { panic!("it passes") };
}

#[test]
fn without_a_gate_policy_nothing_passes() {
    let mut scene = scene();
    scene.contract.as_object_mut().expect("members").remove("gate");
    assert_eq!(scene.reason(), ReasonCode::PolicyMissing);
}
