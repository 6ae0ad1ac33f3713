//! The signature trait inside WebAssembly: `tests/guests/signature`, run by wasmtime directly.

use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

/// What the guest says about one signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It verifies.
    Valid,
    /// It does not.
    Invalid,
    /// The key may not verify.
    Unfit,
}

/// An instance of the test guest.
pub struct SignatureGuest {
    store: Store<()>,
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
    verify: TypedFunc<(u32, u32), u32>,
}

impl SignatureGuest {
    /// Compiles and instantiates the guest, which must have no imports.
    ///
    /// # Panics
    /// When it has any, or lacks an export.
    #[must_use]
    pub fn new(module: &[u8]) -> Self {
        let engine = Engine::default();
        let module = Module::from_binary(&engine, module).expect("the guest compiles");
        assert_eq!(module.imports().count(), 0, "the guest has imports");
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("the guest starts");
        let memory = instance.get_memory(&mut store, "memory").expect("`memory`");
        let allocate = instance.get_typed_func(&mut store, "signature_alloc");
        let verify = instance.get_typed_func(&mut store, "signature_verify");
        Self {
            allocate: allocate.expect("`signature_alloc`"),
            verify: verify.expect("`signature_verify`"),
            memory,
            store,
        }
    }

    /// Verifies one signature.
    ///
    /// # Panics
    /// When the guest traps, or calls the call malformed.
    pub fn verify(&mut self, jwk: &str, alg: &str, message: &[u8], signature: &[u8]) -> Answer {
        let mut call = Vec::new();
        for field in [jwk.as_bytes(), alg.as_bytes(), message, signature] {
            let length = u32::try_from(field.len()).expect("a short field");
            call.extend(length.to_le_bytes());
            call.extend(field);
        }
        let length = u32::try_from(call.len()).expect("a short call");
        let address = self.allocate.call(&mut self.store, length).expect("a buffer");
        let offset = usize::try_from(address).expect("an address");
        self.memory.write(&mut self.store, offset, &call).expect("inside the memory");
        match self.verify.call(&mut self.store, (address, length)).expect("no trap") {
            0 => Answer::Invalid,
            1 => Answer::Valid,
            2 => Answer::Unfit,
            other => panic!("the guest answers {other}: the call is malformed"),
        }
    }
}

impl std::fmt::Debug for SignatureGuest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SignatureGuest").finish_non_exhaustive()
    }
}
