//! Policies that do not load: whatever is ambiguous, unknown, or would weaken a line.

use mandate_authn::{Contract, LoadError};
use mandate_authz::policy::{Mode, Policy};
use serde_json::{Value, json};

use crate::scene::{MCP, PLAIN, WEB, scene, set};

fn load(pointer: &str, value: Value) -> Result<Option<Policy>, LoadError> {
    let mut contract = scene().contract;
    set(&mut contract["authz"], pointer, value);
    Policy::from_contract(&Contract::parse(&contract.to_string()).unwrap())
}

/// The member that a changed policy is refused for, and why.
fn refused(pointer: &str, value: Value) -> (String, String) {
    let shown = format!("{pointer} {value}");
    let error = load(pointer, value).expect_err(&shown);
    (error.path, error.message)
}

fn refuses(cases: &[(&str, Value, &str)]) {
    for (pointer, value, path) in cases {
        assert_eq!(refused(pointer, value.clone()).0, *path, "{pointer} {value}");
    }
}

fn route(audience: &str, member: &str) -> String {
    format!("/routes/{}/{member}", audience.replace('/', "~1"))
}

#[test]
fn a_contract_may_say_nothing_of_decisions() {
    let mut contract = scene().contract;
    contract.as_object_mut().unwrap().remove("authz");
    let contract = Contract::parse(&contract.to_string()).unwrap();
    assert!(Policy::from_contract(&contract).unwrap().is_none());
}

#[test]
fn the_example_of_the_contract_loads() {
    let text = include_str!("../../../../contract/contract.json");
    let policy = Policy::from_contract(&Contract::parse(text).unwrap());
    assert!(policy.expect("it loads").is_some());
}

#[test]
fn what_is_required_cannot_be_left_out_and_nothing_can_be_added() {
    refuses(&[
        ("/types", Value::Null, "authz"),
        ("/actions", Value::Null, "authz"),
        ("/routes", Value::Null, "authz"),
        ("/types/tenant", Value::Null, "authz.types"),
        ("/types/user", Value::Null, "authz.types"),
        ("/types/agent", Value::Null, "authz.types"),
        ("/actions/list/mode", Value::Null, "authz.actions.list"),
        ("/actions/list/on", Value::Null, "authz.actions.list"),
        ("/skip_line_3", json!(true), "authz.skip_line_3"),
        ("/types/anything", json!("x"), "authz.types.anything"),
        (&route(MCP, "enforce"), json!(false), &format!("authz.routes.{MCP}.enforce")),
    ]);
    let (_, message) = refused("/actions", json!({}));
    assert_eq!(message, "must not be empty");
    assert_eq!(refused("/routes", json!({})).1, "must not be empty");
}

#[test]
fn a_type_has_one_part() {
    refuses(&[
        ("/types/agent", json!("user"), "authz.types.agent"),
        ("/types/board", json!("organization"), "authz.types.board"),
        ("/types/service", json!("agent"), "authz.types.service"),
        ("/types/tenant", json!(""), "authz.types.tenant"),
        ("/types/tenant", json!("a:b"), "authz.types.tenant"),
        ("/types/tenant", json!("a b"), "authz.types.tenant"),
    ]);
}

#[test]
fn only_what_is_called_may_be_shared() {
    refuses(&[
        ("/types/shared", json!(["tool", "board"]), "authz.types.shared[1]"),
        ("/types/shared", json!(["organization"]), "authz.types.shared[0]"),
        ("/types/shared", json!(["user"]), "authz.types.shared[0]"),
        ("/types/shared", json!(["tool", "tool"]), "authz.types.shared[1]"),
    ]);
}

#[test]
fn parents_are_for_what_finds_its_tenant_by_them() {
    refuses(&[
        ("/types/parents/organization", json!(["parent"]), "authz.types.parents.organization"),
        ("/types/parents/user", json!(["organization"]), "authz.types.parents.user"),
        ("/types/parents/tool", json!(["server"]), "authz.types.parents.tool"),
        ("/types/parents/board", json!([]), "authz.types.parents.board"),
        ("/types/parents/board", json!(["a", "a"]), "authz.types.parents.board[1]"),
        ("/types/parents/board", json!(["a#b"]), "authz.types.parents.board[0]"),
    ]);
}

