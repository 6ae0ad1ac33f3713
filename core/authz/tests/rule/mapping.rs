//! Requests against the contract's tables.

use mandate_authn::{FailingLine, ReasonCode};
use mandate_authz::authorize::Resource;

use crate::scene::{
    ALLOWED, PLAIN, Said, Scene, WEB, argument, board, denied, denied_at, person_scene, scene,
};

fn malformed() -> Said {
    denied_at(ReasonCode::Malformed, FailingLine::Mapping)
}

fn with(resources: &[Resource<'static>]) -> Said {
    let mut scene = scene();
    scene.resources = resources.to_vec();
    scene.said()
}

#[test]
fn actions_and_tools_are_those_of_the_tables() {
    let unmapped = |change: &dyn Fn(&mut Scene)| {
        let mut scene = scene();
        change(&mut scene);
        assert_eq!(scene.said(), denied(ReasonCode::Unmapped));
    };
    unmapped(&|scene| scene.action = "shred_board");
    unmapped(&|scene| scene.action = "");
    unmapped(&|scene| scene.action = "edit_board");
    unmapped(&|scene| scene.tool = Some("shred"));
    unmapped(&|scene| scene.tool = Some("*"));
    unmapped(&|scene| scene.tool = Some("READ_BOARD"));
    unmapped(&|scene| scene.tool = Some("list_boards"));
    unmapped(&|scene| {
        scene.tool = Some("read_board");
        scene.action = "ping";
        scene.resources = Vec::new();
    });
}

#[test]
fn a_tool_has_exactly_the_arguments_of_its_table() {
    assert_eq!(with(&[argument("roadmap")]), ALLOWED);
    assert_eq!(with(&[]), malformed());
    assert_eq!(with(&[argument("roadmap"), argument("roadmap")]), malformed());
    let other = Resource::Argument { pointer: "/workspace", value: "main" };
    assert_eq!(with(&[other]), malformed());
    assert_eq!(with(&[argument("roadmap"), other]), denied(ReasonCode::Unmapped));
    assert_eq!(with(&[board("roadmap")]), malformed());
    assert_eq!(with(&[argument("roadmap"), board("roadmap")]), denied(ReasonCode::Unmapped));
}

#[test]
fn a_tool_without_resources_takes_none() {
    let mut scene = scene();
    scene.tool = Some("list_boards");
    scene.action = "list";
    assert_eq!(scene.said(), denied(ReasonCode::Unmapped));
    scene.resources = Vec::new();
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_bare_id_has_no_character_that_means_something() {
    for id in ["", "road map", "roadmap ", "a:b", "board:roadmap", "roadmap#viewer", "*", "a%20b"] {
        assert_eq!(with(&[argument(id)]), malformed(), "{id}");
    }
}

#[test]
fn a_free_string_is_encoded_once() {
    let mut scene = scene();
    scene.tool = Some("open_link");
    let link = |value| vec![Resource::Argument { pointer: "/uri", value }];
    scene.resources = link("https://boards.example/a b#c");
    scene.add("tool:boards/open_link#can_call@agent:helper");
    scene.add("tool:boards/open_link#can_call@user:anne");
    scene.add("board:https%3A//boards.example/a%20b%23c#workspace@workspace:main");
    scene.add("board:https%3A//boards.example/a%20b%23c#viewer@user:anne");
    assert_eq!(scene.said(), ALLOWED);
    scene.resources = link("https%3A//boards.example/a%20b%23c");
    assert_eq!(scene.said(), denied(ReasonCode::TenantUnknown));
    scene.resources = link("");
    assert_eq!(scene.said(), malformed());
}

#[test]
fn an_action_is_on_its_types_and_never_on_less() {
    let on = |action, resources: &[Resource<'static>]| {
        let mut scene = person_scene();
        scene.audience = PLAIN;
        scene.tool = None;
        scene.action = action;
        scene.resources = resources.to_vec();
        scene.said()
    };
    assert_eq!(on("read_board", &[board("roadmap")]), ALLOWED);
    assert_eq!(on("read_board", &[]), denied(ReasonCode::Unmapped));
    assert_eq!(on("list", &[]), ALLOWED);
    assert_eq!(on("list", &[board("roadmap")]), denied(ReasonCode::Unmapped));
    let workspace = Resource::Id { type_name: "workspace", id: "main" };
    assert_eq!(on("read_board", &[workspace]), denied(ReasonCode::Unmapped));
    assert_eq!(on("read_board", &[argument("roadmap")]), denied(ReasonCode::Unmapped));
    let text = Resource::Text { type_name: "board", text: "roadmap" };
    assert_eq!(on("read_board", &[text]), ALLOWED);
    assert_eq!(on("read_board", &[board("a:b")]), malformed());
}

#[test]
fn a_request_of_an_http_route_names_no_tool() {
    let mut scene = scene();
    scene.audience = WEB;
    scene.resources = vec![board("roadmap")];
    assert_eq!(scene.said(), denied(ReasonCode::Unmapped));
    scene.tool = None;
    assert_eq!(scene.said(), ALLOWED);
}

#[test]
fn a_request_has_a_bounded_number_of_resources() {
    let mut scene = scene();
    scene.audience = WEB;
    scene.tool = None;
    scene.resources = vec![board("roadmap"); 64];
    assert_eq!(scene.said(), ALLOWED);
    scene.resources.push(board("roadmap"));
    assert_eq!(scene.said(), malformed());
}
