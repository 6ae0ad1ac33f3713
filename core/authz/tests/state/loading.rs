//! Loading snapshots: in steps and at once, and every way to fail, which changes nothing.

use mandate_authz::container::{ContainerProblem, Header, Position, Statement, seal};
use mandate_authz::state::{Freshness, Meta, State, StateRefusal};
use proptest::prelude::*;

use crate::support::*;

const MIB: usize = 1024 * 1024;

fn meta() -> Meta {
    Meta {
        deployment: "globex".to_owned(),
        slice: "all".to_owned(),
        position: Position::new(1, 7),
        snapshot_epoch: 7,
        contract_version: [1, 2, 3],
        issued_at: NOW,
        raw: false,
    }
}

/// Another snapshot, of document 2 and bob, about which this is said.
fn other(change: impl FnOnce(&mut Statement)) -> Vec<u8> {
    let mut statement = snapshot_statement();
    statement.position.epoch = 9;
    change(&mut statement);
    sealed(&statement, &body(&[("document:2", "user:bob")]))
}

fn split(container: &[u8]) -> (&[u8], &[u8]) {
    container.split_at(Header::total_bytes(container).unwrap())
}

fn refuse(state: &mut State, container: &[u8]) -> StateRefusal {
    let refusal = state.load(container).map(|_| ()).unwrap_err();
    assert_eq!(state.load_commit(), Err(StateRefusal::NotBegun), "nothing is left of it");
    refusal
}

#[test]
fn a_snapshot_loads_and_says_what_it_is() {
    let mut state = empty();
    assert_eq!(state.meta(), None);
    assert_eq!(state.floor(), None);
    assert_eq!(state.load(&snapshot()), Ok(&meta()));
    assert_eq!(state.meta(), Some(&meta()));
    assert_eq!(state.floor(), Some(Position::new(1, 7)));
    assert_eq!(state.ahead(), None);
    assert_eq!(viewers(&state), ["1 anne"]);
    state.fresh(&Freshness::at(NOW)).unwrap();
}

#[test]
fn a_load_in_steps_counts_only_when_it_is_committed() {
    let mut state = loaded();
    let later = other(|_| ());
    let (header, body) = split(&later);
    state.load_begin(header).unwrap();
    assert_eq!(viewers(&state), ["1 anne"]);
    for byte in body.chunks(1) {
        state.load_chunk(byte).unwrap();
    }
    state.load_chunk(&[]).unwrap();
    assert_eq!(viewers(&state), ["1 anne"]);
    let expected = Meta { position: Position::new(1, 9), snapshot_epoch: 9, ..meta() };
    assert_eq!(state.load_commit(), Ok(&expected));
    assert_eq!(viewers(&state), ["2 bob"]);
    assert_eq!(state.load_commit(), Err(StateRefusal::NotBegun));
}

#[test]
fn a_body_that_has_come_whole_is_validated_in_steps() {
    let mut state = empty();
    assert_eq!(state.load_validate(), Err(StateRefusal::NotBegun));
    let container = snapshot();
    let (header, body) = split(&container);
    state.load_begin(header).unwrap();
    state.load_chunk(body).unwrap();
    let mut steps = 1;
    while !state.load_validate().unwrap() {
        steps += 1;
        assert!(steps < 9, "a small body takes few steps");
    }
    assert_eq!(state.load_validate(), Ok(true), "asking again does no harm");
    state.load_chunk(&[]).unwrap();
    assert_eq!(state.meta(), None, "nothing is in force before the commit");
    assert_eq!(state.load_commit(), Ok(&meta()));
    assert_eq!(viewers(&state), ["1 anne"]);
    assert_eq!(state.load_validate(), Err(StateRefusal::NotBegun));
}

#[test]
fn a_commit_validates_what_no_step_has() {
    let mut state = empty();
    let container = snapshot();
    let (header, body) = split(&container);
    state.load_begin(header).unwrap();
    state.load_chunk(body).unwrap();
    assert_eq!(state.load_validate(), Ok(false));
    assert_eq!(state.load_commit(), Ok(&meta()));
}

