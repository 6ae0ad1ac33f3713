//! Looking for records.

use super::event::EventKind;
use crate::database::{Row, Value, unreadable};
use crate::error::RegistryError;
use crate::registry::Registry;

/// Which records to find, a page at a time. What is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this tenant; the empty one is of what has none.
    pub tenant: Option<String>,
    /// About this machine identity.
    pub machine_identity_id: Option<String>,
    /// About this credential.
    pub credential_id: Option<String>,
    /// About this user.
    pub user: Option<String>,
    /// About this tool.
    pub tool: Option<String>,
    /// `allow` or `deny`.
    pub verdict: Option<String>,
    /// For this reason.
    pub reason: Option<String>,
    /// With this id.
    pub decision_id: Option<String>,
    /// From this moment on.
    pub from: Option<u64>,
    /// Before this moment.
    pub until: Option<u64>,
    /// After this record.
    pub after: Option<Place>,
    /// As many as that.
    pub most: u64,
}

/// Where a record stands. Pages follow one another by tenant, then by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The tenant.
    pub tenant: String,
    /// The number in its chain, from 1.
    pub sequence: u64,
}

/// A record of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Where it stands.
    pub place: Place,
    /// What it is about.
    pub kind: EventKind,
    /// Canonical JSON.
    pub record: String,
    /// The hash that chains it: docs/audit.md#chain.
    pub hash: [u8; 32],
}

impl Registry {
    /// The tenants that have a chain, in the order of their names; the empty one is of what has none.
    ///
    /// # Errors
    /// What the database says.
    pub fn audit_tenants(&mut self) -> Result<Vec<String>, RegistryError> {
        let sql = "select tenant from audit_chain where sequence > 0 order by tenant";
        self.read(|transaction, _| {
            transaction.query(sql, &[])?.iter().map(|row| row.text(0)).collect()
        })
    }

    /// Records, in the order of their places.
    ///
    /// # Errors
    /// What the database says.
    pub fn audit(&mut self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, RegistryError> {
        let mut sql =
            "select tenant, sequence, kind, record, hash from audit_event where 1 = 1".to_owned();
        let mut values: Vec<Value> = Vec::new();
        let texts = [
            ("tenant =", &filter.tenant),
            ("machine_identity_id =", &filter.machine_identity_id),
            ("credential_id =", &filter.credential_id),
            ("user_id =", &filter.user),
            ("tool =", &filter.tool),
            ("verdict =", &filter.verdict),
            ("reason =", &filter.reason),
            ("decision_id =", &filter.decision_id),
        ];
        let texts = texts.map(|(condition, text)| (condition, text.clone().map(Value::from)));
        let times = [("time >=", filter.from), ("time <", filter.until)];
        let times = times.map(|(condition, time)| (condition, time.map(Value::from)));
        for (condition, value) in texts.into_iter().chain(times) {
            if let Some(value) = value {
                values.push(value);
                sql.push_str(&format!(" and {condition} ${}", values.len()));
            }
        }
        if let Some(Place { tenant, sequence }) = &filter.after {
            values.push(tenant.into());
            values.push((*sequence).into());
            let last = values.len();
            sql.push_str(&format!(
                " and (tenant, sequence) > (${}, ${last})",
                last.saturating_sub(1)
            ));
        }
        values.push(filter.most.into());
        sql.push_str(&format!(" order by tenant, sequence limit ${}", values.len()));
        self.read(|transaction, _| transaction.query(&sql, &values)?.iter().map(read).collect())
    }
}

fn read(row: &Row) -> Result<AuditEntry, RegistryError> {
    Ok(AuditEntry {
        place: Place { tenant: row.text(0)?, sequence: row.number(1)? },
        kind: EventKind::parse(&row.text(2)?).ok_or_else(unreadable)?,
        record: row.text(3)?,
        hash: row.bytes(4)?.try_into().map_err(|_| unreadable())?,
    })
}
