//! Deltas and heartbeats: each follows exactly on what is in force, or changes nothing.

use std::collections::BTreeSet;

use mandate_authz::container::{ContainerProblem, Kind, Position, Statement, seal};
use mandate_authz::delta::{DeltaProblem, RowProblem};
use mandate_authz::row::Row;
use mandate_authz::state::{Meta, State, StateRefusal};
use proptest::prelude::*;

use crate::support::*;

fn refuse(state: &mut State, container: &[u8]) -> StateRefusal {
    let before = (state.meta().cloned(), state.floor(), viewers(state));
    let refusal = state.apply_delta(container).map(|_| ()).unwrap_err();
    assert_eq!((state.meta().cloned(), state.floor(), viewers(state)), before);
    refusal
}

fn changed(from: u64, to: u64, change: impl FnOnce(&mut Statement)) -> Vec<u8> {
    let mut statement = delta_statement(from, to);
    change(&mut statement);
    sealed(&statement, &[])
}

#[test]
fn a_chain_of_deltas_is_applied_in_order() {
    let mut state = loaded();
    let before = state.meta().unwrap().clone();
    let meta = state.apply_delta(&delta(7, 9, &[grant("document:2", "user:bob")])).unwrap();
    assert_eq!(*meta, Meta { position: Position::new(1, 9), ..before });
    assert_eq!(state.floor(), Some(Position::new(1, 9)));
    assert_eq!(viewers(&state), ["1 anne", "2 bob"]);
    let rows = [revoke("document:1", "user:anne"), grant("document:2", "user:anne")];
    state.apply_delta(&delta(9, 10, &rows)).unwrap();
    assert_eq!(viewers(&state), ["2 anne", "2 bob"]);
    // Changes of other slices move the epoch and nothing else.
    state.apply_delta(&delta(10, 20, &[])).unwrap();
    assert_eq!(state.meta().unwrap().position, Position::new(1, 20));
    assert_eq!(viewers(&state), ["2 anne", "2 bob"]);
}

#[test]
fn a_heartbeat_renews_and_changes_nothing() {
    let mut state = loaded();
    let before = state.meta().unwrap().clone();
    let renewed = Meta { issued_at: NOW + 10, ..before };
    assert_eq!(state.apply_delta(&heartbeat(7, NOW + 10)), Ok(&renewed));
    // One that was issued earlier and comes later takes nothing back.
    assert_eq!(state.apply_delta(&heartbeat(7, NOW + 5)), Ok(&renewed));
    assert_eq!(viewers(&state), ["1 anne"]);
}

#[test]
fn a_missing_delta_is_a_gap_and_says_so() {
    let mut state = loaded();
    let position = Position::new(1, 7);
    let gap = |from| StateRefusal::Gap { from: Position::new(1, from), position };
    assert_eq!(refuse(&mut state, &delta(8, 9, &[grant("document:2", "user:bob")])), gap(8));
    assert_eq!(state.ahead(), Some(Position::new(1, 9)));
    // A heartbeat of a later epoch renews nothing, but tells that something is missing.
    assert_eq!(refuse(&mut state, &heartbeat(12, NOW + 60)), gap(12));
    assert_eq!(state.ahead(), Some(Position::new(1, 12)));
    assert_eq!(refuse(&mut state, &delta(10, 11, &[])), gap(10));
    assert_eq!(state.ahead(), Some(Position::new(1, 12)));
    // The missing one closes it; then what is in force is the latest that is known.
    state.apply_delta(&delta(7, 11, &[])).unwrap();
    assert_eq!(state.ahead(), Some(Position::new(1, 12)));
    state.apply_delta(&delta(11, 12, &[])).unwrap();
    assert_eq!(state.ahead(), None);
}

