//! What loads, but an operator may want to know or change.

use serde_json::Value;

use super::summary::{issuers, text, texts};
use crate::commands::contract_file::ContractFile;

/// One thing worth a look. It changes no decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// The member.
    pub(super) path: String,
    /// What it leads to, and what to do.
    pub(super) message: String,
}

/// Every warning, in the order of the file.
pub(super) fn all(contract: &ContractFile) -> Vec<Warning> {
    let mut warnings = Warnings(Vec::new());
    warnings.of_document(&contract.value);
    let issuers = issuers(contract);
    for (position, issuer) in issuers.iter().enumerate() {
        let at = format!("issuers[{position}]");
        warnings.of_issuer(&at, issuer);
        warnings.of_preset(&at, issuer);
        warnings.of_tenants(&at, issuer, issuers.get(..position).unwrap_or_default());
        warnings.of_act_issuers(&at, issuer, issuers);
    }
    warnings.of_apps(&contract.value, issuers.len());
    warnings.0
}

struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, path: String, message: impl Into<String>) {
        self.0.push(Warning { path, message: message.into() });
    }

    fn of_document(&mut self, contract: &Value) {
        if text(contract, "status", "") == "draft" {
            self.add(
                "status".to_owned(),
                "a draft may still change: freeze it before services rely on it",
            );
        }
        if contract.get("skew_seconds").is_none_or(|skew| skew.as_u64() == Some(60)) {
            self.add(
                "skew_seconds".to_owned(),
                "60 s is the most that is allowed: tokens live a minute past `exp`; with synchronised clocks 5 is enough",
            );
        }
    }

    fn of_issuer(&mut self, at: &str, issuer: &Value) {
        for member in ["issuer", "jwks_uri"] {
            if text(issuer, member, "").starts_with("http://") {
                self.add(
                    format!("{at}.{member}"),
                    "plain http on loopback is for development: whoever else uses this machine could answer",
                );
            }
        }
        if issuer.get("maximum_lifetime_seconds").is_none() {
            self.add(
                format!("{at}.maximum_lifetime_seconds"),
                "not set: a token lives as long as its issuer says, however long",
            );
        }
        if issuer.get("type_absent").and_then(Value::as_bool) == Some(true) {
            self.add(
                format!("{at}.type_absent"),
                "tokens without `typ` pass: only the claim tests tell them from other tokens",
            );
        }
    }

    fn of_preset(&mut self, at: &str, issuer: &Value) {
        let name = text(issuer, "issuer", "");
        match text(issuer, "preset", "") {
            "authentik" => self.of_authentik(at, issuer, name),
            "keycloak" if !name.contains("/realms/") => self.add(
                format!("{at}.issuer"),
                "Keycloak's issuers read `https://HOST/realms/REALM`; this one does not",
            ),
            _ => {}
        }
    }

    fn of_authentik(&mut self, at: &str, issuer: &Value, name: &str) {
        self.add(
            format!("{at}.subject_claim"),
            "set the authentik provider's Subject mode to `Based on the User's hashed ID` or `UUID`: under the modes for e-mail, username or UPN `sub` can change hands, and no token shows which mode it is",
        );
        if !name.ends_with('/') {
            self.add(
                format!("{at}.issuer"),
                "authentik's issuers end with a slash (`…/application/o/APP/`, or the host's root in global mode); this one does not",
            );
        }
        if issuer.get("client_id_names_agent").and_then(Value::as_bool) == Some(true) {
            self.add(
                format!("{at}.client_id_names_agent"),
                "one authentik provider serves many service accounts: its client id does not name an agent, `sub` does",
            );
        }
    }

    fn of_tenants(&mut self, at: &str, issuer: &Value, earlier: &[Value]) {
        let tenants = texts(issuer, "tenants");
        if tenants.len() > 1 && issuer.get("tenant_claim").is_none() {
            self.add(
                format!("{at}.tenant_claim"),
                "not set, though the issuer speaks for several tenants: its tokens cannot say which one they are for",
            );
        }
        for tenant in tenants {
            let shared = earlier.iter().find(|other| texts(other, "tenants").contains(&tenant));
            if let Some(other) = shared {
                let other = text(other, "issuer", "");
                self.add(
                    format!("{at}.tenants"),
                    format!("`{tenant}` is also a tenant of `{other}`: both can speak for it"),
                );
            }
        }
    }

    fn of_act_issuers(&mut self, at: &str, issuer: &Value, issuers: &[Value]) {
        for named in texts(issuer, "act_issuers") {
            if !issuers.iter().any(|known| text(known, "issuer", "") == named) {
                self.add(
                    format!("{at}.act_issuers"),
                    format!("`{named}` is no issuer of this contract: an actor of it can be stated, but never sign in"),
                );
            }
        }
    }

    fn of_apps(&mut self, contract: &Value, issuers: usize) {
        let apps = contract.get("apps").and_then(Value::as_array).into_iter().flatten();
        for (position, app) in apps.enumerate() {
            let at = format!("apps[{position}]");
            if issuers > 1 && app.get("issuers").is_none() {
                self.add(
                    format!("{at}.issuers"),
                    format!("not set: the app accepts every issuer, {issuers} now and each that is added"),
                );
            }
            if text(app, "audience", "") == "account" {
                self.add(
                    format!("{at}.audience"),
                    "`account` stands in Keycloak tokens of every client: give the app an audience of its own",
                );
            }
        }
    }
}
