//! Line 3 against models that say whatever their author wants.

use mandate_authn::ReasonCode;
use mandate_authz::authorize::{Asserter, Assertion, Resource, decide_for};
use mandate_authz::evaluate::{Budget, Holding, Inputs};
use mandate_authz::model::{Model, RestrictionForm};
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::snapshot::Snapshot;
use mandate_authz::state::State;
use mandate_authz::tuple::Tuple;
use serde_json::Map;

use crate::scene::{OPEN, Scene, in_force, scene};

/// Ways to write what lines 6, 7 and 8 ask for, so that it holds for everybody, everywhere.
const CAN_USE: [&str; 4] = [
    "[user, user:*] or owner",
    "[user:*] but not nobody",
    "[user:*] or owner or member_of_team",
    "([user:*] and anybody) or owner from sibling",
];
const CAN_CALL: [&str; 2] =
    ["[user, user:*, agent, agent:*, service] or anybody", "[user:*, agent:*] but not nobody"];
const CAN_READ: [&str; 5] = [
    "[user:*] or viewer or editor or viewer from workspace",
    "[user, user:*] but not nobody",
    "anybody or viewer from workspace",
    "[user:*] and anybody",
    "viewer or can_read_board from sibling or anybody",
];

/// What the texts above refer to, in every type that they stand in.
const OTHERS: &str = "
    define anybody: [user:*, agent:*]
    define nobody: [user]";

/// A deployment whose model has these texts, and in which everybody has been granted everything
/// that may be stored.
fn permissive(can_use: &str, can_call: &str, can_read: &str) -> Scene {
    let mut scene = scene();
    scene.audience = OPEN;
    let plain =
        scene.model.replace(", agent with before", "").replace(", user with from_office", "");
    let plain = plain.split("condition ").next().unwrap().to_owned();
    let used = "define can_use: (owner or member_of_team) but not denied";
    let called = "define can_call: [user, user:*, agent, agent:*, service]";
    let read = "define can_read_board: viewer or editor or viewer from workspace";
    assert!([used, called, read].iter().all(|text| plain.contains(text)), "{plain}");
    scene.model = plain
        .replace(used, &format!("define sibling: [agent]\n    define can_use: {can_use}{OTHERS}"))
        .replace(called, &format!("define can_call: {can_call}{OTHERS}"))
        .replace(
            read,
            &format!("define sibling: [board]\n    define can_read_board: {can_read}{OTHERS}"),
        );
    let agents = ["helper", "alien"];
    let boards = ["roadmap", "launch"];
    for agent in agents {
        for relation in ["can_use", "anybody"] {
            scene.add(&format!("agent:{agent}#{relation}@user:*"));
        }
    }
    for relation in ["can_call", "anybody"] {
        for everybody in ["user:*", "agent:*"] {
            scene.add(&format!("tool:boards/read_board#{relation}@{everybody}"));
        }
    }
    for board in boards {
        for relation in ["can_read_board", "anybody", "viewer"] {
            scene.add(&format!("board:{board}#{relation}@user:*"));
        }
        scene.objects.push(ObjectName::new("board", board));
    }
    let model = Model::parse_dsl(&scene.model).expect("a model");
    // Not every text lets every one of these be stored.
    scene.tuples.retain(|tuple| takes(&model, tuple));
    scene
}

fn takes(model: &Model, tuple: &Tuple) -> bool {
    let (form, subject) = match &tuple.subject {
        Subject::Object(object) => (RestrictionForm::Object, &object.type_name),
        Subject::Userset(object, relation) => {
            (RestrictionForm::Userset(relation.clone()), &object.type_name)
        }
        Subject::Wildcard(of) => (RestrictionForm::Wildcard, of),
    };
    let of = model.types.iter().find(|of| of.name == tuple.object.type_name).expect("a type");
    let relation = of.relations.iter().find(|known| known.name == tuple.relation);
    let mut restrictions = relation.expect("a relation").restrictions.iter();
    restrictions.any(|known| (&known.form, &known.type_name) == (&form, subject))
}

fn holds(snapshot: &Snapshot, object: (&str, &str), relation: &str, user: (&str, &str)) -> bool {
    let find = |(of, id): (&str, &str)| snapshot.find(of, id).expect("known");
    let inputs = Inputs { context: &Map::new() };
    let holding = snapshot.holds(find(object), relation, find(user), &inputs, &mut Budget::new());
    matches!(holding, Holding::Holds(_))
}

#[test]
fn no_text_of_a_model_lifts_the_tenant_line() {
    let (mut allowed, mut lifted) = (0, 0);
    for can_use in CAN_USE {
        for can_call in CAN_CALL {
            for can_read in CAN_READ {
                let scene = permissive(can_use, can_call, can_read);
                let state = scene.state();
                for (user, agent, board) in triples() {
                    let (yes, would) = ask(&scene, &state, user, agent, board);
                    let acme = user != "carol" && agent != "alien" && board != "launch";
                    assert!(acme || !yes, "{user} {agent} {board}\n{}", scene.model);
                    allowed += usize::from(yes);
                    lifted += usize::from(would && !acme);
                }
            }
        }
    }
    assert!(allowed > 30, "some of the same are allowed: {allowed}");
    assert!(lifted > 200, "the texts grant what is not of the tenant: {lifted}");
}

fn triples() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let agents = ["helper", "alien"].into_iter();
    let pairs = agents.flat_map(|agent| ["anne", "carol"].map(|user| (user, agent)));
    pairs.flat_map(|(user, agent)| ["roadmap", "launch"].map(|board| (user, agent, board)))
}

/// Whether it is allowed; and whether lines 6, 7 and 8 by themselves would have it.
fn ask(scene: &Scene, state: &State, user: &str, agent: &str, board: &'static str) -> (bool, bool) {
    let mut scene = scene.clone();
    scene.resources = vec![Resource::Argument { pointer: "/board", value: board }];
    let (subject, machine) = (format!("user:{user}"), format!("agent:{agent}"));
    let assertion = Assertion {
        asserter: Asserter::Offline,
        subject: &subject,
        agent: Some(&machine),
        credential: None,
        tenant: Some("acme"),
    };
    let policy = scene.policy();
    let decision = decide_for(&assertion, &scene.request(), scene.now, policy.as_ref(), state);
    let snapshot = in_force(state);
    let tool = ("tool", "boards/read_board");
    let would = holds(snapshot, ("agent", agent), "can_use", ("user", user))
        && holds(snapshot, tool, "can_call", ("user", user))
        && holds(snapshot, tool, "can_call", ("agent", agent))
        && holds(snapshot, ("board", board), "can_read_board", ("user", user));
    if would && (user, agent) == ("anne", "helper") && board == "launch" {
        assert_eq!(decision.reason(), ReasonCode::CrossTenant);
    }
    (decision.is_allowed(), would)
}
