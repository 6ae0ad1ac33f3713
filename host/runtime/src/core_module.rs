//! The C-like ABI of the module inside the component: the way of hosts without components.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wasmparser::{Parser, Payload};
use wasmtime::{Error, Instance, Memory, Module, Store, TypedFunc, WasmParams, WasmResults};

use crate::description::ABI_VERSION;
use crate::digest::Sha256Digest;
use crate::engine::TimedEngine;
use crate::failure::{Failure, one_line};
use crate::limits::Limits;
use crate::options::PluginOptions;
use crate::plugin::check_digest;
use crate::plugin_error::PluginError;
use crate::sandbox::Sandbox;

/// The plugin's core module, called with JSON through its own memory (docs/abi.md).
///
/// It exists to prove that the module answers as the component does; an embedder in Rust wants
/// [`Policy`](crate::Policy). One instance, one call at a time. After a [`Failure`] the next call
/// gets a fresh instance, and the trust must be loaded again: until then every token is
/// `keys-missing`.
pub struct CoreModule {
    engine: Arc<TimedEngine>,
    module: Module,
    limits: Limits,
    guest: Option<Guest>,
}

impl CoreModule {
    /// Loads the core module: module 0 of a component, or a module as it is. `expected` is the
    /// digest of `bytes`, whichever they are.
    ///
    /// # Errors
    /// [`PluginError`] when the digest is another, when the bytes hold no module, when the module
    /// has imports, or when it speaks another ABI.
    pub fn from_bytes(
        bytes: &[u8],
        expected: &Sha256Digest,
        options: &PluginOptions,
        limits: Limits,
    ) -> Result<Self, PluginError> {
        check_digest(bytes, expected)?;
        limits.check()?;
        let engine = TimedEngine::start(options)?;
        let module = Module::from_binary(engine.engine(), core_module(bytes)?)
            .map_err(|error| PluginError::Compile(one_line(&format!("{error:#}"))))?;
        let imports: Vec<_> = module
            .imports()
            .map(|import| format!("{}.{}", import.module(), import.name()))
            .collect();
        if !imports.is_empty() {
            return Err(PluginError::Imports(imports));
        }
        let mut loaded = Self { engine: Arc::new(engine), module, limits, guest: None };
        let abi =
            loaded.abi_version().map_err(|failure| PluginError::Describe(failure.to_string()))?;
        if abi != ABI_VERSION {
            let (stated, known) = (format!("ABI {abi}"), format!("ABI {ABI_VERSION}"));
            return Err(PluginError::Contract { stated, known });
        }
        Ok(loaded)
    }

    /// The same code, compiled once, with an instance of its own in which nothing is loaded.
    #[must_use]
    pub fn fresh(&self) -> Self {
        let (engine, module) = (Arc::clone(&self.engine), self.module.clone());
        Self { engine, module, limits: self.limits.clone(), guest: None }
    }

    /// Calls an export that takes JSON and answers JSON: `mandate_load_trust`, `mandate_validate`,
    /// `mandate_authorize` and their like.
    ///
    /// # Errors
    /// [`Failure`] when the export is missing, traps, exceeds a limit, or answers outside its
    /// memory or not in UTF-8. It is a denial with the reason `internal`.
    pub fn call(&mut self, export: &str, json: &str) -> Result<String, Failure> {
        self.call_bytes(export, json.as_bytes())
    }

    /// Calls an export that takes bytes and answers JSON: `mandate_load`, `mandate_apply_delta`,
    /// and every export that takes JSON.
    ///
    /// # Errors
    /// As [`CoreModule::call`].
    pub fn call_bytes(&mut self, export: &str, input: &[u8]) -> Result<String, Failure> {
        let deadline = match export {
            "mandate_apply_delta"
            | "mandate_filter_list"
            | "mandate_filter_stream"
            | "mandate_load"
            | "mandate_load_trust" => self.limits.load_deadline,
            _ => self.limits.deadline,
        };
        let most = self.limits.answer_bytes;
        self.run(deadline, |guest| {
            let export = guest.export::<(u32, u32), u64>(export)?;
            let input = guest.place(input)?;
            let answer = export.call(&mut guest.store, input)?;
            guest.collect(answer, most)
        })
    }

    /// Calls an export that takes nothing and answers JSON: `mandate_load_commit`, `mandate_load_validate`,
    /// `mandate_state`.
    ///
    /// # Errors
    /// As [`CoreModule::call`].
    pub fn call_without(&mut self, export: &str) -> Result<String, Failure> {
        let deadline = match export {
            // It may have to open the whole snapshot.
            "mandate_load_commit" | "mandate_load_validate" => self.limits.load_deadline,
            _ => self.limits.deadline,
        };
        let most = self.limits.answer_bytes;
        self.run(deadline, |guest| {
            let answer = guest.export::<(), u64>(export)?.call(&mut guest.store, ())?;
            guest.collect(answer, most)
        })
    }

