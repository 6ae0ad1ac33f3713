//! Credentials of machine identities.

use std::sync::Arc;

use axum::extract::{Request, State};
use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::credential::{Credential, Issued, NewCredential, NewLegacyToken, Rotation};
use serde::Deserialize;
use serde_json::{Value, json};

use super::identities;
use super::notation::{HolderName, Made, Meant, Object, read, read_nothing};
use super::{Answered, Manager, change, confirm, page, written};
use crate::registry_json;
use crate::server::endpoint::CREDENTIALS;
use crate::server::query::{Named, Query, and_one};
use crate::server::shared::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    material: Made,
    subject: Option<HolderName>,
    #[serde(default)]
    token_ids: Vec<String>,
    expires_at: Option<u64>,
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    window_seconds: u64,
    material: Option<Made>,
    expires_at: Option<u64>,
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LegacyTokens {
    tokens: Vec<LegacyRow>,
    #[serde(default)]
    confirm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LegacyRow {
    algorithm: String,
    hash: String,
    identity: Option<Object>,
}

/// A page of those of an identity, revoked ones too.
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let object = named.object()?;
    let query = Query::read(&request, CREDENTIALS)?;
    let (after, limit) = (query.text("after"), query.limit()?);
    let look = move |registry: &mut Registry, tenant: &str| {
        let identity = identities::of(registry, tenant, &object)?;
        registry.credentials(&identity.object, after.as_deref(), and_one(limit))
    };
    let found = manager.look(&shared, look).await?;
    let id = |credential: &Credential| credential.id.clone();
    Ok(page("credentials", found, limit, registry_json::credential, id))
}

/// Gives an identity one more. The secret is in this answer and in no other.
pub(super) async fn add(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let object = named.object()?;
    let body: New = read(&shared, request).await?;
    let new = NewCredential {
        material: body.material.material()?,
        subject: body.subject.map(Into::into),
        token_ids: body.token_ids,
        expires_at: body.expires_at,
    };
    let confirm = confirm(body.confirm);
    let act = manager.act(confirm);
    let made =
        change(&shared, move |registry| registry.add_credential(&act, &object, &new)).await?;
    let value = registry_json::credential(&made.outcome.credential);
    Ok(written(confirm, &made, with_secret(value, &made.outcome)))
}

/// Replaces one. The secret is in this answer and in no other.
pub(super) async fn rotate(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let body: Replacement = read(&shared, request).await?;
    let rotation = Rotation {
        id,
        window: body.window_seconds,
        material: body.material.map(Made::material).transpose()?,
        expires_at: body.expires_at,
    };
    let confirm = confirm(body.confirm);
    let act = manager.act(confirm);
    let made = change(&shared, move |registry| registry.rotate_credential(&act, &rotation)).await?;
    let value = registry_json::credential(&made.outcome.credential);
    Ok(written(confirm, &made, with_secret(value, &made.outcome)))
}

/// Revokes one, at once.
pub(super) async fn revoke(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    read_nothing(&shared, request).await?;
    let act = manager.act(Confirm::Confirmed);
    let made = change(&shared, move |registry| registry.revoke_credential(&act, &id)).await?;
    Ok(written(Confirm::Confirmed, &made, registry_json::credential(&made.outcome)))
}

/// Revokes all of an identity.
pub(super) async fn revoke_all(
    State(shared): State<Arc<Shared>>,
    named: Named,
    request: Request,
) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let object = named.object()?;
    let Meant { confirm: is_meant } = read(&shared, request).await?;
    let confirm = confirm(is_meant);
    let act = manager.act(confirm);
    let made = change(&shared, move |registry| registry.revoke_all_credentials(&act, &object));
    let made = made.await?;
    let revoked: Vec<Value> = made.outcome.iter().map(registry_json::credential).collect();
    Ok(written(confirm, &made, json!({ "revoked": revoked })))
}

/// Takes rows of another table over, by which nothing decides.
pub(super) async fn import_legacy(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let body: LegacyTokens = read(&shared, request).await?;
    let row = |row: LegacyRow| NewLegacyToken {
        algorithm: row.algorithm,
        hash: row.hash,
        identity: row.identity.map(|Object(identity)| identity),
    };
    let tokens: Vec<NewLegacyToken> = body.tokens.into_iter().map(row).collect();
    let (rows, confirm) = (tokens.len(), confirm(body.confirm));
    let act = manager.act(confirm);
    let made =
        change(&shared, move |registry| registry.import_legacy_tokens(&act, &tokens)).await?;
    let imported: Vec<Value> = made.outcome.iter().map(registry_json::legacy_token).collect();
    Ok(written(confirm, &made, json!({ "rows": rows, "imported": imported })))
}

/// What was issued with its secret, where one was generated and the change was meant.
pub(super) fn with_secret(mut value: Value, issued: &Issued) -> Value {
    if let Some((members, secret)) = value.as_object_mut().zip(issued.secret.as_ref()) {
        members.insert("secret".to_owned(), json!(secret.reveal()));
    }
    value
}
