//! Postgres: one connection, made anew after it was lost.

use std::collections::HashMap;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Access, Database, Engine, Row, STATEMENTS, Transaction, Value};
use crate::error::RegistryError;

/// What holds in every session, whatever the server's or the user's defaults are: no commit is
/// acknowledged before it is on the disk, and nobody waits for ever. Statements are kept, plans are
/// not: one that was made for an empty table would be kept while it fills.
const SESSION: &str = "set synchronous_commit = on; set lock_timeout = '5s'; \
    set plan_cache_mode = force_custom_plan; \
    set default_transaction_isolation = 'read committed'; set client_encoding = 'UTF8'";

/// The advisory lock of who changes the schema: `mandate` as bytes.
const SCHEMA_LOCK: i64 = 0x006d_616e_6461_7465;

/// What a connection needs beside its URL.
#[derive(Clone, Default)]
pub struct PostgresOptions {
    /// The password, where it does not stand in the URL.
    pub password: Option<String>,
    /// Certificate authorities (PEM). With them every connection is TLS 1.2 or 1.3, by a certificate
    /// of theirs for the host's name.
    pub authorities: Option<Vec<u8>>,
}

impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PostgresOptions").finish_non_exhaustive()
    }
}

/// A database on a server.
pub struct PostgresDatabase {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    connection: Option<Connection>,
    /// A call has found the connection gone. The client learns of it later, by itself.
    lost: Arc<AtomicBool>,
}

/// A connection with its prepared statements, by their text.
struct Connection {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl std::fmt::Debug for PostgresDatabase {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PostgresDatabase").finish_non_exhaustive()
    }
}

impl PostgresDatabase {
    /// Connects to `postgres://USER:PASSWORD@HOST/DATABASE`, whose host is a folder with a Unix
    /// socket (percent-encoded) or an address of the loopback.
    ///
    /// # Errors
    /// [`RegistryError::TlsNeeded`] for another machine; what the server says.
    pub fn open(url: &str) -> Result<Self, RegistryError> {
        Self::open_with(url, &PostgresOptions::default())
    }

    /// As [`PostgresDatabase::open`], and on another machine too, where there are authorities.
    ///
    /// # Errors
    /// As [`PostgresDatabase::open`]; authorities that cannot be read, or are given for a Unix socket.
    pub fn open_with(url: &str, options: &PostgresOptions) -> Result<Self, RegistryError> {
        // The library's message could repeat a part of the URL, in which a password may stand.
        let malformed = |_| RegistryError::Invalid("this is no URL of a Postgres".to_owned());
        let mut config: Config = url.parse().map_err(malformed)?;
        let tls = options.authorities.as_deref().map(trusting).transpose()?;
        if tls.is_some() {
            if config.get_hosts().iter().any(|host| !matches!(host, Host::Tcp(_))) {
                let problem = "a Unix socket has no TLS: name a host, or no authorities";
                return Err(RegistryError::Invalid(problem.to_owned()));
            }
            config.ssl_mode(SslMode::Require);
        } else if !is_local(&config) {
            return Err(RegistryError::TlsNeeded);
        }
        if let Some(password) = &options.password {
            config.password(password);
        }
        config.connect_timeout(Duration::from_secs(10)).application_name("mandate");
        let mut database = Self { config, tls, connection: None, lost: Arc::default() };
        database.connection()?;
        Ok(database)
    }

    fn connection(&mut self) -> Result<&mut Connection, RegistryError> {
        if self.lost.swap(false, Ordering::Relaxed)
            || self.connection.as_ref().is_some_and(|connection| connection.client.is_closed())
        {
            self.connection = None;
        }
        if self.connection.is_none() {
            let client = match &self.tls {
                None => self.config.connect(NoTls),
                Some(tls) => self.config.connect(tls.clone()),
            };
            let mut client = client.map_err(|error| failure(&error))?;
            client.batch_execute(SESSION).map_err(|error| failure(&error))?;
            self.connection = Some(Connection { client, statements: HashMap::new() });
        }
        let gone = || RegistryError::Unreachable("no connection".to_owned());
        self.connection.as_mut().ok_or_else(gone)
    }
}