#[test]
fn an_action_says_what_it_is_on() {
    refuses(&[
        ("/actions/list/on", json!([]), "authz.actions.list.on"),
        ("/actions/list/on", json!("all"), "authz.actions.list.on"),
        ("/actions/list/on", json!("*"), "authz.actions.list.on"),
        ("/actions/list/on", json!(["board", "board"]), "authz.actions.list.on[1]"),
        ("/actions/list/relation", json!("can_list"), "authz.actions.list.relation"),
        ("/actions/read_board/relation", json!("a b"), "authz.actions.read_board.relation"),
        ("/actions/list/mode", json!("execute"), "authz.actions.list.mode"),
        ("/actions/a b", json!({"mode": "read", "on": "none"}), "authz.actions.a b"),
    ]);
}

#[test]
fn a_scope_covers_actions_of_the_table() {
    refuses(&[
        ("/scopes/boards.read", json!(["shred"]), "authz.scopes.boards.read[0]"),
        ("/scopes/boards.read", json!(["*"]), "authz.scopes.boards.read[0]"),
        ("/scopes/boards.read", json!([]), "authz.scopes.boards.read"),
        ("/scopes/boards.read", json!(["list", "list"]), "authz.scopes.boards.read[1]"),
        ("/scopes/boards.read", json!("all"), "authz.scopes.boards.read"),
        ("/scopes/a b", json!("*"), "authz.scopes.a b"),
        ("/scopes/", json!("*"), "authz.scopes."),
        ("/scopes", json!({}), "authz.scopes"),
    ]);
}

#[test]
fn a_tool_says_which_arguments_are_resources() {
    let tool = "/servers/boards/tools/read_board";
    let path = "authz.servers.boards.tools.read_board";
    let argument = |pointer: &str, of: &str| json!([{"pointer": pointer, "type": of}]);
    for (member, value, at) in [
        ("action", json!("shred"), ".action"),
        ("action", json!("ping"), ""),
        ("resource", json!("none"), ""),
        ("resource", json!("all"), ".resource"),
        ("arguments", json!([]), ""),
        ("arguments", Value::Null, ""),
        ("arguments", argument("board", "board"), ".arguments[0].pointer"),
        ("arguments", argument("/", "board"), ".arguments[0].pointer"),
        ("arguments", argument("/a~2", "board"), ".arguments[0].pointer"),
        ("arguments", argument("/board", "workspace"), ".arguments[0].type"),
        (
            "arguments",
            json!([{"pointer": "/a", "type": "board"}, {"pointer": "/a", "type": "board"}]),
            ".arguments[1].pointer",
        ),
        (
            "arguments",
            json!([{"pointer": "/a", "type": "board", "form": "raw"}]),
            ".arguments[0].form",
        ),
    ] {
        let pointer = format!("{tool}/{member}");
        let expected = if member == "action" && value == json!("ping") {
            format!("{path}.arguments[0].type")
        } else {
            format!("{path}{at}")
        };
        assert_eq!(refused(&pointer, value.clone()).0, expected, "{member} {value}");
    }
    let session = json!({"action": "ping", "resource": "none"});
    assert_eq!(refused(tool, session).0, format!("{path}.action"));
}

#[test]
fn names_of_servers_and_tools_are_told_apart() {
    let server = json!({"tools": {}});
    let tool = json!({"action": "list", "resource": "none"});
    refuses(&[
        ("/servers/a~1b", server.clone(), "authz.servers.a/b"),
        ("/servers/*", server.clone(), "authz.servers.*"),
        ("/servers/a:b", server, "authz.servers.a:b"),
        ("/servers/boards/tools/*", tool.clone(), "authz.servers.boards.tools.*"),
        ("/servers/boards/tools/a b", tool, "authz.servers.boards.tools.a b"),
        ("/types/server", Value::Null, "authz.types.shared[1]"),
    ]);
    let mut contract = scene().contract;
    set(&mut contract["authz"], "/types/server", Value::Null);
    set(&mut contract["authz"], "/types/shared", json!(["tool"]));
    let refused = Policy::from_contract(&Contract::parse(&contract.to_string()).unwrap());
    assert_eq!(refused.unwrap_err().path, "authz.servers");
}

#[test]
fn a_route_is_one_protocol_of_a_known_audience() {
    let at = |audience: &str, member: &str| format!("authz.routes.{audience}.{member}");
    let http = json!({"protocol": "http", "agents": "optional"});
    let refuses = |pointer: String, value: Value, path: String| {
        assert_eq!(refused(&pointer, value.clone()).0, path, "{pointer} {value}");
    };
    refuses("/routes/elsewhere".to_owned(), http, "authz.routes.elsewhere".to_owned());
    refuses(route(MCP, "server"), json!("cards"), at(MCP, "server"));
    refuses(route(MCP, "server"), Value::Null, at(MCP, "server"));
    refuses(route(MCP, "tool"), json!("boards/x"), at(MCP, "tool"));
    refuses(route(MCP, "agents"), json!("none"), at(MCP, "agents"));
    refuses(route(MCP, "scopes"), json!("all"), at(MCP, "scopes"));
    refuses(route(MCP, "chain"), json!("ignore"), at(MCP, "chain"));
    refuses(route(MCP, "tenant"), json!("initech"), at(MCP, "tenant"));
    refuses(route(MCP, "protocol"), json!("grpc"), at(MCP, "protocol"));
    refuses(route(WEB, "server"), json!("boards"), at(WEB, "server"));
    refuses(route(WEB, "tool"), json!("web/*"), at(WEB, "tool"));
    refuses(route(PLAIN, "agents"), Value::Null, at(PLAIN, "agents"));
}