#[test]
fn a_step_that_fails_drops_the_load() {
    let later = other(|_| ());
    let (header, body) = split(&later);
    let truncated = StateRefusal::Container(ContainerProblem::Truncated);
    let trailing = StateRefusal::Container(ContainerProblem::Trailing);
    let mut state = loaded();
    state.load_begin(header).unwrap();
    state.load_chunk(&body[..5]).unwrap();
    assert_eq!(state.load_validate(), Err(truncated));
    assert_eq!(state.load_commit(), Err(StateRefusal::NotBegun));
    state.load_begin(header).unwrap();
    state.load_chunk(body).unwrap();
    assert_eq!(state.load_validate(), Ok(false));
    assert_eq!(state.load_chunk(b"more"), Err(trailing));
    assert_eq!(state.load_commit(), Err(StateRefusal::NotBegun));
    let statement = Statement { position: Position::new(1, 9), ..snapshot_statement() };
    let malformed = sealed(&statement, b"no body at all..");
    let (header, body) = split(&malformed);
    state.load_begin(header).unwrap();
    state.load_chunk(body).unwrap();
    let refusal = state.load_validate().unwrap_err();
    assert!(matches!(refusal, StateRefusal::Snapshot(_)), "{refusal:?}");
    assert_eq!(state.load_commit(), Err(StateRefusal::NotBegun));
    assert_eq!(viewers(&state), ["1 anne"]);
}

#[test]
fn the_second_begin_drops_the_first() {
    let mut state = empty();
    let (first, second) = (snapshot(), other(|_| ()));
    let (header, body) = split(&first);
    state.load_begin(header).unwrap();
    state.load_chunk(&body[..5]).unwrap();
    let (header, body) = split(&second);
    state.load_begin(header).unwrap();
    state.load_chunk(body).unwrap();
    state.load_commit().unwrap();
    assert_eq!(viewers(&state), ["2 bob"]);
    // A begin that fails drops it too.
    let third = other(|statement| statement.position.epoch = 10);
    let (header, body) = split(&third);
    state.load_begin(header).unwrap();
    assert_eq!(state.load_begin(&[]), Err(StateRefusal::Container(ContainerProblem::Truncated)));
    assert_eq!(state.load_chunk(body), Err(StateRefusal::NotBegun));
    assert_eq!(viewers(&state), ["2 bob"]);
}

#[test]
fn an_incomplete_body_is_not_committed() {
    let mut state = loaded();
    let later = other(|_| ());
    let (header, body) = split(&later);
    for length in [0, 1, body.len() - 1] {
        state.load_begin(header).unwrap();
        state.load_chunk(&body[..length]).unwrap();
        let truncated = StateRefusal::Container(ContainerProblem::Truncated);
        assert_eq!(state.load_commit(), Err(truncated), "{length}");
        assert_eq!(state.load_chunk(body), Err(StateRefusal::NotBegun));
    }
    assert_eq!(state.meta(), Some(&meta()));
}

#[test]
fn a_wrong_piece_ends_the_load() {
    let mut state = loaded();
    let later = other(|_| ());
    let (header, body) = split(&later);
    let mut wrong = body.to_vec();
    *wrong.last_mut().unwrap() ^= 1;
    let longer = [body, &[0]].concat();
    let cases = [
        (wrong, ContainerProblem::Digest { chunk: 0 }),
        (longer, ContainerProblem::Trailing),
        (vec![0; MIB + 1], ContainerProblem::TooLarge),
    ];
    for (piece, problem) in cases {
        state.load_begin(header).unwrap();
        assert_eq!(state.load_chunk(&piece), Err(StateRefusal::Container(problem)));
        assert_eq!(state.load_chunk(body), Err(StateRefusal::NotBegun));
        assert_eq!(state.load_commit(), Err(StateRefusal::NotBegun));
    }
    assert_eq!(state.meta(), Some(&meta()));
    assert_eq!(viewers(&state), ["1 anne"]);
}

#[test]
fn a_load_at_once_drops_one_that_was_begun() {
    let later = other(|_| ());
    let (header, body) = split(&later);
    let mut state = loaded();
    state.load_begin(header).unwrap();
    refuse(&mut state, b"MANDATE");
    assert_eq!(state.load_chunk(body), Err(StateRefusal::NotBegun));
    state.load_begin(header).unwrap();
    state.load(&snapshot()).unwrap();
    assert_eq!(state.load_chunk(body), Err(StateRefusal::NotBegun));
}

