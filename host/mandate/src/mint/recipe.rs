//! A token as a fixture writes it down.

use serde::Deserialize;
use serde_json::Value;

use super::{members::merge_patch, mutation::Mutation, placeholder};

/// How to make one token: members, then changes, then the signature, then changes again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecipe {
    /// The token itself, where no recipe is needed; nothing else may be given beside it.
    #[serde(default)]
    pub text: Option<String>,
    /// Who signs. Absent: as the base says.
    #[serde(default)]
    pub sign: Option<Signing>,
    /// A merge patch (RFC 7396) over the base's header.
    #[serde(default)]
    pub header: Value,
    /// A merge patch over the base's claims.
    #[serde(default)]
    pub claims: Value,
    /// What happens before the signature is made: the signature covers it.
    #[serde(default)]
    pub before_signing: Vec<Mutation>,
    /// What happens afterwards: an attacker's changes, which the signature does not cover.
    #[serde(default)]
    pub after_signing: Vec<Mutation>,
}

impl TokenRecipe {
    /// This recipe over a base: the signer and the members that it does not change.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        let patch = |target: &Value, patch: &Value| {
            if patch.is_null() { target.clone() } else { merge_patch(target, patch) }
        };
        Self {
            text: self.text.clone(),
            sign: self.sign.clone().or_else(|| base.sign.clone()),
            header: patch(&base.header, &self.header),
            claims: patch(&base.claims, &self.claims),
            before_signing: self.before_signing.clone(),
            after_signing: self.after_signing.clone(),
        }
    }

    /// The test keys that the recipe uses.
    #[must_use]
    pub fn key_names(&self) -> Vec<&str> {
        let signer = match &self.sign {
            Some(Signing::Key { name, .. }) => Some(name.as_str()),
            Some(Signing::Hmac { secret: Secret::PublicKey { name, .. }, .. }) => {
                Some(name.as_str())
            }
            Some(Signing::Hmac { secret: Secret::Text(_), .. } | Signing::Nothing) | None => None,
        };
        let mut names = placeholder::named_keys(&self.header);
        names.extend(placeholder::named_keys(&self.claims));
        names.extend(signer);
        names
    }
}

/// What the third part is made with.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Signing {
    /// A test key.
    Key {
        /// The key's name.
        name: String,
        /// The algorithm that is truly used, whatever the header says; absent: the key's usual one.
        algorithm: Option<String>,
    },
    /// A MAC, as an attacker without a private key makes it.
    Hmac {
        /// The hash.
        hash: HmacHash,
        /// The secret.
        secret: Secret,
    },
    /// The third part is empty.
    Nothing,
}

/// The hash of an HMAC.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum HmacHash {
    /// SHA-256, as for `HS256`.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-384, as for `HS384`.
    #[serde(rename = "SHA-384")]
    Sha384,
    /// SHA-512, as for `HS512`.
    #[serde(rename = "SHA-512")]
    Sha512,
}

/// The secret of an HMAC.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Secret {
    /// These characters.
    Text(String),
    /// A public key's encoding: the RS256 to HS256 confusion.
    PublicKey {
        /// The key's name.
        name: String,
        /// Which encoding.
        form: SecretForm,
    },
}

/// A public key's encoding, used as a secret.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretForm {
    /// The JWK's `n`.
    Modulus,
    /// `-----BEGIN RSA PUBLIC KEY-----`.
    Pkcs1Pem,
    /// SubjectPublicKeyInfo, binary.
    SpkiDer,
    /// `-----BEGIN PUBLIC KEY-----`.
    SpkiPem,
}
