//! The third part of a token.

use anyhow::{Context, Result, ensure};
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384, Sha512};

use super::{
    key::PublicEncoding,
    key_ring::KeyRing,
    mutation::SignatureEdit,
    recipe::{HmacHash, Secret, SecretForm, Signing},
};

impl Signing {
    /// The signature over this text.
    pub(super) fn sign(&self, ring: &KeyRing, message: &str) -> Result<Vec<u8>> {
        match self {
            Self::Key { name, algorithm } => {
                let key = ring.key(name)?;
                let algorithm = algorithm.as_deref().unwrap_or_else(|| key.usual_algorithm());
                key.sign(algorithm, message.as_bytes())
            }
            Self::Hmac { hash, secret } => mac(*hash, &secret.bytes(ring)?, message.as_bytes()),
            Self::Nothing => Ok(Vec::new()),
        }
    }

    /// How many bytes a signature has.
    pub(super) fn length(&self, ring: &KeyRing) -> Result<usize> {
        Ok(match self {
            Self::Key { name, .. } => ring.key(name)?.signature_length(),
            Self::Hmac { hash: HmacHash::Sha256, .. } => 32,
            Self::Hmac { hash: HmacHash::Sha384, .. } => 48,
            Self::Hmac { hash: HmacHash::Sha512, .. } => 64,
            Self::Nothing => 0,
        })
    }
}

impl Secret {
    fn bytes(&self, ring: &KeyRing) -> Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.as_bytes().to_vec()),
            Self::PublicKey { name, form } => ring.key(name)?.public_encoding(match form {
                SecretForm::Modulus => PublicEncoding::Modulus,
                SecretForm::Pkcs1Pem => PublicEncoding::Pkcs1Pem,
                SecretForm::SpkiDer => PublicEncoding::SpkiDer,
                SecretForm::SpkiPem => PublicEncoding::SpkiPem,
            }),
        }
    }
}

impl SignatureEdit {
    /// The changed signature.
    pub(super) fn apply(self, signature: &[u8]) -> Result<Vec<u8>> {
        let half = signature.len().div_euclid(2);
        Ok(match self {
            Self::Der => {
                ensure!(half > 0 && half < 64, "`der` needs an ECDSA signature");
                let (r, s) = signature.split_at(half);
                der_sequence(&[der_integer(r)?, der_integer(s)?].concat())?
            }
            Self::Empty => Vec::new(),
            Self::LargeS => {
                ensure!(signature.len() == 64, "`large-s` needs an Ed25519 signature");
                let (r, s) = signature.split_at(half);
                [r, &add_group_order(s)].concat()
            }
            Self::Lengthened => [&[0], signature].concat(),
            Self::Shortened => signature.get(1..).unwrap_or_default().to_vec(),
            Self::Zero => vec![0; signature.len()],
            Self::ZeroS => {
                let mut changed = signature.to_vec();
                changed.iter_mut().skip(half).for_each(|byte| *byte = 0);
                changed
            }
        })
    }
}

/// HMAC (RFC 2104) with any secret, the empty one included.
fn mac(hash: HmacHash, secret: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    macro_rules! with {
        ($hash:ty) => {{
            let mut mac = Hmac::<$hash>::new_from_slice(secret).context("HMAC secret")?;
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    Ok(match hash {
        HmacHash::Sha256 => with!(Sha256),
        HmacHash::Sha384 => with!(Sha384),
        HmacHash::Sha512 => with!(Sha512),
    })
}

/// S + L, both little endian: RFC 8032 section 5.1 gives L = 2^252 + 277423…8493.
fn add_group_order(s: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0_u16;
    s.iter()
        .zip(ORDER)
        .map(|(left, right)| {
            let sum = u16::from(*left).saturating_add(u16::from(right)).saturating_add(carry);
            let [high, low] = sum.to_be_bytes();
            carry = u16::from(high);
            low
        })
        .collect()
}

/// An unsigned number as ASN.1 INTEGER: shortest form, a zero byte before a set highest bit.
fn der_integer(number: &[u8]) -> Result<Vec<u8>> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let mut content = number.get(zeros..).unwrap_or_default().to_vec();
    if content.first().is_none_or(|byte| *byte >= 0x80) {
        content.insert(0, 0);
    }
    Ok([&[0x02, u8::try_from(content.len())?], content.as_slice()].concat())
}

fn der_sequence(content: &[u8]) -> Result<Vec<u8>> {
    ensure!(content.len() < 128, "long form lengths are not needed here");
    Ok([&[0x30, u8::try_from(content.len())?], content].concat())
}
