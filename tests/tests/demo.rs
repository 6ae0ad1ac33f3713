//! The demo, as `cargo xtask demo` plays it: tokens of our issuer and of npm `oidc-provider`.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use mandate::commands::demo::{Case, Demo, NodeIssuer, play};
use mandate_host::{Limits, Policy};
use mandate_tests::{guests, skip};

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
    let demo = play(&policy, Err("left out".to_owned()), None).unwrap();
    assert_eq!(demo.cases.iter().map(row).collect::<Vec<_>>(), OWN);
    assert_as_told(&demo);
    let page = demo.page("0123");
    assert!(page.contains("Without npm oidc-provider: left out."), "{page}");
}

#[test]
fn every_token_of_the_certified_issuer_is_decided_as_the_demo_tells() {
    let Some(policy) = policy() else { return };
    let node = match node() {
        Ok(node) => node,
        Err(reason) => return skip::skip("the demo with npm oidc-provider", &reason),
    };
    let demo = play(&policy, Ok(node), None).unwrap();
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
