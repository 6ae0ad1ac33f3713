//! A write under way: its transaction, and what it has to leave beside what it changes.

use mandate_authz::container::Position;
use mandate_authz::name::ObjectName;
use mandate_authz::policy::Types;
use mandate_authz::row::Row;

use crate::audit::{self, Event};
use crate::change;
use crate::database::{Row as Found, Transaction, Value};
use crate::error::RegistryError;
use crate::random::Randomness;
use crate::registry::{Act, Rules};

/// What was changed, for the audit chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deed {
    /// In words that never change: `credential-revoke`.
    pub(crate) change: &'static str,
    /// The tenant in whose chain it stands.
    pub(crate) tenant: Option<String>,
    /// The machine identity that it is about.
    pub(crate) identity: Option<ObjectName>,
    /// The credential that it is about.
    pub(crate) credential: Option<String>,
    /// The person that it is about.
    pub(crate) user: Option<ObjectName>,
    /// What else it is about: a relationship, an object.
    pub(crate) item: Option<String>,
}

/// A write under way.
pub(crate) struct Writing<'w> {
    transaction: &'w mut dyn Transaction,
    pub(crate) rules: &'w Rules,
    pub(crate) randomness: &'w dyn Randomness,
    pub(crate) act: &'w Act,
    position: Position,
    deployment: String,
    rows: Vec<Row>,
    events: Vec<Event>,
}

impl<'w> Writing<'w> {
    pub(crate) fn new(
        transaction: &'w mut dyn Transaction,
        rules: &'w Rules,
        randomness: &'w dyn Randomness,
        act: &'w Act,
        position: Position,
        deployment: String,
    ) -> Self {
        let (rows, events) = (Vec::new(), Vec::new());
        Self { transaction, rules, randomness, act, position, deployment, rows, events }
    }

    /// The types that the contract names.
    pub(crate) fn types(&self) -> &'w Types {
        self.rules.policy.types()
    }

    /// The position that the write takes.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// The transaction, for what reads by it.
    pub(crate) fn transaction(&mut self) -> &mut dyn Transaction {
        self.transaction
    }

    pub(crate) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, RegistryError> {
        self.transaction.execute(sql, values)
    }

    pub(crate) fn query(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<Found>, RegistryError> {
        self.transaction.query(sql, values)
    }

    /// Whether a query finds anything.
    pub(crate) fn finds(&mut self, sql: &str, values: &[Value]) -> Result<bool, RegistryError> {
        Ok(!self.query(sql, values)?.is_empty())
    }

    /// Notes a row of the log; [`Writing::finish`] appends it.
    pub(crate) fn log(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Notes an audit event; [`Writing::finish`] appends it.
    pub(crate) fn note(&mut self, deed: &Deed) -> Result<(), RegistryError> {
        let number = self.events.len();
        let event = Event::of_change(deed, self.act, self.position, &self.deployment, number)?;
        self.events.push(event);
        Ok(())
    }

    /// Begins the era after this one. The epoch goes on, and so never goes back.
    pub(crate) fn begin_era(&mut self) -> Result<(), RegistryError> {
        let era = self.position.era.saturating_add(1);
        self.execute("update registry set era = $1 where id = 1", &[era.into()])?;
        self.position.era = era;
        self.note(&Deed { change: "new-era", ..Deed::default() })
    }

    /// Appends the rows of the log and the audit events. A write that changed nothing leaves none, and
    /// no more than an epoch.
    pub(crate) fn finish(self) -> Result<Position, RegistryError> {
        change::append(self.transaction, self.position, &self.rows)?;
        audit::append(self.transaction, &self.events)?;
        Ok(self.position)
    }
}
