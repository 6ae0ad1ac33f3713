//! The C-like face: alloc, free, and JSON in and out (docs/abi.md).
//!
//! A buffer from [`mandate_alloc`] belongs to the caller until it is passed to a call, which takes
//! it. The answer is `(address << 32) | length` of canonical JSON, and belongs to the caller, who
//! returns it with [`mandate_free`].

use mandate_authn::{Json, LoadError, Object, TrustStatus, wire};
use mandate_authz::state::{Meta, StateRefusal};

use crate::{
    ABI_VERSION, CONTRACT_VERSION, SOURCE_DIGEST, TOOLCHAIN_DIGEST, with_authorizer, with_gate,
};

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
    give(with_gate(|gate| trust_answer(gate.load_trust(&text))))
}

/// Validates a token.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_validate(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_authorizer(|authorizer| wire::validate(authorizer.validator(), &text)))
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

/// Says whose state this instance takes.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_configure_state(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_authorizer(|authorizer| match authorizer.configure_state(&text) {
        Ok(()) => "{}".to_owned(),
        Err(error) => wire::load_error(&error),
    }))
}

/// Begins to load a snapshot: its header with the signature.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_load_begin(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `take`.
    let header = unsafe { take(address, length) };
    give(with_authorizer(|authorizer| done(authorizer.state_mut().load_begin(&header))))
}

/// Takes the next bytes of the snapshot, at most 1 MiB.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_load_chunk(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `take`.
    let piece = unsafe { take(address, length) };
    give(with_authorizer(|authorizer| done(authorizer.state_mut().load_chunk(&piece))))
}

/// Validates the next part of the snapshot.
#[unsafe(no_mangle)]
extern "C" fn mandate_load_validate() -> u64 {
    give(with_authorizer(|authorizer| progress(authorizer.state_mut().load_validate())))
}

/// Puts the snapshot in force.
#[unsafe(no_mangle)]
extern "C" fn mandate_load_commit() -> u64 {
    give(with_authorizer(|authorizer| status(authorizer.state_mut().load_commit())))
}

/// Loads a snapshot that is whole in memory.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_load(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `take`.
    let container = unsafe { take(address, length) };
    give(with_authorizer(|authorizer| status(authorizer.state_mut().load(&container))))
}

/// Applies a delta or a heartbeat.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_apply_delta(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `take`.
    let container = unsafe { take(address, length) };
    give(with_authorizer(|authorizer| status(authorizer.state_mut().apply_delta(&container))))
}

/// What is in force.
#[unsafe(no_mangle)]
extern "C" fn mandate_state() -> u64 {
    give(with_authorizer(|authorizer| {
        authorizer.state().meta().map_or_else(|| "{}".to_owned(), |meta| status(Ok(meta)))
    }))
}

/// Decides a request that came with a token.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_authorize(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_authorizer(|authorizer| authorizer.authorize_json(&text)))
}

/// Decides a request whose caller has authenticated somebody itself.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_decide_for(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_authorizer(|authorizer| authorizer.decide_json(&text)))
}

/// OpenFGA's Check on the relationships in force.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_relation_holds(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_authorizer(|authorizer| authorizer.relation_holds_json(&text)))
}

/// OpenFGA's ListObjects on the relationships in force.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_list_objects(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_authorizer(|authorizer| authorizer.list_objects_json(&text)))
}

/// Gives the secret that seals session ids.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_configure_sealing(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_gate(|gate| gate.configure_sealing_json(&text)))
}

/// How much of a body has to be read before it is decided.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_body_limit(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_gate(|gate| gate.body_limit_json(&text)))
}

/// Decides a request at the gate.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_gate_decide(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_gate(|gate| gate.decide_json(&text)))
}

/// Filters the answer to a request for a list.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_filter_list(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_gate(|gate| gate.filter_list_json(&text)))
}

/// Filters the next bytes of a stream of events.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_filter_stream(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_gate(|gate| gate.filter_stream_json(&text)))
}

/// Seals the session id that a server gave.
///
/// # Safety
/// As [`mandate_free`]; the buffer is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn mandate_seal_session(address: u32, length: u32) -> u64 {
    // SAFETY: the caller's promise is the one of `text`.
    let text = unsafe { text(address, length) };
    give(with_gate(|gate| gate.seal_session_json(&text)))
}

fn trust_answer(loaded: Result<TrustStatus, LoadError>) -> String {
    loaded.map_or_else(|error| wire::load_error(&error), |status| status.to_json().to_canonical())
}

fn done(outcome: Result<(), StateRefusal>) -> String {
    outcome.map_or_else(|refusal| refusal.to_json().to_canonical(), |()| "{}".to_owned())
}

fn progress(outcome: Result<bool, StateRefusal>) -> String {
    let done = |done| if done { r#"{"done":true}"# } else { r#"{"done":false}"# }.to_owned();
    outcome.map_or_else(|refusal| refusal.to_json().to_canonical(), done)
}

fn status(outcome: Result<&Meta, StateRefusal>) -> String {
    let json = outcome.map_or_else(|refusal| refusal.to_json(), Meta::to_json);
    json.to_canonical()
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
