//! Every algorithm: a good signature passes, and under no other algorithm.

use ed25519_dalek::Signer as _;
use mandate_authn::{Algorithm, Refusal, verify_jws};
use rsa::pkcs1v15;
use rsa::pss;
use rsa::rand_core::OsRng;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use rsa::traits::PublicKeyParts as _;
use serde_json::{Value, json};

use crate::support::encode;

struct Keys {
    rsa: rsa::RsaPrivateKey,
    p256: p256::ecdsa::SigningKey,
    p384: p384::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
}

impl Keys {
    fn new() -> Self {
        Self {
            rsa: rsa::RsaPrivateKey::new(&mut OsRng, 2048).unwrap(),
            p256: p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap(),
            p384: p384::ecdsa::SigningKey::from_slice(&[5; 48]).unwrap(),
            ed25519: ed25519_dalek::SigningKey::from_bytes(&[5; 32]),
        }
    }

    fn jwk(&self, algorithm: Algorithm) -> Value {
        match algorithm {
            Algorithm::EdDsa => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(self.ed25519.verifying_key())})
            }
            Algorithm::Es256 => {
                let point = self.p256.verifying_key().to_encoded_point(false);
                json!({"kty": "EC", "crv": "P-256", "x": encode(point.x().unwrap()), "y": encode(point.y().unwrap())})
            }
            Algorithm::Es384 => {
                let point = self.p384.verifying_key().to_encoded_point(false);
                json!({"kty": "EC", "crv": "P-384", "x": encode(point.x().unwrap()), "y": encode(point.y().unwrap())})
            }
            Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512 => {
                json!({"kty": "RSA", "n": encode(self.rsa.n().to_bytes_be()), "e": encode(self.rsa.e().to_bytes_be())})
            }
        }
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::EdDsa => self.ed25519.sign(message).to_vec(),
            Algorithm::Es256 => {
                let signature: p256::ecdsa::Signature = self.p256.sign(message);
                signature.to_vec()
            }
            Algorithm::Es384 => {
                let signature: p384::ecdsa::Signature = self.p384.sign(message);
                signature.to_vec()
            }
            Algorithm::Ps256 => pss::SigningKey::<Sha256>::new(self.rsa.clone())
                .sign_with_rng(&mut OsRng, message)
                .to_vec(),
            Algorithm::Ps384 => pss::SigningKey::<Sha384>::new(self.rsa.clone())
                .sign_with_rng(&mut OsRng, message)
                .to_vec(),
            Algorithm::Ps512 => pss::SigningKey::<Sha512>::new(self.rsa.clone())
                .sign_with_rng(&mut OsRng, message)
                .to_vec(),
            Algorithm::Rs256 => {
                pkcs1v15::SigningKey::<Sha256>::new(self.rsa.clone()).sign(message).to_vec()
            }
            Algorithm::Rs384 => {
                pkcs1v15::SigningKey::<Sha384>::new(self.rsa.clone()).sign(message).to_vec()
            }
            Algorithm::Rs512 => {
                pkcs1v15::SigningKey::<Sha512>::new(self.rsa.clone()).sign(message).to_vec()
            }
        }
    }
}

#[test]
fn a_signature_verifies_under_its_own_algorithm_only() {
    let keys = Keys::new();
    for signed in Algorithm::ALL {
        for stated in Algorithm::ALL {
            let input = format!(
                "{}.{}",
                encode(json!({"alg": stated.as_str()}).to_string()),
                encode("payload")
            );
            let token = format!("{input}.{}", encode(keys.sign(signed, input.as_bytes())));
            let outcome = verify_jws(&keys.jwk(stated).to_string(), token.as_bytes());
            let expected = if signed == stated { Ok(()) } else { Err(Refusal::Signature) };
            assert_eq!(outcome, expected, "signed {signed}, stated {stated}");
        }
    }
}

#[test]
fn a_key_without_alg_serves_the_algorithms_of_its_kind_only() {
    let keys = Keys::new();
    for of_key in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Rs256] {
        for stated in Algorithm::ALL {
            let input = format!(
                "{}.{}",
                encode(json!({"alg": stated.as_str()}).to_string()),
                encode("payload")
            );
            let token = format!("{input}.{}", encode(keys.sign(stated, input.as_bytes())));
            let jwk = json!({"keys": [keys.jwk(of_key)]}).to_string();
            let fits = keys.jwk(of_key) == keys.jwk(stated);
            let expected = if fits { Ok(()) } else { Err(Refusal::KeyUnknown { kid: None }) };
            assert_eq!(verify_jws(&jwk, token.as_bytes()), expected, "{of_key} {stated}");
        }
    }
}
