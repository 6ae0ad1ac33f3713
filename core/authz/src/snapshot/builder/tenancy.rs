//! Which tenant every object belongs to: found through its parents, once, when a snapshot is built.

use std::collections::{HashMap, HashSet};

use super::super::rows::{SEVERAL, UNKNOWN};
use super::{BuildError, ModelPlan, World, number};
use crate::name::{ObjectName, Subject};
use crate::snapshot::home::{Home, TwoTenants};
use crate::tuple::Tuple;

/// Gives every object its tenant value and sorts the objects of each type by it, then by id.
pub(super) fn assign<'w>(
    world: &'w World,
    tuples: &[&'w Tuple],
    plan: &ModelPlan<'w>,
    objects: &mut [Vec<(u32, &'w str)>],
) -> Result<(), BuildError> {
    let Some(tenant_type) = &world.tenancy.tenant_type else {
        objects.iter_mut().for_each(|ids| ids.sort_unstable());
        return Ok(());
    };
    let tenant_number = plan.type_number(tenant_type)?;
    let mut tenants = HashMap::new();
    if let Some(ids) = objects.get_mut(super::position(tenant_number)) {
        ids.sort_unstable();
        tenants.extend(ids.iter().enumerate().map(|(at, (_, id))| (*id, number(at))));
    }
    let mut resolver = Resolver::new(world, tuples, tenant_type, tenants)?;
    for (type_plan, ids) in plan.types.iter().zip(objects.iter_mut()) {
        if type_plan.name == tenant_type
            || world.tenancy.shared.iter().any(|name| name == type_plan.name)
        {
            ids.sort_unstable();
            continue;
        }
        for (value, id) in ids.iter_mut() {
            *value = self::value(&resolver.of(type_plan.name, id)?);
        }
        ids.sort_unstable();
    }
    tuples.iter().try_for_each(|tuple| refuse_joined(&mut resolver, tuple))
}

/// The value of an object's row.
fn value(home: &Home<u32>) -> u32 {
    match home {
        Home::Shared | Home::Unknown => UNKNOWN,
        Home::Tenants(tenants) => match tenants.as_slice() {
            [one] => one.saturating_add(1),
            [] => UNKNOWN,
            _ => SEVERAL,
        },
    }
}

struct Resolver<'w> {
    world: &'w World,
    tenant_type: &'w str,
    tenants: HashMap<&'w str, u32>,
    principals: HashMap<(&'w str, &'w str), Home<u32>>,
    parents: HashMap<(&'w str, &'w str), Vec<&'w ObjectName>>,
    known: HashMap<(&'w str, &'w str), Home<u32>>,
}

impl<'w> Resolver<'w> {
    fn new(
        world: &'w World,
        tuples: &[&'w Tuple],
        tenant_type: &'w str,
        tenants: HashMap<&'w str, u32>,
    ) -> Result<Self, BuildError> {
        let mut principals = HashMap::new();
        for identity in &world.identities {
            let object = &identity.object;
            if !world.tenancy.principals.contains(&object.type_name) {
                return Err(BuildError::new(object, "is an identity of a type without identities"));
            }
            let mut own = Vec::with_capacity(identity.tenants.len());
            for tenant in &identity.tenants {
                let number = tenants.get(tenant.as_str());
                own.push(
                    *number.ok_or_else(|| BuildError::new(object, "names an unknown tenant"))?,
                );
            }
            own.sort_unstable();
            own.dedup();
            let key = (object.type_name.as_str(), object.id.as_str());
            if principals.insert(key, Home::Tenants(own)).is_some() {
                return Err(BuildError::new(object, "has two identity records"));
            }
        }
        let mut parents: HashMap<_, Vec<&'w ObjectName>> = HashMap::new();
        for tuple in tuples {
            let leads = world.tenancy.parents.get(&tuple.object.type_name);
            if let Subject::Object(parent) = &tuple.subject
                && leads.is_some_and(|leads| leads.contains(&tuple.relation))
            {
                let key = (tuple.object.type_name.as_str(), tuple.object.id.as_str());
                parents.entry(key).or_default().push(parent);
            }
        }
        Ok(Self { world, tenant_type, tenants, principals, parents, known: HashMap::new() })
    }

    /// Where an object belongs: walks up until everything above is known. Objects that are each
    /// other's parents belong nowhere.
    fn of(&mut self, type_name: &'w str, id: &'w str) -> Result<Home<u32>, BuildError> {
        let mut pending = vec![(type_name, id)];
        let mut entered = HashSet::new();
        while let Some(key) = pending.last().copied() {
            if self.at_once(key).is_some() {
                pending.pop();
                continue;
            }
            let parents = self.parents.get(&key).cloned().unwrap_or_default();
            let parents: Vec<_> =
                parents.iter().map(|name| (name.type_name.as_str(), name.id.as_str())).collect();
            let missing: Vec<_> =
                parents.iter().copied().filter(|parent| self.at_once(*parent).is_none()).collect();
            if entered.insert(key) && !missing.is_empty() {
                pending.extend(missing);
                continue;
            }
            let home = self.join(key, &parents)?;
            self.known.insert(key, home);
            pending.pop();
        }
        Ok(self.at_once((type_name, id)).unwrap_or(Home::Unknown))
    }

    /// What needs no walk.
    fn at_once(&self, key: (&'w str, &'w str)) -> Option<Home<u32>> {
        let (type_name, id) = key;
        if type_name == self.tenant_type {
            let tenant = self.tenants.get(id);
            return Some(tenant.map_or(Home::Unknown, |tenant| Home::Tenants(vec![*tenant])));
        }
        if self.world.tenancy.shared.iter().any(|shared| shared == type_name) {
            return Some(Home::Shared);
        }
        if self.world.tenancy.principals.iter().any(|principal| principal == type_name) {
            return Some(self.principals.get(&key).cloned().unwrap_or(Home::Unknown));
        }
        self.known.get(&key).cloned()
    }

    fn join(
        &self,
        key: (&'w str, &'w str),
        parents: &[(&'w str, &'w str)],
    ) -> Result<Home<u32>, BuildError> {
        let homes = parents.iter().map(|parent| self.at_once(*parent).unwrap_or(Home::Unknown));
        Home::below(homes).map_err(|TwoTenants| {
            BuildError::new(ObjectName::new(key.0, key.1), "has parents in two tenants")
        })
    }
}

/// A relationship between two tenants would let one of them decide in the other.
fn refuse_joined<'w>(resolver: &mut Resolver<'w>, tuple: &'w Tuple) -> Result<(), BuildError> {
    let subject = match &tuple.subject {
        Subject::Object(name) | Subject::Userset(name, _) => name,
        Subject::Wildcard(_) => return Ok(()),
    };
    let object = resolver.of(&tuple.object.type_name, &tuple.object.id)?;
    let subject = resolver.of(&subject.type_name, &subject.id)?;
    if object.joins(&subject) {
        return Err(BuildError::new(tuple, "joins two tenants"));
    }
    Ok(())
}
