//! The schema: numbered migrations, each reversible, one form for each database.

use std::fmt;

use mandate_authn::base64url;
use ring::digest;

use crate::confirm::Confirm;
use crate::database::{Access, Database, Engine, Transaction, Value};
use crate::error::RegistryError;

/// One migration.
#[derive(Debug)]
struct Migration {
    number: u32,
    name: &'static str,
    postgres: Scripts,
    sqlite: Scripts,
}

#[derive(Debug)]
struct Scripts {
    up: &'static str,
    down: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal, $file:literal) => {
        Migration {
            number: $number,
            name: $name,
            postgres: Scripts {
                up: include_str!(concat!("../migrations/", $file, ".postgres.up.sql")),
                down: include_str!(concat!("../migrations/", $file, ".postgres.down.sql")),
            },
            sqlite: Scripts {
                up: include_str!(concat!("../migrations/", $file, ".sqlite.up.sql")),
                down: include_str!(concat!("../migrations/", $file, ".sqlite.down.sql")),
            },
        }
    };
}

/// Every migration, from the first. One that was released never changes.
const MIGRATIONS: [Migration; 5] = [
    migration!(1, "core", "0001-core"),
    migration!(2, "audit", "0002-audit"),
    migration!(3, "segments", "0003-segments"),
    migration!(4, "contract", "0004-contract"),
    migration!(5, "bootstrap", "0005-bootstrap"),
];

/// The number of the last migration: what this program works with.
#[must_use]
pub fn latest() -> u32 {
    MIGRATIONS.last().map_or(0, |migration| migration.number)
}

/// Which way a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Takes a migration back, with the data of its tables.
    Down,
    /// Applies a migration.
    Up,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which way it goes.
    pub direction: Direction,
    /// The migration's number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Down => "down",
            Direction::Up => "up",
        };
        write!(formatter, "{direction} {:04}-{}", self.number, self.name)
    }
}

/// What [`apply`] would do to get to a migration; 0 is the empty database. Touches nothing.
///
/// # Errors
/// A schema that is newer than this program, or that is not the one it knows.
pub fn plan(database: &mut dyn Database, target: u32) -> Result<Vec<Step>, RegistryError> {
    let engine = database.engine();
    let mut transaction = database.begin(Access::Read)?;
    let current = current(&mut *transaction, engine)?;
    steps(current, target)
}

/// Goes to a migration, all steps or none; `now` is written beside each. A dry run gives the steps.
///
/// Of two processes that do so at once, the second waits, and finds nothing left to do.
///
/// # Errors
/// As [`plan`], and what the database says.
pub fn apply(
    database: &mut dyn Database,
    target: u32,
    now: u64,
    confirm: Confirm,
) -> Result<Vec<Step>, RegistryError> {
    if confirm == Confirm::DryRun {
        return plan(database, target);
    }
    let engine = database.engine();
    let mut transaction = database.begin(Access::Write)?;
    transaction.lock_schema()?;
    let steps = steps(current(&mut *transaction, engine)?, target)?;
    if !steps.is_empty() {
        transaction.script(LEDGER)?;
    }
    for step in &steps {
        take(&mut *transaction, engine, step, now)?;
    }
    transaction.commit()?;
    Ok(steps)
}

/// Requires the schema of this program.
///
/// # Errors
/// [`RegistryError::SchemaOlder`], and as [`plan`].
pub(crate) fn require_latest(
    transaction: &mut dyn Transaction,
    engine: Engine,
) -> Result<(), RegistryError> {
    let found = current(transaction, engine)?;
    let known = latest();
    if found == known { Ok(()) } else { Err(RegistryError::SchemaOlder { found, known }) }
}

fn take(
    transaction: &mut dyn Transaction,
    engine: Engine,
    step: &Step,
    now: u64,
) -> Result<(), RegistryError> {
    let migration = find(step.number)?;
    let number = Value::from(u64::from(step.number));
    match step.direction {
        Direction::Down => {
            transaction.script(migration.scripts(engine).down)?;
            transaction.execute("delete from migration where number = $1", &[number])?;
        }
        Direction::Up => {
            transaction.script(migration.scripts(engine).up)?;
            let sql = "insert into migration (number, name, checksum, applied_at) \
                values ($1, $2, $3, $4)";
            let checksum = migration.checksum(engine);
            let values = [number, migration.name.into(), checksum.into(), now.into()];
            transaction.execute(sql, &values)?;
        }
    }
    Ok(())
}

/// What was applied, in a form that both databases read.
const LEDGER: &str = "create table if not exists migration (\
    number bigint primary key, name text not null, checksum text not null, applied_at bigint not null)";

/// The last migration of the database: all before it are there, and all are ours.
fn current(transaction: &mut dyn Transaction, engine: Engine) -> Result<u32, RegistryError> {
    if !transaction.has_table("migration")? {
        return Ok(0);
    }
    let rows = transaction.query("select number, checksum from migration order by number", &[])?;
    let mut last = 0;
    for row in rows {
        let number = u32::try_from(row.number(0)?).unwrap_or(u32::MAX);
        if number > latest() {
            return Err(RegistryError::SchemaNewer { found: number, known: latest() });
        }
        let migration = find(number)?;
        if u32::checked_add(last, 1) != Some(number) || row.text(1)? != migration.checksum(engine) {
            return Err(RegistryError::SchemaChecksum { number });
        }
        last = number;
    }
    Ok(last)
}

fn steps(current: u32, target: u32) -> Result<Vec<Step>, RegistryError> {
    if target > latest() {
        return Err(RegistryError::NotFound(format!("migration {target}, only {}", latest())));
    }
    let step = |direction| {
        move |migration: &Migration| Step {
            direction,
            number: migration.number,
            name: migration.name,
        }
    };
    let between = |migration: &&Migration| {
        migration.number > current.min(target) && migration.number <= current.max(target)
    };
    let between = MIGRATIONS.iter().filter(between);
    Ok(if target > current {
        between.map(step(Direction::Up)).collect()
    } else {
        between.rev().map(step(Direction::Down)).collect()
    })
}

fn find(number: u32) -> Result<&'static Migration, RegistryError> {
    let found = MIGRATIONS.iter().find(|migration| migration.number == number);
    found.ok_or(RegistryError::SchemaChecksum { number })
}

impl Migration {
    const fn scripts(&self, engine: Engine) -> &Scripts {
        match engine {
            Engine::Postgres => &self.postgres,
            Engine::Sqlite => &self.sqlite,
        }
    }

    /// SHA-256 over both scripts, base64url.
    fn checksum(&self, engine: Engine) -> String {
        let Scripts { up, down } = self.scripts(engine);
        let text = [up.as_bytes(), &[0], down.as_bytes()].concat();
        base64url::encode(digest::digest(&digest::SHA256, &text).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        let numbers: Vec<u32> = MIGRATIONS.iter().map(|migration| migration.number).collect();
        assert_eq!(numbers, (1..=latest()).collect::<Vec<_>>());
    }

    #[test]
    fn both_databases_get_the_same_tables_and_columns() {
        for migration in &MIGRATIONS {
            let words = |scripts: &Scripts| {
                let same = scripts.up.replace("bigint", "integer").replace("bytea", "blob");
                same.replace(" collate \"C\"", "").replace(") strict;", ");")
            };
            assert_eq!(words(&migration.postgres), words(&migration.sqlite));
            assert_eq!(migration.postgres.down, migration.sqlite.down);
        }
    }
}
