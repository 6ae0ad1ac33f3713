//! What others asked to be told: written with the change that it tells of, delivered afterwards, at
//! least once.
//!
//! A message goes to hooks by name; where they are and their secrets are the configuration's.

use mandate_authn::base64url;

use crate::database::Row;
use crate::error::RegistryError;
use crate::limits::{COLUMN_CHARACTERS, DELIVERY_LEASE, DELIVERY_WAITS};
use crate::registry::Registry;
use crate::text;
use crate::writing::Writing;

/// A message, and who asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announcement {
    /// The names of their hooks.
    pub hooks: Vec<String>,
    /// The body.
    pub payload: String,
}

/// A message on its way to one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message's id: the same at every attempt, by which a receiver knows what it has.
    pub message: String,
    /// The hook's name.
    pub hook: String,
    /// The body.
    pub payload: String,
    /// When it was written.
    pub created_at: u64,
    /// How often it was tried.
    pub attempts: u64,
    /// When it is tried next; never again without it.
    pub next_at: Option<u64>,
    /// When it was delivered.
    pub delivered_at: Option<u64>,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The receiver has it.
    Delivered,
    /// It is tried again.
    Failed(String),
    /// The receiver does not want it.
    Refused(String),
}

const COLUMNS: &str =
    "message, hook, payload, created_at, attempts, next_at, delivered_at, problem";

impl Registry {
    /// The message that is due for a hook, if one is; nobody else gets it while it is tried.
    ///
    /// # Errors
    /// What the database says.
    pub fn claim_delivery(
        &mut self,
        hook: &str,
        now: u64,
    ) -> Result<Option<Delivery>, RegistryError> {
        text::check_time(now)?;
        // Most of the time nothing is due: that takes no lock.
        let rows = self.read(|transaction, _| {
            let sql = "select message, attempts from outbox \
                where hook = $1 and next_at is not null and next_at <= $2 \
                order by next_at, message limit 1";
            transaction.query(sql, &[hook.into(), now.into()])
        })?;
        let Some(due) = rows.first() else { return Ok(None) };
        self.append(|transaction| {
            // Of two who saw the same row, the second finds another number of attempts.
            let sql = format!(
                "update outbox set attempts = attempts + 1, next_at = $4 \
                where message = $1 and hook = $2 and attempts = $3 returning {COLUMNS}"
            );
            let lease = now.saturating_add(DELIVERY_LEASE);
            let attempts = due.number(1)?;
            let values = [due.text(0)?.into(), hook.into(), attempts.into(), lease.into()];
            transaction.query(&sql, &values)?.first().map(read).transpose()
        })
    }

    /// Writes down what became of an attempt, unless somebody else has tried since.
    ///
    /// # Errors
    /// What the database says.
    pub fn settle_delivery(
        &mut self,
        delivery: &Delivery,
        attempt: &Attempt,
        now: u64,
    ) -> Result<(), RegistryError> {
        text::check_time(now)?;
        let (next_at, delivered_at, problem) = match attempt {
            Attempt::Delivered => (None, Some(now), None),
            Attempt::Failed(problem) => {
                let tried = usize::try_from(delivery.attempts.saturating_sub(1)).ok();
                let wait = tried.and_then(|tried| DELIVERY_WAITS.get(tried));
                (wait.map(|wait| now.saturating_add(*wait)), None, Some(problem))
            }
            Attempt::Refused(problem) => (None, None, Some(problem)),
        };
        let problem: Option<String> = problem.map(|text| {
            let plain = text.chars().filter(|character| !character.is_control());
            plain.take(COLUMN_CHARACTERS).collect()
        });
        self.append(|transaction| {
            let sql = "update outbox set next_at = $4, delivered_at = $5, problem = $6 \
                where message = $1 and hook = $2 and attempts = $3";
            let values = [
                delivery.message.as_str().into(),
                delivery.hook.as_str().into(),
                delivery.attempts.into(),
                next_at.into(),
                delivered_at.into(),
                problem.into(),
            ];
            transaction.execute(sql, &values).map(drop)
        })
    }

    /// Makes due what a hook has not got, given up or waiting. Gives how many there are.
    ///
    /// # Errors
    /// What the database says.
    pub fn retry_deliveries(&mut self, hook: &str, now: u64) -> Result<u64, RegistryError> {
        text::check_time(now)?;
        self.append(|transaction| {
            let sql = "update outbox set next_at = $2 where hook = $1 and delivered_at is null";
            transaction.execute(sql, &[hook.into(), now.into()])
        })
    }

    /// The newest messages, as many as that.
    ///
    /// # Errors
    /// What the database says.
    pub fn deliveries(&mut self, most: u64) -> Result<Vec<Delivery>, RegistryError> {
        self.read(|transaction, _| {
            let sql = format!(
                "select {COLUMNS} from outbox order by created_at desc, message, hook limit $1"
            );
            transaction.query(&sql, &[most.into()])?.iter().map(read).collect()
        })
    }
}

/// Writes a message, in the transaction of what it tells of.
pub(crate) fn put(
    writing: &mut Writing<'_>,
    announcement: &Announcement,
) -> Result<(), RegistryError> {
    const ID_BYTES: usize = 16;
    let mut id = [0; ID_BYTES];
    writing.randomness.fill(&mut id)?;
    let message = format!("msg_{}", base64url::encode(&id));
    for hook in &announcement.hooks {
        text::check("the name of a hook", hook)?;
        let sql = "insert into outbox (message, hook, payload, created_at, attempts, next_at) \
            values ($1, $2, $3, $4, 0, $4)";
        let payload = announcement.payload.as_str();
        let values =
            [message.as_str().into(), hook.as_str().into(), payload.into(), writing.act.now.into()];
        writing.execute(sql, &values)?;
    }
    Ok(())
}

fn read(row: &Row) -> Result<Delivery, RegistryError> {
    Ok(Delivery {
        message: row.text(0)?,
        hook: row.text(1)?,
        payload: row.text(2)?,
        created_at: row.number(3)?,
        attempts: row.number(4)?,
        next_at: row.optional_number(5)?,
        delivered_at: row.optional_number(6)?,
        problem: row.optional_text(7)?,
    })
}
