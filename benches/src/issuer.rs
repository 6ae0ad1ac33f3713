//! One issuer that signs with three algorithms.

use anyhow::Result;
use mandate::mint::{KeyRing, TokenRecipe, mint};
use serde_json::{Value, json};

/// The moment at which the tokens are asked about, in seconds since the epoch.
pub const NOW: u64 = 1_780_000_000;
/// The audience of the tokens.
pub const AUDIENCE: &str = "https://board.example";

const ISSUER: &str = "https://idp.example/realms/acme";
const KEYS: [&str; 3] = ["rsa-2048-bench", "p256-bench", "ed25519-bench"];

/// A trust document, and a token for each algorithm.
#[derive(Debug)]
pub struct Issuer {
    /// The trust document, as JSON.
    pub trust: String,
    /// Algorithm and token: what a Keycloak realm puts into an access token, about 1.3 KiB.
    pub tokens: Vec<(&'static str, String)>,
}

impl Issuer {
    /// Makes keys and tokens.
    ///
    /// # Errors
    /// When the mint refuses the recipe.
    pub fn new() -> Result<Self> {
        let ring = KeyRing::with_keys(KEYS)?;
        let (mut keys, mut tokens) = (Vec::new(), Vec::new());
        for name in KEYS {
            let key = ring.key(name)?;
            let algorithm = key.usual_algorithm();
            let recipe: TokenRecipe = serde_json::from_value(json!({
                "sign": {"key": {"name": name}},
                "header": {"typ": "at+jwt", "alg": algorithm, "kid": name},
                "claims": claims(),
            }))?;
            keys.push(key.jwk());
            tokens.push((algorithm, mint(&recipe, &ring)?));
        }
        let contract = json!({
            "contract": "mandate",
            "version": "1.0.0",
            "status": "draft",
            "issuers": [{
                "issuer": ISSUER,
                "algorithms": ["RS256", "ES256", "EdDSA"],
                "tenant_claim": "/tenant",
                "role_claims": ["/realm_access/roles", "/resource_access/*/roles"],
                "tenants": ["acme"],
            }],
            "apps": [{"name": "board", "audience": AUDIENCE}],
        });
        let key_sets = json!([{"issuer": ISSUER, "keys": {"keys": keys}}]);
        let trust = json!({"contract": contract, "key_sets": key_sets}).to_string();
        Ok(Self { trust, tokens })
    }
}

fn claims() -> Value {
    let hour = 3600;
    json!({
        "iss": ISSUER,
        "sub": "f3b1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",
        "aud": [AUDIENCE, "account"],
        "exp": NOW.saturating_add(hour),
        "iat": NOW,
        "jti": "onrtac:7f1a1f0e-2b93-4c57-9a34-5d1b6b3f0c11",
        "azp": "board-web",
        "sid": "0c9f5b1e-3f0c-4b7a-9d53-7e1a2c4b6d8f",
        "tenant": "acme",
        "scope": "openid board:read board:write",
        "realm_access": {"roles": ["offline_access", "member", "editor"]},
        "resource_access": {"board": {"roles": ["reviewer"]}, "account": {"roles": ["view"]}},
        "preferred_username": "robin",
        "act": {"sub": "service-account-agent", "client_id": "agent"},
    })
}