#[test]
fn a_later_snapshot_closes_the_gap() {
    let mut state = loaded();
    let gap = StateRefusal::Gap { from: Position::new(1, 8), position: Position::new(1, 7) };
    assert_eq!(refuse(&mut state, &delta(8, 9, &[])), gap);
    state.reconfigure(config_with(&[1, 2], ""));
    for (epoch, ahead) in [(8, Some(Position::new(1, 9))), (9, None)] {
        let later = Statement { position: Position::new(1, epoch), ..snapshot_statement() };
        state.load(&sealed(&later, &body(&[("document:1", "user:anne")]))).unwrap();
        assert_eq!(state.ahead(), ahead);
    }
}

#[test]
fn what_is_in_force_already_is_not_applied_again() {
    let mut state = loaded();
    let first = delta(7, 8, &[grant("document:2", "user:bob")]);
    let second = delta(8, 9, &[revoke("document:2", "user:bob")]);
    state.apply_delta(&first).unwrap();
    state.apply_delta(&second).unwrap();
    let rollback = |epoch| StateRefusal::Rollback {
        floor: Position::new(1, 9),
        found: Position::new(1, epoch),
    };
    assert_eq!(refuse(&mut state, &first), rollback(8));
    assert_eq!(refuse(&mut state, &second), rollback(9));
    assert_eq!(refuse(&mut state, &heartbeat(8, NOW + 99)), rollback(8));
    assert_eq!(state.ahead(), None);
    // One that begins before and ends after does not fit either.
    let gap = StateRefusal::Gap { from: Position::new(1, 8), position: Position::new(1, 9) };
    assert_eq!(refuse(&mut state, &delta(8, 10, &[])), gap);
}

#[test]
fn a_delta_of_another_era_does_not_fit() {
    let mut state = loaded();
    let earlier = changed(7, 8, |statement| statement.position.era = 0);
    let rollback =
        StateRefusal::Rollback { floor: Position::new(1, 7), found: Position::new(0, 8) };
    assert_eq!(refuse(&mut state, &earlier), rollback);
    let later = changed(7, 8, |statement| statement.position.era = 2);
    let gap = StateRefusal::Gap { from: Position::new(2, 7), position: Position::new(1, 7) };
    assert_eq!(refuse(&mut state, &later), gap);
    assert_eq!(state.ahead(), Some(Position::new(2, 8)));
}

#[test]
fn a_delta_needs_the_snapshot_that_it_was_made_for() {
    let mut state = loaded();
    state.apply_delta(&delta(7, 9, &[])).unwrap();
    let based = |base| changed(9, 10, |statement| statement.kind = Kind::Delta { base, from: 9 });
    // Deltas have moved the position; the snapshot beneath is still that of epoch 7.
    assert_eq!(refuse(&mut state, &based(8)), StateRefusal::Base { base: 8, snapshot: 7 });
    assert_eq!(state.ahead(), Some(Position::new(1, 10)));
    state.apply_delta(&based(7)).unwrap();
    let contract = changed(10, 11, |statement| statement.contract_version = [1, 3, 0]);
    let refusal = StateRefusal::Contract { delta: [1, 3, 0], snapshot: [1, 2, 3] };
    assert_eq!(refuse(&mut state, &contract), refusal);
    let raw = changed(10, 11, |statement| statement.raw = true);
    assert_eq!(refuse(&mut state, &raw), StateRefusal::Raw);
}

#[test]
fn a_delta_is_verified_as_a_snapshot_is() {
    let mut state = loaded();
    let container = StateRefusal::Container;
    let by_another_key = seal(&delta_statement(7, 8), b"", &key(2)).unwrap();
    let unknown = ContainerProblem::KeyUnknown { key: key(2).id() };
    assert_eq!(refuse(&mut state, &by_another_key), container(unknown));
    let mut forged = delta(7, 8, &[grant("document:2", "user:bob")]);
    *forged.last_mut().unwrap() = b'x';
    assert_eq!(refuse(&mut state, &forged), container(ContainerProblem::Digest { chunk: 0 }));
    assert_eq!(refuse(&mut state, &snapshot()), container(ContainerProblem::Kind));
    let deployment = changed(7, 8, |statement| statement.deployment = "initech".to_owned());
    let found = "initech".to_owned();
    assert_eq!(refuse(&mut state, &deployment), StateRefusal::Deployment { found });
    let slice = changed(7, 8, |statement| statement.slice = "half".to_owned());
    assert_eq!(refuse(&mut state, &slice), StateRefusal::Slice { found: "half".to_owned() });
    assert_eq!(state.ahead(), None, "what is not ours tells nothing");
    assert_eq!(empty().apply_delta(&delta(7, 8, &[])), Err(StateRefusal::Missing));
}

