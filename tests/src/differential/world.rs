//! The trust that every generated token meets: four issuers, keys of every kind.

use mandate::mint::{KeyRing, TestKey};
use serde_json::{Value, json};

/// The moment of every validation.
pub const NOW: u64 = 1_780_000_000;

/// The audience of every validation.
pub const AUDIENCE: &str = "https://board.example";

/// Keys that sign, and what is trusted of them.
#[derive(Debug)]
pub struct World {
    ring: KeyRing,
    issuers: Vec<Issuer>,
    trust: Value,
}

/// An issuer, as far as the generator has to know it.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) name: &'static str,
    pub(super) typ: Option<&'static str>,
    /// What its access tokens must have: name and JSON text.
    pub(super) claims: &'static [(&'static str, &'static str)],
    pub(super) keys: &'static [Key],
}

/// A published key: what names it in the ring, its `kid`, and the algorithms it may be used with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kid: Option<&'static str>,
    pub(super) algorithms: &'static [&'static str],
}

/// Keys that no issuer publishes.
pub(super) const FOREIGN_KEYS: [&str; 4] =
    ["rsa-2048-foreign", "p256-foreign", "p384-foreign", "ed25519-foreign"];

const ISSUERS: [Issuer; 4] = [
    Issuer {
        name: "https://idp.example/realms/acme",
        typ: Some("at+jwt"),
        claims: &[],
        keys: &[
            Key { name: "rsa-2048-acme", kid: Some("one"), algorithms: &["RS256", "PS256"] },
            Key { name: "p256-acme", kid: Some("two"), algorithms: &["ES256"] },
            Key { name: "ed25519-acme", kid: Some("three"), algorithms: &["EdDSA"] },
        ],
    },
    Issuer {
        name: "https://idp.example/realms/beta",
        typ: Some("JWT"),
        claims: &[("typ", "\"Bearer\"")],
        keys: &[
            // The same `kid` as another issuer's key: a kid names nothing by itself.
            Key { name: "rsa-2048-beta", kid: Some("one"), algorithms: RSA },
            Key { name: "p384-beta", kid: Some("two"), algorithms: &["ES384"] },
            Key { name: "p256-beta", kid: Some("four"), algorithms: &["ES256"] },
            Key { name: "ed25519-beta", kid: Some("five"), algorithms: &["EdDSA"] },
        ],
    },
    Issuer {
        name: "https://login.example",
        typ: Some("at+jwt"),
        claims: &[],
        keys: &[Key { name: "p256-login", kid: None, algorithms: &["ES256"] }],
    },
    Issuer {
        name: "https://login.example/",
        typ: Some("application/at+jwt"),
        claims: &[],
        keys: &[Key { name: "ed25519-login", kid: Some("one"), algorithms: &["EdDSA"] }],
    },
];

const RSA: &[&str] = &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

impl World {
    /// Derives the keys and writes the trust document.
    ///
    /// # Panics
    /// When a key cannot be derived.
    #[must_use]
    pub fn new() -> Self {
        let published = ISSUERS.iter().flat_map(|issuer| issuer.keys.iter().map(|key| key.name));
        let ring = KeyRing::with_keys(published.chain(FOREIGN_KEYS)).expect("key names");
        let contract = json!({
            "contract": "mandate",
            "version": "1.0.0",
            "status": "draft",
            "skew_seconds": 30,
            "issuers": ISSUERS.iter().map(contract_issuer).collect::<Vec<_>>(),
            "apps": [{
                "name": "board",
                "audience": AUDIENCE,
                "routes": [{"name": "admin", "audience": "https://board.example/admin"}],
            }],
        });
        let key_sets: Vec<Value> = ISSUERS.iter().map(|issuer| key_set(issuer, &ring)).collect();
        let trust = json!({"contract": contract, "key_sets": key_sets});
        Self { ring, issuers: ISSUERS.into(), trust }
    }

    /// The trust document.
    #[must_use]
    pub const fn trust(&self) -> &Value {
        &self.trust
    }

    pub(super) fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    pub(super) fn key(&self, name: &str) -> &TestKey {
        self.ring.key(name).expect("a key of this world")
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn contract_issuer(issuer: &Issuer) -> Value {
    let mut algorithms: Vec<&str> =
        issuer.keys.iter().flat_map(|key| key.algorithms).copied().collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    let mut entry = json!({
        "issuer": issuer.name,
        "algorithms": algorithms,
        "tenants": ["acme"],
        "tenant_claim": "/tenant",
        "role_claims": ["/realm_access/roles"],
    });
    if issuer.typ == Some("JWT") {
        entry["types"] = json!(["JWT"]);
        entry["claim_tests"] = json!([{"claim": "/typ", "equals": "Bearer"}]);
    }
    entry
}

fn key_set(issuer: &Issuer, ring: &KeyRing) -> Value {
    let jwk = |key: &Key| {
        let mut jwk = ring.key(key.name).expect("a key of this world").jwk();
        match key.kid {
            Some(kid) => jwk["kid"] = json!(kid),
            None => drop(jwk.as_object_mut().expect("an object").remove("kid")),
        }
        if let [only] = key.algorithms {
            jwk["alg"] = json!(only);
        }
        jwk
    };
    json!({"issuer": issuer.name, "keys": {"keys": issuer.keys.iter().map(jwk).collect::<Vec<_>>()}})
}
