//! Who somebody is to what would change: direct look-ups of stored relationships, no model evaluated.
//!
//! `admin` of the tenant and `owner` of an identity, stored for the user or for a `…#member` of which
//! the user is a stored member, without a condition.

use mandate_authz::name::ObjectName;

use crate::actor::Actor;
use crate::database::Transaction;
use crate::error::RegistryError;
use crate::permission::{Deed, Standing, suffices};
use crate::registry::Registry;
use crate::writing::Writing;

/// Relations of the shared model (contract/model/core.fga) that the registry itself reads or writes.
pub(crate) mod relation {
    pub(crate) const ADMIN: &str = "admin";
    pub(crate) const CAN_ASSERT: &str = "can_assert";
    pub(crate) const DELEGATE_OF: &str = "delegate_of";
    pub(crate) const MEMBER: &str = "member";
    pub(crate) const ORGANIZATION: &str = "organization";
    pub(crate) const OWNER: &str = "owner";
}

/// What would change, as far as it matters for who may.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Matter<'m> {
    /// Tenants, of each of which the actor must be an administrator to be one here.
    pub(crate) tenants: &'m [String],
    /// The machine identity.
    pub(crate) identity: Option<&'m ObjectName>,
    /// Its owner by its record, for types whose owner no relationship says.
    pub(crate) owner: Option<&'m ObjectName>,
    /// The user whose delegation it is.
    pub(crate) user: Option<&'m ObjectName>,
}

impl Writing<'_> {
    /// Requires that the actor may do it.
    pub(crate) fn require(&mut self, deed: Deed, matter: Matter<'_>) -> Result<(), RegistryError> {
        if let Some(tenant) = self.act.actor.bound()
            && matter.tenants.iter().any(|other| other != tenant)
        {
            let is_here = matter.tenants.iter().any(|one| one == tenant);
            return Err(if is_here { self.denied(deed) } else { elsewhere() });
        }
        let standings = self.standings(matter)?;
        if standings.into_iter().any(|standing| suffices(standing, deed)) {
            return Ok(());
        }
        Err(self.denied(deed))
    }

    /// The refusal of a deed.
    pub(crate) fn denied(&self, deed: Deed) -> RegistryError {
        let what = match deed {
            Deed::AddCredential => "add credentials to this identity",
            Deed::BeginEra => "begin an era",
            Deed::CreateIdentity => "create identities in this tenant",
            Deed::Delegate => "change who acts for this user",
            Deed::DeleteIdentity => "delete this identity",
            Deed::ImportLegacy => "import tokens here",
            Deed::Narrow => "narrow this identity's scope",
            Deed::Register => "register tenants, people and objects",
            Deed::Relate => "change this relationship",
            Deed::Resume => "resume this identity",
            Deed::Retire => "retire this identity",
            Deed::Revoke => "revoke credentials of this identity",
            Deed::Rotate => "rotate credentials of this identity",
            Deed::Suspend => "suspend this identity",
            Deed::Widen => "widen this identity's scope",
        };
        RegistryError::Denied(format!("`{}` may not {what}", self.act.actor))
    }

    fn standings(&mut self, matter: Matter<'_>) -> Result<Vec<Standing>, RegistryError> {
        let Some(actor) = self.act.actor.principal().cloned() else {
            return Ok(vec![Standing::Local]);
        };
        if actor.type_name != self.types().user {
            return Ok(vec![Standing::Machine]);
        }
        let now = self.act.now;
        if !is_active_person(self.transaction(), &actor, now)? {
            return Ok(vec![Standing::Stranger]);
        }
        let mut standings = vec![Standing::Stranger];
        if matches!(self.act.actor, Actor::Operator(_)) {
            standings.push(Standing::Operator);
        }
        if matter.user == Some(&actor) {
            standings.push(Standing::User);
        }
        if let Some(identity) = matter.identity {
            let owner =
                if self.rules.admission.relation(&identity.type_name, relation::OWNER).is_some() {
                    self.has(&actor, relation::OWNER, identity)?
                } else {
                    matter.owner == Some(&actor)
                };
            // Who left the tenant owns nothing in it, whatever a record still says.
            if owner && self.belongs(&actor, matter.tenants)? {
                standings.push(Standing::Owner);
            }
        }
        if self.administers(&actor, matter.tenants)? {
            standings.push(Standing::Administrator);
        }
        Ok(standings)
    }

    /// Whether somebody is an administrator of each of these tenants, of which there is one.
    fn administers(
        &mut self,
        user: &ObjectName,
        tenants: &[String],
    ) -> Result<bool, RegistryError> {
        let type_name = self.types().tenant.clone();
        for tenant in tenants {
            let tenant = ObjectName::new(&type_name, tenant);
            if !self.has(user, relation::ADMIN, &tenant)? {
                return Ok(false);
            }
        }
        Ok(!tenants.is_empty())
    }

    /// Whether somebody is a member of each of these tenants.
    pub(crate) fn belongs(
        &mut self,
        user: &ObjectName,
        tenants: &[String],
    ) -> Result<bool, RegistryError> {
        for tenant in tenants {
            let sql = "select 1 from membership where object = $1 and tenant = $2";
            if !self.finds(sql, &[user.to_string().into(), tenant.into()])? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a relation is stored for somebody, or for a userset `…#member` that stores them.
    pub(crate) fn has(
        &mut self,
        user: &ObjectName,
        relation: &str,
        object: &ObjectName,
    ) -> Result<bool, RegistryError> {
        has(self.transaction(), user, relation, object)
    }
}

impl Registry {
    /// Whether an active person is an administrator of a tenant, as the table of who may write has it.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_administrator(
        &mut self,
        user: &ObjectName,
        tenant: &str,
        now: u64,
    ) -> Result<bool, RegistryError> {
        self.read(|transaction, rules| {
            let tenant = ObjectName::new(&rules.policy.types().tenant, tenant);
            Ok(user.type_name == rules.policy.types().user
                && is_active_person(transaction, user, now)?
                && has(transaction, user, relation::ADMIN, &tenant)?)
        })
    }
}

/// The refusal of what is of another tenant than the actor's token: that of what is nowhere.
pub(crate) fn elsewhere() -> RegistryError {
    RegistryError::NotFound("such thing in this tenant".to_owned())
}

/// Whether a relation is stored for somebody, or for a userset `…#member` that stores them.
fn has(
    transaction: &mut dyn Transaction,
    user: &ObjectName,
    relation: &str,
    object: &ObjectName,
) -> Result<bool, RegistryError> {
    let sql = "select 1 from relationship where object = $1 and relation = $2 \
        and condition_name is null and (subject = $3 or subject in \
        (select object || '#member' from relationship where subject = $3 \
        and relation = $4 and condition_name is null))";
    let user = user.to_string();
    let values = [object.to_string().into(), relation.into(), user.into(), relation::MEMBER.into()];
    Ok(!transaction.query(sql, &values)?.is_empty())
}

/// Whether a person is registered, active and not expired.
pub(crate) fn is_active_person(
    transaction: &mut dyn Transaction,
    user: &ObjectName,
    now: u64,
) -> Result<bool, RegistryError> {
    let sql = "select 1 from principal where object = $1 and status = 'active' \
        and (expires_at is null or expires_at > $2)";
    Ok(!transaction.query(sql, &[user.to_string().into(), now.into()])?.is_empty())
}
