//! A realm as the admin API takes it: keys, clients, one user.

use serde_json::{Map, Value, json};

/// A realm with keys for RS256, PS256, ES256 and EdDSA.
#[derive(Clone, Debug, PartialEq)]
pub struct Realm(Value);

/// A confidential client.
#[derive(Clone, Debug, PartialEq)]
pub struct Service(Value);

impl Realm {
    /// A realm with these clients.
    #[must_use]
    pub fn new(name: &str, clients: impl IntoIterator<Item = Service>) -> Self {
        let mut keys = signing_keys(100);
        keys.push(key("hmac-generated", "algorithm", "HS512", 100));
        keys.push(key("rsa-enc-generated", "algorithm", "RSA-OAEP", 100));
        let clients: Vec<Value> = clients.into_iter().map(|client| client.0).collect();
        Self(json!({
            "realm": name,
            "enabled": true,
            "accessTokenLifespan": 300,
            "clients": clients,
            "roles": { "realm": [{ "name": "board-admin" }] },
            "components": { KEY_PROVIDER: keys },
        }))
    }

    /// With a user who signs in with a password, has the realm's default roles and `board-admin`.
    #[must_use]
    pub fn with_user(mut self, name: &str, password: &str) -> Self {
        let realm = self.0.get("realm").and_then(Value::as_str).unwrap_or_default();
        let user = json!({
            "username": name,
            "enabled": true,
            "email": format!("{name}@acme.example"),
            "emailVerified": true,
            "firstName": name,
            "lastName": "Example",
            "realmRoles": [format!("default-roles-{realm}"), "board-admin"],
            "credentials": [{ "type": "password", "value": password, "temporary": false }],
        });
        self.set("users", json!([user]));
        self
    }

    pub(super) fn as_json(&self) -> &Value {
        &self.0
    }

    fn set(&mut self, member: &str, value: Value) {
        if let Some(members) = self.0.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
    }
}

impl Service {
    /// A client that gets tokens by client credentials, and by no other flow.
    #[must_use]
    pub fn new(client_id: &str, secret: &str, mappers: &[Value]) -> Self {
        Self(json!({
            "clientId": client_id,
            "secret": secret,
            "publicClient": false,
            "serviceAccountsEnabled": true,
            "standardFlowEnabled": false,
            "protocolMappers": mappers,
            "attributes": {},
        }))
    }

    /// With an attribute, as the console's settings are stored.
    #[must_use]
    pub fn with(mut self, attribute: &str, value: &str) -> Self {
        let attributes = self.0.get_mut("attributes").and_then(Value::as_object_mut);
        attributes.map(|attributes| attributes.insert(attribute.to_owned(), json!(value)));
        self
    }

    /// For people: here they sign in by the password grant, which stands for the sign-in page.
    #[must_use]
    pub fn interactive(mut self) -> Self {
        if let Some(members) = self.0.as_object_mut() {
            members.insert("serviceAccountsEnabled".to_owned(), json!(false));
            members.insert("directAccessGrantsEnabled".to_owned(), json!(true));
        }
        self
    }
}

/// An *Audience* mapper: `aud` gets this name.
#[must_use]
pub fn audience(name: &str) -> Value {
    let config = json!({ "included.custom.audience": name });
    mapper(&format!("audience {name}"), "oidc-audience-mapper", &config)
}

/// A *Hardcoded claim* mapper; `form` is its Claim JSON Type.
#[must_use]
pub fn claim(name: &str, value: &str, form: &str) -> Value {
    let config = json!({ "claim.name": name, "claim.value": value, "jsonType.label": form });
    mapper(name, "oidc-hardcoded-claim-mapper", &config)
}

/// A mapper for access tokens alone, lightweight ones too.
fn mapper(name: &str, kind: &str, config: &Value) -> Value {
    let mut config = config.as_object().cloned().unwrap_or_default();
    for (setting, value) in
        [("access.token.claim", "true"), ("id.token.claim", "false"), ("lightweight.claim", "true")]
    {
        config.insert(setting.to_owned(), json!(value));
    }
    json!({ "name": name, "protocol": "openid-connect", "protocolMapper": kind, "config": config })
}

/// One new key for each algorithm, as a realm lists them.
pub(super) fn signing_keys(priority: u32) -> Vec<Value> {
    let keys = SIGNING_KEYS.iter();
    keys.map(|(provider, setting, value)| key(provider, setting, value, priority)).collect()
}

pub(super) fn is_signing_provider(provider: &str) -> bool {
    SIGNING_KEYS.iter().any(|(signing, ..)| *signing == provider)
}

fn key(provider: &str, setting: &str, value: &str, priority: u32) -> Value {
    let mut config = Map::new();
    config.insert("priority".to_owned(), json!([priority.to_string()]));
    config.insert(setting.to_owned(), json!([value]));
    json!({
        "name": format!("{provider} {value} {priority}"),
        "providerId": provider,
        "config": config,
    })
}

/// The kind of component that a key is.
pub(super) const KEY_PROVIDER: &str = "org.keycloak.keys.KeyProvider";

/// Key provider, and the setting that says which key it makes.
const SIGNING_KEYS: [(&str, &str, &str); 4] = [
    ("rsa-generated", "algorithm", "RS256"),
    ("rsa-generated", "algorithm", "PS256"),
    ("ecdsa-generated", "ecdsaEllipticCurveKey", "P-256"),
    ("eddsa-generated", "eddsaEllipticCurveKey", "Ed25519"),
];
