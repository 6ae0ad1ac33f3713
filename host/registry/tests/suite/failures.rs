//! What goes wrong outside of the registry: one clear line each.

use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::database::{
    self, Access, Database as _, PostgresDatabase, PostgresOptions, SqliteDatabase, Value,
};
use mandate_registry::error::RegistryError;
use mandate_registry::migration;
use mandate_registry::random::SystemRandomness;

use crate::scene::{empty, local, model, object, person, policy, scene};
use crate::server::{PASSWORD, Tls, server, server_with_tls};
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
fn a_postgres_elsewhere_is_spoken_to_by_tls_that_is_verified() {
    let authority = |name: &str| {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        // Of two of one name, one would have signed badly, and not be unknown.
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = parameters.self_signed(&key).expect("a certificate");
        (certificate.pem(), rcgen::Issuer::new(parameters, key))
    };
    let ((ours, issuer), (other, _)) = (authority("ours"), authority("other"));
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = names.signed_by(&key, &issuer).expect("a certificate").pem();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let tls = Tls { certificate: &certificate, key: &key.serialize_pem(), port };
    let Some(_server) = server_with_tls(&tls) else { return };
    let open = |host: &str, authorities: &str| {
        let url = format!("postgres://mandate@{host}:{port}/postgres?sslmode=disable");
        let options = PostgresOptions {
            password: Some(PASSWORD.to_owned()),
            authorities: Some(authorities.as_bytes().to_vec()),
        };
        PostgresDatabase::open_with(&url, &options)
    };
    let mut database = open("localhost", &ours).expect("the certificate is verified");
    let mut transaction = database.begin(Access::Read).expect("a transaction");
    let sql = "select cast(ssl as text) from pg_stat_ssl where pid = pg_backend_pid()";
    let rows = transaction.query(sql, &[]).expect("a row");
    assert_eq!(rows[0].values(), [Value::Text("true".to_owned())]);
    let refused = |host: &str, authorities: &str| {
        open(host, authorities).map(drop).expect_err("it is not that server").to_string()
    };
    let stranger = refused("localhost", &other);
    assert!(stranger.ends_with("invalid peer certificate: UnknownIssuer"), "{stranger}");
    let other_name = refused("127.0.0.1", &ours);
    assert!(other_name.contains("invalid peer certificate: certificate not valid"), "{other_name}");
    let none = refused("localhost", "no certificate");
    let line = "the certificate authorities of the database: no `BEGIN CERTIFICATE` among them";
    assert_eq!(none, line);
    let socket = refused("%2Ftmp", &ours);
    assert_eq!(socket, "a Unix socket has no TLS: name a host, or no authorities");
}

#[test]
fn a_server_that_declines_tls_is_told_nothing() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let said = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        // SSLRequest (Postgres 17, section 55.2.11): eight bytes; `N` declines.
        let mut request = [0; 8];
        stream.read_exact(&mut request).expect("a request");
        stream.write_all(b"N").expect("an answer");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the end");
        rest
    });
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let options = PostgresOptions {
        password: Some("planted".to_owned()),
        authorities: Some(certificate.expect("a certificate").cert.pem().into_bytes()),
    };
    let url = format!("postgres://mandate@localhost:{port}/registry");
    let refused = PostgresDatabase::open_with(&url, &options).map(drop).expect_err("no TLS");
    assert_eq!(refused.to_string(), "the database failed: server does not support TLS");
    assert_eq!(said.join().expect("no panic"), b"");
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
