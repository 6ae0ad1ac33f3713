//! Agents and services.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_authz::name::ObjectName;
use mandate_registry::confirm::Confirm;
use mandate_registry::error::RegistryError;
use mandate_registry::identity::{IdentityFilter, MachineIdentity, NewIdentity};
use mandate_registry::{Act, Registry, Written};
use serde::Deserialize;

use super::notation::{Delegation, ExternalNames, Object, ScopeParts, read, read_nothing};
use super::{Answered, Manager, change, page, written};
use crate::registry_json;
use crate::server::answer::json_answer;
use crate::server::endpoint::IDENTITIES;
use crate::server::query::{Named, Query, and_one};
use crate::server::shared::Shared;

/// An identity to be made. Its tenant is the caller's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    identity: Object,
    display_name: Option<String>,
    owner: Option<Object>,
    #[serde(default)]
    scope: ScopeParts,
    #[serde(default)]
    delegation: Delegation,
    sole_user: Option<Object>,
    expires_at: Option<u64>,
    external: Option<ExternalNames>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewScope {
    scope: ScopeParts,
}

/// A page of them.
pub(super) async fn list(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let query = Query::read(&request, IDENTITIES)?;
    let limit = query.limit()?;
    let (owner, after) = (query.object("owner")?, query.object("after")?);
    let look = move |registry: &mut Registry, tenant: &str| {
        let tenant = Some(tenant.to_owned());
        registry.identities(&IdentityFilter { tenant, owner, after, most: and_one(limit) })
    };
    let found = manager.look(&shared, look).await?;
    let name = |identity: &MachineIdentity| identity.object.to_string();
    Ok(page("identities", found, limit, registry_json::identity, name))
}

/// One of them.
pub(super) async fn show(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let object = named.object()?;
    let found =
        manager.look(&shared, move |registry, tenant| of(registry, tenant, &object)).await?;
    Ok(json_answer(StatusCode::OK, &registry_json::identity(&found)))
}

/// Makes one.
pub(super) async fn create(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let body: New = read(&shared, request).await?;
    let Object(object) = body.identity;
    let new = NewIdentity {
        display_name: body.display_name.unwrap_or_else(|| object.id.clone()),
        object,
        owner: body.owner.map(|Object(owner)| owner),
        tenant: manager.tenant.clone(),
        scope: body.scope.into(),
        delegation: body.delegation.into(),
        sole_user: body.sole_user.map(|Object(user)| user),
        expires_at: body.expires_at,
        external: body.external.map(ExternalNames::external).transpose()?,
    };
    let act = manager.act(Confirm::Confirmed);
    let made = change(&shared, move |registry| registry.create_identity(&act, &new)).await?;
    Ok(written(Confirm::Confirmed, &made, registry_json::identity(&made.outcome)))
}

/// Stops one for now.
pub(super) async fn suspend(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    pass(&shared, &named, request, Registry::suspend_identity).await
}

/// Lets one act again.
pub(super) async fn resume(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    pass(&shared, &named, request, Registry::resume_identity).await
}

/// Ends one for good.
pub(super) async fn retire(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    pass(&shared, &named, request, Registry::retire_identity).await
}

/// Replaces the scope of one.
pub(super) async fn scope(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let object = named.object()?;
    let NewScope { scope } = read(&shared, request).await?;
    let act = manager.act(Confirm::Confirmed);
    let scope = scope.into();
    let made = change(&shared, move |registry| registry.scope_identity(&act, &object, &scope));
    let made = made.await?;
    Ok(written(Confirm::Confirmed, &made, registry_json::identity(&made.outcome)))
}

type Pass = fn(&mut Registry, &Act, &ObjectName) -> Result<Written<MachineIdentity>, RegistryError>;

async fn pass(shared: &Arc<Shared>, named: &Named, request: Request, pass: Pass) -> Answered {
    let manager = Manager::of(shared, &request).await?;
    let object = named.object()?;
    read_nothing(shared, request).await?;
    let act = manager.act(Confirm::Confirmed);
    let made = change(shared, move |registry| pass(registry, &act, &object)).await?;
    Ok(written(Confirm::Confirmed, &made, registry_json::identity(&made.outcome)))
}

/// An identity of the tenant.
pub(super) fn of(
    registry: &mut Registry,
    tenant: &str,
    object: &ObjectName,
) -> Result<MachineIdentity, RegistryError> {
    let found = registry.identity(object)?;
    if found.tenant == tenant {
        Ok(found)
    } else {
        Err(RegistryError::NotFound(object.to_string()))
    }
}
