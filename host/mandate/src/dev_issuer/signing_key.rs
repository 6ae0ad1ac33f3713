//! Keys that sign: made at start, held in memory, never written.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::rust_crypto;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::rand_core::OsRng;
use serde_json::{Map, Value};

/// What the development issuer signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SigningAlgorithm {
    /// ECDSA over P-256.
    #[value(name = "ES256")]
    Es256,
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA 2048, PKCS #1 v1.5: what most providers use by default.
    #[value(name = "RS256")]
    Rs256,
}

impl SigningAlgorithm {
    /// Every algorithm, the default first.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The name in a header's `alg`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    pub(super) const fn jose(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::EdDsa => Algorithm::EdDSA,
            Self::Rs256 => Algorithm::RS256,
        }
    }
}

/// A private key with its published half.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    id: String,
    public: Jwk,
    private: EncodingKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key. Its id is its RFC 7638 thumbprint.
    ///
    /// # Errors
    /// [`KeyError`] when the system gives no randomness or a library refuses the key.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        // Named, not guessed from features: another crate in the same program may enable a second
        // provider. A provider that is installed already is used as it is.
        let _ = rust_crypto::DEFAULT_PROVIDER.install_default();
        let private = match algorithm {
            SigningAlgorithm::Es256 => generate_p256()?,
            SigningAlgorithm::EdDsa => generate_ed25519()?,
            SigningAlgorithm::Rs256 => generate_rsa()?,
        };
        let mut public =
            Jwk::from_encoding_key(&private, algorithm.jose()).map_err(KeyError::new)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(KeyError::new)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { algorithm, id, public, private })
    }

    /// The algorithm that the key is for.
    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The key's id, `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        serde_json::to_value(&self.public).unwrap_or_default()
    }

    /// Signs header and claims exactly as given: whoever calls decides what they say.
    ///
    /// # Errors
    /// [`KeyError`] when the library refuses to sign.
    pub fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, KeyError> {
        let part = |object| -> Result<String, KeyError> {
            Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(object).map_err(KeyError::new)?))
        };
        let message = format!("{}.{}", part(header)?, part(claims)?);
        let algorithm = self.algorithm.jose();
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, algorithm)
            .map_err(KeyError::new)?;
        Ok(format!("{message}.{signature}"))
    }

    pub(super) fn decoding_key(&self) -> Result<DecodingKey, KeyError> {
        DecodingKey::from_jwk(&self.public).map_err(KeyError::new)
    }
}

/// Why a key cannot be made or used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl KeyError {
    fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }

    pub(super) fn no_key() -> Self {
        Self("no key of that algorithm".to_owned())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "signing key: {}", self.0)
    }
}

impl std::error::Error for KeyError {}

/// Random bytes as base64url, for secrets and token ids.
pub(super) fn random_text<const BYTES: usize>() -> Result<String, KeyError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes::<BYTES>()?))
}

fn random_bytes<const BYTES: usize>() -> Result<[u8; BYTES], KeyError> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(KeyError::new)?;
    Ok(bytes)
}

fn generate_rsa() -> Result<EncodingKey, KeyError> {
    let private = rsa::RsaPrivateKey::new(&mut OsRng, RSA_BITS).map_err(KeyError::new)?;
    let der = private.to_pkcs1_der().map_err(KeyError::new)?;
    Ok(EncodingKey::from_rsa_der(der.as_bytes()))
}

fn generate_p256() -> Result<EncodingKey, KeyError> {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(KeyError::new)?;
    Ok(EncodingKey::from_ec_der(der.as_ref()))
}

fn generate_ed25519() -> Result<EncodingKey, KeyError> {
    let mut der = ED25519_PKCS8_PREFIX.to_vec();
    der.extend_from_slice(&random_bytes::<32>()?);
    Ok(EncodingKey::from_ed_der(&der))
}

const RSA_BITS: usize = 2048;

/// PKCS #8 version 1 around a 32-byte seed (RFC 8410 section 7): the form `jsonwebtoken` reads.
const ED25519_PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_signs_and_its_published_key_verifies() {
        for algorithm in SigningAlgorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let token = key.sign(&Map::new(), &Map::new()).unwrap();
            let (message, signature) = token.rsplit_once('.').unwrap();
            let verify = |message: &str| {
                let key = key.decoding_key().unwrap();
                jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm.jose())
                    .unwrap()
            };
            assert_eq!((verify(message), verify("e30.e31")), (true, false), "{algorithm:?}");
        }
    }

    #[test]
    fn the_published_half_holds_nothing_private() {
        for algorithm in SigningAlgorithm::ALL {
            let jwk = SigningKey::generate(algorithm).unwrap().jwk();
            for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert_eq!(jwk.get(member), None, "{algorithm:?}");
            }
        }
    }
}
