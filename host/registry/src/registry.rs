//! The registry over a database: one transaction for every write.

use mandate_authz::container::Position;
use mandate_authz::model::{Admission, Model};
use mandate_authz::policy::Policy;

use crate::actor::Actor;
use crate::confirm::Confirm;
use crate::database::{Access, Database, Transaction, Value};
use crate::error::RegistryError;
use crate::limits::DEPLOYMENT_BYTES;
use crate::look_up::Matter;
use crate::migration;
use crate::permission::Deed;
use crate::random::Randomness;
use crate::text;
use crate::writing::Writing;

/// What somebody wants to be done: who, when, and whether it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// Seconds since the epoch.
    pub now: u64,
    /// Whether it is meant.
    pub confirm: Confirm,
}

/// What a write gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written<T> {
    /// What it gave.
    pub outcome: T,
    /// The position in the log that includes it; of a dry run the one that it would have had.
    pub position: Position,
}

/// The registry.
#[derive(Debug)]
pub struct Registry {
    database: Box<dyn Database>,
    rules: Rules,
    randomness: Box<dyn Randomness>,
}

/// What relationships and records have to fit.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) admission: Admission<'static>,
    pub(crate) policy: Policy,
}

impl Registry {
    /// A registry whose database has the schema of this program.
    ///
    /// # Errors
    /// Another schema, a model whose conditions do not compile, an unreachable database.
    pub fn open(
        mut database: Box<dyn Database>,
        model: Model,
        policy: Policy,
        randomness: Box<dyn Randomness>,
    ) -> Result<Self, RegistryError> {
        let engine = database.engine();
        migration::require_latest(&mut *database.begin(Access::Read)?, engine)?;
        let admission = Admission::owning(model).map_err(RegistryError::Invalid)?;
        Ok(Self { database, rules: Rules { admission, policy }, randomness })
    }

    /// Makes the one row from which everything counts: era 1, epoch 0.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] where there is one.
    pub fn initialize(&mut self, deployment: &str, now: u64) -> Result<(), RegistryError> {
        text::check("the name of a deployment", deployment)?;
        if deployment.len() > DEPLOYMENT_BYTES {
            let message =
                format!("the name of a deployment is longer than {DEPLOYMENT_BYTES} bytes");
            return Err(RegistryError::Invalid(message));
        }
        text::check_time(now)?;
        let mut transaction = self.database.begin(Access::Write)?;
        let sql = "insert into registry (id, deployment, era, epoch, created_at) \
            values (1, $1, 1, 0, $2) on conflict (id) do nothing";
        if transaction.execute(sql, &[deployment.into(), now.into()])? == 0 {
            return Err(RegistryError::Conflict("the registry is initialized already".to_owned()));
        }
        transaction.commit()
    }

    /// The position of the last write.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] before [`Registry::initialize`].
    pub fn position(&mut self) -> Result<Position, RegistryError> {
        self.read(|transaction, _| {
            let rows = transaction.query("select era, epoch from registry", &[])?;
            let row = rows.first().ok_or_else(uninitialized)?;
            Ok(Position { era: row.number(0)?, epoch: row.number(1)? })
        })
    }

    /// Begins a new era, as has to be done after the registry was restored from a backup: consumers
    /// take no position of the old one for newer, and fetch a snapshot.
    ///
    /// # Errors
    /// Anybody but an operator.
    pub fn new_era(&mut self, act: &Act) -> Result<Written<()>, RegistryError> {
        self.write(act, |writing| {
            writing.require(Deed::BeginEra, Matter::default())?;
            writing.begin_era()
        })
    }

    /// One state of the database, read.
    pub(crate) fn read<T>(
        &mut self,
        read: impl FnOnce(&mut dyn Transaction, &Rules) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut transaction = self.database.begin(Access::Read)?;
        read(&mut *transaction, &self.rules)
    }

    /// A write transaction that is no change of the registry: audit alone.
    pub(crate) fn append<T>(
        &mut self,
        append: impl FnOnce(&mut dyn Transaction) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let mut transaction = self.database.begin(Access::Write)?;
        let outcome = append(&mut *transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }

    /// One write: everything or nothing.
    ///
    /// Taking the next epoch takes the registry's row as well: writers come one after another, so
    /// that the order of epochs is the order of commits.
    pub(crate) fn write<T>(
        &mut self,
        act: &Act,
        deed: impl FnOnce(&mut Writing<'_>) -> Result<T, RegistryError>,
    ) -> Result<Written<T>, RegistryError> {
        text::check_time(act.now)?;
        let mut transaction = self.database.begin(Access::Write)?;
        let sql = "update registry set epoch = epoch + 1 where id = $1 \
            returning era, epoch, deployment";
        let rows = transaction.query(sql, &[Value::Integer(1)])?;
        let row = rows.first().ok_or_else(uninitialized)?;
        let position = Position { era: row.number(0)?, epoch: row.number(1)? };
        let deployment = row.text(2)?;
        let mut writing = Writing::new(
            &mut *transaction,
            &self.rules,
            &*self.randomness,
            act,
            position,
            deployment,
        );
        let outcome = deed(&mut writing)?;
        let position = writing.finish()?;
        if act.confirm == Confirm::Confirmed {
            transaction.commit()?;
        }
        Ok(Written { outcome, position })
    }
}

pub(crate) fn uninitialized() -> RegistryError {
    RegistryError::NotFound("registry in this database: initialize it first".to_owned())
}
