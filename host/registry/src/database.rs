//! One small interface over two databases: transactions, statements with `$1`, and neutral values.
//!
//! Every statement of the registry is one text that both understand (docs/adr/0009); only
//! migrations have a form for each.

mod postgres;
mod rows;
mod sqlite;
mod value;

use std::fmt;

pub use self::postgres::{PostgresDatabase, PostgresOptions};
pub(crate) use self::rows::{insert, pieces, places, rows};
pub use self::sqlite::SqliteDatabase;
pub(crate) use self::value::unreadable;
pub use self::value::{Row, Value};
use crate::error::RegistryError;
use crate::limits::BUSY;

/// Prepared statements that a connection keeps. The registry has fewer; a list's filters make some more.
const STATEMENTS: usize = 256;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A server.
    Postgres,
    /// A file.
    Sqlite,
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading one state of the database.
    Read,
    /// Writing. On SQLite there is one writer at a time from here on.
    Write,
}

/// A database.
pub trait Database: fmt::Debug + Send {
    /// Which one it is.
    fn engine(&self) -> Engine;

    /// Begins a transaction. A connection that was lost is made anew here.
    ///
    /// # Errors
    /// When the database cannot be reached, or another writer holds it for too long.
    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, RegistryError>;
}

/// A transaction. Dropped without a commit, it leaves nothing behind.
pub trait Transaction {
    /// Runs a statement and gives the number of rows that it changed.
    ///
    /// # Errors
    /// What the database says.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, RegistryError>;

    /// Runs a statement and gives its rows.
    ///
    /// # Errors
    /// What the database says.
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, RegistryError>;

    /// Rows that a statement has at most where many are written or looked up.
    fn rows_at_once(&self) -> usize;

    /// Runs the statements of a migration.
    ///
    /// # Errors
    /// What the database says.
    fn script(&mut self, sql: &str) -> Result<(), RegistryError>;

    /// Whether there is a table.
    ///
    /// # Errors
    /// What the database says.
    fn has_table(&mut self, name: &str) -> Result<bool, RegistryError>;

    /// Makes every other process that would change the schema wait for the end of this transaction.
    ///
    /// # Errors
    /// When another one holds it for too long.
    fn lock_schema(&mut self) -> Result<(), RegistryError>;

    /// Makes what was done last.
    ///
    /// # Errors
    /// When it was not written, or nobody knows whether it was.
    fn commit(self: Box<Self>) -> Result<(), RegistryError>;
}

/// Opens `sqlite:PATH`, a path, or `postgres://…`.
///
/// # Errors
/// What is no such address, and what cannot be opened.
pub fn open(address: &str) -> Result<Box<dyn Database>, RegistryError> {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        return Ok(Box::new(PostgresDatabase::open(address)?));
    }
    let path = address.strip_prefix("sqlite:").unwrap_or(address);
    Ok(Box::new(SqliteDatabase::open(path.as_ref(), BUSY)?))
}
