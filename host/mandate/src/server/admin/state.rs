//! Where the registry stands, what is in force, and a new era.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_registry::Registry;
use serde_json::json;

use super::notation::{Meant, read};
use super::{Answered, Manager, change, confirm, written};
use crate::registry_json;
use crate::server::answer::json_answer;
use crate::server::endpoint::NONE;
use crate::server::query::Query;
use crate::server::shared::Shared;

/// The position of the last write, and the state by which this node decides.
pub(super) async fn show(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    Query::read(&request, NONE)?;
    let (deployment, position) =
        manager.look(&shared, |registry: &mut Registry, _: &str| registry.standing()).await?;
    let state = shared.policy.state();
    let in_force = state.map(|state| {
        json!({
            "position": { "era": state.position.era, "epoch": state.position.epoch },
            "issued_at": state.issued_at,
        })
    });
    let value = json!({
        "deployment": deployment, "tenant": manager.tenant,
        "position": registry_json::position(position), "in_force": in_force,
    });
    Ok(json_answer(StatusCode::OK, &value))
}

/// Begins a new era, as has to be done after a restore from a backup.
pub(super) async fn new_era(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    manager.act_as_operator(&shared, confirm(false))?;
    let Meant { confirm: is_meant } = read(&shared, request).await?;
    let confirm = confirm(is_meant);
    let act = manager.act_as_operator(&shared, confirm)?;
    let deed = move |registry: &mut Registry| Ok((registry.position()?, registry.new_era(&act)?));
    let (before, made) = change(&shared, deed).await?;
    Ok(written(confirm, &made, json!({ "before": registry_json::position(before) })))
}
