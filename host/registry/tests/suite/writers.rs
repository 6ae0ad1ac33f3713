//! Several writers, and writes that fail.

use mandate_authz::container::Position;
use mandate_registry::audit::{Intact, Verdict};
use mandate_registry::database::{Access, Value};
use mandate_registry::error::RegistryError;

use crate::scene::{NOW, by, connect, dry, helper, local, object, person, scene, tuple};
use crate::store::Store;

const WRITES: u64 = 20;

pub(crate) fn two_connections_that_write_at_once_lose_nothing(store: &Store) {
    let mut registry = scene(store);
    let before = registry.position().expect("a position");
    let records = |registry: &mut mandate_registry::Registry| match registry.verify_audit(
        "acme",
        None,
        &[],
    ) {
        Ok(Verdict::Intact(Intact { records, .. })) => records,
        other => panic!("{other:?}"),
    };
    let chained = records(&mut registry);
    let mut epochs = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let mut registry = connect(store);
                scope.spawn(move || {
                    let write = |number| {
                        let person = person(&format!("w{writer}-{number}"), &["acme"]);
                        registry
                            .put_person(&local(), &person)
                            .expect("it is written")
                            .position
                            .epoch
                    };
                    (0..WRITES).map(write).collect::<Vec<_>>()
                })
            })
            .collect();
        let epochs = writers.into_iter().map(|writer| writer.join().expect("no panic"));
        epochs.collect::<Vec<_>>()
    });
    // Each writer sees its own epochs rise, and no epoch is given twice.
    assert!(epochs.iter().all(|epochs| epochs.is_sorted()));
    let mut all = epochs.concat();
    epochs.clear();
    all.sort_unstable();
    let expected: Vec<_> = (before.epoch + 1..=before.epoch + 2 * WRITES).collect();
    assert_eq!(all, expected);
    let changes = registry.changes_after(before, 100_000).expect("the log");
    let mut logged: Vec<_> = changes.iter().map(|change| change.position.epoch).collect();
    logged.dedup();
    assert_eq!(logged, expected);
    assert_eq!(records(&mut registry), chained + 2 * 2 * WRITES);
}

pub(crate) fn an_era_begins_where_the_last_one_ended(store: &Store) {
    let mut registry = scene(store);
    let old = registry.position().expect("a position");
    let next = Position::new(old.era + 1, old.epoch + 1);
    assert_eq!(registry.new_era(&dry()).map(|written| written.position), Ok(next));
    assert_eq!(registry.position(), Ok(old));
    let denied = RegistryError::Denied("`user:anne` may not begin an era".to_owned());
    assert_eq!(registry.new_era(&by("user:anne")).map(drop), Err(denied));
    assert_eq!(registry.new_era(&local()).map(|written| written.position), Ok(next));
    assert_eq!(registry.position(), Ok(next));
    let written = registry.suspend_identity(&local(), &object("agent:helper")).expect("active");
    assert_eq!(written.position, Position::new(old.era + 1, old.epoch + 2));
    // Who stands in the old era is told of nothing, and has to take a snapshot.
    assert_eq!(registry.changes_after(old, 10), Ok(vec![]));
    assert_eq!(registry.changes_after(next, 10).map(|changes| changes.len()), Ok(1));
}

pub(crate) fn a_transaction_that_failed_does_not_commit_as_if_it_had_not(store: &Store) {
    drop(scene(store));
    let mut database = store.open();
    let mut transaction = database.begin(Access::Write).expect("a transaction");
    let sql = "insert into object (name) values ('x:1')";
    assert_eq!(transaction.execute(sql, &[]), Ok(1));
    let twice = transaction.execute(sql, &[]);
    assert!(matches!(twice, Err(RegistryError::Conflict(_))), "{twice:?}");
    let committed = transaction.commit().is_ok();
    let stored = store.query("select name from object where name = 'x:1'").len();
    assert_eq!(stored, usize::from(committed));
}

pub(crate) fn a_write_that_fails_leaves_nothing(store: &Store) {
    let mut registry = scene(store);
    let dump = || store.tables().iter().map(|table| store.dump(table)).collect::<Vec<_>>();
    let before = dump();
    let board = [tuple("board:b#viewer@user:bob"), tuple("board:b#can_view@user:bob")];
    registry.write_relationships(&local(), &board).expect_err("the second does not fit");
    let mut taken = person("eve", &["acme"]);
    taken.subjects[0].name = "sub-bob".to_owned();
    registry.put_person(&local(), &taken).expect_err("the subject is bob's");
    assert_eq!(dump(), before);
    // The last step of all: the chain cannot be appended to.
    let sql = "insert into audit_event (tenant, sequence, kind, decision_id, time, record, hash) \
        values ('acme', $1, 'change', 'planted', 1, '{}', $2)";
    let end = store.query("select sequence from audit_chain where tenant = 'acme'");
    let Value::Integer(end) = end[0].values()[0] else { panic!("{end:?}") };
    store.run(sql, &[Value::Integer(end + 1), Value::Bytes(vec![0; 32])]);
    let planted = dump();
    let refused = registry.suspend_identity(&local(), &object("agent:helper")).map(drop);
    assert!(matches!(refused, Err(RegistryError::Conflict(_))), "{refused:?}");
    let new = mandate_registry::identity::NewIdentity {
        object: object("agent:new"),
        expires_at: Some(NOW + 1),
        ..helper()
    };
    registry.create_identity(&local(), &new).expect_err("the chain is blocked");
    assert_eq!(dump(), planted);
}