#[test]
fn a_role_counts_from_one_named_place() {
    let source = |issuer: &str, claim: &str, roles: &[&str]| json!({"issuer": issuer, "claim": claim, "roles": roles});
    let login = "https://login.example";
    let good = source(login, "/realm_access/roles", &["agent_user"]);
    assert!(load("/role_mapping", json!({"sources": [good]})).unwrap().is_some());
    let mut with_client = good.clone();
    with_client["client"] = json!("board-web");
    let mut empty_client = good.clone();
    empty_client["client"] = json!("");
    let first = "authz.role_mapping.sources[0]";
    for (sources, path) in [
        (vec![source("https://evil.example", "/scope", &["invoke"])], format!("{first}.issuer")),
        (vec![source(login, "/groups", &["agent_user"])], format!("{first}.claim")),
        (
            vec![source(login, "/resource_access/*/roles", &["agent_user"])],
            format!("{first}.claim"),
        ),
        (vec![source(login, "realm_access", &["agent_user"])], format!("{first}.claim")),
        (vec![source(login, "/scope", &[])], format!("{first}.roles")),
        (vec![source(login, "/scope", &["owner"])], format!("{first}.roles[0]")),
        (vec![source(login, "/scope", &["configure"])], format!("{first}.roles[0]")),
        (vec![source(login, "/scope", &["invoke", "invoke"])], format!("{first}.roles[1]")),
        (vec![empty_client], format!("{first}.client")),
        (vec![good.clone(), good.clone()], "authz.role_mapping.sources[1]".to_owned()),
        (vec![good.clone(), with_client.clone()], "authz.role_mapping.sources[1]".to_owned()),
        (vec![with_client.clone(), good], "authz.role_mapping.sources[1]".to_owned()),
    ] {
        let value = json!({ "sources": sources });
        assert_eq!(refused("/role_mapping", value.clone()).0, path, "{value}");
    }
    let mut other_client = with_client.clone();
    other_client["client"] = json!("board-mobile");
    let two = json!({"sources": [with_client, other_client]});
    assert!(load("/role_mapping", two).unwrap().is_some());
    let (path, _) = refused("/role_mapping", json!({"wildcard_roles": true}));
    assert_eq!(path, "authz.role_mapping.wildcard_roles");
}

#[test]
fn only_reads_may_be_answered_from_an_older_state() {
    refuses(&[
        ("/max_age_seconds", json!({"write": 121}), "authz.max_age_seconds.write"),
        ("/max_age_seconds", json!({"admin": 121}), "authz.max_age_seconds.admin"),
        ("/max_age_seconds", json!({"read": 3601}), "authz.max_age_seconds.read"),
        ("/max_age_seconds", json!({"read": 0}), "authz.max_age_seconds.read"),
        ("/max_age_seconds", json!({"read": -1}), "authz.max_age_seconds.read"),
        ("/max_age_seconds", json!(300), "authz.max_age_seconds"),
        ("/on_invoke_seconds", json!(601), "authz.on_invoke_seconds"),
        ("/on_invoke_seconds", json!(0), "authz.on_invoke_seconds"),
        ("/client_credentials", json!(["https://evil.example"]), "authz.client_credentials[0]"),
    ]);
    let policy = load("/max_age_seconds", json!({"read": 3600, "write": 10})).unwrap().unwrap();
    let ages = [Mode::Read, Mode::Write, Mode::Admin].map(|mode| policy.max_age(mode));
    assert_eq!(ages, [3600, 10, 120]);
    let twice = json!(["https://agents.example", "https://agents.example"]);
    assert_eq!(refused("/client_credentials", twice).0, "authz.client_credentials[1]");
}

#[test]
fn an_error_names_member_and_reason_in_one_line() {
    let error = load("/types/shared", json!(["board"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`authz.types.shared[0]`: only the types `tool` and `server` may be shared"
    );
    let error = load("/types", json!("organization")).unwrap_err();
    assert_eq!(error.to_string().lines().count(), 1);
}
