//! Whether what is in force may answer, at a moment.

use mandate_authn::ReasonCode;
use mandate_authz::container::{ContainerProblem, Position};
use mandate_authz::delta::{DeltaProblem, RowProblem};
use mandate_authz::snapshot::RowError;
use mandate_authz::state::{Freshness, StateRefusal};

use crate::support::*;

fn at(now: u64) -> Freshness {
    Freshness { now, max_age: 100, skew: 30, minimum: None, contract: None }
}

fn refused(freshness: &Freshness) -> Option<StateRefusal> {
    loaded().fresh(freshness).err()
}

#[test]
fn an_age_is_within_its_range_or_refused() {
    assert_eq!(refused(&at(NOW)), None);
    assert_eq!(refused(&at(NOW + 100)), None);
    let stale = StateRefusal::Stale { issued_at: NOW, now: NOW + 101, max_age: 100 };
    assert_eq!(refused(&at(NOW + 101)), Some(stale));
    assert_eq!(refused(&at(NOW - 30)), None);
    let future = StateRefusal::Future { issued_at: NOW, now: NOW - 31 };
    assert_eq!(refused(&at(NOW - 31)), Some(future));
    let stale = StateRefusal::Stale { issued_at: NOW, now: u64::MAX, max_age: 100 };
    assert_eq!(refused(&at(u64::MAX)), Some(stale));
    let future = StateRefusal::Future { issued_at: NOW, now: 0 };
    assert_eq!(refused(&at(0)), Some(future));
}

#[test]
fn the_newest_signed_word_counts() {
    let mut state = loaded();
    state.apply_delta(&heartbeat(7, NOW + 60)).unwrap();
    assert_eq!(state.fresh(&at(NOW + 160)).err(), None);
    let stale = StateRefusal::Stale { issued_at: NOW + 60, now: NOW + 161, max_age: 100 };
    assert_eq!(state.fresh(&at(NOW + 161)).err(), Some(stale));
}

#[test]
fn without_a_word_of_the_contract_two_minutes_count() {
    let expected = Freshness { now: NOW, max_age: 120, skew: 60, minimum: None, contract: None };
    assert_eq!(Freshness::at(NOW), expected);
}

#[test]
fn a_contract_reads_what_was_made_under_no_later_one() {
    let under = |contract| refused(&Freshness { contract: Some(contract), ..at(NOW) });
    let snapshot = [1, 2, 3];
    for contract in [[1, 2, 3], [1, 2, 0], [1, 2, 9], [1, 3, 0]] {
        assert_eq!(under(contract), None, "{contract:?}");
    }
    for contract in [[1, 1, 9], [1, 0, 0], [0, 2, 3], [2, 0, 0], [2, 2, 3]] {
        let skew = StateRefusal::Skew { snapshot, contract };
        assert_eq!(skew.code(), ReasonCode::SnapshotStale);
        assert_eq!(under(contract), Some(skew));
    }
    let line = StateRefusal::Skew { snapshot, contract: [2, 0, 0] }.to_string();
    assert_eq!(line, "the snapshot is of contract 1.2.3, 2.0.0 is in force");
}

#[test]
fn a_caller_may_ask_for_what_it_has_seen() {
    let minimum =
        |era, epoch| refused(&Freshness { minimum: Some(Position::new(era, epoch)), ..at(NOW) });
    let behind = |era, epoch| {
        let minimum = Position::new(era, epoch);
        Some(StateRefusal::Behind { minimum, position: Position::new(1, 7) })
    };
    assert_eq!(minimum(1, 7), None);
    assert_eq!(minimum(0, 99), None);
    assert_eq!(minimum(1, 8), behind(1, 8));
    assert_eq!(minimum(2, 0), behind(2, 0));
}

const POSITION: Position = Position::new(1, 7);
const LATER: Position = Position::new(2, 0);

#[test]
fn a_question_is_refused_with_a_reason_and_a_line() {
    use ReasonCode::{SnapshotMissing, SnapshotStale};
    require(&[
        (
            StateRefusal::Behind { minimum: LATER, position: POSITION },
            SnapshotStale,
            "2.0 was asked for, 1.7 is in force",
        ),
        (
            StateRefusal::Future { issued_at: 9, now: 5 },
            SnapshotStale,
            "it was issued at 9, now is 5",
        ),
        (StateRefusal::Missing, SnapshotMissing, "no snapshot is loaded"),
        (StateRefusal::Raw, SnapshotMissing, "a raw snapshot decides nothing"),
        (
            StateRefusal::Stale { issued_at: 1, now: 500, max_age: 120 },
            SnapshotStale,
            "issued at 1, now is 500, at most 120 s are allowed",
        ),
    ]);
}

#[test]
fn what_does_not_load_is_refused_with_a_reason_and_a_line() {
    use ReasonCode::{SnapshotMissing, SnapshotRollback, SnapshotSignature, SnapshotStale};
    let found = || "initech".to_owned();
    let row = RowError { position: 3, problem: "the type is unknown".to_owned() };
    let malformed = DeltaProblem { row: 3, problem: RowProblem::Empty };
    require(&[
        (
            StateRefusal::Base { base: 8, snapshot: 7 },
            SnapshotStale,
            "the delta needs a snapshot of epoch 8 or later, not 7",
        ),
        (
            StateRefusal::Container(ContainerProblem::Signature),
            SnapshotSignature,
            "the signature does not verify",
        ),
        (
            StateRefusal::Contract { delta: [1, 3, 0], snapshot: [1, 2, 3] },
            SnapshotStale,
            "the delta is of contract 1.3.0, the snapshot of 1.2.3",
        ),
        (StateRefusal::Delta(malformed), SnapshotStale, "row 3: a name is empty"),
        (
            StateRefusal::Deployment { found: found() },
            SnapshotSignature,
            "it belongs to the deployment `initech`",
        ),
        (
            StateRefusal::Gap { from: LATER, position: POSITION },
            SnapshotStale,
            "the delta follows on 2.0, 1.7 is in force",
        ),
        (StateRefusal::Memory { bytes: 9 }, SnapshotMissing, "no memory for 9 bytes"),
        (StateRefusal::NotBegun, SnapshotMissing, "no load was begun"),
        (
            StateRefusal::Rollback { floor: LATER, found: POSITION },
            SnapshotRollback,
            "it includes 1.7, 2.0 was in force",
        ),
        (StateRefusal::Row(row), SnapshotStale, "row 3: the type is unknown"),
        (StateRefusal::Slice { found: found() }, SnapshotSignature, "it holds the slice `initech`"),
    ]);
}

fn require(cases: &[(StateRefusal, ReasonCode, &str)]) {
    for (refusal, code, line) in cases {
        assert_eq!((refusal.code(), refusal.to_string().as_str()), (*code, *line));
    }
}
