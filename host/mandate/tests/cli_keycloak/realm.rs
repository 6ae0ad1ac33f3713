//! The server, and a realm with a client for every kind of token.

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use mandate::commands::demo::keycloak::{Keycloak, Realm, Retired, Service, audience, claim};
use serde_json::{Value, json};
use ureq::http::Method;

use crate::cli;

pub(crate) const BOARD: &str = "https://board.example";
pub(crate) const FILES: &str = "https://files.example";
/// Of servers that live for a test, on loopback.
pub(crate) const SECRET: &str = "secret-of-a-test";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The server that all tests share: it ends with the last test that has it.
static RUNNING: Mutex<Weak<Keycloak>> = Mutex::new(Weak::new());

/// A running Keycloak; says aloud, and counts it, where there is none.
pub(crate) fn keycloak(test: &str) -> Option<Arc<Keycloak>> {
    if !cli::has_plugin(test) {
        return None;
    }
    let Some(distribution) = std::env::var_os("MANDATE_KEYCLOAK") else {
        cli::skip(&format!("{test}: MANDATE_KEYCLOAK is not set (cargo xtask campaign keycloak)"));
        return None;
    };
    let mut running = RUNNING.lock().unwrap();
    if let Some(keycloak) = running.upgrade() {
        return Some(keycloak);
    }
    let keycloak = Arc::new(Keycloak::start(Path::new(&distribution)).unwrap());
    *running = Arc::downgrade(&keycloak);
    Some(keycloak)
}

/// One realm of the server.
pub(crate) struct RealmOfKeycloak {
    keycloak: Arc<Keycloak>,
    name: &'static str,
}

impl RealmOfKeycloak {
    pub(crate) fn make(keycloak: Arc<Keycloak>, name: &'static str) -> Self {
        let realm = Realm::new(name, clients()).with_user("anne", SECRET);
        keycloak.create_realm(&realm).unwrap();
        Self { keycloak, name }
    }

    pub(crate) fn issuer(&self) -> String {
        self.keycloak.issuer(self.name)
    }

    pub(crate) fn token(&self, client: &str, form: &[(&str, &str)]) -> Value {
        self.keycloak.token(self.name, (client, SECRET), form).unwrap()
    }

    pub(crate) fn service_token(&self, client: &str) -> String {
        let answer = self.token(client, &[("grant_type", "client_credentials")]);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Access, refresh and ID token of anne's session.
    pub(crate) fn signed_in(&self, scope: &str) -> Value {
        self.signed_in_at("board-web", scope)
    }

    /// A lightweight access token of anne's.
    pub(crate) fn light_user(&self) -> Value {
        self.signed_in_at("light-web", "openid")
    }

    fn signed_in_at(&self, client: &str, scope: &str) -> Value {
        let form = [
            ("grant_type", "password"),
            ("username", "anne"),
            ("password", SECRET),
            ("scope", scope),
        ];
        self.token(client, &form)
    }

    pub(crate) fn user_info(&self, token: &str) -> String {
        self.keycloak.user_info(self.name, token).unwrap()
    }

    pub(crate) fn rotate_keys(&self, retired: Retired) {
        self.keycloak.rotate_keys(self.name, retired).unwrap();
    }

    /// The id of a user: their `sub`.
    pub(crate) fn user(&self, name: &str) -> Value {
        self.ask(&format!("users?exact=true&username={name}"))[0]["id"].clone()
    }

    /// The id of the account of a service: its `sub`.
    pub(crate) fn service_account(&self, client: &str) -> Value {
        let client = self.ask(&format!("clients?clientId={client}"));
        let id = client[0]["id"].as_str().unwrap();
        self.ask(&format!("clients/{id}/service-account-user"))["id"].clone()
    }

    fn ask(&self, what: &str) -> Value {
        self.keycloak.admin(&Method::GET, &format!("/{}/{what}", self.name), None).unwrap()
    }
}

fn clients() -> Vec<Service> {
    let usual = [audience(BOARD), claim("tenant", "acme", "String")];
    let service = |name: &str| Service::new(name, SECRET, &usual);
    let signed = |name: &str, algorithm: &str| {
        service(name).with("access.token.signed.response.alg", algorithm)
    };
    let light =
        |client: Service| client.with("client.use.lightweight.access.token.enabled", "true");
    let with =
        |name: &str, more: Value| Service::new(name, SECRET, &[usual.as_slice(), &[more]].concat());
    let foreign = [audience(BOARD), claim("tenant", "globex", "String")];
    let act = json!({ "sub": "x", "client_id": "mail-agent" }).to_string();
    vec![
        service("report-service"),
        signed("ps-service", "PS256"),
        signed("es-service", "ES256"),
        signed("ed-service", "EdDSA"),
        signed("hmac-service", "HS512"),
        service("typed-service").with("access.token.header.type.rfc9068", "true"),
        light(service("light-service")),
        Service::new("bare-service", SECRET, &[]),
        light(Service::new("bare-light-service", SECRET, &[])),
        Service::new("globex-service", SECRET, &foreign),
        Service::new(
            "files-service",
            SECRET,
            &[audience(FILES), claim("tenant", "acme", "String")],
        ),
        with("acting-service", claim("act", &act, "JSON")),
        service("mail-agent").with("standard.token.exchange.enabled", "true"),
        with("board-web", audience("mail-agent"))
            .interactive()
            .with("user.info.response.signature.alg", "RS256"),
        light(service("light-web").interactive()),
    ]
}
