//! Signing containers, and the keys that do. Native only: nothing that decides holds a secret.

use std::fmt;

use mandate_authn::{Json, Object, base64url};
use ring::digest::{SHA512_256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::header::{
    DOMAIN, FLAG_RAW, KIND_DELTA, KIND_SNAPSHOT, Kind, MAGIC, SIGNATURE_BYTES, Statement, VERSION,
    chunks,
};
use super::key::KeyId;
use super::problem::ContainerProblem;
use crate::limits;

/// An Ed25519 key pair that signs containers.
pub struct SigningKey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

/// Why a text or file is no signing key. It never shows what it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretProblem {
    /// Neither a private Ed25519 JWK nor its PKCS#8 form.
    Malformed,
    /// The public half beside the secret is another key's.
    Mismatch,
}

impl SigningKey {
    /// The key pair of a secret: 32 bytes that nobody can guess, from the caller's source of
    /// randomness.
    ///
    /// # Errors
    /// [`SecretProblem::Malformed`] when no key can be made of it.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, SecretProblem> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
        let pair = pair.map_err(|_| SecretProblem::Malformed)?;
        let public = pair.public_key().as_ref().try_into();
        let public = public.map_err(|_| SecretProblem::Malformed)?;
        Ok(Self { seed, pair, public })
    }

    /// Reads a private JWK (RFC 8037 section 2) as [`SigningKey::to_jwk`] writes it.
    ///
    /// # Errors
    /// [`SecretProblem::Mismatch`] when `x` or `kid` do not belong to `d`.
    pub fn from_jwk(text: &str) -> Result<Self, SecretProblem> {
        const DEPTH: usize = 4;
        let json = Json::parse(text.trim_ascii().as_bytes(), DEPTH);
        let json = json.map_err(|_| SecretProblem::Malformed)?;
        let jwk = json.as_object().ok_or(SecretProblem::Malformed)?;
        if text_of(jwk, "kty") != Some("OKP") || text_of(jwk, "crv") != Some("Ed25519") {
            return Err(SecretProblem::Malformed);
        }
        let key = Self::from_seed(bytes_of(jwk, "d").ok_or(SecretProblem::Malformed)?)?;
        let public = bytes_of(jwk, "x").ok_or(SecretProblem::Malformed)?;
        let named = jwk.get("kid").is_none_or(|kid| kid.as_str() == Some(&key.id().to_string()));
        if public == key.public && named { Ok(key) } else { Err(SecretProblem::Mismatch) }
    }

    /// Reads the PKCS#8 form of an Ed25519 key (RFC 8410 section 7, DER without a public key), which
    /// `openssl genpkey -algorithm ed25519 -outform DER` writes.
    ///
    /// # Errors
    /// [`SecretProblem::Malformed`] for any other bytes.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, SecretProblem> {
        let seed = der.strip_prefix(&PKCS8_PREFIX).and_then(|seed| seed.try_into().ok());
        Self::from_seed(seed.ok_or(SecretProblem::Malformed)?)
    }

    /// The key's id: its RFC 7638 thumbprint.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of_ed25519(&self.public)
    }

    /// The public JWK, for consumers to pin.
    #[must_use]
    pub fn to_public_jwk(&self) -> String {
        self.jwk(None)
    }

    /// The private JWK. It is the secret.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        self.jwk(Some(("d", base64url::encode(&self.seed))))
    }

    /// The PKCS#8 form in DER. It is the secret.
    #[must_use]
    pub fn to_pkcs8(&self) -> Vec<u8> {
        [PKCS8_PREFIX.as_slice(), &self.seed].concat()
    }

    /// Signs a message: 64 bytes. The message begins with the name of what is signed, so that no
    /// signature can stand for another; containers begin with theirs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    fn jwk(&self, secret: Option<(&str, String)>) -> String {
        let members = [
            ("alg", "EdDSA".to_owned()),
            ("crv", "Ed25519".to_owned()),
            ("kid", self.id().to_string()),
            ("kty", "OKP".to_owned()),
            ("use", "sig".to_owned()),
            ("x", base64url::encode(&self.public)),
        ];
        let members = members.into_iter().chain(secret);
        let members = members.map(|(name, value)| (name.to_owned(), Json::from(value)));
        Json::Object(members.collect()).to_canonical()
    }
}

fn text_of<'j>(jwk: &'j Object, name: &str) -> Option<&'j str> {
    jwk.get(name)?.as_str()
}

fn bytes_of(jwk: &Object, name: &str) -> Option<[u8; 32]> {
    base64url::decode(text_of(jwk, name)?.as_bytes())?.try_into().ok()
}

/// Seals a body: header, signature, body.
///
/// # Errors
/// A statement or a body that no reader would accept.
pub fn seal(
    statement: &Statement,
    body: &[u8],
    key: &SigningKey,
) -> Result<Vec<u8>, ContainerProblem> {
    let body_bytes = u64::try_from(body.len()).map_err(|_| ContainerProblem::TooLarge)?;
    statement.check(body_bytes)?;
    let mut container = encode(statement, body, body_bytes, key.id())?;
    let signature = key.sign(&[DOMAIN, &container].concat());
    container.reserve_exact(SIGNATURE_BYTES.saturating_add(body.len()));
    container.extend_from_slice(&signature);
    container.extend_from_slice(body);
    Ok(container)
}

