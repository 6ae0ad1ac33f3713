//! Explanations: every line by itself, beside a decision that they do not make.

use mandate_authn::{FailingLine, ReasonCode};
use mandate_authz::authorize::{Asserter, Assertion, LineVerdict};

use crate::scene::{OPEN, Scene, denied, said, scene};

const OFFLINE: Assertion<'static> = Assertion {
    asserter: Asserter::Offline,
    subject: "user:anne",
    agent: Some("agent:helper"),
    credential: None,
    tenant: None,
};

fn verdicts(scene: &Scene, assertion: &Assertion<'_>) -> Vec<(FailingLine, Option<ReasonCode>)> {
    let explained = scene.explain_for(assertion);
    assert_eq!(explained.decision, scene.decide_for(assertion));
    let failed = |verdict: &LineVerdict| match verdict {
        LineVerdict::Fails { reason, .. } => Some(*reason),
        LineVerdict::Holds => Some(ReasonCode::Ok),
        LineVerdict::NotAsked => None,
    };
    explained.lines.iter().map(|line| (line.line, failed(&line.verdict))).collect()
}

#[test]
fn every_line_is_looked_at_although_the_first_failing_one_decides() {
    let mut scene = scene();
    scene.remove("user:anne#delegate_of@agent:helper");
    scene.remove("tool:boards/read_board#can_call@agent:helper");
    scene.remove("board:roadmap#viewer@user:anne");
    let ok = Some(ReasonCode::Ok);
    assert_eq!(
        verdicts(&scene, &OFFLINE),
        [
            (FailingLine::One, ok),
            (FailingLine::Two, ok),
            (FailingLine::Three, ok),
            (FailingLine::Four, Some(ReasonCode::NotDelegate)),
            (FailingLine::Five, ok),
            (FailingLine::Six, ok),
            (FailingLine::Seven, Some(ReasonCode::AgentTool)),
            (FailingLine::Eight, Some(ReasonCode::NoRelation)),
        ]
    );
    assert_eq!(said(&scene.decide_for(&OFFLINE)), denied(ReasonCode::NotDelegate));
}

#[test]
fn lines_that_the_mode_does_not_ask_for_say_so() {
    let mut scene = scene();
    scene.audience = OPEN;
    let person = Assertion { agent: None, ..OFFLINE };
    let ok = Some(ReasonCode::Ok);
    assert_eq!(
        verdicts(&scene, &person),
        [
            (FailingLine::One, ok),
            (FailingLine::Two, ok),
            (FailingLine::Three, ok),
            (FailingLine::Four, None),
            (FailingLine::Five, ok),
            (FailingLine::Six, None),
            (FailingLine::Seven, ok),
            (FailingLine::Eight, ok),
        ]
    );
}

#[test]
fn a_state_that_does_not_serve_fails_line_1_and_nothing_is_looked_at() {
    let mut scene = scene();
    scene.issued_at -= 1000;
    assert_eq!(verdicts(&scene, &OFFLINE), [(FailingLine::One, Some(ReasonCode::SnapshotStale))]);
    let mut unbound = crate::scene::scene();
    unbound.on_behalf_of = Some("user:bob");
    assert_eq!(verdicts(&unbound, &OFFLINE), [(FailingLine::One, Some(ReasonCode::Ok))]);
}
