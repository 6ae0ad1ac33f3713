//! The C-like face: alloc, free, and JSON in and out (docs/abi.md).
//!
//! A buffer from [`mandate_alloc`] belongs to the caller until it is passed to a call, which takes
//! it. The answer is `(address << 32) | length` of canonical JSON, and belongs to the caller, who
//! returns it with [`mandate_free`].

use mandate_authn::{Json, Object, wire};

use crate::{ABI_VERSION, CONTRACT_VERSION, SOURCE_DIGEST, TOOLCHAIN_DIGEST, with_validator};

/// The version of this ABI.
#[unsafe(no_mangle)]
extern "C" fn mandate_abi_version() -> u32 {
    ABI_VERSION
}

/// A buffer of `length` bytes, zeroed; its address. Running out of memory traps.
#[unsafe(no_mangle)]
extern "C" fn mandate_alloc(length: u32) -> u32 {
    let length = usize::try_from(length).unwrap_or_default();
    leak(vec![0; length].into_boxed_slice()).0
}

/// Returns a buffer.
///
/// # Safety
/// `address` and `length` are those of one buffer from [`mandate_alloc`] or of one answer, not yet
/// returned or passed on.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_free(address: u32, length: u32) {
    // SAFETY: the caller's promise is the one of `take`.
    drop(unsafe { take(address, length) });
}

/// The identity of this build, as JSON.
#[unsafe(no_mangle)]
extern "C" fn mandate_describe() -> u64 {
    let (major, minor, patch) = CONTRACT_VERSION;
    let members = [
        ("abi_version", Json::from(u64::from(ABI_VERSION))),
        ("contract_version", Json::from(format!("{major}.{minor}.{patch}"))),
        ("source_digest", Json::from(SOURCE_DIGEST)),
        ("toolchain_digest", Json::from(TOOLCHAIN_DIGEST)),
    ];
    let members: Object = members.map(|(name, value)| (name.to_owned(), value)).into();
    give(Json::Object(members).to_canonical())
}

/// Replaces the trust document.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_load_trust(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_validator(|validator| wire::load_trust(validator, &text)))
}

/// Validates a token.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_validate(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_validator(|validator| wire::validate(validator, &text)))
}

/// Checks a compact JWS: the signature layer alone.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_verify_jws(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(wire::verify_jws(&text))
}

/// The caller's text. What is not UTF-8 becomes text that is not JSON, and is refused as such.
///
/// # Safety
/// As [`take`].
unsafe fn text(address: u32, length: u32) -> String {
    // SAFETY: the caller's promise is the one of `take`.
    String::from_utf8(unsafe { take(address, length) }.into_vec()).unwrap_or_default()
}

/// Takes a buffer back.
///
/// # Safety
/// `address` and `length` come from one [`leak`] and were not taken before.
unsafe fn take(address: u32, length: u32) -> Box<[u8]> {
    let length = usize::try_from(length).unwrap_or_default();
    let address = usize::try_from(address).unwrap_or_default();
    if length == 0 {
        // An empty buffer owns nothing, whatever its address.
        return Box::default();
    }
    let bytes = std::ptr::slice_from_raw_parts_mut(
        std::ptr::with_exposed_provenance_mut::<u8>(address),
        length,
    );
    // SAFETY: `leak` made it from a `Box<[u8]>` of this length.
    unsafe { Box::from_raw(bytes) }
}

fn give(answer: String) -> u64 {
    let (address, length) = leak(answer.into_bytes().into_boxed_slice());
    u64::from(address) << 32 | u64::from(length)
}

/// Hands a buffer over: its address and length. WebAssembly addresses have 32 bits.
fn leak(bytes: Box<[u8]>) -> (u32, u32) {
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    let address = Box::leak(bytes).as_mut_ptr().expose_provenance();
    (u32::try_from(address).unwrap_or_default(), length)
}
