//! RSA keys that follow from words.

use anyhow::{Context, Result, ensure};
use num_bigint_dig::{BigUint, prime::probably_prime};
use rsa::RsaPrivateKey;

use super::seed::SeedStream;

/// The RSA key of exactly `bits` bits that the stream determines; `e` is 65537.
///
/// p, then q: as many bytes as hold the prime's bits, read big endian and cut to that many bits;
/// the two highest bits and the lowest are set; then the next odd number that is prime and whose
/// predecessor `e` does not divide. p has the odd bit where `bits` is odd.
pub(super) fn rsa_key(stream: &mut SeedStream, bits: usize) -> Result<RsaPrivateKey> {
    ensure!((512..=4096).contains(&bits), "an RSA test key has 512 to 4096 bits, not {bits}");
    let p_bits = bits.div_ceil(2);
    let p = prime(stream, p_bits);
    let q = prime(stream, bits.saturating_sub(p_bits));
    RsaPrivateKey::from_p_q(p, q, BigUint::from(PUBLIC_EXPONENT)).context("the RSA test key")
}

#[expect(clippy::arithmetic_side_effects, reason = "BigUint grows; it cannot overflow")]
fn prime(stream: &mut SeedStream, bits: usize) -> BigUint {
    let length = bits.div_ceil(8);
    let mut number = BigUint::from_bytes_be(&stream.take(length)) >> (length * 8 - bits);
    for bit in [bits - 1, bits - 2, 0] {
        number |= BigUint::from(1_u8) << bit;
    }
    let e = BigUint::from(PUBLIC_EXPONENT);
    loop {
        let predecessor_fits = (&number - 1_u8) % &e != BigUint::default();
        if predecessor_fits && probably_prime(&number, MILLER_RABIN_ROUNDS) {
            return number;
        }
        number += 2_u8;
    }
}

const PUBLIC_EXPONENT: u32 = 65537;
/// What Go's and num-bigint's documentation name for numbers that nobody chose to deceive.
const MILLER_RABIN_ROUNDS: usize = 20;
