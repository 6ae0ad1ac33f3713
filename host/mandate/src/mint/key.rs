//! One test key: its JWK, its public encodings, its signatures.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    Pkcs1v15Sign, Pss, RsaPrivateKey,
    pkcs1::EncodeRsaPublicKey,
    pkcs8::{EncodePublicKey, LineEnding},
    traits::PublicKeyParts,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{prime::rsa_key, seed::SeedStream};

/// A private key made from published words, named `rsa-BITS-LABEL`, `p256-LABEL`, `p384-LABEL` or
/// `ed25519-LABEL`.
#[derive(Debug, Clone)]
pub struct TestKey {
    name: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Rsa(Box<RsaPrivateKey>),
    P256(p256_signing::ecdsa::SigningKey),
    P384(p384_signing::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl TestKey {
    /// Derives the key from the words `mandate fixture key NAME`.
    ///
    /// # Errors
    /// When the name is none of the four forms.
    pub fn derive(name: &str) -> Result<Self> {
        let mut stream = SeedStream::new(&format!("mandate fixture key {name}"));
        let mut words = name.split('-');
        let kind = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("rsa"), Some(bits), Some(_), None) => {
                let bits = bits.parse().with_context(|| format!("key `{name}`: bits"))?;
                Kind::Rsa(Box::new(rsa_key(&mut stream, bits)?))
            }
            (Some("p256"), Some(_), None, None) => Kind::P256(
                p256_signing::ecdsa::SigningKey::from_slice(&stream.take(32)).context("p256")?,
            ),
            (Some("p384"), Some(_), None, None) => Kind::P384(
                p384_signing::ecdsa::SigningKey::from_slice(&stream.take(48)).context("p384")?,
            ),
            (Some("ed25519"), Some(_), None, None) => {
                let seed: [u8; 32] = stream.take(32).try_into().ok().context("32 bytes")?;
                Kind::Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            }
            _ => bail!(
                "key `{name}`: expected rsa-BITS-LABEL, p256-LABEL, p384-LABEL or ed25519-LABEL"
            ),
        };
        Ok(Self { name: name.to_owned(), kind })
    }

    /// The public half as a JWK (RFC 7517) with `kid` = the key's name and `use` = `sig`.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.kind {
            Kind::Rsa(key) => json!({
                "kty": "RSA",
                "n": encode(&key.n().to_bytes_be()),
                "e": encode(&key.e().to_bytes_be()),
            }),
            Kind::P256(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                ec_jwk("P-256", point.x().map(|x| x.as_slice()), point.y().map(|y| y.as_slice()))
            }
            Kind::P384(key) => {
                let point = key.verifying_key().to_encoded_point(false);
                ec_jwk("P-384", point.x().map(|x| x.as_slice()), point.y().map(|y| y.as_slice()))
            }
            Kind::Ed25519(key) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().as_bytes()),
            }),
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), json!(self.name));
            members.insert("use".to_owned(), json!("sig"));
        }
        jwk
    }

    /// The algorithm that the key signs with unless a recipe names another.
    #[must_use]
    pub fn usual_algorithm(&self) -> &'static str {
        match self.kind {
            Kind::Rsa(_) => "RS256",
            Kind::P256(_) => "ES256",
            Kind::P384(_) => "ES384",
            Kind::Ed25519(_) => "EdDSA",
        }
    }

    /// The signature over a message, in the form of RFC 7518 section 3 and RFC 8037 section 3.1.
    ///
    /// The same message gives the same bytes: PKCS#1 v1.5 and Ed25519 draw nothing, ECDSA follows
    /// RFC 6979, and the salt of PSS comes from a stream named by the message.
    ///
    /// # Errors
    /// When the key cannot sign with that algorithm.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
        use p256_signing::ecdsa::signature::Signer as _;
        match (&self.kind, algorithm) {
            (Kind::Rsa(key), "RS256" | "RS384" | "RS512") => {
                let (scheme, digest) = match algorithm {
                    "RS256" => (Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(message).to_vec()),
                    "RS384" => (Pkcs1v15Sign::new::<Sha384>(), Sha384::digest(message).to_vec()),
                    _ => (Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(message).to_vec()),
                };
                key.sign(scheme, &digest).context("PKCS#1 v1.5")
            }
            (Kind::Rsa(key), "PS256" | "PS384" | "PS512") => {
                // RFC 7518 section 3.5: the salt is as long as the hash.
                let (scheme, digest) = match algorithm {
                    "PS256" => (Pss::new::<Sha256>(), Sha256::digest(message).to_vec()),
                    "PS384" => (Pss::new::<Sha384>(), Sha384::digest(message).to_vec()),
                    _ => (Pss::new::<Sha512>(), Sha512::digest(message).to_vec()),
                };
                let words = format!("mandate fixture salt {algorithm} {}", encode(&digest));
                key.sign_with_rng(&mut SeedStream::new(&words), scheme, &digest).context("PSS")
            }
            // RFC 7518 section 3.5 requires the salt: a signature without one must not pass.
            (Kind::Rsa(key), "PS256-without-salt") => {
                let scheme = Pss::new_with_salt::<Sha256>(0);
                key.sign_with_rng(&mut SeedStream::new("none"), scheme, &Sha256::digest(message))
                    .context("PSS")
            }
            (Kind::P256(key), "ES256") => {
                let signature: p256_signing::ecdsa::Signature = key.try_sign(message)?;
                Ok(signature.to_bytes().to_vec())
            }
            (Kind::P384(key), "ES384") => {
                let signature: p384_signing::ecdsa::Signature = key.try_sign(message)?;
                Ok(signature.to_bytes().to_vec())
            }
            (Kind::Ed25519(key), "EdDSA") => {
                use ed25519_dalek::Signer as _;
                Ok(key.try_sign(message)?.to_bytes().to_vec())
            }
            _ => bail!("key `{}` cannot sign {algorithm}", self.name),
        }
    }

    /// The length of a signature in bytes.
    #[must_use]
    pub fn signature_length(&self) -> usize {
        match &self.kind {
            Kind::Rsa(key) => key.size(),
            Kind::P256(_) | Kind::Ed25519(_) => 64,
            Kind::P384(_) => 96,
        }
    }

    /// The public key in an encoding that careless verifiers have used as an HMAC secret.
    ///
    /// # Errors
    /// When the key is no RSA key.
    pub fn public_encoding(&self, encoding: PublicEncoding) -> Result<Vec<u8>> {
        let Kind::Rsa(key) = &self.kind else {
            bail!("key `{}`: public encodings are for RSA keys", self.name);
        };
        let public = key.to_public_key();
        let bytes = match encoding {
            PublicEncoding::SpkiPem => public.to_public_key_pem(LineEnding::LF)?.into_bytes(),
            PublicEncoding::SpkiDer => public.to_public_key_der()?.into_vec(),
            PublicEncoding::Pkcs1Pem => public.to_pkcs1_pem(LineEnding::LF)?.into_bytes(),
            PublicEncoding::Modulus => encode(&public.n().to_bytes_be()).into_bytes(),
        };
        ensure!(!bytes.is_empty(), "key `{}`: empty encoding", self.name);
        Ok(bytes)
    }
}

