//! What goes wrong outside of the registry: one clear line each.

use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::database::{self, Access, SqliteDatabase, Value};
use mandate_registry::error::RegistryError;
use mandate_registry::migration;
use mandate_registry::random::SystemRandomness;

use crate::scene::{empty, local, model, object, person, policy, scene};
use crate::server::server;
use crate::skip::skip;
use crate::store::Store;

pub(crate) fn a_newer_schema_is_refused_and_left_alone(store: &Store) {
    let mut database = store.migrated();
    let known = migration::latest();
    let found = known + 1;
    let sql =
        "insert into migration (number, name, checksum, applied_at) values ($1, 'next', 'x', 9)";
    store.run(sql, &[u64::from(found).into()]);
    let newer = RegistryError::SchemaNewer { found, known };
    assert_eq!(migration::plan(&mut *database, known), Err(newer.clone()));
    assert_eq!(migration::apply(&mut *database, 0, 9, Confirm::Confirmed), Err(newer.clone()));
    let opened = Registry::open(database, model(), policy(), Box::new(SystemRandomness::new()));
    assert_eq!(opened.map(drop), Err(newer.clone()));
    let line = format!(
        "the database has migration {found}, this program knows {known}: use a newer program"
    );
    assert_eq!(newer.to_string(), line);
    assert_eq!(u32::try_from(store.dump("migration").len()), Ok(found));
}

pub(crate) fn an_empty_database_is_told_to_be_migrated(store: &Store) {
    let opened = Registry::open(store.open(), model(), policy(), Box::new(SystemRandomness::new()));
    let older = opened.map(drop).expect_err("there is nothing");
    let known = migration::latest();
    assert_eq!(older, RegistryError::SchemaOlder { found: 0, known });
    let line = format!("the database has migration 0 of {known}: migrate it first");
    assert_eq!(older.to_string(), line);
    assert_eq!(store.tables(), [""; 0]);
}

pub(crate) fn a_registry_that_is_not_initialized_says_so(store: &Store) {
    drop(store.migrated());
    let mut registry = crate::scene::connect(store);
    let refused = registry.put_person(&local(), &person("anne", &[]));
    let line = "there is no registry in this database: initialize it first";
    assert_eq!(refused.map(drop).map_err(|error| error.to_string()), Err(line.to_owned()));
}

pub(crate) fn a_registry_is_initialized_once(store: &Store) {
    let mut registry = empty(store);
    let long = registry.initialize(&"x".repeat(129), 9);
    let line = "the name of a deployment is longer than 128 bytes".to_owned();
    assert_eq!(long, Err(RegistryError::Invalid(line)));
    let again = RegistryError::Conflict("the registry is initialized already".to_owned());
    assert_eq!(registry.initialize("other", 9), Err(again));
    assert_eq!(store.dump("registry")[0][1..], ["test", "1", "0", "1000000"]);
}

#[test]
fn a_locked_file_is_busy() {
    let store = Store::sqlite();
    let mut registry = scene(&store);
    let mut other = store.open();
    let writing = other.begin(Access::Write).expect("the first writer");
    let busy = registry.put_person(&local(), &person("eve", &[])).map(drop);
    assert_eq!(busy, Err(RegistryError::Busy));
    assert_eq!(RegistryError::Busy.to_string(), "the database is locked by another writer");
    drop(writing);
    registry.put_person(&local(), &person("eve", &[])).expect("the lock is gone");
}

#[test]
fn a_locked_row_of_postgres_is_busy() {
    let Some(store) = Store::postgres() else { return };
    let mut registry = scene(&store);
    let mut other = store.open();
    let mut writing = other.begin(Access::Write).expect("the first writer");
    writing.execute("update registry set epoch = epoch", &[]).expect("the row");
    let busy = registry.put_person(&local(), &person("eve", &[])).map(drop);
    assert_eq!(busy, Err(RegistryError::Busy));
    drop(writing);
    registry.put_person(&local(), &person("eve", &[])).expect("the lock is gone");
}

#[test]
fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let store = Store::sqlite();
    drop(scene(&store));
    let Store::Sqlite { folder } = &store else { return };
    for file in std::fs::read_dir(folder).expect("the folder") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("its mode").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.path().display());
    }
}

