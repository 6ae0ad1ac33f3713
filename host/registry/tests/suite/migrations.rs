//! Migrations up and down, with data.

use mandate_registry::audit::{Broken, Intact, Verdict};
use mandate_registry::confirm::Confirm::{Confirmed, DryRun};
use mandate_registry::database::{Access, Row, Value};
use mandate_registry::error::RegistryError;
use mandate_registry::migration::{self, Direction, Step};

use crate::scene::NOW;
use crate::segments::seal;
use crate::store::Store;
use crate::tampering::{chain, key};

/// Every migration, up.
const STEPS: [Step; 5] = [
    step(1, "core"),
    step(2, "audit"),
    step(3, "segments"),
    step(4, "contract"),
    step(5, "bootstrap"),
];

const LAST: u32 = 5;

const fn step(number: u32, name: &'static str) -> Step {
    Step { direction: Direction::Up, number, name }
}

/// The way back from the last one, as far as there are steps given.
fn down(steps: &[Step]) -> Vec<Step> {
    let down = |step: &Step| Step { direction: Direction::Down, ..step.clone() };
    steps.iter().rev().map(down).collect()
}

fn number(row: &Row) -> i64 {
    match row.values()[0] {
        Value::Integer(number) => number,
        ref other => panic!("{other:?} is no number"),
    }
}

pub(crate) fn a_dry_run_tells_the_steps_and_touches_nothing(store: &Store) {
    let mut database = store.open();
    assert_eq!(migration::apply(&mut *database, LAST, 5, DryRun), Ok(STEPS.to_vec()));
    assert_eq!(store.tables(), [""; 0]);
    assert_eq!(migration::apply(&mut *database, 1, 5, Confirmed), Ok(STEPS[..1].to_vec()));
    assert_eq!(migration::plan(&mut *database, LAST), Ok(STEPS[1..].to_vec()));
    assert_eq!(migration::plan(&mut *database, 0), Ok(down(&STEPS[..1])));
    let unknown = RegistryError::NotFound(format!("migration {}, only {LAST}", LAST + 1));
    assert_eq!(migration::plan(&mut *database, LAST + 1), Err(unknown));
    let both = format!("{} {}", STEPS[0], down(&STEPS[1..2])[0]);
    assert_eq!(both, "up 0001-core down 0002-audit");
}

pub(crate) fn everything_goes_down_and_up_again(store: &Store) {
    let mut database = store.open();
    for _ in 0..2 {
        assert_eq!(migration::apply(&mut *database, LAST, 5, Confirmed), Ok(STEPS.to_vec()));
        assert_eq!(migration::apply(&mut *database, LAST, 6, Confirmed), Ok(vec![]));
        assert_eq!(migration::apply(&mut *database, 0, 7, Confirmed), Ok(down(&STEPS)));
        assert_eq!(store.tables(), ["migration"]);
    }
}

pub(crate) fn data_survives_the_migrations_above_it(store: &Store) {
    let mut registry = crate::scene::scene(store);
    let later = ["audit_", "bootstrap", "contract_version", "migration", "outbox"];
    let is_later = |name: &String| later.iter().any(|later| name.starts_with(later));
    let core: Vec<String> = store.tables().into_iter().filter(|name| !is_later(name)).collect();
    let dump = || core.iter().map(|table| store.dump(table)).collect::<Vec<_>>();
    let before = dump();
    assert!(before.iter().filter(|rows| !rows.is_empty()).count() >= 7, "{before:?}");
    assert!(!store.dump("audit_event").is_empty());
    let mut database = store.open();
    assert_eq!(migration::apply(&mut *database, 1, 5, Confirmed), Ok(down(&STEPS[1..])));
    assert_eq!(dump(), before);
    // A write needs both: without its audit it is no write.
    let refused = registry.put_person(&crate::scene::local(), &crate::scene::person("eve", &[]));
    assert!(matches!(refused, Err(RegistryError::Database(_))), "{refused:?}");
    assert_eq!(dump(), before);
    assert_eq!(migration::apply(&mut *database, LAST, 5, Confirmed), Ok(STEPS[1..].to_vec()));
    assert_eq!(dump(), before);
    assert_eq!(store.dump("audit_event"), Vec::<Vec<String>>::new());
    registry.put_person(&crate::scene::local(), &crate::scene::person("eve", &[])).expect("both");
    assert_eq!(store.dump("audit_event").len(), 1);
}

pub(crate) fn what_was_not_sealed_survives_the_way_down_and_up(store: &Store) {
    let mut registry = chain(store);
    let (key, pinned) = key(1);
    seal(&mut registry, NOW + 4, &key);
    let keys = [pinned];
    let sealed = registry.verify_audit("acme", None, &keys);
    let intact = Intact { records: 7, sealed: Some(3), vouched: None };
    assert_eq!(sealed, Ok(Verdict::Intact(intact)));
    let before = store.dump("audit_event");
    let mut database = store.open();
    assert_eq!(migration::apply(&mut *database, 2, 5, Confirmed), Ok(down(&STEPS[2..])));
    assert_eq!(store.dump("audit_event"), before);
    assert_eq!(migration::apply(&mut *database, LAST, 5, Confirmed), Ok(STEPS[2..].to_vec()));
    assert_eq!(store.dump("audit_event"), before);
    // What stood for the sealed records is gone, and that is said: docs/rollback.md.
    let missing = Ok(Verdict::Broken(Broken::Missing { sequence: 1 }));
    assert_eq!(registry.verify_audit("acme", None, &keys), missing);
}

pub(crate) fn a_changed_migration_is_noticed(store: &Store) {
    let mut database = store.migrated();
    store.run("update migration set checksum = 'x' where number = $1", &[Value::Integer(1)]);
    let changed = RegistryError::SchemaChecksum { number: 1 };
    assert_eq!(migration::plan(&mut *database, 0), Err(changed.clone()));
    assert_eq!(migration::apply(&mut *database, 0, 5, Confirmed), Err(changed.clone()));
    let line = "migration 1 of the database is not the one of this program";
    assert_eq!(changed.to_string(), line);
    assert_eq!(store.tables().len(), 20);
}

pub(crate) fn two_processes_migrate_at_once(store: &Store) {
    let steps = std::thread::scope(|scope| {
        let processes: Vec<_> = (0..4)
            .map(|_| {
                let mut database = store.open();
                scope.spawn(move || migration::apply(&mut *database, LAST, 5, Confirmed))
            })
            .collect();
        processes.into_iter().map(|process| process.join().expect("no panic")).collect::<Vec<_>>()
    });
    let steps: Vec<_> = steps.into_iter().map(|steps| steps.expect("no error")).collect();
    assert_eq!(steps.iter().filter(|steps| **steps == STEPS).count(), 1, "{steps:?}");
    assert_eq!(steps.iter().filter(|steps| steps.is_empty()).count(), 3, "{steps:?}");
    let mut database = store.open();
    let mut transaction = database.begin(Access::Read).expect("a transaction");
    let rows = transaction.query("select count(*) from migration", &[]).expect("the ledger");
    assert_eq!(rows.iter().map(number).collect::<Vec<_>>(), [i64::from(LAST)]);
}
