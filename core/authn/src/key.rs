//! Public keys from JWK: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.

use curve25519_dalek::edwards::CompressedEdwardsY;

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::json::Object;

/// A public key that is a valid key of its kind: long enough, or a point of its curve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Ed25519: the compressed point, not of small order.
    Ed25519([u8; 32]),
    /// P-256: the uncompressed point (SEC1, 65 bytes).
    P256(Vec<u8>),
    /// P-384: the uncompressed point (SEC1, 97 bytes).
    P384(Vec<u8>),
    /// RSA of 2048 to 8192 bits: big-endian, without leading zeros.
    Rsa {
        /// `n`
        modulus: Vec<u8>,
        /// `e`
        exponent: Vec<u8>,
    },
}

/// Why a key may not verify tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUnfit {
    /// `alg`, `kty` or `crv` do not fit the token's algorithm.
    Algorithm,
    /// Several keys have this `kid` and fit.
    Ambiguous,
    /// A key member is missing, no strict base64url, or of the wrong length.
    Malformed,
    /// `key_ops` does not contain `verify`.
    Operations,
    /// Not a point of the curve, or one of small order.
    Point,
    /// An RSA modulus below 2048 or above 8192 bits, or an exponent that is not odd and at least 3.
    Size,
    /// A `kty` or `crv` that no supported algorithm uses.
    Type,
    /// `use` is not `sig`.
    Use,
}

impl KeyUnfit {
    /// One phrase for an operator.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Algorithm => "its `kty`, `crv` or `alg` does not fit the token's `alg`",
            Self::Ambiguous => "several keys have this `kid` and fit",
            Self::Malformed => "it is malformed",
            Self::Operations => "its `key_ops` does not contain `verify`",
            Self::Point => "it is not a valid point of its curve",
            Self::Size => "its RSA modulus or exponent is out of range",
            Self::Type => "its `kty` or `crv` is not supported",
            Self::Use => "its `use` is not `sig`",
        }
    }
}

impl PublicKey {
    /// Reads a key out of a JWK's members. Private members are ignored, as are `x5c` and `x5u`.
    ///
    /// # Errors
    /// The first reason for which the key may not verify.
    pub fn from_jwk(jwk: &Object) -> Result<Self, KeyUnfit> {
        check_use(jwk)?;
        match text(jwk, "kty")? {
            "RSA" => rsa(jwk),
            "EC" => elliptic(jwk),
            "OKP" => edwards(jwk),
            _ => Err(KeyUnfit::Type),
        }
    }

    /// Whether a key of this kind makes signatures of that algorithm.
    #[must_use]
    pub const fn fits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::EdDsa => matches!(self, Self::Ed25519(_)),
            Algorithm::Es256 => matches!(self, Self::P256(_)),
            Algorithm::Es384 => matches!(self, Self::P384(_)),
            Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512
            | Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512 => matches!(self, Self::Rsa { .. }),
        }
    }
}

fn check_use(jwk: &Object) -> Result<(), KeyUnfit> {
    if jwk.get("use").is_some_and(|value| value.as_str() != Some("sig")) {
        return Err(KeyUnfit::Use);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(value) => match value.as_strings() {
            Some(operations) if operations.contains(&"verify") => Ok(()),
            _ => Err(KeyUnfit::Operations),
        },
    }
}

fn rsa(jwk: &Object) -> Result<PublicKey, KeyUnfit> {
    let modulus = bytes(jwk, "n")?;
    let exponent = bytes(jwk, "e")?;
    // RFC 7518 section 3.3 wants 2048 bits or more; ring verifies up to 8192. A leading zero would
    // make a short key look long (section 6.3.1.1 forbids it).
    let bits = significant_bits(&modulus).ok_or(KeyUnfit::Malformed)?;
    let exponent_bits = significant_bits(&exponent).ok_or(KeyUnfit::Malformed)?;
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    // ring refuses exponents above 33 bits: they only make verification slow.
    if !(2048..=8192).contains(&bits)
        || !(2..=33).contains(&exponent_bits)
        || !odd(&modulus)
        || !odd(&exponent)
    {
        return Err(KeyUnfit::Size);
    }
    Ok(PublicKey::Rsa { modulus, exponent })
}

/// Bits of a big-endian number; `None` if it is empty or starts with a zero byte.
fn significant_bits(number: &[u8]) -> Option<u32> {
    let first = number.first().filter(|first| **first != 0)?;
    let bits = u32::try_from(number.len()).ok()?.checked_mul(8)?;
    bits.checked_sub(first.leading_zeros())
}

fn elliptic(jwk: &Object) -> Result<PublicKey, KeyUnfit> {
    match text(jwk, "crv")? {
        "P-256" => {
            let point = uncompressed(jwk, 32)?;
            p256::PublicKey::from_sec1_bytes(&point).map_err(|_| KeyUnfit::Point)?;
            Ok(PublicKey::P256(point))
        }
        "P-384" => {
            let point = uncompressed(jwk, 48)?;
            p384::PublicKey::from_sec1_bytes(&point).map_err(|_| KeyUnfit::Point)?;
            Ok(PublicKey::P384(point))
        }
        _ => Err(KeyUnfit::Type),
    }
}

/// SEC1 section 2.3.3: `04 || x || y`. Coordinates have the curve's full length (RFC 7518 section
/// 6.2.1.2).
fn uncompressed(jwk: &Object, length: usize) -> Result<Vec<u8>, KeyUnfit> {
    const UNCOMPRESSED: u8 = 4;
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return Err(KeyUnfit::Malformed);
    }
    Ok([&[UNCOMPRESSED], x.as_slice(), y.as_slice()].concat())
}

fn edwards(jwk: &Object) -> Result<PublicKey, KeyUnfit> {
    if text(jwk, "crv")? != "Ed25519" {
        return Err(KeyUnfit::Type);
    }
    let encoded: [u8; 32] = bytes(jwk, "x")?.try_into().map_err(|_| KeyUnfit::Malformed)?;
    let compressed = CompressedEdwardsY(encoded);
    // Under a key of small order one signature verifies for many messages; a second encoding of a
    // point (RFC 8032 section 5.1.3) is refused so that one key has one form.
    let point = compressed.decompress().ok_or(KeyUnfit::Point)?;
    if point.is_small_order() || point.compress() != compressed {
        return Err(KeyUnfit::Point);
    }
    Ok(PublicKey::Ed25519(encoded))
}

fn text<'j>(jwk: &'j Object, name: &str) -> Result<&'j str, KeyUnfit> {
    jwk.get(name).and_then(|value| value.as_str()).ok_or(KeyUnfit::Malformed)
}

fn bytes(jwk: &Object, name: &str) -> Result<Vec<u8>, KeyUnfit> {
    base64url::decode(text(jwk, name)?.as_bytes()).ok_or(KeyUnfit::Malformed)
}