#[test]
fn pieces_need_not_end_where_chunks_do() {
    let body: Vec<u8> = (0..2 * MIB + 9).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let container = sealed(&snapshot_statement(), &body);
    let (header, body) = split(&container);
    for size in [MIB, MIB - 1, 700_000, 349_525] {
        let mut state = empty();
        state.load_begin(header).unwrap();
        for piece in body.chunks(size) {
            state.load_chunk(piece).unwrap();
        }
        // Every digest held; only then is it looked at, and it is no snapshot.
        let refusal = state.load_commit().map(|_| ()).unwrap_err();
        assert!(matches!(refusal, StateRefusal::Snapshot(_)), "{refusal:?}");
        // The piece that completes a wrong chunk is refused, and none before.
        let mut wrong = body.to_vec();
        wrong[MIB + 1] ^= 1;
        state.load_begin(header).unwrap();
        let refused = wrong.chunks(size).position(|piece| state.load_chunk(piece).is_err());
        assert_eq!(refused, Some((2 * MIB - 1) / size), "{size}");
        let digest = StateRefusal::Container(ContainerProblem::Digest { chunk: 1 });
        assert_eq!(state.fresh(&Freshness::at(NOW)).err(), Some(digest));
    }
}

#[test]
fn whatever_is_refused_leaves_what_was_in_force() {
    let by_another_key = {
        let statement = Statement { position: Position::new(1, 9), ..snapshot_statement() };
        seal(&statement, &body(&[]), &key(2)).unwrap()
    };
    let container = |problem| StateRefusal::Container(problem);
    let rollback = |era, epoch| StateRefusal::Rollback {
        floor: Position::new(1, 7),
        found: Position::new(era, epoch),
    };
    let cases = [
        (Vec::new(), container(ContainerProblem::Truncated)),
        (snapshot()[..99].to_vec(), container(ContainerProblem::Truncated)),
        (by_another_key, container(ContainerProblem::KeyUnknown { key: key(2).id() })),
        (delta(7, 8, &[]), container(ContainerProblem::Kind)),
        (
            other(|statement| statement.deployment = "initech".to_owned()),
            StateRefusal::Deployment { found: "initech".to_owned() },
        ),
        (
            other(|statement| statement.slice = "half".to_owned()),
            StateRefusal::Slice { found: "half".to_owned() },
        ),
        (other(|statement| statement.position = Position::new(1, 6)), rollback(1, 6)),
        (other(|statement| statement.position = Position::new(0, 99)), rollback(0, 99)),
    ];
    for (bytes, refusal) in cases {
        let mut state = loaded();
        assert_eq!(refuse(&mut state, &bytes), refusal);
        assert_eq!(state.meta(), Some(&meta()));
        assert_eq!(state.floor(), Some(Position::new(1, 7)));
        assert_eq!(viewers(&state), ["1 anne"]);
        // While nothing is in force, questions are told what went wrong.
        let mut state = State::new(config_with(&[1], r#","floor":{"era":1,"epoch":7}"#));
        assert_eq!(refuse(&mut state, &bytes), refusal);
        assert_eq!(state.fresh(&Freshness::at(NOW)).err(), Some(refusal));
        state.load(&snapshot()).unwrap();
        state.fresh(&Freshness::at(NOW)).unwrap();
    }
}

#[test]
fn a_signed_body_that_is_no_snapshot_is_refused() {
    let good = body(&[("document:1", "user:anne")]);
    for length in [0, 1, good.len() / 2, good.len() - 1] {
        let mut state = loaded();
        let later = Statement { position: Position::new(1, 9), ..snapshot_statement() };
        let refusal = refuse(&mut state, &sealed(&later, &good[..length]));
        assert!(matches!(refusal, StateRefusal::Snapshot(_)), "{length}: {refusal:?}");
        assert_eq!(state.meta(), Some(&meta()));
        assert_eq!(viewers(&state), ["1 anne"]);
    }
}

#[test]
fn an_instance_may_set_a_lower_limit() {
    let bytes = body(&[("document:1", "user:anne")]).len();
    let exact = format!(r#","maximum_bytes":{bytes}"#);
    State::new(config_with(&[1], &exact)).load(&snapshot()).unwrap();
    let less = format!(r#","maximum_bytes":{}"#, bytes - 1);
    let mut state = State::new(config_with(&[1], &less));
    let too_large = StateRefusal::Container(ContainerProblem::TooLarge);
    assert_eq!(refuse(&mut state, &snapshot()), too_large);
}

#[test]
fn a_floor_survives_a_restart() {
    let mut state = loaded();
    state.apply_delta(&delta(7, 8, &[])).unwrap();
    let floor = state.floor().unwrap();
    let kept = format!(r#","floor":{{"era":{},"epoch":{}}}"#, floor.era, floor.epoch);
    let mut restarted = State::new(config_with(&[1], &kept));
    let rollback = StateRefusal::Rollback { floor, found: Position::new(1, 7) };
    assert_eq!(refuse(&mut restarted, &snapshot()), rollback);
    assert_eq!(restarted.floor(), Some(floor));
    restarted.load(&other(|statement| statement.position.epoch = 8)).unwrap();
    assert_eq!(viewers(&restarted), ["2 bob"]);
}

#[test]
fn a_commit_after_later_deltas_is_a_rollback() {
    let mut state = loaded();
    let later = other(|statement| statement.position.epoch = 8);
    let (header, bytes) = split(&later);
    state.load_begin(header).unwrap();
    state.load_chunk(bytes).unwrap();
    state.apply_delta(&delta(7, 9, &[])).unwrap();
    let rollback =
        StateRefusal::Rollback { floor: Position::new(1, 9), found: Position::new(1, 8) };
    assert_eq!(state.load_commit(), Err(rollback));
    assert_eq!(viewers(&state), ["1 anne"]);
}

#[test]
fn a_new_era_is_later_whatever_its_epoch() {
    let mut state = loaded();
    let restored = other(|statement| statement.position = Position::new(2, 3));
    state.load(&restored).unwrap();
    assert_eq!(viewers(&state), ["2 bob"]);
    let rollback =
        StateRefusal::Rollback { floor: Position::new(2, 3), found: Position::new(1, 7) };
    assert_eq!(refuse(&mut state, &snapshot()), rollback);
}

#[test]
fn a_snapshot_loaded_again_is_as_recent_as_the_last_heartbeat() {
    let mut state = loaded();
    state.apply_delta(&heartbeat(7, NOW + 50)).unwrap();
    assert_eq!(state.load(&snapshot()), Ok(&Meta { issued_at: NOW + 50, ..meta() }));
    // Heartbeats of the era before say nothing about what a restored registry holds.
    let restored = other(|statement| {
        statement.position = Position::new(2, 3);
        statement.issued_at = NOW + 20;
    });
    assert_eq!(state.load(&restored).unwrap().issued_at, NOW + 20);
}

#[test]
fn keys_rotate_without_a_gap() {
    let mut state = State::new(config_with(&[1, 2], ""));
    state.load(&snapshot()).unwrap();
    let by_the_second =
        |statement: &Statement, body: &[u8]| seal(statement, body, &key(2)).unwrap();
    state.apply_delta(&by_the_second(&delta_statement(7, 8), b"")).unwrap();
    // The first key goes only after a snapshot that it has no part in.
    let later = Statement { position: Position::new(1, 9), ..snapshot_statement() };
    state.load(&by_the_second(&later, &body(&[("document:2", "user:bob")]))).unwrap();
    state.reconfigure(config_with(&[2, 3], ""));
    assert_eq!(viewers(&state), ["2 bob"]);
    let refusal = refuse(&mut state, &other(|statement| statement.position.epoch = 10));
    let unknown = ContainerProblem::KeyUnknown { key: key(1).id() };
    assert_eq!(refusal, StateRefusal::Container(unknown));
}

#[test]
fn what_a_withdrawn_key_has_signed_is_dropped() {
    // The snapshot is the first key's, the last delta the second's.
    let with_both = || {
        let mut state = State::new(config_with(&[1, 2], ""));
        state.load(&snapshot()).unwrap();
        state.apply_delta(&seal(&delta_statement(7, 8), b"", &key(2)).unwrap()).unwrap();
        state
    };
    for keys in [[1, 3], [2, 3]] {
        let mut state = with_both();
        state.reconfigure(config_with(&keys, ""));
        assert_eq!(state.meta(), None);
        assert_eq!(state.fresh(&Freshness::at(NOW)).err(), Some(StateRefusal::Missing));
        assert_eq!(state.floor(), Some(Position::new(1, 8)), "the floor stays");
    }
    let mut state = with_both();
    state.reconfigure(config_with(&[2, 1], ""));
    assert_eq!(viewers(&state), ["1 anne"]);
}

#[test]
fn a_new_configuration_drops_what_it_does_not_admit() {
    let mut state = loaded();
    let later = other(|_| ());
    let (header, bytes) = split(&later);
    state.load_begin(header).unwrap();
    state.reconfigure(config_with(&[1], r#","floor":{"era":1,"epoch":2}"#));
    assert_eq!(state.load_chunk(bytes), Err(StateRefusal::NotBegun));
    assert_eq!(state.floor(), Some(Position::new(1, 7)));
    assert_eq!(viewers(&state), ["1 anne"]);
    state.reconfigure(config_with(&[1], r#","floor":{"era":1,"epoch":8}"#));
    let rollback =
        StateRefusal::Rollback { floor: Position::new(1, 8), found: Position::new(1, 7) };
    assert_eq!(state.fresh(&Freshness::at(NOW)).err(), Some(rollback));
    // Another slice begins anew: its history is its own.
    let mut state = loaded();
    let text =
        format!(r#"{{"deployment":"globex","slice":"half","keys":[{}]}}"#, key(1).to_public_jwk());
    state.reconfigure(mandate_authz::state::StateConfig::parse(&text).unwrap());
    assert_eq!((state.meta(), state.floor()), (None, None));
    state
        .load(&other(|statement| {
            statement.slice = "half".to_owned();
            statement.position = Position::new(1, 2);
        }))
        .unwrap();
    assert_eq!(viewers(&state), ["2 bob"]);
}

#[test]
fn a_raw_snapshot_decides_nothing() {
    let mut state = loaded();
    let raw = other(|statement| statement.raw = true);
    let expected = Meta { position: Position::new(1, 9), snapshot_epoch: 9, raw: true, ..meta() };
    assert_eq!(state.load(&raw), Ok(&expected));
    assert_eq!(state.fresh(&Freshness::at(NOW)).err(), Some(StateRefusal::Raw));
    state.fresh_or_raw(&Freshness::at(NOW)).unwrap();
    assert_eq!(viewers(&state), ["2 bob"]);
}

proptest! {
    // Each case builds or seals something; campaigns run longer ones.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pieces_of_any_size_make_the_same_snapshot(sizes in prop::collection::vec(1..400_usize, 1..40)) {
        let container = snapshot();
        let (header, mut rest) = split(&container);
        let mut state = empty();
        state.load_begin(header).unwrap();
        for size in sizes.into_iter().cycle() {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            state.load_chunk(piece).unwrap();
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(state.load_commit(), Ok(&meta()));
        prop_assert_eq!(viewers(&state), ["1 anne"]);
    }

    #[test]
    fn hostile_bodies_are_refused_or_read(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = body(&[("document:1", "user:anne"), ("team:a", "user:bob"), ("document:2", "team:a#member")]);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let mut state = empty();
        if state.load(&sealed(&snapshot_statement(), &bytes)).is_ok() {
            let fresh = state.fresh(&Freshness::at(NOW)).unwrap();
            prop_assert_eq!(fresh.body_bytes(), bytes.len());
        } else {
            prop_assert_eq!(state.meta(), None);
        }
    }
}

// In WebAssembly the memory of the one before was cut up, and every VM came to hold three.
#[test]
fn a_snapshot_takes_the_place_of_the_one_before_the_last() {
    let mut state = loaded();
    let many: Vec<_> = (0..200).map(|number| format!("document:{number}x")).collect();
    let many: Vec<_> = many.iter().map(|document| (document.as_str(), "user:eve")).collect();
    let few = [("document:1", "user:anne")];
    let other = [("document:1", "user:bob")];
    // Longer and shorter ones, and one that is refused when most of it has come.
    for (epoch, rows) in (8..).zip([&few[..], &other, &many, &few, &other, &many, &other]) {
        let statement = Statement { position: Position::new(1, epoch), ..snapshot_statement() };
        let whole = sealed(&statement, &body(rows));
        let before = viewers(&state);
        let mut spoilt = whole.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        assert!(matches!(state.load(&spoilt), Err(StateRefusal::Container(_))));
        assert_eq!(viewers(&state), before);
        state.load(&whole).unwrap();
        let mut fresh = empty();
        fresh.load(&whole).unwrap();
        assert_eq!(viewers(&state), viewers(&fresh), "{epoch}");
        assert_eq!(state.snapshot().unwrap().body_bytes(), body(rows).len());
    }
}
