//! Ours, as WebAssembly with nothing around it: the bench guest in wasmtime, ids copied in.

use anyhow::{Context as _, Result, ensure};
use cpu_time::ThreadTime;
use wasmtime::{Config, Engine, Instance, Memory, Module, Store, TypedFunc};

use super::workload::Query;
use super::{Decider, World};
use crate::guests;

type Decide = TypedFunc<(u32, u32, u32, u32, u32, u32), u32>;

struct Guest {
    store: Store<()>,
    memory: Memory,
    decide: Decide,
    /// Where requests are written.
    request: u32,
    text: Vec<u8>,
}

impl Guest {
    fn instantiate() -> Result<(Store<()>, Instance, Memory)> {
        let mut config = Config::new();
        // As mandate-host runs the plugin: with a deadline on every call.
        config.epoch_interruption(true).concurrency_support(false);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, guests::delegation()?)?;
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(u64::from(u32::MAX));
        let instance = Instance::new(&mut store, &module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").context("a memory")?;
        Ok((store, instance, memory))
    }

    /// Loads the body; also nanoseconds of its validation, without the copy.
    fn load(body: &[u8]) -> Result<(Self, f64)> {
        let (mut store, instance, memory) = Self::instantiate()?;
        let allocate = instance.get_typed_func::<u32, u32>(&mut store, "bench_alloc")?;
        let load = instance.get_typed_func::<(u32, u32), u32>(&mut store, "bench_load")?;
        let decide = instance.get_typed_func(&mut store, "bench_decide")?;
        let length = u32::try_from(body.len())?;
        let address = allocate.call(&mut store, length)?;
        memory.write(&mut store, usize::try_from(address)?, body)?;
        let started = ThreadTime::now();
        let loaded = load.call(&mut store, (address, length))?;
        let took = started.elapsed().as_secs_f64() * 1e9;
        ensure!(loaded == 1, "the guest refuses the world");
        let request = allocate.call(&mut store, REQUEST_BYTES)?;
        Ok((Self { store, memory, decide, request, text: Vec::new() }, took))
    }

    fn decide(&mut self, query: &Query) -> Result<bool> {
        self.text.clear();
        for id in query.ids() {
            self.text.extend_from_slice(id.as_bytes());
        }
        self.memory.write(&mut self.store, usize::try_from(self.request)?, &self.text)?;
        let [agent, user, tool, node] = query.ids().map(|id| u32::try_from(id.len()).unwrap_or(0));
        let asked = (self.request, agent, user, tool, node, u32::from(query.edit));
        Ok(self.decide.call(&mut self.store, asked)? == 1)
    }
}

impl Decider for Guest {
    fn allows(&mut self, query: &Query) -> bool {
        self.decide(query).unwrap_or_default()
    }

    fn bytes(&self) -> Option<usize> {
        Some(self.memory.data_size(&self.store))
    }
}

/// Loads the world's body into the guest.
///
/// # Errors
/// When the guest was not built, or refuses the world.
pub fn load(world: &World) -> Result<Box<dyn Decider>> {
    Ok(Box::new(Guest::load(&world.body)?.0))
}

/// Nanoseconds of the validation in WebAssembly, with all bytes there.
///
/// # Errors
/// As [`load`].
pub fn validation(world: &World) -> Result<f64> {
    Ok(Guest::load(&world.body)?.1)
}

/// Room for four ids.
const REQUEST_BYTES: u32 = 1024;