#[test]
fn all_rows_are_applied_or_none() {
    let mut state = loaded();
    let unknown = grant("folder:1", "user:bob");
    let rows = [grant("document:2", "user:bob"), unknown];
    let refusal = refuse(&mut state, &delta(7, 8, &rows));
    assert!(matches!(&refusal, StateRefusal::Row(error) if error.position == 1), "{refusal:?}");
    assert_eq!(state.ahead(), Some(Position::new(1, 8)));
    let malformed = sealed(&delta_statement(7, 8), &[9]);
    let problem = DeltaProblem { row: 0, problem: RowProblem::Tag };
    assert_eq!(refuse(&mut state, &malformed), StateRefusal::Delta(problem));
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let documents = || prop::sample::select(vec!["document:1", "document:2", "document:new"]);
    let people = || prop::sample::select(vec!["user:anne", "user:bob", "user:new"]);
    let row = prop_oneof![
        (documents(), people()).prop_map(|(document, person)| grant(document, person)),
        (documents(), people()).prop_map(|(document, person)| revoke(document, person)),
    ];
    prop::collection::vec(row, 0..5)
}

/// The relationships after the rows, kept as obviously as can be.
fn replayed(deltas: &[Vec<Row>]) -> BTreeSet<(String, String)> {
    let mut stored = BTreeSet::from([("document:1".to_owned(), "user:anne".to_owned())]);
    for row in deltas.iter().flatten() {
        match row {
            Row::WriteTuple(tuple) => {
                stored.insert((tuple.object.to_string(), tuple.subject.to_string()));
            }
            Row::DeleteTuple { object, subject, .. } => {
                stored.remove(&(object.to_string(), subject.to_string()));
            }
            other @ (Row::DeleteCredential { .. }
            | Row::DeleteIdentity { .. }
            | Row::DeleteObject { .. }
            | Row::PutCredential(_)
            | Row::PutIdentity(_)
            | Row::PutObject { .. }) => panic!("{other:?}"),
        }
    }
    stored
}

proptest! {
    // Each case builds or seals something; campaigns run longer ones.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn deltas_make_what_a_rebuilt_snapshot_holds(deltas in prop::collection::vec(rows(), 1..6)) {
        let mut followed = loaded();
        for (epoch, rows) in (7..).zip(&deltas) {
            followed.apply_delta(&delta(epoch, epoch + 1, rows)).unwrap();
        }
        let stored = replayed(&deltas);
        let stored: Vec<(&str, &str)> =
            stored.iter().map(|(object, subject)| (object.as_str(), subject.as_str())).collect();
        let mut rebuilt = empty();
        rebuilt.load(&sealed(&snapshot_statement(), &body(&stored))).unwrap();
        prop_assert_eq!(viewers(&followed), viewers(&rebuilt));
    }

    #[test]
    fn hostile_rows_are_refused_or_applied(bytes in prop::collection::vec(any::<u8>(), 0..64), row in rows()) {
        let mut bytes = bytes;
        let mut state = loaded();
        if let Some(start) = bytes.first().copied() {
            let good = mandate_authz::delta::encode(&row).unwrap();
            let keep = good.len().min(usize::from(start));
            bytes.splice(..1, good[..keep].iter().copied());
        }
        let before = viewers(&state);
        if state.apply_delta(&sealed(&delta_statement(7, 8), &bytes)).is_err() {
            prop_assert_eq!(viewers(&state), before);
            prop_assert_eq!(state.meta().unwrap().position, Position::new(1, 7));
        } else {
            prop_assert_eq!(state.meta().unwrap().position, Position::new(1, 8));
        }
    }
}
