//! The lines, each failing for one fact; tenants and credentials have files of their own.

use mandate_authn::{FailingLine, ReasonCode};
use mandate_authz::container::Position;
use mandate_authz::record::{DelegationMode, Kind, Status};
use serde_json::{Map, json};

use crate::agent_context::context;
use crate::scene::{
    ALLOWED, NOW, PLAIN, Scene, WEB, agent_scene, argument, board, denied, denied_at, empty_state,
    path, person_scene, said, scene, service_scene,
};
use crate::world::{LOGIN, object};

#[test]
fn every_line_of_the_allowed_call_shows_in_its_path() {
    let scene = scene();
    let state = scene.state();
    let decision = scene.decide_in(&state);
    assert_eq!(said(&decision), ALLOWED);
    assert_eq!(
        path(&decision, &state),
        [
            "user:anne#delegate_of@agent:helper",
            "agent:helper#owner@user:anne",
            "tool:boards/read_board#can_call@agent:helper",
            "tool:boards/read_board#can_call@user:anne",
            "board:roadmap#viewer@user:anne",
        ]
    );
    let circumstances = decision.circumstances();
    assert_eq!(circumstances.position(), Some(Position::new(1, 7)));
    assert_eq!(circumstances.contract_version(), Some([1, 0, 0]));
    assert_eq!(decision.detail(), "");
    assert_eq!(decision.principal(), None);
}

#[test]
fn without_a_policy_or_a_route_nothing_is_decided() {
    let mut without = scene();
    let state = without.state();
    without.contract.as_object_mut().unwrap().remove("authz");
    assert_eq!(said(&without.decide_in(&state)), denied(ReasonCode::PolicyMissing));
    let mut elsewhere = scene();
    elsewhere.audience = "https://boards.example";
    assert_eq!(elsewhere.said(), denied(ReasonCode::Unmapped));
    // The policy is looked at before the token.
    elsewhere.claims["exp"] = json!(0);
    assert_eq!(elsewhere.said(), denied(ReasonCode::Unmapped));
    without.claims["exp"] = json!(0);
    assert_eq!(said(&without.decide_in(&state)), denied(ReasonCode::PolicyMissing));
}

#[test]
fn the_token_comes_before_the_mapping_and_the_mapping_before_the_state() {
    let mut scene = scene();
    scene.claims["exp"] = json!(0);
    scene.action = "unknown";
    assert_eq!(said(&scene.decide_in(&empty_state())), denied(ReasonCode::TokenExpired));
    scene.claims["exp"] = json!(NOW + 300);
    assert_eq!(said(&scene.decide_in(&empty_state())), denied(ReasonCode::Unmapped));
    scene.action = "read_board";
    assert_eq!(said(&scene.decide_in(&empty_state())), denied(ReasonCode::SnapshotMissing));
}

#[test]
fn line_1_wants_a_state_that_is_fresh_for_the_mode() {
    let mut scene = scene();
    scene.issued_at = NOW - 120;
    assert_eq!(scene.said(), ALLOWED);
    scene.issued_at = NOW - 121;
    assert_eq!(scene.said(), denied(ReasonCode::SnapshotStale));
    scene.authz("/max_age_seconds", json!({"read": 121}));
    assert_eq!(scene.said(), ALLOWED);
    scene.authz("/actions/read_board/mode", json!("write"));
    assert_eq!(scene.said(), denied(ReasonCode::SnapshotStale));
    scene.issued_at = NOW + 61;
    assert_eq!(scene.said(), denied(ReasonCode::SnapshotStale));
}

#[test]
fn line_1_wants_what_the_caller_has_seen() {
    let mut scene = scene();
    scene.minimum_epoch = Some(Position::new(1, 7));
    assert_eq!(scene.said(), ALLOWED);
    scene.minimum_epoch = Some(Position::new(1, 8));
    assert_eq!(scene.said(), denied(ReasonCode::SnapshotStale));
    assert_eq!(scene.decide().circumstances().position(), None);
}

#[test]
fn a_failing_line_names_what_was_bound_until_then() {
    let mut scene = scene();
    scene.remove("board:roadmap#viewer@user:anne");
    let decision = scene.decide();
    assert_eq!(said(&decision), denied(ReasonCode::NoRelation));
    let circumstances = decision.circumstances();
    assert_eq!(circumstances.position(), Some(Position::new(1, 7)));
    let bound = circumstances.bound().unwrap();
    assert_eq!(bound.credential(), Some("c-helper"));
    assert_eq!(bound.delegation(), Some(DelegationMode::Stored));
    assert!(circumstances.path().is_empty());
}

