//! The first administrator of a tenant: made by a one-time credential, which dies with it.
//!
//! Whoever has the database in hand makes the credential and hands it to a person of the tenant, who
//! redeems it with a token of their own. It lives [`BOOTSTRAP_LIFETIME`] seconds, bears
//! [`BOOTSTRAP_ATTEMPTS`] wrong attempts, and ends in the transaction that stores an `admin` of its
//! tenant, whoever stores it.

use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::Tuple;

use crate::actor::Actor;
use crate::confirm::Confirm;
use crate::error::RegistryError;
use crate::limits::{BOOTSTRAP_ATTEMPTS, BOOTSTRAP_LIFETIME, SECRET_BYTES};
use crate::look_up::{is_active_person, relation};
use crate::registry::{Act, Registry, Written};
use crate::secret::{Algorithm, Secret, Stored, public_id, split};
use crate::writing::{Deed, Writing};

/// A bootstrap credential as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Its public id.
    pub id: String,
    /// From when on it is void. Seconds since the epoch.
    pub expires_at: u64,
    /// `mnd_<public id>_<secret>`: shown this once, and by no dry run.
    pub secret: Option<Secret>,
}

impl Registry {
    /// Makes the bootstrap credential of a tenant that has no administrator, in place of the one
    /// before.
    ///
    /// # Errors
    /// Anybody but the local operator, a tenant that nobody registered, one that has an administrator,
    /// a model without `admin`.
    pub fn make_bootstrap(
        &mut self,
        act: &Act,
        tenant: &str,
    ) -> Result<Written<Bootstrap>, RegistryError> {
        self.write(act, |writing| {
            if act.actor != Actor::Local {
                let message = format!("`{}` may not make a bootstrap credential", act.actor);
                return Err(RegistryError::Denied(message));
            }
            writing.put_bootstrap(tenant)
        })
    }

    /// Makes the acting person the administrator of the tenant of their token, if this is its
    /// credential: whether it was. Of what else it may be nothing is told, so that nobody learns from
    /// a refusal whether there is one.
    ///
    /// Each refusal of a live credential is counted and audited; one that is not there costs a look.
    ///
    /// # Errors
    /// An actor without a tenant, and what the database says.
    pub fn redeem_bootstrap(
        &mut self,
        act: &Act,
        presented: &str,
    ) -> Result<Option<Written<()>>, RegistryError> {
        let Actor::Member { principal, tenant } = &act.actor else {
            let message = format!("`{}` may not redeem a bootstrap credential", act.actor);
            return Err(RegistryError::Denied(message));
        };
        let sql = "select 1 from bootstrap where tenant = $1";
        let found = self.read(|transaction, _| transaction.query(sql, &[tenant.into()]))?;
        if found.is_empty() {
            return Ok(None);
        }
        let Written { outcome, position } =
            self.write(act, |writing| writing.redeem(principal, tenant, presented))?;
        Ok(outcome.then_some(Written { outcome: (), position }))
    }
}

impl Writing<'_> {
    fn put_bootstrap(&mut self, tenant: &str) -> Result<Bootstrap, RegistryError> {
        let object = self.tenant(tenant);
        self.require_record(&object)?;
        if self.rules.admission.relation(&object.type_name, relation::ADMIN).is_none() {
            let message = format!("the model has no `admin` of `{}`", object.type_name);
            return Err(RegistryError::Invalid(message));
        }
        if self.has_administrator(&object)? {
            let message = format!("`{object}` has an administrator: who is one makes the next");
            return Err(RegistryError::Conflict(message));
        }
        let (id, secret) = (public_id(self.randomness)?, Secret::generate(self.randomness)?);
        let expires_at = self.act.now.saturating_add(BOOTSTRAP_LIFETIME);
        let sql = "insert into bootstrap \
            (tenant, id, secret_hash, created_at, expires_at, attempts) \
            values ($1, $2, $3, $4, $5, 0) on conflict (tenant) do update \
            set id = excluded.id, secret_hash = excluded.secret_hash, \
            created_at = excluded.created_at, expires_at = excluded.expires_at, attempts = 0";
        let values = [
            tenant.into(),
            id.as_str().into(),
            Stored::of_generated(&id, &secret).hash.into(),
            self.act.now.into(),
            expires_at.into(),
        ];
        self.execute(sql, &values)?;
        self.note_bootstrap("bootstrap-make", tenant, &id, None)?;
        let secret = (self.act.confirm == Confirm::Confirmed).then(|| secret.under(&id));
        Ok(Bootstrap { id, expires_at, secret })
    }

    /// Whether the credential was good, and so the person is an administrator now.
    fn redeem(
        &mut self,
        person: &ObjectName,
        tenant: &str,
        presented: &str,
    ) -> Result<bool, RegistryError> {
        if !self.is_person_of(person, tenant)? {
            return Ok(false);
        }
        let sql = "update bootstrap set attempts = attempts + 1 where tenant = $1 \
            returning id, secret_hash, expires_at, attempts";
        let rows = self.query(sql, &[tenant.into()])?;
        let Some(row) = rows.first() else { return Ok(false) };
        let (id, hash) = (row.text(0)?, row.text(1)?);
        let (is_live, attempts) = (row.number(2)? > self.act.now, row.number(3)?);
        let stored = Stored { algorithm: Algorithm::Sha256, hash };
        let fits = presented.len() <= SECRET_BYTES
            && split(presented)
                .is_some_and(|(given, secret)| given == id && stored.fits(&id, secret));
        let object = self.tenant(tenant);
        // What stores an administrator ends the credential: a row beside one was put there by hand.
        let is_first = !self.has_administrator(&object)?;
        if fits && is_live && is_first {
            self.note_bootstrap("bootstrap-redeem", tenant, &id, Some(person))?;
            let subject = Subject::Object(person.clone());
            return self.store(&Tuple::new(object, relation::ADMIN.to_owned(), subject));
        }
        if !(is_live && is_first && attempts < BOOTSTRAP_ATTEMPTS) {
            self.end_bootstrap(tenant)?;
        }
        self.note_bootstrap("bootstrap-refuse", tenant, &id, Some(person))?;
        Ok(false)
    }

    /// Ends the bootstrap credential of a tenant, as its first administrator does.
    pub(crate) fn end_bootstrap(&mut self, tenant: &str) -> Result<(), RegistryError> {
        self.execute("delete from bootstrap where tenant = $1", &[tenant.into()]).map(drop)
    }

    /// Whether an `admin` of the tenant is stored, whoever it is and on whatever condition.
    fn has_administrator(&mut self, tenant: &ObjectName) -> Result<bool, RegistryError> {
        let sql = "select 1 from relationship where object = $1 and relation = $2 limit 1";
        self.finds(sql, &[tenant.to_string().into(), relation::ADMIN.into()])
    }

    fn is_person_of(&mut self, person: &ObjectName, tenant: &str) -> Result<bool, RegistryError> {
        let now = self.act.now;
        Ok(person.type_name == self.types().user
            && is_active_person(self.transaction(), person, now)?
            && self.belongs(person, &[tenant.to_owned()])?)
    }

    fn tenant(&self, id: &str) -> ObjectName {
        ObjectName::new(&self.types().tenant, id)
    }

    fn note_bootstrap(
        &mut self,
        change: &'static str,
        tenant: &str,
        id: &str,
        person: Option<&ObjectName>,
    ) -> Result<(), RegistryError> {
        self.note(&Deed {
            change,
            tenant: Some(tenant.to_owned()),
            user: person.cloned(),
            item: Some(id.to_owned()),
            ..Deed::default()
        })
    }
}
