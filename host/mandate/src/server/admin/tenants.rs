//! Tenants, which have to be there before anybody belongs to them.

use std::sync::Arc;

use axum::extract::{Request, State};
use mandate_authz::name::ObjectName;
use mandate_registry::confirm::Confirm;
use serde::Deserialize;
use serde_json::json;

use super::notation::read;
use super::{Answered, Manager, change, written};
use crate::server::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    tenant: String,
}

/// Registers one. One that is there already stays as it is.
pub(super) async fn add(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let act = manager.act_as_operator(&shared, Confirm::Confirmed)?;
    let New { tenant } = read(&shared, request).await?;
    let tenant = ObjectName::new(&shared.tables.types().tenant, tenant);
    let name = tenant.to_string();
    let made = change(&shared, move |registry| registry.register_object(&act, &tenant)).await?;
    let value = json!({ "tenant": name, "new": made.outcome });
    Ok(written(Confirm::Confirmed, &made, value))
}