#[test]
fn line_2_wants_user_and_agent_active_and_unexpired() {
    for (name, kind) in [("user:anne", Kind::User), ("agent:helper", Kind::Agent)] {
        let check = |change: &dyn Fn(&mut Scene), reason| {
            let mut scene = scene();
            change(&mut scene);
            let decision = scene.decide();
            assert_eq!(said(&decision), denied(reason), "{name}");
            assert_eq!(decision.principal(), Some(kind), "{name}");
        };
        let status = |status| move |scene: &mut Scene| scene.identity(name).status = status;
        check(&status(Status::Suspended), ReasonCode::IdentityDisabled);
        check(&status(Status::Retired), ReasonCode::IdentityDisabled);
        check(&|scene| scene.identity(name).expires_at = Some(NOW), ReasonCode::IdentityExpired);
        let mut scene = scene();
        scene.identity(name).expires_at = Some(NOW + 1);
        assert_eq!(scene.said(), ALLOWED, "{name}");
    }
    let mut service = service_scene();
    service.identity("service:importer").status = Status::Suspended;
    let decision = service.decide();
    assert_eq!(said(&decision), denied(ReasonCode::IdentityDisabled));
    assert_eq!(decision.principal(), Some(Kind::Service));
}

#[test]
fn line_4_wants_a_delegation_by_the_bound_user() {
    let mut scene = scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
    // Somebody else's delegation, or to another agent, is no delegation.
    scene.add("user:bob#delegate_of@agent:helper");
    scene.add("user:anne#delegate_of@agent:other");
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
}

#[test]
fn a_delegation_expires() {
    let mut scene = scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    let mut before = |until: &str| {
        scene.tuples.retain(|tuple| tuple.condition.is_none());
        let until = json!({ "until": until });
        scene.add_if("user:anne#delegate_of@agent:helper", "before", &until);
        scene.said()
    };
    assert_eq!(before("2026-01-01T00:00:01Z"), ALLOWED);
    assert_eq!(before("2026-01-01T00:00:00Z"), denied(ReasonCode::NotDelegate));
}

#[test]
fn a_wildcard_or_userset_delegates_to_nobody() {
    for (restrictions, tuple) in [
        ("[agent, agent:*]", "user:anne#delegate_of@agent:*"),
        ("[agent, team#robot]", "user:anne#delegate_of@team:red#robot"),
    ] {
        let mut scene = scene();
        scene.model = scene
            .model
            .replace(
                "define delegate_of: [agent, agent with before]",
                &format!("define delegate_of: {restrictions}"),
            )
            .replace(
                "define member: [user]\ntype agent",
                "define member: [user]\n    define robot: [agent]\ntype agent",
            );
        scene.add("team:red#robot@agent:helper");
        scene.add(tuple);
        assert_eq!(scene.said(), denied(ReasonCode::NotDelegate), "{restrictions}");
    }
    let mut computed = scene();
    computed.model = computed
        .model
        .replace("[agent, agent with before]", "[agent] or friend\n    define friend: [agent]");
    assert_eq!(computed.said(), denied(ReasonCode::NotDelegate));
}

/// No stored delegation; agent helper takes delegations on invoke.
fn on_invoke_scene() -> Scene {
    let mut scene = scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    scene.identity("agent:helper").delegation = DelegationMode::OnInvoke;
    scene
}

#[test]
fn recent_signed_evidence_stands_for_a_delegation_where_the_record_says_so() {
    let scene = on_invoke_scene();
    let decision = scene.decide();
    assert_eq!(said(&decision), ALLOWED);
    let bound = decision.circumstances().bound().unwrap();
    assert_eq!(bound.delegation(), Some(DelegationMode::OnInvoke));
    let mut stored_only = on_invoke_scene();
    stored_only.identity("agent:helper").delegation = DelegationMode::Stored;
    assert_eq!(stored_only.said(), denied(ReasonCode::NotDelegate));
    let mut with_context = agent_scene();
    with_context.remove("user:anne#delegate_of@agent:helper");
    with_context.identity("agent:helper").delegation = DelegationMode::OnInvoke;
    with_context.contexts = vec![context(&mut with_context)];
    assert_eq!(with_context.said(), ALLOWED);
}

