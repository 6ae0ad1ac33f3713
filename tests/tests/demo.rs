//! The demo, as `cargo xtask demo` plays it: tokens of our issuer and of npm `oidc-provider`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use mandate::commands::demo::{Case, Demo, McpPrograms, NodeIssuer, play};
use mandate_host::{Limits, Policy};
use mandate_tests::{guests, mcp, skip};
use serde_json::Value;

const PART: &str = "the demo";

fn policy() -> Option<Policy> {
    Some(Policy::new(guests::plugin(PART)?, Limits::default()).unwrap())
}

fn node() -> Result<NodeIssuer, String> {
    let modules = std::env::var_os("MANDATE_NODE_MODULES").map(PathBuf::from);
    let modules = modules.ok_or("MANDATE_NODE_MODULES is not set")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("oidc-provider/issuer.mjs");
    Ok(NodeIssuer { program: "node".into(), modules, script })
}

/// Issuer, grant, algorithm, subject, actor, tenant, client of one accepted token.
type Row<'row> =
    (&'row str, &'row str, &'row str, &'row str, Option<&'row str>, &'row str, &'row str);

fn row(case: &Case) -> Row<'_> {
    let token = case.token.as_ref().unwrap();
    (
        case.issuer,
        case.grant,
        case.algorithm,
        &token.subject,
        token.actor.as_ref().map(|actor| actor.subject.as_str()),
        token.tenant.as_deref().unwrap(),
        token.client_id.as_deref().unwrap(),
    )
}

fn assert_as_told(demo: &Demo) {
    for case in &demo.cases {
        let decisions: Vec<_> =
            case.outcomes.iter().map(|outcome| (outcome.what, outcome.found.as_str())).collect();
        assert_eq!(
            decisions,
            [
                ("as issued", "ok"),
                ("expired", "token-expired"),
                ("for another service", "token-audience"),
                ("altered: another tenant", "token-signature"),
                ("signed by another key", "token-signature"),
                ("new token after key rotation", "ok"),
                ("old token after key rotation", "token-key-unknown"),
            ],
            "{} {}",
            case.issuer,
            case.grant
        );
    }
    let rights: Vec<_> =
        demo.rights.iter().map(|outcome| (outcome.what, outcome.found.as_str())).collect();
    let mut expected = RIGHTS.to_vec();
    if demo.without.is_none() {
        let certified =
            [("search-service for itself", "ok"), ("search-service, bob's board", "no-relation")];
        expected.splice(11..11, certified);
    }
    assert_eq!(rights, expected);
    assert_eq!(demo.unexpected(), 0);
}

fn without_envoy() -> Result<McpPrograms, String> {
    Err("no Envoy here".to_owned())
}

const RIGHTS: [(&str, &str); 13] = [
    ("alice's own board", "ok"),
    ("bob's board", "no-relation"),
    ("a board of another organization", "cross-tenant"),
    ("for bob, who has not delegated", "not-delegate"),
    ("a tool that the agent may not call", "agent-tool"),
    ("a tool that alice may not call", "caller-tool"),
    ("more than the token's scope", "scope-token"),
    ("outside the agent's workspaces", "scope-workspace"),
    ("by an agent whose time is over", "identity-expired"),
    ("report-service for itself", "ok"),
    ("report-service, bob's board", "no-relation"),
    ("the registry silent for three minutes", "snapshot-stale"),
    ("the agent's credential revoked", "credential-revoked"),
];

const OWN: [Row<'_>; 2] = [
    ("dev-issuer", "client credentials", "RS256", "report-service", None, "acme", "report-service"),
    ("dev-issuer", "token exchange", "EdDSA", "alice", Some("mail-agent"), "acme", "mail-agent"),
];

#[test]
fn every_token_of_our_issuer_is_decided_as_the_demo_tells() {
    let Some(policy) = policy() else { return };
    let demo = play(&policy, Err("left out".to_owned()), None, without_envoy()).unwrap();
    assert_eq!(demo.cases.iter().map(row).collect::<Vec<_>>(), OWN);
    assert_as_told(&demo);
    let page = demo.page("0123");
    assert!(page.contains("Without npm oidc-provider: left out."), "{page}");
    assert!(page.contains("SKIPPED: the same behind Envoy: no Envoy here."), "{page}");
}

#[test]
fn every_token_of_the_certified_issuer_is_decided_as_the_demo_tells() {
    let Some(policy) = policy() else { return };
    let node = match node() {
        Ok(node) => node,
        Err(reason) => return skip::skip("the demo with npm oidc-provider", &reason),
    };
    let demo = play(&policy, Ok(node), None, without_envoy()).unwrap();
    let certified = (
        "oidc-provider",
        "client credentials",
        "ES256",
        "search-service",
        None,
        "acme",
        "search-service",
    );
    let rows: Vec<_> = demo.cases.iter().map(row).collect();
    assert_eq!(rows, [OWN.as_slice(), &[certified]].concat());
    assert_as_told(&demo);
}

#[test]
fn the_agent_works_behind_envoy_as_the_demo_tells() {
    let part = "the demo behind Envoy";
    let (Some(policy), Some(programs)) = (policy(), mcp::demo(part)) else { return };
    let demo = play(&policy, Err("left out".to_owned()), None, Ok(programs)).unwrap();
    assert_eq!(demo.unexpected(), 0, "{}", demo.page("0123"));
    let shown = demo.behind_envoy.as_ref().unwrap();
    let asked: Vec<_> = shown
        .asked
        .iter()
        .map(|asked| (asked.what, asked.reported.as_str(), asked.reason.as_str()))
        .collect();
    assert_eq!(asked, BEHIND_ENVOY);
    let (_, record) = shown.logged.split_once(" {").unwrap();
    let record: Value = serde_json::from_str(&format!("{{{record}")).unwrap();
    let named = ["user", "machine_identity_id", "credential_id", "tool", "verdict", "reason"];
    assert_eq!(
        named.map(|name| record[name].as_str().unwrap()),
        ["user:alice", "agent:mail-agent", "mail-agent-1", "get_board", "deny", "no-relation"]
    );
    assert!(demo.page("0123").contains(&shown.logged));
}

const DENIED: &str = "MCPError -32001: Access denied.";
const BEYOND: &str = "MCPError -32001: The access token lacks a scope that this action needs.";

const BEHIND_ENVOY: [(&str, &str, &str); 8] = [
    ("tools/list: the server has six", "get_board", "ok"),
    ("get_board, alice's own", "roadmap: ship it", "ok"),
    ("get_board, bob's", DENIED, "no-relation"),
    ("get_board, of another organization", DENIED, "cross-tenant"),
    ("draw_board, not for this agent", DENIED, "agent-tool"),
    ("export_board, not for alice", DENIED, "caller-tool"),
    ("edit_board, beyond the token's scope", BEYOND, "scope-token"),
    ("to connect, its credential revoked", DENIED, "credential-revoked"),
];
