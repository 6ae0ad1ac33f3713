//! The `jsonwebtoken` crate, used as carefully as its interface allows.

use std::str::FromStr as _;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::world::{AUDIENCE, NOW};

/// `jsonwebtoken` under one trust document.
#[derive(Debug)]
pub struct JsonWebToken {
    issuers: Vec<Issuer>,
    skew: u64,
}

#[derive(Debug)]
struct Issuer {
    name: String,
    algorithms: Vec<Algorithm>,
    keys: JwkSet,
}

impl JsonWebToken {
    /// Reads the trust document's issuers and keys.
    ///
    /// # Panics
    /// When a key set is none.
    #[must_use]
    pub fn new(trust: &Value) -> Self {
        let sets = trust["key_sets"].as_array().expect("key sets");
        let issuers = trust["contract"]["issuers"].as_array().expect("issuers");
        let issuers = issuers.iter().map(|issuer| {
            let set = sets.iter().find(|set| set["issuer"] == issuer["issuer"]).expect("its keys");
            let algorithms = issuer["algorithms"].as_array().expect("algorithms");
            let name = |value: &Value| value.as_str().expect("text").to_owned();
            Issuer {
                name: name(&issuer["issuer"]),
                algorithms: algorithms
                    .iter()
                    .map(|value| Algorithm::from_str(&name(value)).expect("an algorithm"))
                    .collect(),
                keys: serde_json::from_value(set["keys"].clone()).expect("a key set"),
            }
        });
        let skew = trust["contract"]["skew_seconds"].as_u64().expect("a skew");
        Self { issuers: issuers.collect(), skew }
    }

    /// Accepts a token, or says why not.
    ///
    /// # Errors
    /// The kind of the library's error.
    pub fn validate(&self, token: &str) -> Result<(), String> {
        let described = |error: jsonwebtoken::errors::Error| {
            let kind = format!("{:?}", error.kind());
            kind.split(['(', ' ']).next().unwrap_or_default().to_owned()
        };
        let claims: Value = insecure_decode_claims(token).map_err(described)?;
        let issuer = self.issuers.iter().find(|issuer| claims["iss"] == issuer.name.as_str());
        let issuer = issuer.ok_or("NoIssuer")?;
        let header = decode_header(token).map_err(described)?;
        let jwk = choose(&issuer.keys, header.kid.as_deref()).ok_or("NoKey")?;
        let key = DecodingKey::from_jwk(jwk).map_err(described)?;
        let mut validation = Validation::new(header.alg);
        let stated = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        validation.algorithms = issuer
            .algorithms
            .iter()
            .copied()
            // It wants algorithms of the key's kind only.
            .filter(|algorithm| algorithm.family() == key.family())
            .filter(|algorithm| stated.as_ref().is_none_or(|stated| *stated == name(*algorithm)))
            .collect();
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&issuer.name]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Its clock is the system's. A leeway of all that has passed since `NOW` makes `exp` mean
        // the same; `nbf` has no such leeway and is left to the other libraries.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| "Clock")?;
        let passed = since_epoch.as_secs().checked_sub(NOW).ok_or("Clock")?;
        validation.leeway = passed + self.skew;
        decode::<Value>(token, &key, &validation).map(drop).map_err(described)
    }
}

fn name(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

fn choose<'k>(keys: &'k JwkSet, kid: Option<&str>) -> Option<&'k Jwk> {
    match (kid, keys.keys.as_slice()) {
        (Some(kid), _) => keys.find(kid),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}
