//! People: which tokens they are, and to which tenants they belong.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_authz::name::ObjectName;
use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::error::RegistryError;
use mandate_registry::person::Person;
use serde::Deserialize;

use super::notation::{HolderName, Standing, read};
use super::{Answered, Manager, change, page, written};
use crate::registry_json;
use crate::server::answer::json_answer;
use crate::server::endpoint::PERSONS;
use crate::server::query::{Named, Query, and_one};
use crate::server::shared::Shared;

/// The record, whole.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    tenants: Vec<String>,
    #[serde(default)]
    subjects: Vec<HolderName>,
    #[serde(default)]
    status: Standing,
    expires_at: Option<u64>,
}

/// A page of those of the tenant.
pub(super) async fn list(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let query = Query::read(&request, PERSONS)?;
    let (after, limit) = (query.object("after")?, query.limit()?);
    let look = move |registry: &mut Registry, tenant: &str| {
        let after = after.as_ref().map(|after| after.id.as_str());
        let names = registry.people_of(tenant, after, and_one(limit))?;
        names.iter().map(|name| of(registry, tenant, name)).collect::<Result<Vec<_>, _>>()
    };
    let found = manager.look(&shared, look).await?;
    let name = |person: &Person| person.object.to_string();
    Ok(page("people", found, limit, registry_json::person, name))
}

/// One of the tenant.
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let object = named.object()?;
    let found =
        manager.look(&shared, move |registry, tenant| of(registry, tenant, &object)).await?;
    Ok(json_answer(StatusCode::OK, &registry_json::person(&found)))
}

/// Registers one, or replaces the record whole.
pub(super) async fn put(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let act = manager.act_as_operator(&shared, Confirm::Confirmed)?;
    let object = named.object()?;
    let record: Record = read(&shared, request).await?;
    let person = Person {
        object,
        tenants: record.tenants,
        subjects: record.subjects.into_iter().map(Into::into).collect(),
        status: record.status.into(),
        expires_at: record.expires_at,
    };
    let value = registry_json::person(&person);
    let made = change(&shared, move |registry| registry.put_person(&act, &person)).await?;
    Ok(written(Confirm::Confirmed, &made, value))
}

/// A person as the tenant sees them: without the tenants that are none of its business.
fn of(registry: &mut Registry, tenant: &str, object: &ObjectName) -> Result<Person, RegistryError> {
    let mut found = registry.person(object)?;
    found.tenants.retain(|of| of == tenant);
    if found.tenants.is_empty() {
        return Err(RegistryError::NotFound(object.to_string()));
    }
    Ok(found)
}
