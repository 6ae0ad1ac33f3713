//! Migrations up and down, with data.

use mandate_registry::confirm::Confirm::{Confirmed, DryRun};
use mandate_registry::database::{Access, Row, Value};
use mandate_registry::error::RegistryError;
use mandate_registry::migration::{self, Direction, Step};

use crate::store::Store;

const CORE: Step = Step { direction: Direction::Up, number: 1, name: "core" };
const AUDIT: Step = Step { direction: Direction::Up, number: 2, name: "audit" };

const fn down(step: &Step) -> Step {
    Step { direction: Direction::Down, number: step.number, name: step.name }
}

fn number(row: &Row) -> i64 {
    match row.values()[0] {
        Value::Integer(number) => number,
        ref other => panic!("{other:?} is no number"),
    }
}

pub(crate) fn a_dry_run_tells_the_steps_and_touches_nothing(store: &Store) {
    let mut database = store.open();
    assert_eq!(migration::apply(&mut *database, 2, 5, DryRun), Ok(vec![CORE, AUDIT]));
    assert_eq!(store.tables(), [""; 0]);
    assert_eq!(migration::apply(&mut *database, 1, 5, Confirmed), Ok(vec![CORE]));
    assert_eq!(migration::plan(&mut *database, 2), Ok(vec![AUDIT]));
    assert_eq!(migration::plan(&mut *database, 0), Ok(vec![down(&CORE)]));
    let unknown = RegistryError::NotFound("migration 3, only 2".to_owned());
    assert_eq!(migration::plan(&mut *database, 3), Err(unknown));
    assert_eq!(format!("{CORE} {}", down(&AUDIT)), "up 0001-core down 0002-audit");
}

pub(crate) fn everything_goes_down_and_up_again(store: &Store) {
    let mut database = store.open();
    for _ in 0..2 {
        assert_eq!(migration::apply(&mut *database, 2, 5, Confirmed), Ok(vec![CORE, AUDIT]));
        assert_eq!(migration::apply(&mut *database, 2, 6, Confirmed), Ok(vec![]));
        let steps = vec![down(&AUDIT), down(&CORE)];
        assert_eq!(migration::apply(&mut *database, 0, 7, Confirmed), Ok(steps));
        assert_eq!(store.tables(), ["migration"]);
    }
}

pub(crate) fn data_survives_the_migrations_above_it(store: &Store) {
    let mut registry = crate::scene::scene(store);
    let core = store.tables().into_iter().filter(|name| !name.starts_with("audit_"));
    let core: Vec<String> = core.filter(|name| name != "migration").collect();
    let dump = || core.iter().map(|table| store.dump(table)).collect::<Vec<_>>();
    let before = dump();
    assert!(before.iter().filter(|rows| !rows.is_empty()).count() >= 7, "{before:?}");
    assert!(!store.dump("audit_event").is_empty());
    let mut database = store.open();
    assert_eq!(migration::apply(&mut *database, 1, 5, Confirmed), Ok(vec![down(&AUDIT)]));
    assert_eq!(dump(), before);
    // A write needs both: without its audit it is no write.
    let refused = registry.put_person(&crate::scene::local(), &crate::scene::person("eve", &[]));
    assert!(matches!(refused, Err(RegistryError::Database(_))), "{refused:?}");
    assert_eq!(dump(), before);
    assert_eq!(migration::apply(&mut *database, 2, 5, Confirmed), Ok(vec![AUDIT]));
    assert_eq!(dump(), before);
    assert_eq!(store.dump("audit_event"), Vec::<Vec<String>>::new());
    registry.put_person(&crate::scene::local(), &crate::scene::person("eve", &[])).expect("both");
    assert_eq!(store.dump("audit_event").len(), 1);
}

pub(crate) fn a_changed_migration_is_noticed(store: &Store) {
    let mut database = store.migrated();
    store.run("update migration set checksum = 'x' where number = $1", &[Value::Integer(1)]);
    let changed = RegistryError::SchemaChecksum { number: 1 };
    assert_eq!(migration::plan(&mut *database, 0), Err(changed.clone()));
    assert_eq!(migration::apply(&mut *database, 0, 5, Confirmed), Err(changed.clone()));
    let line = "migration 1 of the database is not the one of this program";
    assert_eq!(changed.to_string(), line);
    assert_eq!(store.tables().len(), 15);
}

pub(crate) fn two_processes_migrate_at_once(store: &Store) {
    let steps = std::thread::scope(|scope| {
        let processes: Vec<_> = (0..4)
            .map(|_| {
                let mut database = store.open();
                scope.spawn(move || migration::apply(&mut *database, 2, 5, Confirmed))
            })
            .collect();
        processes.into_iter().map(|process| process.join().expect("no panic")).collect::<Vec<_>>()
    });
    let steps: Vec<_> = steps.into_iter().map(|steps| steps.expect("no error")).collect();
    assert_eq!(steps.iter().filter(|steps| **steps == [CORE, AUDIT]).count(), 1, "{steps:?}");
    assert_eq!(steps.iter().filter(|steps| steps.is_empty()).count(), 3, "{steps:?}");
    let mut database = store.open();
    let mut transaction = database.begin(Access::Read).expect("a transaction");
    let rows = transaction.query("select count(*) from migration", &[]).expect("the ledger");
    assert_eq!(rows.iter().map(number).collect::<Vec<_>>(), [2]);
}
