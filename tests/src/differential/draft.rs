//! One generated token, from choices to text.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::world::{AUDIENCE, Issuer, Key, NOW, World};
use super::{after_signing, before_signing};
use crate::random::Random;

/// A token, and what was done to it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The compact text, mostly.
    pub token: String,
    /// The changes, for a person who reads a failure.
    pub changes: Vec<String>,
}

/// A token in the making: members as JSON text, so that anything can be written.
#[derive(Debug)]
pub(super) struct Draft<'w> {
    pub(super) world: &'w World,
    pub(super) header: Vec<(String, String)>,
    pub(super) claims: Vec<(String, String)>,
    /// The bytes of header and claims, once they are no longer plain members.
    pub(super) header_bytes: Option<Vec<u8>>,
    pub(super) claims_bytes: Option<Vec<u8>>,
    pub(super) key: Key,
    pub(super) algorithm: &'static str,
    pub(super) changes: Vec<String>,
}

impl Case {
    /// The tokens that nothing was changed in: one for every key and algorithm.
    #[must_use]
    pub fn all_valid(world: &World) -> Vec<String> {
        let mut tokens = Vec::new();
        for issuer in world.issuers() {
            for key in issuer.keys {
                for algorithm in key.algorithms {
                    let draft = Draft::of(world, issuer, *key, algorithm, &mut Random::new(0));
                    tokens.push(draft.sign().join("."));
                }
            }
        }
        tokens
    }

    /// Makes one token: mostly one change away from one that is accepted.
    #[must_use]
    pub fn generate(world: &World, random: &mut Random) -> Self {
        let mut draft = Draft::valid(world, random);
        let changes = match random.below(100) {
            0..12 => 0,
            12..75 => 1,
            75..93 => 2,
            _ => 3,
        };
        let mut afterwards = 0;
        for _ in 0..changes {
            if random.percent(30) {
                afterwards += 1;
            } else {
                before_signing::change(&mut draft, random);
            }
        }
        let mut parts = draft.sign();
        let mut changes = draft.changes;
        for _ in 0..afterwards {
            changes.push(after_signing::change(&mut parts, random));
        }
        Self { token: parts.join("."), changes }
    }
}

impl<'w> Draft<'w> {
    fn valid(world: &'w World, random: &mut Random) -> Self {
        let issuer = &world.issuers()[random.below(world.issuers().len())];
        let key = random.pick(issuer.keys);
        let algorithm = random.pick(key.algorithms);
        Self::of(world, issuer, key, algorithm, random)
    }

    fn of(
        world: &'w World,
        issuer: &Issuer,
        key: Key,
        algorithm: &'static str,
        random: &mut Random,
    ) -> Self {
        let mut header = vec![("alg".to_owned(), quoted(algorithm))];
        header.extend(issuer.typ.map(|typ| ("typ".to_owned(), quoted(typ))));
        header.extend(key.kid.map(|kid| ("kid".to_owned(), quoted(kid))));
        let mut claims: Vec<(String, String)> = [
            ("iss", quoted(issuer.name)),
            ("sub", quoted(random.pick(&["user-7", "agent-3", "ü", "a b"]))),
            ("aud", random.pick(&[quoted(AUDIENCE), format!("[{}]", quoted(AUDIENCE))])),
            ("exp", (NOW + 300).to_string()),
            ("iat", (NOW - 10).to_string()),
            ("jti", quoted(&format!("t-{}", random.below(1_000_000)))),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text))
        .collect();
        claims.extend(issuer.claims.iter().map(|(name, text)| ((*name).into(), (*text).into())));
        Self {
            world,
            header,
            claims,
            header_bytes: None,
            claims_bytes: None,
            key,
            algorithm,
            changes: Vec::new(),
        }
    }

    /// Sets a member, in place if it is there.
    pub(super) fn set(members: &mut Vec<(String, String)>, name: &str, text: &str) {
        match members.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => text.clone_into(old),
            None => members.push((name.to_owned(), text.to_owned())),
        }
    }

    fn sign(&self) -> Vec<String> {
        let bytes = |own: &Option<Vec<u8>>, members: &[(String, String)]| {
            own.clone().unwrap_or_else(|| object(members).into_bytes())
        };
        let encode = |bytes: Vec<u8>| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let header = encode(bytes(&self.header_bytes, &self.header));
        let claims = encode(bytes(&self.claims_bytes, &self.claims));
        let message = format!("{header}.{claims}");
        let key = self.world.key(self.key.name);
        let signature = key.sign(self.algorithm, message.as_bytes()).expect("the key can sign");
        vec![header, claims, encode(signature)]
    }
}

/// Members as JSON text, in their order, repeated names and all.
pub(super) fn object(members: &[(String, String)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, text)| format!("{}:{text}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
