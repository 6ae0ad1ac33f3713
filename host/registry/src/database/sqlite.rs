//! SQLite: one file of mode 0600, WAL, every commit on the disk.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::{Access, Database, Engine, Row, STATEMENTS, Transaction, Value};
use crate::error::RegistryError;

/// A database in a file.
#[derive(Debug)]
pub struct SqliteDatabase {
    connection: Connection,
}

impl SqliteDatabase {
    /// Opens the file, or makes it, readable by its owner alone. A writer waits for `busy`.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`] when the file cannot be opened, or is no database.
    pub fn open(path: &Path, busy: Duration) -> Result<Self, RegistryError> {
        make_file(path).map_err(|error| RegistryError::Unreachable(error.to_string()))?;
        let connection = Connection::open(path).map_err(|error| failure(&error))?;
        connection.busy_timeout(busy).map_err(|error| failure(&error))?;
        // FULL: what was acknowledged survives a loss of power as well.
        let settings = [("journal_mode", "wal"), ("synchronous", "full"), ("foreign_keys", "on")];
        for (name, value) in settings {
            connection.pragma_update(None, name, value).map_err(|error| failure(&error))?;
        }
        // 64 MiB, in units of 1,024 bytes: a large write that does not fit is written and read again
        // with each statement.
        connection.pragma_update(None, "cache_size", -65_536).map_err(|error| failure(&error))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // A schema that somebody planted runs no functions of its own.
        connection.pragma_update(None, "trusted_schema", "off").map_err(|error| failure(&error))?;
        Ok(Self { connection })
    }
}

fn make_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

impl Database for SqliteDatabase {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn begin(&mut self, access: Access) -> Result<Box<dyn Transaction + '_>, RegistryError> {
        let behavior = match access {
            Access::Read => TransactionBehavior::Deferred,
            Access::Write => TransactionBehavior::Immediate,
        };
        let transaction = self.connection.transaction_with_behavior(behavior);
        Ok(Box::new(SqliteTransaction(transaction.map_err(|error| failure(&error))?)))
    }
}

struct SqliteTransaction<'c>(rusqlite::Transaction<'c>);

impl SqliteTransaction<'_> {
    fn run<T>(
        &self,
        sql: &str,
        values: &[Value],
        read: impl FnOnce(&mut rusqlite::Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, RegistryError> {
        let run = || {
            // SQLite counts `$2` by where it stands, `?2` by its digits. No statement has the sign
            // elsewhere.
            let mut statement = self.0.prepare_cached(&sql.replace('$', "?"))?;
            for (number, value) in (1_usize..).zip(values) {
                match value {
                    Value::Bytes(bytes) => statement.raw_bind_parameter(number, bytes)?,
                    Value::Integer(integer) => statement.raw_bind_parameter(number, integer)?,
                    Value::Null => statement.raw_bind_parameter(number, rusqlite::types::Null)?,
                    Value::Text(text) => statement.raw_bind_parameter(number, text)?,
                }
            }
            read(&mut statement)
        };
        run().map_err(|error| failure(&error))
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, RegistryError> {
        let changed = self.run(sql, values, |statement| statement.raw_execute())?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, RegistryError> {
        self.run(sql, values, |statement| {
            let columns = statement.column_count();
            let mut found = Vec::new();
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                let values = (0..columns).map(|column| row.get_ref(column).and_then(value));
                found.push(Row::new(values.collect::<rusqlite::Result<_>>()?));
            }
            Ok(found)
        })
    }

    fn rows_at_once(&self) -> usize {
        // There is no trip to save, and one row after the other is faster: docs/performance.md#registry.
        1
    }

    fn script(&mut self, sql: &str) -> Result<(), RegistryError> {
        self.0.execute_batch(sql).map_err(|error| failure(&error))
    }

    fn has_table(&mut self, name: &str) -> Result<bool, RegistryError> {
        let sql = "select 1 from sqlite_master where type = 'table' and name = $1";
        Ok(!self.query(sql, &[name.into()])?.is_empty())
    }

    fn lock_schema(&mut self) -> Result<(), RegistryError> {
        // A write transaction is alone from its beginning.
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), RegistryError> {
        self.0.commit().map_err(|error| failure(&error))
    }
}

fn value(value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Null => Value::Null,
        ValueRef::Real(_) => return Err(rusqlite::Error::InvalidQuery),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
    })
}

/// SQLite's message names tables and columns, and no values.
fn failure(error: &rusqlite::Error) -> RegistryError {
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return RegistryError::Database(error.to_string());
    };
    let text = message.clone().unwrap_or_else(|| code.to_string());
    #[expect(clippy::wildcard_enum_match_arm, reason = "SQLite has more codes than anybody maps")]
    match code.code {
        ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::PermissionDenied => {
            RegistryError::Unreachable(text)
        }
        ErrorCode::ConstraintViolation => RegistryError::Conflict(text),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => RegistryError::Busy,
        ErrorCode::DiskFull => RegistryError::Full,
        _ => RegistryError::Database(text),
    }
}
