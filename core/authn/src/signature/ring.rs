//! The backend over `ring`.

use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

use super::{SignatureBackend, SignatureInvalid, VerifyingKey};
use crate::algorithm::Algorithm;
use crate::key::{KeyUnfit, PublicKey};

/// Verifies with `ring`, natively and in WebAssembly.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingBackend;

impl SignatureBackend for RingBackend {
    fn prepare(&self, key: &PublicKey) -> Result<Box<dyn VerifyingKey>, KeyUnfit> {
        let point = |algorithm, method: &'static dyn VerificationAlgorithm, bytes: &[u8]| {
            Box::new(Point { algorithm, key: UnparsedPublicKey::new(method, bytes.to_vec()) })
        };
        Ok(match key {
            PublicKey::Ed25519(bytes) => point(Algorithm::EdDsa, &signature::ED25519, bytes),
            PublicKey::P256(bytes) => {
                point(Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED, bytes)
            }
            PublicKey::P384(bytes) => {
                point(Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED, bytes)
            }
            PublicKey::Rsa { modulus, exponent } => {
                Box::new(Rsa(RsaPublicKeyComponents { n: modulus.clone(), e: exponent.clone() }))
            }
        })
    }
}

/// A point of a curve: it serves one algorithm.
#[derive(Debug)]
struct Point {
    algorithm: Algorithm,
    key: UnparsedPublicKey<Vec<u8>>,
}

impl VerifyingKey for Point {
    fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        if algorithm != self.algorithm {
            return Err(SignatureInvalid);
        }
        self.key.verify(message, signature).map_err(|_| SignatureInvalid)
    }
}

#[derive(Debug)]
struct Rsa(RsaPublicKeyComponents<Vec<u8>>);

impl VerifyingKey for Rsa {
    fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureInvalid> {
        let method = rsa_method(algorithm).ok_or(SignatureInvalid)?;
        self.0.verify(method, message, signature).map_err(|_| SignatureInvalid)
    }
}

const fn rsa_method(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Es384 => None,
    }
}