#[test]
fn evidence_on_invoke_is_at_most_ten_minutes_old() {
    let mut scene = on_invoke_scene();
    scene.claims["iat"] = json!(NOW - 600);
    assert_eq!(scene.said(), ALLOWED);
    scene.claims["iat"] = json!(NOW - 601);
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
    scene.claims.as_object_mut().unwrap().remove("iat");
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
    scene.claims["iat"] = json!(NOW - 31);
    scene.authz("/on_invoke_seconds", json!(30));
    assert_eq!(scene.said(), denied(ReasonCode::NotDelegate));
    scene.claims["iat"] = json!(NOW - 30);
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_delegation_on_invoke_needs_line_6() {
    let mut scene = on_invoke_scene();
    scene.remove("agent:helper#owner@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
}

#[test]
fn line_7_wants_agent_and_user_to_may_call_the_tool() {
    let mut agent = scene();
    agent.remove("tool:boards/read_board#can_call@agent:helper");
    assert_eq!(agent.said(), denied(ReasonCode::AgentTool));
    let mut user = scene();
    user.remove("tool:boards/read_board#can_call@user:anne");
    assert_eq!(user.said(), denied(ReasonCode::CallerTool));
    let mut person = person_scene();
    person.remove("tool:boards/read_board#can_call@agent:helper");
    assert_eq!(person.said(), ALLOWED);
    person.remove("tool:boards/read_board#can_call@user:anne");
    assert_eq!(person.said(), denied(ReasonCode::CallerTool));
    let mut service = service_scene();
    service.remove("tool:boards/read_board#can_call@service:importer");
    assert_eq!(service.said(), denied(ReasonCode::CallerTool));
}

#[test]
fn all_tools_of_a_server_are_its_registered_ones() {
    let mut scene = scene();
    scene.tool = Some("move_card");
    scene.action = "edit_board";
    scene.claims["scope"] = json!("boards.all");
    scene.resources = vec![
        mandate_authz::authorize::Resource::Argument { pointer: "/from", value: "roadmap" },
        mandate_authz::authorize::Resource::Argument { pointer: "/to", value: "roadmap" },
    ];
    scene.add("board:roadmap#editor@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::AgentTool));
    scene.add("tool:boards/*#can_call@agent:helper");
    assert_eq!(scene.said(), ALLOWED);
    // Nobody has registered the tool any more.
    scene.remove("tool:boards/move_card#can_call@user:anne");
    scene.add("tool:boards/*#can_call@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::AgentTool));
    scene.objects.push(object("tool:boards/move_card"));
    assert_eq!(scene.said(), ALLOWED);
    // All tools of another server are none of this one.
    scene.remove("tool:boards/*#can_call@agent:helper");
    scene.add("tool:cards/*#can_call@agent:helper");
    assert_eq!(scene.said(), denied(ReasonCode::AgentTool));
}

#[test]
fn a_method_without_a_tool_needs_the_server() {
    let mut scene = scene();
    scene.tool = None;
    scene.resources = vec![board("roadmap")];
    assert_eq!(scene.said(), ALLOWED);
    let mut agent = scene.clone();
    agent.remove("mcp_server:boards#can_call@agent:helper");
    assert_eq!(agent.said(), denied(ReasonCode::AgentTool));
    scene.remove("mcp_server:boards#can_call@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::CallerTool));
}

#[test]
fn the_session_needs_lines_1_to_6_only() {
    let mut scene = scene();
    scene.tool = None;
    scene.action = "ping";
    scene.resources = Vec::new();
    scene.remove("mcp_server:boards#can_call@agent:helper");
    scene.remove("mcp_server:boards#can_call@user:anne");
    assert_eq!(scene.said(), ALLOWED);
    scene.remove("agent:helper#owner@user:anne");
    assert_eq!(scene.said(), denied(ReasonCode::AgentUse));
}

#[test]
fn an_http_route_names_the_tool_of_its_agents() {
    let mut scene = scene();
    scene.audience = WEB;
    scene.tool = None;
    scene.resources = vec![board("roadmap")];
    assert_eq!(scene.said(), ALLOWED);
    let mut agent = scene.clone();
    agent.remove("tool:web/page#can_call@agent:helper");
    assert_eq!(agent.said(), denied(ReasonCode::AgentTool));
    let mut user = scene.clone();
    user.remove("tool:web/page#can_call@user:anne");
    assert_eq!(user.said(), denied(ReasonCode::CallerTool));
    scene.audience = PLAIN;
    assert_eq!(scene.said(), denied(ReasonCode::AgentTool));
    let mut person = person_scene();
    person.audience = PLAIN;
    person.tool = None;
    person.resources = vec![board("roadmap")];
    assert_eq!(person.said(), ALLOWED);
}

#[test]
fn line_8_wants_the_user_to_have_the_relation_to_every_resource() {
    let mut scene = scene();
    scene.resources = vec![argument("secret")];
    assert_eq!(scene.said(), denied(ReasonCode::NoRelation));
    scene.add("board:secret#viewer@user:anne");
    assert_eq!(scene.said(), ALLOWED);
    // What the agent has counts for nothing: it is the user's right that is used.
    let mut agents = crate::scene::scene();
    agents.model = agents
        .model
        .replace("define editor: [user, service]", "define editor: [user, service, agent]");
    agents.resources = vec![argument("secret")];
    agents.add("board:secret#editor@agent:helper");
    assert_eq!(agents.said(), denied(ReasonCode::NoRelation));
}

#[test]
fn every_resource_of_a_call_counts() {
    let mut scene = scene();
    scene.audience = WEB;
    scene.tool = None;
    scene.resources = vec![board("roadmap"), board("secret")];
    assert_eq!(scene.said(), denied(ReasonCode::NoRelation));
    scene.add("board:secret#viewer@user:anne");
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_service_has_its_own_relations() {
    let mut service = service_scene();
    assert_eq!(service.said(), ALLOWED);
    service.remove("board:roadmap#viewer@service:importer");
    assert_eq!(service.said(), denied(ReasonCode::NoRelation));
    service.resources = Vec::new();
    service.tool = None;
    service.action = "list";
    assert_eq!(service.said(), denied(ReasonCode::CallerTool));
    service.add("mcp_server:boards#can_call@service:importer");
    assert_eq!(service.said(), ALLOWED);
}

/// Anne may see board secret from the office, with a ticket.
fn conditional_scene() -> Scene {
    let mut scene = scene();
    scene.resources = vec![argument("secret")];
    scene.add_if("board:secret#viewer@user:anne", "from_office", &json!({}));
    scene.peer_address = Some("192.0.2.7");
    scene.caller = Some(Map::from_iter([("ticket".to_owned(), json!("t-1"))]));
    scene
}

#[test]
fn a_condition_reads_what_host_and_caller_say() {
    assert_eq!(conditional_scene().said(), ALLOWED);
    let mut elsewhere = conditional_scene();
    elsewhere.peer_address = Some("198.51.100.7");
    assert_eq!(elsewhere.said(), denied(ReasonCode::NoRelation));
    let mut ticket = conditional_scene();
    ticket.caller = Some(Map::from_iter([("ticket".to_owned(), json!("t-2"))]));
    assert_eq!(ticket.said(), denied(ReasonCode::NoRelation));
    let mut forged = conditional_scene();
    forged.peer_address = None;
    forged.caller = Some(Map::from_iter([
        ("ticket".to_owned(), json!("t-1")),
        ("host_address".to_owned(), json!("192.0.2.7")),
    ]));
    assert_eq!(forged.said(), denied(ReasonCode::Condition));
}

#[test]
fn a_condition_reads_what_the_token_says() {
    let said_with = |parameter: &str, expression: &str| {
        let mut scene = scene();
        let name = "user with from_office]\n    define editor";
        assert!(scene.model.contains(name));
        scene.model = scene.model.replace(name, "user with by_token]\n    define editor");
        scene.model += &format!("condition by_token({parameter}) {{\n  {expression}\n}}\n");
        scene.claims["tenant"] = json!("acme");
        scene.resources = vec![argument("secret")];
        scene.add_if("board:secret#viewer@user:anne", "by_token", &json!({}));
        scene.said()
    };
    let of = |moment: u64| format!("timestamp({moment})");
    for (name, kind, value) in [
        ("token_client_id", "string", "'board-web'".to_owned()),
        ("token_expires_at", "timestamp", of(NOW + 300)),
        ("token_issued_at", "timestamp", of(NOW)),
        ("token_issuer", "string", format!("'{LOGIN}'")),
        ("token_scopes", "list<string>", "['boards.read']".to_owned()),
        ("token_subject", "string", "'anne'".to_owned()),
        ("token_tenant", "string", "'acme'".to_owned()),
        ("token_token_id", "string", "'t-1'".to_owned()),
    ] {
        let said = |operator: &str| {
            said_with(&format!("{name}: {kind}"), &format!("{name} {operator} {value}"))
        };
        assert_eq!(said("=="), ALLOWED, "{name}");
        assert_eq!(said("!="), denied(ReasonCode::NoRelation), "{name}");
    }
}

#[test]
fn a_condition_that_lacks_its_input_denies_at_the_line_that_asks() {
    let mut scene = conditional_scene();
    scene.caller = None;
    let decision = scene.decide();
    assert_eq!(said(&decision), denied(ReasonCode::Condition));
    assert_eq!(decision.detail(), "a condition lacks `caller_ticket`");
    let mut on_a_tool = crate::scene::scene();
    on_a_tool.remove("tool:boards/read_board#can_call@user:anne");
    on_a_tool.add_if("tool:boards/read_board#can_call@user:anne", "from_office", &json!({}));
    assert_eq!(on_a_tool.said(), denied_at(ReasonCode::Condition, FailingLine::Seven));
}

#[test]
fn a_walk_that_is_too_deep_denies() {
    let mut scene = scene();
    scene.model = scene.model.replace(
        "    define viewer: [user, service]\n",
        "    define viewer: [user, service] or viewer from inside\n    define inside: [workspace]\n",
    );
    scene.remove("board:roadmap#viewer@user:anne");
    let mut inside = "main".to_owned();
    for number in 0..40 {
        let next = format!("w{number}");
        scene.add(&format!("workspace:{next}#organization@organization:acme"));
        scene.add(&format!("workspace:{inside}#inside@workspace:{next}"));
        inside = next;
    }
    scene.add(&format!("workspace:{inside}#viewer@user:anne"));
    assert_eq!(scene.said(), denied(ReasonCode::Depth));
}

#[test]
fn a_walk_over_too_many_relationships_denies() {
    let mut scene = scene();
    scene.remove("board:roadmap#viewer@user:anne");
    for number in 0..10_100 {
        scene.add(&format!("team:t{number}#organization@organization:acme"));
        scene.add(&format!("board:roadmap#viewer@team:t{number}#member"));
    }
    assert_eq!(scene.said(), denied(ReasonCode::Budget));
}

#[test]
fn a_condition_that_takes_too_long_denies() {
    let mut scene = scene();
    scene.model = scene.model.replace(
        "host_address: ipaddress, caller_ticket: string) {\n  host_address.in_cidr(\"192.0.2.0/24\") && caller_ticket == \"t-1\"",
        "caller_tickets: list<string>) {\n  caller_tickets.all(ticket, ticket != \"\")",
    );
    scene.resources = vec![argument("secret")];
    scene.add_if("board:secret#viewer@user:anne", "from_office", &json!({}));
    let tickets = |count: usize| Map::from_iter([("tickets".to_owned(), json!(vec!["t"; count]))]);
    scene.caller = Some(tickets(10));
    assert_eq!(scene.said(), ALLOWED);
    scene.caller = Some(tickets(2000));
    assert_eq!(scene.said(), denied(ReasonCode::ConditionSteps));
}

#[test]
fn a_state_that_was_refused_says_why() {
    let scene = scene();
    let mut state = empty_state();
    state.load(b"no container at all").unwrap_err();
    assert_eq!(said(&scene.decide_in(&state)), denied(ReasonCode::SnapshotSignature));
    let mut forward = scene.state();
    forward.reconfigure(crate::scene::config(Some(9)));
    assert_eq!(said(&scene.decide_in(&forward)), denied(ReasonCode::SnapshotRollback));
}

#[test]
fn nothing_is_decided_on_a_raw_state() {
    let scene = scene();
    assert_eq!(said(&scene.decide_in(&scene.raw_state())), denied(ReasonCode::SnapshotMissing));
    assert_eq!(said(&scene.decide_in(&scene.state())), ALLOWED);
}