fn encode(
    statement: &Statement,
    body: &[u8],
    body_bytes: u64,
    key: KeyId,
) -> Result<Vec<u8>, ContainerProblem> {
    let epoch = statement.position.epoch;
    let (kind, base, from) = match statement.kind {
        Kind::Delta { base, from } => (KIND_DELTA, base, from),
        Kind::Snapshot => (KIND_SNAPSHOT, epoch, epoch),
    };
    let flags = if statement.raw { FLAG_RAW } else { 0 };
    let mut fields = Vec::new();
    fields.extend_from_slice(key.as_bytes());
    for number in [statement.issued_at, statement.position.era, base, from, epoch] {
        fields.extend_from_slice(&number.to_le_bytes());
    }
    for number in statement.contract_version {
        fields.extend_from_slice(&number.to_le_bytes());
    }
    fields.extend_from_slice(&body_bytes.to_le_bytes());
    let too_large = |_| ContainerProblem::TooLarge;
    for number in [limits::CHUNK_BYTES, chunks(body_bytes)] {
        fields.extend_from_slice(&u32::try_from(number).map_err(too_large)?.to_le_bytes());
    }
    for name in [&statement.deployment, &statement.slice] {
        let length = u16::try_from(name.len()).map_err(|_| ContainerProblem::Name)?;
        fields.extend_from_slice(&length.to_le_bytes());
        fields.extend_from_slice(name.as_bytes());
    }
    let chunk = usize::try_from(limits::CHUNK_BYTES).map_err(too_large)?;
    for bytes in body.chunks(chunk) {
        fields.extend_from_slice(digest(&SHA512_256, bytes).as_ref());
    }
    let start = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &[kind, flags]].concat();
    let length = start.len().saturating_add(4).saturating_add(fields.len());
    let length = u32::try_from(length).map_err(|_| ContainerProblem::TooLarge)?;
    Ok([start.as_slice(), &length.to_le_bytes(), &fields].concat())
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.id())
    }
}

impl fmt::Display for SecretProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "is no Ed25519 signing key as a private JWK or PKCS#8",
            Self::Mismatch => "the public half beside the secret is another key's",
        })
    }
}

impl std::error::Error for SecretProblem {}

/// RFC 8410 section 7: `PrivateKeyInfo` version 0, id-Ed25519, an octet string of 32 bytes within
/// another.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::PinnedKey;

    /// RFC 8037, appendix A.1.
    const RFC_8037_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn a_key_survives_each_of_its_forms() {
        let key = SigningKey::from_jwk(RFC_8037_KEY).unwrap();
        assert_eq!(key.id().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(SigningKey::from_jwk(&key.to_jwk()).unwrap().seed, key.seed);
        assert_eq!(SigningKey::from_pkcs8(&key.to_pkcs8()).unwrap().seed, key.seed);
        assert_eq!(PinnedKey::parse(&key.to_public_jwk()).unwrap().id(), key.id());
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.id()));
        assert!(!key.to_public_jwk().contains("\"d\""));
    }

    #[test]
    fn the_pkcs8_form_is_the_one_of_rfc_8410() {
        // RFC 8410 section 10.3: the private key without its public half.
        let der = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp-K06_nwoy_HU--CXqI9EdVhC";
        let der = base64url::decode(der.as_bytes()).unwrap();
        let key = SigningKey::from_pkcs8(&der).unwrap();
        assert_eq!(key.to_pkcs8(), der);
        assert_eq!(base64url::encode(&key.public), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE");
    }

    #[test]
    fn a_secret_beside_another_public_half_is_refused() {
        let parse = |text: String| SigningKey::from_jwk(&text).map(|key| key.id()).unwrap_err();
        let other_half = RFC_8037_KEY.replace("\"11q", "\"21q");
        assert_eq!(parse(other_half), SecretProblem::Mismatch);
        let other_name = RFC_8037_KEY.replace("\"kty\"", "\"kid\":\"k1\",\"kty\"");
        assert_eq!(parse(other_name), SecretProblem::Mismatch);
        for wrong in ["", "{}", "[]", "null"] {
            assert_eq!(parse(wrong.to_owned()), SecretProblem::Malformed);
        }
        assert_eq!(parse(RFC_8037_KEY.replace("OKP", "EC")), SecretProblem::Malformed);
        assert_eq!(parse(RFC_8037_KEY.replace("Ed25519", "X25519")), SecretProblem::Malformed);
        assert_eq!(parse(RFC_8037_KEY.replace("\"x\"", "\"y\"")), SecretProblem::Malformed);
        let long = [SigningKey::from_jwk(RFC_8037_KEY).unwrap().to_pkcs8(), vec![0]].concat();
        assert_eq!(
            SigningKey::from_pkcs8(&long).map(|key| key.id()),
            Err(SecretProblem::Malformed)
        );
    }
}
