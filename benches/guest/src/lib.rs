//! Bench guest: the rule of the delegation workload over core/authz, with strings copied in and
//! nothing else around it, so that what WebAssembly costs can be told from what its faces cost.

#![expect(unsafe_code, reason = "exported symbols")]

#[path = "../../src/delegation/rule.rs"]
mod rule;

use std::cell::RefCell;

use mandate_authz::snapshot::Snapshot;

use rule::Rule;

#[cfg(target_arch = "wasm32")]
fn refuse(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}

#[cfg(target_arch = "wasm32")]
getrandom::register_custom_getrandom!(refuse);

thread_local! {
    /// The world of this instance: WebAssembly has one thread.
    static RULE: RefCell<Option<Rule>> = const { RefCell::new(None) };
}

/// A buffer of `length` bytes, zeroed; its address.
#[unsafe(no_mangle)]
extern "C" fn bench_alloc(length: u32) -> u32 {
    let buffer = vec![0_u8; usize::try_from(length).unwrap_or_default()].into_boxed_slice();
    u32::try_from(Box::leak(buffer).as_mut_ptr().expose_provenance()).unwrap_or_default()
}

/// Opens a snapshot's body, with full validation: 1 if it is one of the workload.
///
/// # Safety
/// `address` and `length` are those of one buffer from [`bench_alloc`]; it is taken.
#[unsafe(no_mangle)]
unsafe extern "C" fn bench_load(address: u32, length: u32) -> u32 {
    let bytes = std::ptr::slice_from_raw_parts_mut(pointer(address), size(length));
    // SAFETY: the caller's promise; `bench_alloc` made it from a `Box<[u8]>` of this length.
    let body = unsafe { Box::from_raw(bytes) }.into_vec();
    let rule = Snapshot::from_body(body).ok().and_then(Rule::new);
    let loaded = u32::from(rule.is_some());
    RULE.set(rule);
    loaded
}

/// Decides one request: the ids of agent, user, tool and node lie one after the other at `address`.
/// 1 allows.
///
/// # Safety
/// The ids lie within one buffer from [`bench_alloc`], which stays the caller's.
#[unsafe(no_mangle)]
unsafe extern "C" fn bench_decide(
    address: u32,
    agent: u32,
    user: u32,
    tool: u32,
    node: u32,
    edit: u32,
) -> u32 {
    let lengths = [agent, user, tool, node].map(size);
    let all = lengths.iter().fold(0_usize, |sum, length| sum.saturating_add(*length));
    // SAFETY: the caller's promise.
    let mut rest = unsafe { std::slice::from_raw_parts(pointer(address), all) };
    let ids = lengths.map(|length| {
        let (id, after) = rest.split_at_checked(length).unwrap_or_default();
        rest = after;
        std::str::from_utf8(id).unwrap_or_default()
    });
    RULE.with_borrow(|rule| {
        u32::from(rule.as_ref().is_some_and(|rule| rule.allows(ids, edit != 0)))
    })
}

fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or_default()
}

fn pointer(address: u32) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(size(address))
}