#[test]
fn what_is_no_database_cannot_be_reached() {
    let store = Store::sqlite();
    let Store::Sqlite { folder } = &store else { return };
    let missing = folder.join("missing").join("registry.db");
    let refused = database::open(&missing.display().to_string()).map(drop);
    assert!(matches!(refused, Err(RegistryError::Unreachable(_))), "{refused:?}");
    let text = folder.join("text.db");
    std::fs::write(
        &text,
        "this is a text, and longer than a header of a database is, a hundred bytes",
    )
    .expect("a file");
    let refused = SqliteDatabase::open(&text, std::time::Duration::ZERO).map(drop);
    let line = "the database cannot be reached: file is not a database";
    assert_eq!(refused.map_err(|error| error.to_string()), Err(line.to_owned()));
}

#[test]
fn a_full_disk_is_said_and_nothing_is_written() {
    let part = "registry: a_full_disk_is_said_and_nothing_is_written";
    let store = Store::sqlite();
    let Store::Sqlite { folder } = &store else { return };
    let mount = |options: &str| {
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder)
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success())
    };
    if !mount("size=1200k") {
        return skip(part, "no tmpfs can be mounted here");
    }
    let _unmount = Unmount(folder.clone());
    let mut registry = scene(&store);
    let mut position = registry.position().expect("a position");
    let full = (0..10_000).find_map(|number| {
        let person = person(&format!("person-{number}"), &["acme"]);
        match registry.put_person(&local(), &person) {
            Ok(written) => {
                position = written.position;
                None
            }
            Err(error) => Some(error),
        }
    });
    assert_eq!(full, Some(RegistryError::Full));
    assert_eq!(RegistryError::Full.to_string(), "no space is left for the database");
    assert_eq!(registry.position(), Ok(position));
    let verdict = registry.verify_audit("acme", None, &[]).expect("it can be read");
    assert!(matches!(verdict, mandate_registry::audit::Verdict::Intact(_)), "{verdict:?}");
}

struct Unmount(std::path::PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_wrong_password_of_postgres_is_one_line_without_it() {
    let Some(server) = server() else { return };
    let refused = database::open(&server.url_with("postgres", "planted-wrong")).map(drop);
    assert_eq!(refused, Err(RegistryError::Authentication));
    let line = "the database does not accept this user name and password";
    assert_eq!(RegistryError::Authentication.to_string(), line);
    let missing = database::open(&server.url("nowhere")).map(drop);
    let text = "database \"nowhere\" does not exist".to_owned();
    assert_eq!(missing, Err(RegistryError::Unreachable(text)));
}

#[test]
fn a_postgres_elsewhere_is_refused_without_tls() {
    for host in ["db.example", "192.0.2.1", "[2001:db8::1]", "localhost,db.example"] {
        let url = format!("postgres://mandate:planted@{host}/registry?connect_timeout=1");
        let refused = database::open(&url).map(drop);
        assert_eq!(refused, Err(RegistryError::TlsNeeded), "{host}");
    }
    let hostaddr = "postgres://mandate:planted@localhost/registry?hostaddr=192.0.2.1";
    assert_eq!(database::open(hostaddr).map(drop), Err(RegistryError::TlsNeeded));
    let malformed = database::open("postgres://mandate:planted@:x/registry?what=1").map(drop);
    let text = "this is no URL of a Postgres".to_owned();
    assert_eq!(malformed, Err(RegistryError::Invalid(text)));
}

#[test]
fn a_lost_connection_fails_one_call_and_the_next_one_connects() {
    let Some(store) = Store::postgres() else { return };
    let mut registry = scene(&store);
    let before = registry.position().expect("a position");
    let Store::Postgres { server, name } = &store else { return };
    server.disconnect(name);
    let lost = registry.put_person(&local(), &person("eve", &[])).map(drop);
    assert!(matches!(lost, Err(RegistryError::Unreachable(_))), "{lost:?}");
    assert_eq!(registry.position(), Ok(before));
    registry.put_person(&local(), &person("eve", &[])).expect("a new connection");
}

#[test]
fn a_commit_whose_answer_is_lost_says_that_nobody_knows() {
    let Some(store) = Store::postgres() else { return };
    drop(scene(&store));
    let mut database = store.open();
    let mut transaction = database.begin(Access::Write).expect("a transaction");
    let name = object("user:eve").to_string();
    let sql = "insert into object (name) values ($1)";
    transaction.execute(sql, &[Value::Text(name)]).expect("a row");
    let Store::Postgres { server, name } = &store else { return };
    server.disconnect(name);
    assert_eq!(transaction.commit(), Err(RegistryError::CommitUnknown));
    let line = "the connection was lost during the commit: unknown whether it was written";
    assert_eq!(RegistryError::CommitUnknown.to_string(), line);
    database.begin(Access::Read).map(drop).expect("a new connection");
}
