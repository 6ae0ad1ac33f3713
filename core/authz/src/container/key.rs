//! Keys that sign containers. They are pinned by configuration and never arrive by a feed.

use std::fmt;

use mandate_authn::{
    Algorithm, Json, KeyUnfit, Object, PublicKey, RingBackend, SignatureBackend as _, VerifyingKey,
    base64url,
};
use ring::digest;

use super::problem::ContainerProblem;

/// A key's id: the SHA-256 thumbprint of its JWK (RFC 7638). It follows from the key, so that one
/// id can never mean two keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The thumbprint's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of an Ed25519 public key: RFC 7638 section 3 over the members of RFC 8037 section 2.
    #[must_use]
    pub fn of_ed25519(public: &[u8; 32]) -> Self {
        let x = base64url::encode(public);
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let thumbprint = digest::digest(&digest::SHA256, members.as_bytes());
        // INVARIANT: SHA-256 has 32 bytes, so the default is never taken.
        Self(thumbprint.as_ref().try_into().unwrap_or_default())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&base64url::encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

/// A public key that may sign this deployment's containers.
#[derive(Debug)]
pub struct PinnedKey {
    id: KeyId,
    verifying: Box<dyn VerifyingKey>,
}

/// Why a JWK cannot be pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinProblem {
    /// It is not Ed25519.
    Algorithm,
    /// Its `kid` is not its thumbprint.
    KeyId,
    /// It has the private member `d`.
    Private,
    /// It is no key that may verify.
    Unfit(KeyUnfit),
}

impl PinnedKey {
    /// Reads an Ed25519 public key from the members of a JWK.
    ///
    /// # Errors
    /// [`PinProblem::Private`] for a key that nobody should have put there; otherwise the first
    /// reason for which it may not sign containers.
    pub fn from_jwk(jwk: &Object) -> Result<Self, PinProblem> {
        if jwk.contains_key("d") {
            return Err(PinProblem::Private);
        }
        if jwk.get("alg").is_some_and(|name| !matches!(name.as_str(), Some("EdDSA" | "Ed25519"))) {
            return Err(PinProblem::Algorithm);
        }
        let public = PublicKey::from_jwk(jwk).map_err(PinProblem::Unfit)?;
        let PublicKey::Ed25519(point) = &public else {
            return Err(PinProblem::Algorithm);
        };
        let id = KeyId::of_ed25519(point);
        if jwk.get("kid").is_some_and(|kid| kid.as_str() != Some(&id.to_string())) {
            return Err(PinProblem::KeyId);
        }
        let verifying = RingBackend.prepare(&public).map_err(PinProblem::Unfit)?;
        Ok(Self { id, verifying })
    }

    /// Reads a JWK from its text: strict JSON, duplicate members refused.
    ///
    /// # Errors
    /// As [`PinnedKey::from_jwk`]; what is no JSON object is malformed.
    pub fn parse(text: &str) -> Result<Self, PinProblem> {
        const DEPTH: usize = 4;
        let malformed = PinProblem::Unfit(KeyUnfit::Malformed);
        let json = Json::parse(text.as_bytes(), DEPTH).map_err(|_| malformed)?;
        Self::from_jwk(json.as_object().ok_or(malformed)?)
    }

    /// The key's id.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Whether the key signed the message, which begins with the name of what was signed.
    ///
    /// # Errors
    /// [`ContainerProblem::Signature`] when it did not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), ContainerProblem> {
        let verified = self.verifying.verify(Algorithm::EdDsa, message, signature);
        verified.map_err(|_| ContainerProblem::Signature)
    }
}

impl fmt::Display for PinProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Algorithm => "is not an Ed25519 key",
            Self::KeyId => "its `kid` is not its RFC 7638 thumbprint",
            Self::Private => "is a private key: pin the public one, without `d`",
            Self::Unfit(unfit) => unfit.describe(),
        })
    }
}

impl std::error::Error for PinProblem {}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2 and A.3: a key and its thumbprint.
    const RFC_8037_KEY: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const RFC_8037_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn pin_with(members: &str) -> Result<KeyId, PinProblem> {
        let jwk = RFC_8037_KEY.replace("{\"kty\":\"OKP\"", &format!("{{\"kty\":\"OKP\"{members}"));
        PinnedKey::parse(&jwk).map(|key| key.id())
    }

    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let id = pin_with("").unwrap();
        assert_eq!(id.to_string(), RFC_8037_THUMBPRINT);
        assert_eq!(format!("{id:?}"), format!("KeyId({RFC_8037_THUMBPRINT})"));
        assert_eq!(pin_with(&format!(r#","kid":"{RFC_8037_THUMBPRINT}""#)), Ok(id));
        assert_eq!(pin_with(r#","use":"sig","key_ops":["verify"],"alg":"EdDSA""#), Ok(id));
        assert_eq!(pin_with(r#","alg":"Ed25519""#), Ok(id));
    }

    #[test]
    fn what_cannot_sign_a_container_is_not_pinned() {
        assert_eq!(pin_with(r#","kid":"k1""#), Err(PinProblem::KeyId));
        assert_eq!(pin_with(r#","d":"AA""#), Err(PinProblem::Private));
        assert_eq!(pin_with(r#","alg":"ES256""#), Err(PinProblem::Algorithm));
        assert_eq!(pin_with(r#","use":"enc""#), Err(PinProblem::Unfit(KeyUnfit::Use)));
        assert_eq!(pin_with(r#","kty":"OKP""#), Err(PinProblem::Unfit(KeyUnfit::Malformed)));
        for text in ["", "[]", "{}", "null"] {
            let problem = PinnedKey::parse(text).map(|key| key.id()).unwrap_err();
            assert_eq!(problem, PinProblem::Unfit(KeyUnfit::Malformed), "{text}");
        }
        let p256 = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
        assert_eq!(PinnedKey::parse(p256).map(|key| key.id()), Err(PinProblem::Algorithm));
    }
}
