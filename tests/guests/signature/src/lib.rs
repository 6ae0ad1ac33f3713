//! Test guest: the signature trait alone, so that outside vectors run in WebAssembly too.
//!
//! One buffer in: the JWK, the `alg`, the message and the signature, each as a 32-bit little-endian
//! length and its bytes. Out: 1 valid, 0 invalid, 2 unfit key, 3 malformed call.

#![expect(unsafe_code, reason = "exported symbols")]

use mandate_authn::{Algorithm, Json, PublicKey, RingBackend, SignatureBackend as _};

#[cfg(target_arch = "wasm32")]
fn refuse(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}

#[cfg(target_arch = "wasm32")]
getrandom::register_custom_getrandom!(refuse);

/// A buffer of `length` bytes for one [`signature_verify`].
#[unsafe(no_mangle)]
extern "C" fn signature_alloc(length: u32) -> u32 {
    let buffer = vec![0_u8; usize::try_from(length).unwrap_or_default()].into_boxed_slice();
    u32::try_from(Box::leak(buffer).as_mut_ptr().expose_provenance()).unwrap_or_default()
}

/// Verifies one signature.
///
/// # Safety
/// `address` and `length` are those of one buffer from [`signature_alloc`]; it is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn signature_verify(address: u32, length: u32) -> u32 {
    let address = usize::try_from(address).unwrap_or_default();
    let length = usize::try_from(length).unwrap_or_default();
    let pointer = std::ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: the caller's promise; `signature_alloc` made it from a `Box<[u8]>` of this length.
    let call = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(pointer, length)) };
    verify(&call).unwrap_or(3)
}

fn verify(call: &[u8]) -> Option<u32> {
    let (jwk, rest) = field(call)?;
    let (algorithm, rest) = field(rest)?;
    let (message, rest) = field(rest)?;
    let (signature, _) = field(rest)?;
    let algorithm = Algorithm::parse(std::str::from_utf8(algorithm).ok()?)?;
    let jwk = Json::parse(jwk, 4).ok()?;
    let Ok(key) = PublicKey::from_jwk(jwk.as_object()?).and_then(|key| RingBackend.prepare(&key))
    else {
        return Some(2);
    };
    Some(u32::from(key.verify(algorithm, message, signature).is_ok()))
}

fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)
}
