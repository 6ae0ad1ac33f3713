//! The few DER structures that Envoy's `verify_signature` takes.

use mandate_authn::PublicKey;

/// A key as SubjectPublicKeyInfo (RFC 5280 section 4.1); `None` for Ed25519, which is not sent.
pub(super) fn public_key(key: &PublicKey) -> Option<Vec<u8>> {
    let (algorithm, bits) = match key {
        PublicKey::Ed25519(_) => return None,
        PublicKey::P256(point) => ([EC_PUBLIC_KEY, PRIME256V1].concat(), point.clone()),
        PublicKey::P384(point) => ([EC_PUBLIC_KEY, SECP384R1].concat(), point.clone()),
        PublicKey::Rsa { modulus, exponent } => {
            let numbers = [integer(modulus)?, integer(exponent)?].concat();
            ([RSA_ENCRYPTION, NULL].concat(), element(SEQUENCE, &numbers)?)
        }
    };
    let unused_bits = [&[0][..], &bits].concat();
    let parts = [element(SEQUENCE, &algorithm)?, element(BIT_STRING, &unused_bits)?];
    element(SEQUENCE, &parts.concat())
}

/// An ECDSA signature (RFC 3279 section 2.2.3) from its fixed-length form (RFC 7518 section 3.4).
pub(super) fn ecdsa_signature(fixed: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = fixed.split_at_checked(fixed.len().checked_div(2)?)?;
    (!r.is_empty() && r.len() == s.len()).then_some(())?;
    element(SEQUENCE, &[integer(r)?, integer(s)?].concat())
}

/// A number that is not negative: the fewest bytes, and the first bit zero.
fn integer(big_endian: &[u8]) -> Option<Vec<u8>> {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    let digits = big_endian.get(zeros..)?;
    let leading = digits.first().is_none_or(|first| *first >= 0x80);
    let padding: &[u8] = if leading { &[0] } else { &[] };
    element(INTEGER, &[padding, digits].concat())
}

fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(content.len()).ok()?;
    let [high, low] = length.to_be_bytes();
    let header = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    Some([header.as_slice(), content].concat())
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
const NULL: &[u8] = &[0x05, 0x00];
/// 1.2.840.113549.1.1.1
const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const PRIME256V1: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
const SECP384R1: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_has_the_shortest_numbers() {
        // r = 1, s = 0x8000: s takes a zero byte, or it would be negative.
        let signature = [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0];
        assert_eq!(ecdsa_signature(&[0, 1, 0x80, 0]), Some(signature.to_vec()));
        assert_eq!(ecdsa_signature(&[0, 0]), Some(vec![0x30, 6, 2, 1, 0, 2, 1, 0]));
        assert_eq!(ecdsa_signature(&[]), None);
        assert_eq!(ecdsa_signature(&[1, 2, 3]), None);
    }

    #[test]
    fn a_curve_key_begins_as_every_tool_writes_it() {
        let key = public_key(&PublicKey::P256(vec![4; 65])).unwrap();
        assert_eq!(key.get(..2), Some(&[0x30, 0x59][..]));
        assert_eq!(key.len(), 91);
        let key = public_key(&PublicKey::Rsa { modulus: vec![0x81; 256], exponent: vec![1, 0, 1] });
        let key = key.unwrap();
        assert_eq!(key.get(..4), Some(&[0x30, 0x82, 0x01, 0x22][..]));
        assert_eq!(key.len(), 294);
        assert_eq!(public_key(&PublicKey::Ed25519([1; 32])), None);
    }
}
