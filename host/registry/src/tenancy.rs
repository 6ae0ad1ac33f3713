//! Which tenant an object belongs to, kept up to date with every relationship that leads upwards.
//!
//! The same rule as the builder of snapshots has ([`Home`]): what is refused here is what it would
//! refuse, and no write makes a snapshot that cannot be built.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::row::Row;
use mandate_authz::snapshot::{Home, TwoTenants};

use crate::error::RegistryError;
use crate::text;
use crate::writing::Writing;

impl Writing<'_> {
    /// Where an object belongs, by what is stored.
    pub(crate) fn home(&mut self, object: &ObjectName) -> Result<Home<String>, RegistryError> {
        let types = self.types();
        let name = object.to_string();
        if types.is_shared(&object.type_name) {
            return Ok(Home::Shared);
        }
        let sql = if object.type_name == types.tenant {
            return Ok(if self.is_known(object)? {
                Home::Tenants(vec![object.id.clone()])
            } else {
                Home::Unknown
            });
        } else if object.type_name == types.user {
            "select tenant from membership where object = $1 order by tenant"
        } else if types.is_principal(&object.type_name) {
            "select tenant from machine_identity where object = $1"
        } else {
            "select tenant from object where name = $1 and tenant is not null"
        };
        let rows = self.query(sql, &[name.as_str().into()])?;
        let tenants = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
        let registered = "select 1 from principal where object = $1";
        if tenants.is_empty() && self.finds(registered, &[name.into()])? {
            // Who is known to belong nowhere has nothing of any tenant.
            return Ok(Home::Tenants(tenants));
        }
        Ok(if tenants.is_empty() { Home::Unknown } else { Home::Tenants(tenants) })
    }

    /// Whether an object was named before.
    pub(crate) fn is_known(&mut self, object: &ObjectName) -> Result<bool, RegistryError> {
        self.finds("select 1 from object where name = $1", &[object.to_string().into()])
    }

    /// Requires that a principal or a tenant has its record. What was granted to a name before anybody
    /// had it would be theirs who take it, in whichever tenant.
    pub(crate) fn require_record(&mut self, object: &ObjectName) -> Result<(), RegistryError> {
        let types = self.types();
        let (what, sql) = if object.type_name == types.tenant {
            ("tenant", "select 1 from object where name = $1")
        } else if object.type_name == types.user {
            ("person", "select 1 from principal where object = $1")
        } else if types.is_principal(&object.type_name) {
            ("machine identity", "select 1 from machine_identity where object = $1")
        } else {
            return Ok(());
        };
        if self.finds(sql, &[object.to_string().into()])? {
            return Ok(());
        }
        Err(RegistryError::NotFound(format!("{what} `{object}`")))
    }

    /// Makes an object known; its tenant is found when a relationship leads to it.
    pub(crate) fn introduce(&mut self, object: &ObjectName) -> Result<bool, RegistryError> {
        let sql = "insert into object (name, tenant) values ($1, $2) on conflict (name) do nothing";
        let none: Option<String> = None;
        let is_new = self.execute(sql, &[object.to_string().into(), none.into()])? == 1;
        if is_new && !self.types().is_principal(&object.type_name) {
            self.log(Row::PutObject { object: object.clone(), tenant: None });
        }
        Ok(is_new)
    }

    /// Whether a relation of a type leads to the object above.
    pub(crate) fn leads_upwards(&self, type_name: &str, relation: &str) -> bool {
        let parents = self.types().parents.get(type_name);
        parents.is_some_and(|relations| relations.iter().any(|known| known == relation))
    }

    /// Finds the tenants of an object and of everything below it anew, after a relationship that
    /// leads upwards from it came or went. Refuses what would then join two tenants.
    pub(crate) fn settle(&mut self, object: &ObjectName) -> Result<(), RegistryError> {
        let below = self.below(object)?;
        let before = below
            .iter()
            .map(|name| Ok((name.clone(), self.home(name)?)))
            .collect::<Result<BTreeMap<_, _>, RegistryError>>()?;
        let mut found: BTreeMap<ObjectName, Home<String>> =
            below.iter().map(|name| (name.clone(), Home::Unknown)).collect();
        // Upwards there may be circles: from nothing known, until nothing new is.
        loop {
            let mut is_settled = true;
            for name in &below {
                let home = self.find(name, &found)?;
                if found.get(name) != Some(&home) {
                    found.insert(name.clone(), home);
                    is_settled = false;
                }
            }
            if is_settled {
                break;
            }
        }
        let moved: Vec<_> =
            found.iter().filter(|(name, home)| before.get(*name) != Some(*home)).collect();
        for (name, home) in &moved {
            self.move_to(name, home)?;
        }
        for (name, _) in &moved {
            self.refuse_joined(name)?;
        }
        Ok(())
    }

    fn find(
        &mut self,
        name: &ObjectName,
        found: &BTreeMap<ObjectName, Home<String>>,
    ) -> Result<Home<String>, RegistryError> {
        let mut homes = Vec::new();
        for parent in self.above(name)? {
            homes.push(match found.get(&parent) {
                Some(home) => home.clone(),
                None => self.home(&parent)?,
            });
        }
        Home::below(homes).map_err(|TwoTenants| {
            RegistryError::Invalid(format!("`{name}` would have parents in two tenants"))
        })
    }

    fn move_to(&mut self, name: &ObjectName, home: &Home<String>) -> Result<(), RegistryError> {
        let tenant = match home {
            Home::Tenants(tenants) => tenants.first().cloned(),
            Home::Shared | Home::Unknown => None,
        };
        let sql = "update object set tenant = $2 where name = $1";
        self.execute(sql, &[name.to_string().into(), tenant.clone().into()])?;
        self.log(Row::PutObject { object: name.clone(), tenant });
        Ok(())
    }

    /// The objects above.
    fn above(&mut self, object: &ObjectName) -> Result<Vec<ObjectName>, RegistryError> {
        let sql = "select relation, subject from relationship where object = $1 order by subject";
        let rows = self.query(sql, &[object.to_string().into()])?;
        let mut above = Vec::new();
        for row in rows {
            if self.leads_upwards(&object.type_name, &row.text(0)?)
                && let Some(Subject::Object(parent)) = Subject::parse(&row.text(1)?)
            {
                above.push(parent);
            }
        }
        Ok(above)
    }

    /// An object with everything below it, from above.
    fn below(&mut self, object: &ObjectName) -> Result<Vec<ObjectName>, RegistryError> {
        let mut known = BTreeSet::from([object.clone()]);
        let mut pending = VecDeque::from([object.clone()]);
        let mut below = Vec::new();
        while let Some(next) = pending.pop_front() {
            let sql = "select object, relation from relationship where subject_object = $1 \
                and subject = $1 order by object";
            for row in self.query(sql, &[next.to_string().into()])? {
                let child = text::object(&row.text(0)?)?;
                if self.leads_upwards(&child.type_name, &row.text(1)?)
                    && known.insert(child.clone())
                {
                    pending.push_back(child);
                }
            }
            below.push(next);
        }
        Ok(below)
    }

    /// Refuses every stored relationship of an object that joins two tenants.
    fn refuse_joined(&mut self, object: &ObjectName) -> Result<(), RegistryError> {
        match self.joined(object)?.first() {
            None => Ok(()),
            Some((object, relation, subject)) => Err(joins(object, relation, subject)),
        }
    }

    /// The stored relationships of an object that join two tenants.
    pub(crate) fn joined(
        &mut self,
        object: &ObjectName,
    ) -> Result<Vec<(ObjectName, String, Subject)>, RegistryError> {
        let sql = "select object, relation, subject from relationship \
            where object = $1 or subject_object = $1 order by object, relation, subject";
        let mut joined = Vec::new();
        for row in self.query(sql, &[object.to_string().into()])? {
            let (above, relation) = (text::object(&row.text(0)?)?, row.text(1)?);
            let subject = Subject::parse(&row.text(2)?).ok_or_else(crate::database::unreadable)?;
            if self.would_join(&above, &subject)? {
                joined.push((above, relation, subject));
            }
        }
        Ok(joined)
    }

    /// Whether a relationship between the two would join two tenants.
    pub(crate) fn would_join(
        &mut self,
        object: &ObjectName,
        subject: &Subject,
    ) -> Result<bool, RegistryError> {
        let (Subject::Object(name) | Subject::Userset(name, _)) = subject else { return Ok(false) };
        let (one, other) = (self.home(object)?, self.home(name)?);
        Ok(one.joins(&other))
    }
}

/// The refusal of a relationship that joins two tenants.
pub(crate) fn joins(object: &ObjectName, relation: &str, subject: &Subject) -> RegistryError {
    RegistryError::Invalid(format!("`{object}#{relation}@{subject}` joins two tenants"))
}
