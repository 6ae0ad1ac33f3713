//! What holds in every world: random relationships, one deployment.

use mandate_authn::{FailingLine, ReasonCode};
use mandate_authz::authorize::{Asserter, Assertion, LineVerdict, Resource};
use mandate_authz::decision::Decision;
use mandate_authz::evaluate::{Budget, Holding, Inputs};
use mandate_authz::snapshot::Snapshot;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, prop_assert_ne};
use proptest::strategy::{Just, Strategy};
use proptest::{prop_oneof, proptest, sample};
use serde_json::Map;

use crate::lines::{Wish, first_failing};
use crate::scene::{OPEN, Scene, in_force, path, said, scene};
use crate::world::tuple;

const USERS: [&str; 4] = ["anne", "bob", "carol", "dana"];
const AGENT_IDS: [&str; 3] = ["helper", "other", "alien"];
const BOARDS: [&str; 4] = ["roadmap", "secret", "launch", "ghost"];

/// A relationship of one tenant, or of things that have none.
fn any_tuple() -> impl Strategy<Value = String> {
    let acme_user = sample::select(vec!["anne", "bob", "dana"]);
    let acme_agent = sample::select(vec!["helper", "other"]);
    let acme_board = sample::select(vec!["roadmap", "secret"]);
    prop_oneof![
        (acme_user.clone(), acme_agent.clone())
            .prop_map(|(user, agent)| format!("user:{user}#delegate_of@agent:{agent}")),
        (acme_user.clone(), acme_agent.clone())
            .prop_map(|(user, agent)| format!("agent:{agent}#owner@user:{user}")),
        (acme_user.clone(), acme_agent.clone())
            .prop_map(|(user, agent)| format!("agent:{agent}#denied@user:{user}")),
        acme_agent
            .clone()
            .prop_map(|agent| format!("agent:{agent}#shared_with_teams@team:red#member")),
        acme_user.clone().prop_map(|user| format!("team:red#member@user:{user}")),
        sample::select(USERS.to_vec())
            .prop_map(|user| format!("tool:boards/read_board#can_call@user:{user}")),
        sample::select(AGENT_IDS.to_vec())
            .prop_map(|agent| format!("tool:boards/read_board#can_call@agent:{agent}")),
        Just("tool:boards/*#can_call@user:*".to_owned()),
        Just("tool:boards/*#can_call@agent:*".to_owned()),
        (acme_user.clone(), acme_board.clone())
            .prop_map(|(user, board)| format!("board:{board}#viewer@user:{user}")),
        acme_board.clone().prop_map(|board| format!("board:{board}#viewer@user:*")),
        acme_board.prop_map(|board| format!("board:{board}#viewer@team:red#member")),
        (acme_user, sample::select(vec!["main", "lab"]))
            .prop_map(|(user, workspace)| format!("workspace:{workspace}#viewer@user:{user}")),
        Just("user:carol#delegate_of@agent:alien".to_owned()),
        Just("agent:alien#owner@user:carol".to_owned()),
        Just("board:launch#viewer@user:carol".to_owned()),
        Just("board:launch#viewer@user:*".to_owned()),
    ]
}

fn places() -> [&'static str; 6] {
    [
        "workspace:main#organization@organization:acme",
        "workspace:lab#organization@organization:acme",
        "workspace:plans#organization@organization:globex",
        "board:roadmap#workspace@workspace:main",
        "board:secret#workspace@workspace:lab",
        "board:launch#workspace@workspace:plans",
    ]
}

fn world(tuples: &[String]) -> Scene {
    let mut scene = scene();
    scene.audience = OPEN;
    // No condition: compiling them is most of the time of a build.
    let plain =
        scene.model.replace(", agent with before", "").replace(", user with from_office", "");
    scene.model = plain.split("condition ").next().unwrap().to_owned();
    let all: std::collections::BTreeSet<&str> = places()
        .into_iter()
        .chain(tuples.iter().map(String::as_str))
        .chain(["team:red#organization@organization:acme"])
        .collect();
    scene.tuples = all.into_iter().map(tuple).collect();
    for id in ["roadmap", "secret", "launch"] {
        scene.objects.push(mandate_authz::name::ObjectName::new("board", id));
    }
    scene
}

