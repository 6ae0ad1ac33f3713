//! Line 5: scopes of tokens, and the places, modes and actions of identities.

use mandate_authn::ReasonCode;
use mandate_authz::record::{Grant, Scope};
use serde_json::json;

use crate::scene::{ALLOWED, MCP, WEB, denied, person_scene, scene, service_scene};
use crate::world::{everything, listed};

fn route(audience: &str, member: &str) -> String {
    format!("/routes/{}/{member}", audience.replace('/', "~1"))
}

#[test]
fn line_5_wants_a_scope_of_the_token_that_covers_the_action() {
    let mut scene = scene();
    for (scope, expected) in [
        ("boards.read", ALLOWED),
        ("openid boards.all", ALLOWED),
        ("boards.write", denied(ReasonCode::ScopeToken)),
        ("boards.readx", denied(ReasonCode::ScopeToken)),
        ("*", denied(ReasonCode::ScopeToken)),
        ("", denied(ReasonCode::ScopeToken)),
    ] {
        scene.claims["scope"] = json!(scope);
        assert_eq!(scene.said(), expected, "{scope}");
    }
    scene.authz(&route(MCP, "scopes"), json!("none"));
    assert_eq!(scene.said(), ALLOWED);
    let mut person = person_scene();
    person.claims["scope"] = json!("");
    assert_eq!(person.said(), denied(ReasonCode::ScopeToken));
}

fn scoped(scope: Scope) -> crate::scene::Said {
    let mut scene = scene();
    scene.identity("agent:helper").scope = Some(scope);
    scene.said()
}

#[test]
fn line_5_wants_the_identity_to_cover_mode_and_action() {
    let modes = |names: &[&str]| scoped(Scope { modes: listed(names), ..everything() });
    assert_eq!(modes(&["read"]), ALLOWED);
    assert_eq!(modes(&["write", "admin"]), denied(ReasonCode::ScopeMode));
    assert_eq!(modes(&[]), denied(ReasonCode::ScopeMode));
    let actions = |names: &[&str]| scoped(Scope { actions: listed(names), ..everything() });
    assert_eq!(actions(&["list", "read_board"]), ALLOWED);
    assert_eq!(actions(&["list"]), denied(ReasonCode::ScopeAction));
    assert_eq!(actions(&[]), denied(ReasonCode::ScopeAction));
}

#[test]
fn line_5_wants_every_resource_inside_the_identitys_places() {
    let workspaces = |names: &[&str]| scoped(Scope { workspaces: listed(names), ..everything() });
    assert_eq!(workspaces(&["lab", "main"]), ALLOWED);
    assert_eq!(workspaces(&["lab"]), denied(ReasonCode::ScopeWorkspace));
    assert_eq!(workspaces(&[]), denied(ReasonCode::ScopeWorkspace));
    let boards = |names: &[&str]| scoped(Scope { boards: listed(names), ..everything() });
    assert_eq!(boards(&["roadmap"]), ALLOWED);
    assert_eq!(boards(&["secret"]), denied(ReasonCode::ScopeWorkspace));
    assert_eq!(boards(&["workspace:main", "board:roadmap"]), denied(ReasonCode::ScopeWorkspace));
}

#[test]
fn a_resource_in_two_workspaces_needs_both() {
    let mut scene = scene();
    scene.add("board:roadmap#workspace@workspace:lab");
    scene.identity("agent:helper").scope =
        Some(Scope { workspaces: listed(&["main"]), ..everything() });
    assert_eq!(scene.said(), denied(ReasonCode::ScopeWorkspace));
    scene.identity("agent:helper").scope =
        Some(Scope { workspaces: listed(&["lab", "main"]), ..everything() });
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn what_is_in_more_places_than_can_be_looked_at_is_outside_of_every_list() {
    for (places, expected) in [(61, ALLOWED), (62, denied(ReasonCode::ScopeWorkspace))] {
        let mut scene = scene();
        let names: Vec<String> = (0..places).map(|place| format!("place-{place}")).collect();
        for name in &names {
            scene.add(&format!("workspace:{name}#organization@organization:acme"));
            scene.add(&format!("board:roadmap#workspace@workspace:{name}"));
        }
        let granted = names.iter().map(String::as_str).chain(["main"]).collect::<Vec<_>>();
        scene.identity("agent:helper").scope =
            Some(Scope { workspaces: listed(&granted), ..everything() });
        // The board, its workspaces and their organization are 64 at most.
        assert_eq!(scene.said(), expected, "{places}");
    }
}

#[test]
fn a_resource_without_a_workspace_is_outside_of_every_list() {
    let mut scene = scene();
    scene.action = "configure";
    scene.tool = None;
    scene.audience = WEB;
    scene.resources =
        vec![mandate_authz::authorize::Resource::Id { type_name: "agent", id: "helper" }];
    assert_eq!(scene.said(), ALLOWED);
    scene.identity("agent:helper").scope =
        Some(Scope { workspaces: listed(&["main", "lab"]), ..everything() });
    assert_eq!(scene.said(), denied(ReasonCode::ScopeWorkspace));
}

#[test]
fn an_identity_without_a_scope_may_nothing() {
    let mut scene = scene();
    scene.identity("agent:helper").scope = None;
    assert_eq!(scene.said(), denied(ReasonCode::ScopeWorkspace));
    let mut service = service_scene();
    service.identity("service:importer").scope = None;
    assert_eq!(service.said(), denied(ReasonCode::ScopeWorkspace));
    // People are not limited by their own record, an agent that acts for them is.
    let mut person = person_scene();
    person.identity("user:anne").scope =
        Some(Scope { actions: Grant::Listed(Vec::new()), ..everything() });
    assert_eq!(person.said(), ALLOWED);
}
