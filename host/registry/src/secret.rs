//! Secrets: generated, shown once, stored as hashes.
//!
//! A generated secret has 256 bits: nobody tries them all, so that SHA-256 under the public id is
//! enough and a check costs nothing. An imported one may be a word: Argon2id, with the parameters in
//! its PHC string.

use std::fmt;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, password_hash::phc::PasswordHash};
use mandate_authn::base64url;
use ring::digest;
use subtle::ConstantTimeEq as _;

use crate::error::RegistryError;
use crate::random::Randomness;

/// A secret in clear. Neither `Debug` nor `Display` show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret from elsewhere.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: for the one who gets it, and for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// 256 bits in base64url.
    pub(crate) fn generate(randomness: &dyn Randomness) -> Result<Self, RegistryError> {
        let mut bytes = [0; 32];
        randomness.fill(&mut bytes)?;
        Ok(Self(base64url::encode(&bytes)))
    }

    /// The secret as its holder keeps it: `mnd_<public id>_<secret>`.
    pub(crate) fn under(&self, id: &str) -> Self {
        Self(format!("mnd_{id}_{}", self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Takes `mnd_<public id>_<secret>` apart.
#[must_use]
pub fn split(token: &str) -> Option<(&str, &str)> {
    let (id, secret) = token.strip_prefix("mnd_")?.split_once('_')?;
    (!id.is_empty() && !secret.is_empty()).then_some((id, secret))
}

/// How a secret is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// For what a person may have chosen.
    Argon2id,
    /// For 256 bits of randomness.
    Sha256,
}

impl Algorithm {
    /// As the database writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Sha256 => "sha-256",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, RegistryError> {
        match text {
            "argon2id" => Ok(Self::Argon2id),
            "sha-256" => Ok(Self::Sha256),
            _ => Err(crate::database::unreadable()),
        }
    }
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) algorithm: Algorithm,
    pub(crate) hash: String,
}

impl Stored {
    /// Of a secret with 256 bits. The public id is hashed with it: a hash that is copied to another
    /// row opens nothing.
    pub(crate) fn of_generated(id: &str, secret: &Secret) -> Self {
        Self { algorithm: Algorithm::Sha256, hash: hash(id, secret.reveal()) }
    }

    /// Of a secret from elsewhere.
    pub(crate) fn of_imported(
        secret: &Secret,
        randomness: &dyn Randomness,
    ) -> Result<Self, RegistryError> {
        let mut salt = [0; 16];
        randomness.fill(&mut salt)?;
        let hash = Argon2::default().hash_password_with_salt(secret.reveal().as_bytes(), &salt);
        let hash =
            hash.map_err(|_| RegistryError::Invalid("the secret cannot be hashed".into()))?;
        Ok(Self { algorithm: Algorithm::Argon2id, hash: hash.to_string() })
    }

    /// Whether a secret is the stored one, in a time that does not depend on where they differ.
    pub(crate) fn fits(&self, id: &str, secret: &str) -> bool {
        match self.algorithm {
            Algorithm::Argon2id => PasswordHash::new(&self.hash).is_ok_and(|stored| {
                Argon2::default().verify_password(secret.as_bytes(), &stored).is_ok()
            }),
            Algorithm::Sha256 => hash(id, secret).as_bytes().ct_eq(self.hash.as_bytes()).into(),
        }
    }
}

/// SHA-256 over the public id and the secret, which no id contains a zero byte of.
fn hash(id: &str, secret: &str) -> String {
    let bytes = [id.as_bytes(), &[0], secret.as_bytes()].concat();
    base64url::encode(digest::digest(&digest::SHA256, &bytes).as_ref())
}

/// A public id: 80 bits in hexadecimal digits, so that none is given twice.
pub(crate) fn public_id(randomness: &dyn Randomness) -> Result<String, RegistryError> {
    let mut bytes = [0_u8; 10];
    randomness.fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandomness;

    #[test]
    fn a_generated_secret_fits_itself_alone_and_under_its_id_alone() {
        let secret = Secret::generate(&SystemRandomness::new()).unwrap();
        assert_eq!(base64url::decode(secret.reveal().as_bytes()).unwrap().len(), 32);
        let stored = Stored::of_generated("a", &secret);
        assert!(stored.fits("a", secret.reveal()));
        assert!(!stored.fits("b", secret.reveal()));
        assert!(!stored.fits("a", &format!("{}x", secret.reveal())));
        assert!(!stored.hash.contains(secret.reveal()));
    }

    #[test]
    fn an_imported_secret_is_stored_as_argon2id_with_a_salt_of_its_own() {
        let secret = Secret::new("correct horse".to_owned());
        let [one, other] =
            [(), ()].map(|()| Stored::of_imported(&secret, &SystemRandomness::new()).unwrap());
        assert!(one.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.hash);
        assert_ne!(one.hash, other.hash);
        assert!(one.fits("a", "correct horse"));
        assert!(!one.fits("a", "correct horsf"));
    }

    #[test]
    fn no_debug_output_shows_a_secret() {
        let secret = Secret::new("planted".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!(secret.under("abc").reveal(), "mnd_abc_planted");
        assert_eq!(split("mnd_abc_pla_nted"), Some(("abc", "pla_nted")));
        assert_eq!(["mnd_abc", "mnd__a", "abc_x", "mnd_a_"].map(split), [None; 4]);
    }
}