/// TLS by these authorities alone.
fn trusting(pem: &[u8]) -> Result<MakeRustlsConnect, RegistryError> {
    let refuse = |problem: String| {
        RegistryError::Invalid(format!("the certificate authorities of the database: {problem}"))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("no `BEGIN CERTIFICATE` among them".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Whether what is said to every host of the configuration stays on this machine.
fn is_local(config: &Config) -> bool {
    let hosts = config.get_hosts();
    let addresses = config.get_hostaddrs();
    let named = hosts.iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    named && addresses.iter().all(IpAddr::is_loopback)
}

impl Database for PostgresDatabase {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        let lost = Arc::clone(&self.lost);
        let Connection { client, statements } = self.connection()?;
        let builder = client.build_transaction();
        let builder = match access {
            // One state from the first statement to the last.
            Access::Read => {
                builder.read_only(true).isolation_level(postgres::IsolationLevel::RepeatableRead)
            }
            // Each statement sees what was committed before it: the writer that waited for the
            // registry's row sees everything of the one before.
            Access::Write => builder.isolation_level(postgres::IsolationLevel::ReadCommitted),
        };
        let transaction = builder.start().map_err(|error| noticed(&error, &lost))?;
        Ok(Box::new(PostgresTransaction { transaction, statements, failed: false, lost }))
    }
}

struct PostgresTransaction<'c> {
    transaction: postgres::Transaction<'c>,
    /// The connection's own.
    statements: &'c mut HashMap<String, Statement>,
    /// A statement failed: Postgres would answer a commit with a rollback, and call it a success.
    failed: bool,
    /// The database's own.
    lost: Arc<AtomicBool>,
}

impl<'c> PostgresTransaction<'c> {
    /// Runs a statement that was prepared once; one that fails is prepared anew the next time.
    fn run<T>(
        &mut self,
        sql: &str,
        run: impl FnOnce(&mut postgres::Transaction<'c>, &Statement) -> Result<T, postgres::Error>,
    ) -> Result<T, RegistryError> {
        let statement = self.prepared(sql);
        let ran = statement.and_then(|statement| run(&mut self.transaction, &statement));
        if ran.is_err() {
            self.statements.remove(sql);
        }
        self.note(ran)
    }

    fn prepared(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(sql)?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn note<T>(&mut self, result: Result<T, postgres::Error>) -> Result<T, RegistryError> {
        self.failed |= result.is_err();
        result.map_err(|error| noticed(&error, &self.lost))
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}

impl Transaction for PostgresTransaction<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, RegistryError> {
        self.run(sql, |transaction, statement| transaction.execute(statement, &parameters(values)))
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, RegistryError> {
        let rows = self
            .run(sql, |transaction, statement| transaction.query(statement, &parameters(values)))?;
        rows.iter().map(row).collect::<Result<_, _>>().map_err(|error| failure(&error))
    }

    fn rows_at_once(&self) -> usize {
        // Each statement is a trip to the server and back.
        64
    }

    fn script(&mut self, sql: &str) -> Result<(), RegistryError> {
        let done = self.transaction.batch_execute(sql);
        self.note(done)
    }

    fn has_table(&mut self, name: &str) -> Result<bool, RegistryError> {
        let sql = "select cast(to_regclass($1) as text)";
        let rows = self.query(sql, &[name.into()])?;
        Ok(rows.first().is_some_and(|row| row.optional(0).is_some()))
    }

    fn lock_schema(&mut self) -> Result<(), RegistryError> {
        let sql = "select cast(pg_advisory_xact_lock($1) as text)";
        self.query(sql, &[Value::Integer(SCHEMA_LOCK)]).map(drop)
    }

    fn commit(self: Box<Self>) -> Result<(), RegistryError> {
        if self.failed {
            let text = "a statement of this transaction failed".to_owned();
            return Err(RegistryError::Database(text));
        }
        let Self { transaction, lost, .. } = *self;
        transaction.commit().map_err(|error| {
            let known = noticed(&error, &lost);
            // The server's answer is missing, or says that it went away: neither is a no.
            let is_lost = matches!(known, RegistryError::Unreachable(_));
            let is_lost = is_lost || error.as_db_error().is_none();
            if is_lost { RegistryError::CommitUnknown } else { known }
        })
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Bytes(bytes) => bytes.to_sql(of, out),
            Self::Integer(number) => number.to_sql(of, out),
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => text.to_sql(of, out),
        }
    }

    /// Every column has the type of the values that are written there; the server checks the bytes.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn row(row: &postgres::Row) -> Result<Row, postgres::Error> {
    let columns = row.columns().iter().enumerate();
    let values = columns.map(|(at, column)| {
        Ok(match *column.type_() {
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map_or(Value::Null, integer),
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map_or(Value::Null, Value::Integer),
            _ => row.try_get::<_, Option<String>>(at)?.into(),
        })
    });
    values.collect::<Result<_, _>>().map(Row::new)
}

fn integer(number: i32) -> Value {
    Value::Integer(number.into())
}

/// As [`failure`]; a connection that is gone is not used again.
fn noticed(error: &postgres::Error, lost: &AtomicBool) -> RegistryError {
    let known = failure(error);
    if matches!(known, RegistryError::Unreachable(_)) {
        lost.store(true, Ordering::Relaxed);
    }
    known
}

/// The server's message without its detail, in which values may stand.
fn failure(error: &postgres::Error) -> RegistryError {
    let Some(found) = error.as_db_error() else {
        let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        return if error.is_closed()
            || error.source().is_some_and(|source| source.is::<std::io::Error>())
        {
            RegistryError::Unreachable(text)
        } else {
            RegistryError::Database(text)
        };
    };
    let text = found.message().to_owned();
    let is = |states: &[SqlState]| states.contains(found.code());
    if is(&[SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION]) {
        RegistryError::Authentication
    } else if is(&[SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED]) {
        RegistryError::Busy
    } else if is(&[SqlState::DISK_FULL]) {
        RegistryError::Full
    } else if found.code().code().starts_with("23") {
        RegistryError::Conflict(text)
    } else if found.code().code().starts_with("57P") || is(&[SqlState::UNDEFINED_DATABASE]) {
        RegistryError::Unreachable(text)
    } else {
        RegistryError::Database(text)
    }
}
