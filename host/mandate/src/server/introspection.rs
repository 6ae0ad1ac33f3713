//! Introspection (RFC 7662) and revocation (RFC 7009): docs/server.md#introspection.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use mandate_authz::name::ObjectName;
use mandate_authz::policy::ActionTarget;
use mandate_host::{AuthorizeRequest, ValidateRequest, Verdict, VerifiedToken};
use mandate_registry::Act;
use mandate_registry::actor::Actor;
use mandate_registry::confirm::Confirm;
use mandate_registry::credential::{Credential, CredentialKind};
use mandate_registry::error::RegistryError;
use mandate_registry::secret;
use serde_json::{Map, Value, json};

use super::answer::{Answer, busy, json_answer};
use super::body;
use super::caller::{Caller, Presented, authenticate};
use super::clock;
use super::form::Form;
use super::registries::CallError;
use super::shared::Shared;

/// Whether a token is active, for this caller.
pub(super) async fn introspect(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    answer(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

/// Ends an opaque token.
pub(super) async fn revoke(State(shared): State<Arc<Shared>>, request: Request) -> Answer {
    end(&shared, request).await.unwrap_or_else(|refusal| refusal)
}

async fn answer(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, token) = read(shared, request).await?;
    let audiences = shared.settings.introspection.get(&caller.object);
    let Some(audiences) = audiences.cloned() else { return Ok(inactive()) };
    let members = match secret::split(&token) {
        Some((id, secret)) => opaque(shared, &caller, id, secret).await?,
        None => {
            let owned = Arc::clone(shared);
            let work = move || audiences.iter().find_map(|of| signed(&owned, &token, of));
            shared.deciders.run(work).await.map_err(|_| busy())?
        }
    };
    let Some(mut members) = members else { return Ok(inactive()) };
    members.insert("active".to_owned(), json!(true));
    Ok(json_answer(StatusCode::OK, &Value::Object(members)))
}

/// `{"active":false}` and nothing else: section 2.2.
fn inactive() -> Answer {
    json_answer(StatusCode::OK, &json!({ "active": false }))
}

/// A token of an issuer: active for an audience where it validates, and the rule holds beyond line 3,
/// so that nobody in it is unknown, suspended, revoked or of another tenant. Blocks.
fn signed(shared: &Shared, token: &str, audience: &str) -> Option<Map<String, Value>> {
    let tables = &shared.tables;
    let on_nothing = tables
        .actions()
        .iter()
        .find(|(_, action)| matches!(action.on, ActionTarget::Session | ActionTarget::Nothing));
    let request = AuthorizeRequest::new(audience, on_nothing?.0);
    let decision = shared.authorize(token, &[], &request);
    let beyond = matches!(decision.failing_line.as_deref(), Some("4" | "5" | "6" | "7" | "8"));
    if decision.verdict != Verdict::Allow && !beyond {
        return None;
    }
    let validation = shared.policy.validate(token, &ValidateRequest::new(audience, clock::now()));
    validation.into_result().ok().map(|token| members(&token))
}

/// Section 2.2, and RFC 8693 section 4.1 for `act`.
fn members(token: &VerifiedToken) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    put("token_type", json!("Bearer"));
    put("iss", json!(token.issuer));
    put("sub", json!(token.subject));
    put("aud", json!(token.audiences));
    put("exp", json!(token.expires_at));
    if let Some(client) = &token.client_id {
        put("client_id", json!(client));
    }
    if let Some(issued_at) = token.issued_at {
        put("iat", json!(issued_at));
    }
    if let Some(id) = &token.token_id {
        put("jti", json!(id));
    }
    if !token.scopes.is_empty() {
        put("scope", json!(token.scopes.join(" ")));
    }
    if let Some(actor) = &token.actor {
        let client = actor.client_id.as_ref().map(|client| ("client_id", client));
        let names = [("iss", &actor.issuer), ("sub", &actor.subject)].into_iter().chain(client);
        let act = names.map(|(name, value)| (name.to_owned(), json!(value))).collect();
        put("act", Value::Object(act));
    }
    members
}

