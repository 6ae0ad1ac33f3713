//! The chain of the tenant: what was decided and what was changed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_registry::Registry;
use mandate_registry::audit::{AuditEntry, AuditFilter, Place};
use serde_json::{Value, json};

use super::{Answered, Manager, page};
use crate::registry_json;
use crate::server::answer::{busy, json_answer};
use crate::server::endpoint::{AUDIT, NONE};
use crate::server::query::{Query, and_one};
use crate::server::shared::Shared;

/// A page of its records.
pub(super) async fn query(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let query = Query::read(&request, AUDIT)?;
    let limit = query.limit()?;
    let after = query.number("after")?;
    let mut filter = AuditFilter {
        tenant: Some(manager.tenant.clone()),
        machine_identity_id: query.text("identity"),
        credential_id: query.text("credential"),
        user: query.text("user"),
        tool: query.text("tool"),
        verdict: query.text("verdict"),
        reason: query.text("reason"),
        decision_id: query.text("decision"),
        from: query.number("from")?,
        until: query.number("until")?,
        after: None,
        most: and_one(limit),
    };
    let place = |sequence| Place { tenant: manager.tenant.clone(), sequence };
    filter.after = after.map(place);
    let found = manager.look(&shared, move |registry, _| registry.audit(&filter)).await?;
    let value = |entry: &AuditEntry| registry_json::audit_entry(entry).unwrap_or(Value::Null);
    let number = |entry: &AuditEntry| entry.place.sequence.to_string();
    Ok(page("records", found, limit, value, number))
}

/// Whether it is intact. Without a checkpoint from elsewhere nobody knows that it was not written anew.
pub(super) async fn verify(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    Query::read(&request, NONE)?;
    let alone = Arc::clone(&shared.verifying).acquire_owned().await.map_err(|_| busy())?;
    let keys = Arc::clone(&shared.audit_keys);
    let look = move |registry: &mut Registry, tenant: &str| {
        // To the end of the walk, whether somebody still waits for it or not.
        let _alone = alone;
        registry.verify_audit(tenant, None, &keys)
    };
    let verdict = manager.look(&shared, look).await?;
    let value = registry_json::audit_verdict(&manager.tenant, &verdict);
    Ok(json_answer(StatusCode::OK, &json!(value)))
}
