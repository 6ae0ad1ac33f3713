//! Facts: who and what there is, in one write.

use std::sync::Arc;

use axum::extract::{Request, State};
use mandate_authz::facts::Facts;
use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::error::RegistryError;
use serde::Deserialize;
use serde_json::json;

use super::notation::read;
use super::{Answered, Manager, change, written};
use crate::registry_json;
use crate::server::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// What stands in a facts file.
    facts: String,
    organization: Option<String>,
    owner: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// Takes them over, all or nothing.
pub(super) async fn apply(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    // Who is no operator has nothing read for them.
    manager.act_as_operator(&shared, Confirm::DryRun)?;
    let body: Text = read(&shared, request).await?;
    let confirm = super::confirm(!body.dry_run);
    let act = manager.act_as_operator(&shared, confirm)?;
    let owned = Arc::clone(&shared);
    let deed = move |registry: &mut Registry| {
        let wrong = |error| RegistryError::Invalid(format!("`facts`: {error}"));
        let loaded = Facts::parse(&body.facts)
            .map(|facts| facts.with_defaults(body.organization.as_deref(), body.owner.as_deref()))
            .and_then(|facts| facts.into_world(owned.model.clone(), &owned.tables))
            .map_err(wrong)?;
        // By itself it has to make a snapshot: errors of that are told with their line.
        loaded.build([0; 16]).map_err(wrong)?;
        let applied = registry.apply_facts(&act, &loaded.world)?;
        Ok((applied, loaded.notes.iter().map(ToString::to_string).collect::<Vec<_>>()))
    };
    let (made, notes) = change(&shared, deed).await?;
    let value = json!({ "changed": registry_json::applied(&made.outcome), "notes": notes });
    Ok(written(confirm, &made, value))
}
