//! Tokens, minted before anything is measured.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use mandate::mint::{KeyRing, TokenRecipe, mint};
use serde_json::{Value, json};

use super::deployment::{LOGIN, MCP, Size, WEB, contract, subject};

/// One algorithm with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA over P-256.
    Es256,
    /// RSA of 2048 bits, PKCS #1.
    Rs256,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::Es256, Self::Rs256];

    const fn key(self) -> &'static str {
        match self {
            Self::Es256 => "p256-bench",
            Self::Rs256 => "rsa-2048-bench",
        }
    }
}

/// A token, and its number: whose it is in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The number.
    pub number: usize,
    /// The token.
    pub text: String,
}

/// The issuer.
#[derive(Debug)]
pub struct Issuer {
    ring: KeyRing,
    now: u64,
}

impl Issuer {
    /// Takes the keys of the benches.
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn new() -> Result<Self> {
        let ring = KeyRing::with_keys(Algorithm::ALL.map(Algorithm::key))?;
        Ok(Self { ring, now: now()? })
    }

    /// What it publishes.
    ///
    /// # Errors
    /// When a key is missing.
    pub fn key_set(&self) -> Result<Value> {
        let keys = Algorithm::ALL.iter().map(|one| Ok(self.ring.key(one.key())?.jwk()));
        Ok(json!({"keys": keys.collect::<Result<Vec<_>>>()?}))
    }

    /// The trust document of the filter.
    ///
    /// # Errors
    /// When a key is missing.
    pub fn trust(&self) -> Result<Value> {
        let sets = json!([{"issuer": LOGIN, "keys": self.key_set()?}]);
        Ok(json!({"contract": contract(), "key_sets": sets}))
    }

    /// So many tokens, each for its own user and agent of the world: no two of them are alike.
    ///
    /// # Errors
    /// When one cannot be minted.
    pub fn tokens(&self, algorithm: Algorithm, size: &Size, count: usize) -> Result<Vec<Token>> {
        let mint = |number| Ok(Token { number, text: self.token(algorithm, size, number)? });
        (0..count).map(mint).collect()
    }

    fn token(&self, algorithm: Algorithm, size: &Size, number: usize) -> Result<String> {
        let (user, agent) = size.principals(number);
        let place = |name: &str| name.get(1..).and_then(|digits| digits.parse().ok());
        let user = place(&user).context("a user has a number")?;
        let agent = place(&agent).context("an agent has a number")?;
        let recipe: TokenRecipe = serde_json::from_value(json!({
            "sign": {"key": {"name": algorithm.key()}},
            "header": {"typ": "at+jwt", "alg": self.ring.key(algorithm.key())?.usual_algorithm(),
                "kid": algorithm.key()},
            "claims": self.claims(&subject("u", user), &subject("a", agent), number),
        }))?;
        mint(&recipe, &self.ring)
    }

    /// What a Keycloak realm puts into an access token, and who acts.
    fn claims(&self, user: &str, agent: &str, number: usize) -> Value {
        json!({
            "iss": LOGIN, "sub": user, "aud": [WEB, MCP],
            "iat": self.now, "exp": self.now.saturating_add(3 * 3600),
            "jti": format!("onrtac:7f1a1f0e-2b93-4c57-9a34-{number:012}"),
            "azp": "board-web", "client_id": "board-web",
            "sid": "0c9f5b1e-3f0c-4b7a-9d53-7e1a2c4b6d8f",
            "tenant": "acme", "scope": "openid boards boards.write",
            "realm_access": {"roles": ["offline_access", "member", "editor"]},
            "resource_access": {"board": {"roles": ["reviewer"]}},
            "act": {"sub": agent},
        })
    }
}

/// Seconds since the epoch.
///
/// # Errors
/// When the clock is before it.
pub fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH).context("a clock after 1970")?.as_secs())
}
