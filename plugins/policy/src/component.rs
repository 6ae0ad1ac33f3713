//! The WIT face: types in, types out.

use mandate_authn::{LoadError, Refusal, Request, Validation, VerifiedToken};

use crate::{
    ABI_VERSION, CONTRACT_VERSION, SOURCE_DIGEST, TOOLCHAIN_DIGEST, with_authorizer, with_gate,
};

mod authz;
mod gate;

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "policy", pub_export_macro: false });
    use super::Component;
    export!(Component);
}

use bindings::exports::mandate::meta::info;
use bindings::exports::mandate::policy::{authn, types};

struct Component;

impl info::Guest for Component {
    fn describe() -> info::Build {
        info::Build {
            contract_version: CONTRACT_VERSION,
            abi_version: ABI_VERSION,
            source_digest: SOURCE_DIGEST.to_owned(),
            toolchain_digest: TOOLCHAIN_DIGEST.to_owned(),
            extra: Vec::new(),
        }
    }
}

impl authn::Guest for Component {
    fn load_trust(trust: String) -> Result<authn::TrustStatus, types::LoadError> {
        let status = with_gate(|gate| gate.load_trust(&trust));
        let status = status.map_err(load_error)?;
        Ok(authn::TrustStatus {
            generation: status.generation,
            contract_version: version(status.contract_version),
            issuers_without_keys: status.issuers_without_keys,
            extra: Vec::new(),
        })
    }

    fn validate(token: String, request: authn::ValidateRequest) -> authn::Validation {
        let validation = match certificate(&request) {
            Ok(certificate_sha256) => with_authorizer(|authorizer| {
                let request = Request {
                    audience: Some(&request.audience),
                    now: request.now,
                    certificate_sha256,
                };
                authorizer.validator().validate(token.as_bytes(), &request)
            }),
            Err(member) => Validation::from(Refusal::Request { member: member.to_owned() }),
        };
        answer(&validation)
    }

    fn verify_jws(keys: String, token: String) -> authn::JwsCheck {
        match mandate_authn::verify_jws(&keys, token.as_bytes()) {
            Ok(()) => authn::JwsCheck {
                verdict: types::Verdict::Allow,
                reason: "ok".to_owned(),
                detail: String::new(),
            },
            Err(refusal) => authn::JwsCheck {
                verdict: types::Verdict::Deny,
                reason: refusal.code().as_str().to_owned(),
                detail: refusal.to_string(),
            },
        }
    }
}

fn load_error(error: LoadError) -> types::LoadError {
    types::LoadError { path: error.path, message: error.message }
}

fn version([major, minor, patch]: [u32; 3]) -> String {
    format!("{major}.{minor}.{patch}")
}

/// The certificate's thumbprint; the name of the member that is malformed otherwise.
fn certificate(request: &authn::ValidateRequest) -> Result<Option<[u8; 32]>, &'static str> {
    if !request.extra.is_empty() {
        return Err("extra");
    }
    let thumbprint = request.certificate_sha256.as_deref().map(<[u8; 32]>::try_from);
    thumbprint.transpose().map_err(|_| "certificate_sha256")
}

fn answer(validation: &Validation) -> authn::Validation {
    let (verdict, token) = match validation.outcome() {
        Ok(token) => (types::Verdict::Allow, Some(verified(token))),
        Err(_) => (types::Verdict::Deny, None),
    };
    let refresh = validation.outcome().err().and_then(Refusal::refresh);
    authn::Validation {
        verdict,
        reason: validation.reason().as_str().to_owned(),
        detail: validation.detail(),
        token,
        refresh: refresh.map(str::to_owned),
        extra: Vec::new(),
    }
}

fn verified(token: &VerifiedToken) -> types::VerifiedToken {
    types::VerifiedToken {
        issuer: token.issuer().to_owned(),
        subject: token.subject().to_owned(),
        tenant: token.tenant().map(str::to_owned),
        audiences: token.audiences().to_vec(),
        client_id: token.client_id().map(str::to_owned),
        token_id: token.token_id().map(str::to_owned),
        issued_at: token.issued_at(),
        expires_at: token.expires_at(),
        scopes: token.scopes().to_vec(),
        roles: token.roles().iter().map(role).collect(),
        actor: token.actor().map(actor),
        actor_history: token.actor_history().iter().map(actor).collect(),
        may_act: token.may_act().map(may_act),
        confirmation: token.confirmation().map(mandate_authn::Confirmation::to_base64url),
        extra: Vec::new(),
    }
}

fn role(role: &mandate_authn::Role) -> types::Role {
    types::Role { path: role.path.clone(), name: role.name.clone() }
}

fn actor(actor: &mandate_authn::Actor) -> types::Actor {
    types::Actor {
        issuer: actor.issuer.clone(),
        subject: actor.subject.clone(),
        client_id: actor.client_id.clone(),
    }
}

fn may_act(may_act: &mandate_authn::MayAct) -> types::MayAct {
    types::MayAct {
        issuer: may_act.issuer.clone(),
        subject: may_act.subject.clone(),
        client_id: may_act.client_id.clone(),
    }
}