/// How a public key is written down.
#[derive(Debug, Clone, Copy)]
pub enum PublicEncoding {
    /// `-----BEGIN RSA PUBLIC KEY-----`.
    Pkcs1Pem,
    /// The base64url text of the modulus, as a JWK has it.
    Modulus,
    /// SubjectPublicKeyInfo, binary.
    SpkiDer,
    /// `-----BEGIN PUBLIC KEY-----`.
    SpkiPem,
}

fn ec_jwk(curve: &str, x: Option<&[u8]>, y: Option<&[u8]>) -> Value {
    json!({
        "kty": "EC",
        "crv": curve,
        "x": encode(x.unwrap_or_default()),
        "y": encode(y.unwrap_or_default()),
    })
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::TestKey;

    #[test]
    fn an_rsa_modulus_has_exactly_the_bits_of_its_name() {
        use rsa::traits::PublicKeyParts;
        for bits in [1023, 1024] {
            let key = TestKey::derive(&format!("rsa-{bits}-test")).unwrap();
            let super::Kind::Rsa(key) = key.kind else { panic!("an RSA key") };
            assert_eq!(key.n().bits(), bits);
        }
    }

    #[test]
    fn a_message_has_one_signature() {
        for (name, algorithm) in [
            ("rsa-1024-test", "RS256"),
            ("rsa-1024-test", "PS256"),
            ("p256-test", "ES256"),
            ("p384-test", "ES384"),
            ("ed25519-test", "EdDSA"),
        ] {
            let first = TestKey::derive(name).unwrap().sign(algorithm, b"message").unwrap();
            let second = TestKey::derive(name).unwrap().sign(algorithm, b"message").unwrap();
            assert_eq!(first, second, "{name} {algorithm}");
            assert_eq!(first.len(), TestKey::derive(name).unwrap().signature_length());
        }
    }

    #[test]
    fn a_name_of_no_known_form_is_an_error() {
        let error = TestKey::derive("dsa-a").unwrap_err().to_string();
        assert_eq!(
            error,
            "key `dsa-a`: expected rsa-BITS-LABEL, p256-LABEL, p384-LABEL or ed25519-LABEL"
        );
    }
}
