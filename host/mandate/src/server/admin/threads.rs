//! The short way for one agent thread: identity and credential in one write.

use std::sync::Arc;

use axum::extract::{Request, State};
use mandate_registry::identity::NewThread;
use serde::Deserialize;
use serde_json::json;

use super::credentials::with_secret;
use super::notation::{Delegation, HolderName, Object, ScopeParts, read};
use super::{Answered, Manager, change, confirm, written};
use crate::registry_json;
use crate::server::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    thread: String,
    owner: Object,
    #[serde(default)]
    scope: ScopeParts,
    #[serde(default)]
    delegation: Delegation,
    subject: Option<HolderName>,
    client: Option<HolderName>,
    expires_at: u64,
    #[serde(default)]
    confirm: bool,
}

/// Makes both. The secret is in this answer and in no other.
pub(super) async fn create(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let body: New = read(&shared, request).await?;
    let new = NewThread {
        thread: body.thread,
        owner: body.owner.0,
        tenant: manager.tenant.clone(),
        scope: body.scope.into(),
        delegation: body.delegation.into(),
        subject: body.subject.map(Into::into),
        client: body.client.map(Into::into),
        expires_at: body.expires_at,
    };
    let confirm = confirm(body.confirm);
    let act = manager.act(confirm);
    let made = change(&shared, move |registry| registry.create_thread(&act, &new)).await?;
    let (identity, issued) = &made.outcome;
    let value = json!({
        "identity": registry_json::identity(identity),
        "credential": registry_json::credential(&issued.credential),
    });
    Ok(written(confirm, &made, with_secret(value, issued)))
}