fn assertion<'a>(user: &'a str, agent: Option<&'a str>) -> Assertion<'a> {
    Assertion {
        asserter: Asserter::Offline,
        subject: user,
        agent,
        credential: None,
        tenant: Some("acme"),
    }
}

fn holds(snapshot: &Snapshot, board: &str, user: &str) -> bool {
    let found = snapshot.find("board", board).zip(snapshot.find("user", user));
    let context = Map::new();
    found.is_some_and(|(board, user)| {
        let inputs = Inputs { context: &context };
        let holding = snapshot.holds(board, "can_read_board", user, &inputs, &mut Budget::new());
        matches!(holding, Holding::Holds(_))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn an_agent_may_only_what_its_user_may(
        tuples in proptest::collection::vec(any_tuple(), 4..40),
        user in sample::select(USERS.to_vec()),
        agent in sample::select(AGENT_IDS.to_vec()),
        board in sample::select(BOARDS.to_vec()),
    ) {
        let mut scene = world(&tuples);
        let board: &'static str = board;
        scene.resources = vec![Resource::Argument { pointer: "/board", value: board }];
        let (user_name, agent_name) = (format!("user:{user}"), format!("agent:{agent}"));
        let state = scene.state();
        let asked = assertion(&user_name, Some(&agent_name));
        let decide = |assertion: &Assertion<'_>| -> Decision {
            let policy = scene.policy();
            let request = scene.request();
            mandate_authz::authorize::decide_for(assertion, &request, scene.now, policy.as_ref(), &state)
        };
        let decision = decide(&asked);
        if decision.is_allowed() {
            prop_assert!(decide(&assertion(&user_name, None)).is_allowed());
            prop_assert!(holds(in_force(&state), board, user));
            // Everything is of acme.
            prop_assert_ne!(user, "carol");
            prop_assert_ne!(agent, "alien");
            prop_assert_ne!(board, "launch");
            let steps = path(&decision, &state);
            for step in &steps {
                let mut without = scene.clone();
                without.tuples.retain(|kept| kept.to_string() != *step);
                prop_assert_eq!(without.tuples.len() + 1, scene.tuples.len(), "{}", step);
                let state = without.state();
                let again = mandate_authz::authorize::decide_for(
                    &asked, &without.request(), without.now, without.policy().as_ref(), &state,
                );
                if again.is_allowed() {
                    prop_assert_ne!(&path(&again, &state), &steps, "without {}", step);
                }
            }
        }
    }

    #[test]
    fn a_denial_names_the_first_line_that_really_fails(
        tuples in proptest::collection::vec(any_tuple(), 4..40),
        user in sample::select(USERS.to_vec()),
        agent in sample::select(AGENT_IDS.to_vec()),
        board in sample::select(BOARDS.to_vec()),
        limited in any::<bool>(),
    ) {
        let mut scene = world(&tuples);
        let board: &'static str = board;
        scene.resources = vec![Resource::Argument { pointer: "/board", value: board }];
        if limited {
            scene.identity("agent:helper").scope = None;
        }
        let (user_name, agent_name) = (format!("user:{user}"), format!("agent:{agent}"));
        let asked = assertion(&user_name, Some(&agent_name));
        let explained = scene.explain_for(&asked);
        prop_assert_eq!(&explained.decision, &scene.decide_for(&asked));
        let failing = explained.lines.iter().find_map(|line| match &line.verdict {
            LineVerdict::Fails { reason, .. } => Some((line.line, *reason)),
            LineVerdict::Holds | LineVerdict::NotAsked => None,
        });
        let decision = said(&explained.decision);
        match failing {
            None => prop_assert_eq!(decision.reason, ReasonCode::Ok),
            Some((line, reason)) => {
                prop_assert_eq!((decision.line, decision.reason), (Some(line), reason));
            }
        }
        let wish = Wish { user, agent, board, limited };
        prop_assert_eq!(decision.line, first_failing(&tuples, &wish), "{:?}", wish);
        prop_assert_eq!(explained.lines.len(), 8);
        prop_assert_eq!(explained.lines[0].line, FailingLine::One);
    }
}
