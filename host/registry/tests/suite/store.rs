//! A database for one test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use mandate_registry::confirm::Confirm;
use mandate_registry::database::{self, Access, Database, Engine, Row, Value};
use mandate_registry::migration;

use crate::server::{Server, server};

/// A database for one test, empty at first.
#[derive(Debug)]
pub(crate) enum Store {
    Postgres { server: &'static Server, name: String },
    Sqlite { folder: PathBuf },
}

impl Store {
    pub(crate) fn sqlite() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("mandate-registry-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        Self::Sqlite { folder }
    }

    pub(crate) fn postgres() -> Option<Self> {
        server().map(Self::on)
    }

    /// An empty database of a server.
    pub(crate) fn on(server: &'static Server) -> Self {
        Self::Postgres { server, name: server.make_database() }
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Postgres { server, name } => server.url(name),
            Self::Sqlite { folder } => format!("sqlite:{}", folder.join("registry.db").display()),
        }
    }

    pub(crate) fn open(&self) -> Box<dyn Database> {
        database::open(&self.address()).expect("the database opens")
    }

    /// The database with the schema of this program.
    pub(crate) fn migrated(&self) -> Box<dyn Database> {
        let mut database = self.open();
        migration::apply(&mut *database, migration::latest(), 1, Confirm::Confirmed)
            .expect("an empty database migrates");
        database
    }

    /// Somebody's hand in the database.
    pub(crate) fn run(&self, sql: &str, values: &[Value]) -> u64 {
        let mut database = self.open();
        let mut transaction = database.begin(Access::Write).expect("a transaction");
        let changed =
            transaction.execute(sql, values).unwrap_or_else(|error| panic!("{error}: {sql}"));
        transaction.commit().expect("it is written");
        changed
    }

    pub(crate) fn query(&self, sql: &str) -> Vec<Row> {
        let mut database = self.open();
        let mut transaction = database.begin(Access::Read).expect("a transaction");
        transaction.query(sql, &[]).unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// Every table, but the catalogue.
    pub(crate) fn tables(&self) -> Vec<String> {
        let sql = match self.open().engine() {
            Engine::Postgres => {
                "select cast(tablename as text) from pg_tables where schemaname = 'public' order by 1"
            }
            Engine::Sqlite => "select name from sqlite_master where type = 'table' order by 1",
        };
        let name = |row: &Row| match &row.values()[0] {
            Value::Text(name) => name.clone(),
            other => panic!("{other:?} is no name of a table"),
        };
        self.query(sql).iter().map(name).collect()
    }

    /// Everything in a table, value by value, in the words of the database.
    pub(crate) fn dump(&self, table: &str) -> Vec<Vec<String>> {
        let text = |value: &Value| match value {
            Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Null => "null".to_owned(),
            Value::Text(text) => text.clone(),
        };
        let rows = self.query(&format!("select * from {table} order by 1"));
        rows.iter().map(|row| row.values().iter().map(text).collect()).collect()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Self::Sqlite { folder } = self {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