    /// Calls `mandate_describe`: what the plugin says about itself, as JSON.
    ///
    /// # Errors
    /// As [`CoreModule::call`].
    pub fn describe(&mut self) -> Result<String, Failure> {
        self.call_without("mandate_describe")
    }

    /// Bytes of the instance's linear memory, which never shrinks; 0 before the first call.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.guest.as_ref().map_or(0, |guest| guest.memory.data_size(&guest.store))
    }

    /// Fuel of the last call, its buffers included; `None` unless [`PluginOptions::fuel`] is set,
    /// and after a failure.
    #[must_use]
    pub fn fuel_used(&self) -> Option<u64> {
        self.guest.as_ref().and_then(|guest| self.engine.fuel_used(&guest.store))
    }

    fn abi_version(&mut self) -> Result<u32, Failure> {
        self.run(self.limits.deadline, |guest| {
            guest.export::<(), u32>("mandate_abi_version")?.call(&mut guest.store, ())
        })
    }

    /// Runs one call under one deadline. When it fails, the instance is gone.
    fn run<T>(
        &mut self,
        deadline: Duration,
        call: impl FnOnce(&mut Guest) -> wasmtime::Result<T>,
    ) -> Result<T, Failure> {
        let failed = |error| Failure::of(&error, deadline);
        let mut guest = match self.guest.take() {
            Some(guest) => guest,
            None => self.instantiate(deadline).map_err(failed)?,
        };
        self.engine.arm(&mut guest.store, deadline).map_err(failed)?;
        let answer = call(&mut guest).map_err(failed)?;
        self.guest = Some(guest);
        Ok(answer)
    }

    fn instantiate(&self, deadline: Duration) -> wasmtime::Result<Guest> {
        let mut store = self.engine.store(&self.limits);
        self.engine.arm(&mut store, deadline)?;
        let instance = Instance::new(&mut store, &self.module, &[])?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| Error::msg("no memory is exported"))?;
        let allocate = instance.get_typed_func(&mut store, "mandate_alloc")?;
        let free = instance.get_typed_func(&mut store, "mandate_free")?;
        Ok(Guest { store, instance, memory, allocate, free })
    }
}

impl fmt::Debug for CoreModule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CoreModule").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// An instance of the module, with the exports that every call needs. Pointers and lengths are
/// 32 bits wide, as is the plugin's memory; none that the plugin states is believed.
struct Guest {
    store: Store<Sandbox>,
    instance: Instance,
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
    free: TypedFunc<(u32, u32), ()>,
}

impl Guest {
    fn export<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
    ) -> wasmtime::Result<TypedFunc<P, R>> {
        self.instance.get_typed_func(&mut self.store, name)
    }

    /// Copies the input into a buffer of the plugin, which owns it from then on.
    fn place(&mut self, input: &[u8]) -> wasmtime::Result<(u32, u32)> {
        let length = u32::try_from(input.len())?;
        let start = self.allocate.call(&mut self.store, length)?;
        if start == 0 {
            return Err(Error::msg("the plugin gave no buffer for the input"));
        }
        self.memory.write(&mut self.store, usize::try_from(start)?, input)?;
        Ok((start, length))
    }

    /// Copies the answer out, `start << 32 | length`, and gives its buffer back.
    fn collect(&mut self, answer: u64, most: usize) -> wasmtime::Result<String> {
        let (start, length) = (u32::try_from(answer >> 32)?, u32::try_from(answer & LOW_HALF)?);
        if usize::try_from(length)? > most {
            return Err(Error::msg("the answer is too large"));
        }
        let end = usize::try_from(start)?.saturating_add(usize::try_from(length)?);
        let bytes = self
            .memory
            .data(&self.store)
            .get(usize::try_from(start)?..end)
            .ok_or_else(|| Error::msg("the answer is outside the plugin's memory"))?;
        let text =
            String::from_utf8(bytes.to_vec()).map_err(|_| Error::msg("the answer is not UTF-8"))?;
        self.free.call(&mut self.store, (start, length))?;
        Ok(text)
    }
}

/// Module 0 of a component; a module as it is.
fn core_module(bytes: &[u8]) -> Result<&[u8], PluginError> {
    if !Parser::is_component(bytes) {
        return Ok(bytes);
    }
    let refused = |reason: &str| PluginError::Compile(reason.to_owned());
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ModuleSection { unchecked_range: range, .. }) => {
                let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                return range
                    .and_then(|(start, end)| bytes.get(start..end))
                    .ok_or_else(|| refused("its core module is cut off"));
            }
            Ok(_) => {}
            Err(error) => return Err(refused(&one_line(&error.to_string()))),
        }
    }
    Err(refused("the component has no core module"))
}

const LOW_HALF: u64 = 0xffff_ffff;

#[cfg(test)]
mod tests;
