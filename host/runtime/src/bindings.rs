//! Bindings of the world `policy`, generated from the WIT files.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "policy",
});

pub(crate) use exports::mandate::meta::info;
pub(crate) use exports::mandate::policy::{authn, authz, gate, types};
