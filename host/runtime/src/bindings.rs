//! Bindings of the world `policy`, generated from the WIT files.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "policy",
    ownership: Borrowing { duplicate_if_necessary: true },
});

pub(crate) use exports::mandate::meta::info;
pub(crate) use exports::mandate::policy::{authn, authz, gate, types};