/// An opaque token: active for callers of its identity's tenant.
async fn opaque(
    shared: &Arc<Shared>,
    caller: &Caller,
    id: &str,
    secret: &str,
) -> Result<Option<Map<String, Value>>, Answer> {
    let Some(credential) = live(shared, id, secret).await? else { return Ok(None) };
    let identity = credential.identity.clone();
    let found = shared.registries.call(move |registry| registry.identity(&identity)).await;
    let identity = match found {
        Ok(identity) => identity,
        Err(CallError::Registry(RegistryError::NotFound(_))) => return Ok(None),
        Err(error) => return Err(shared.failed(&error)),
    };
    if identity.tenant != caller.tenant_id() {
        return Ok(None);
    }
    let mut members = Map::new();
    members.insert("token_type".to_owned(), json!("opaque"));
    members.insert("sub".to_owned(), json!(credential.identity.to_string()));
    members.insert("client_id".to_owned(), json!(credential.id));
    members.insert("iat".to_owned(), json!(credential.created_at));
    if let Some(expires_at) = credential.expires_at {
        members.insert("exp".to_owned(), json!(expires_at));
    }
    Ok(Some(members))
}

/// The opaque credential whose secret this is, if it is good.
async fn live(shared: &Arc<Shared>, id: &str, secret: &str) -> Result<Option<Credential>, Answer> {
    let (id, secret) = (id.to_owned(), secret.to_owned());
    let call = shared
        .registries
        .call(move |registry| registry.verify_secret(&id, &secret, clock::now()))
        .await;
    let verified = call.map_err(|error| shared.failed(&error))?;
    Ok(verified.ok().filter(|credential| credential.kind == CredentialKind::Opaque))
}

async fn end(shared: &Arc<Shared>, request: Request) -> Result<Answer, Answer> {
    let (caller, token) = read(shared, request).await?;
    let Some((id, secret)) = secret::split(&token) else {
        // Section 2.2.1: tokens of issuers are revoked by their issuer, or by their credential.
        return Err(oauth_error("unsupported_token_type"));
    };
    // Section 2.2: what is not good any more needs no end.
    let Some(credential) = live(shared, id, secret).await? else { return Ok(ended()) };
    let Some(principal) = ObjectName::parse(&caller.object) else { return Err(denied()) };
    // Who administers two tenants has a token of one.
    let actor = Actor::Member { principal, tenant: caller.tenant_id().to_owned() };
    let act = Act { actor, now: clock::now(), confirm: Confirm::Confirmed };
    let revoked = shared
        .registries
        .call(move |registry| registry.revoke_credential(&act, &credential.id))
        .await;
    match revoked {
        Ok(_) | Err(CallError::Registry(RegistryError::Conflict(_))) => Ok(ended()),
        Err(CallError::Registry(RegistryError::Denied(_) | RegistryError::NotFound(_))) => {
            Err(denied())
        }
        Err(error) => Err(shared.failed(&error)),
    }
}

/// The caller, and the parameter `token`.
async fn read(shared: &Arc<Shared>, request: Request) -> Result<(Caller, String), Answer> {
    let presented = Presented::of(request.headers(), request.extensions());
    let caller = authenticate(shared, presented).await?;
    let (parts, stream) = request.into_parts();
    body::require_type(&parts.headers, "application/x-www-form-urlencoded")?;
    let bytes = body::read(stream, shared.settings.limits.body_bytes).await?;
    let form = Form::parse(&bytes);
    let token = form.as_ref().and_then(|form| form.one("token"));
    token.map(|token| (caller, token.to_owned())).ok_or_else(|| oauth_error("invalid_request"))
}

fn ended() -> Answer {
    json_answer(StatusCode::OK, &json!({}))
}

/// Only who may revoke by the registry's table may do so here: an owner, an administrator.
fn denied() -> Answer {
    json_answer(StatusCode::FORBIDDEN, &json!({ "error": "unauthorized_client" }))
}

/// RFC 6749 section 5.2.
fn oauth_error(code: &str) -> Answer {
    json_answer(StatusCode::BAD_REQUEST, &json!({ "error": code }))
}
