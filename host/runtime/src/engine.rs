//! The wasmtime engine of one plugin, and the clock that bounds its calls.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::{
    Config, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};

use crate::limits::Limits;
use crate::options::{PluginOptions, Pooling};
use crate::plugin_error::PluginError;
use crate::sandbox::{CORE_INSTANCES, MEMORIES, Sandbox, TABLES};

/// An engine whose epoch advances as long as it lives.
///
/// Engine and ticker are one value, because either alone is a fault: code that is compiled for
/// epochs traps at once without a deadline, and never without a ticker.
#[derive(Debug)]
pub(crate) struct TimedEngine {
    engine: Engine,
    tick: Duration,
    fuel: bool,
    _ticker: Ticker,
}

impl TimedEngine {
    pub(crate) fn start(options: &PluginOptions) -> Result<Self, PluginError> {
        if !(SHORTEST_TICK..=LONGEST_TICK).contains(&options.tick) {
            return Err(PluginError::Options("`tick` must be 1 ms to 1 s".to_owned()));
        }
        let engine = Engine::new(&config(options)?)
            .map_err(|error| PluginError::Options(format!("{error:#}")))?;
        let ticker = Ticker::start(engine.weak(), options.tick).map_err(PluginError::Ticker)?;
        Ok(Self { engine, tick: options.tick, fuel: options.fuel, _ticker: ticker })
    }

    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A store with these limits. Nothing runs in it until [`TimedEngine::arm`].
    pub(crate) fn store(&self, limits: &Limits) -> Store<Sandbox> {
        let mut store = Store::new(&self.engine, Sandbox::new(limits));
        store.limiter(|sandbox| sandbox);
        store.set_hostcall_fuel(limits.answer_bytes);
        store.epoch_deadline_trap();
        store
    }

    /// Gives the next call its time (and its fuel, where that is counted). Needed before every
    /// call: an instance that sat idle has outlived its last deadline.
    pub(crate) fn arm(
        &self,
        store: &mut Store<Sandbox>,
        deadline: Duration,
    ) -> wasmtime::Result<()> {
        store.set_epoch_deadline(self.ticks(deadline));
        if self.fuel {
            store.set_fuel(u64::MAX)?;
        }
        Ok(())
    }

    pub(crate) const fn counts_fuel(&self) -> bool {
        self.fuel
    }

    /// Fuel burnt since the store was armed; `None` where it is not counted.
    pub(crate) fn fuel_used(&self, store: &Store<Sandbox>) -> Option<u64> {
        if !self.fuel {
            return None;
        }
        store.get_fuel().ok().map(|left| u64::MAX.saturating_sub(left))
    }

    /// Ticks that cover the deadline: rounded up, and one more because the current tick has begun.
    fn ticks(&self, deadline: Duration) -> u64 {
        let ticks = deadline.as_nanos().div_ceil(self.tick.as_nanos().max(1));
        u64::try_from(ticks).unwrap_or(u64::MAX).saturating_add(1).min(MOST_TICKS)
    }
}

fn config(options: &PluginOptions) -> Result<Config, PluginError> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(options.fuel)
        .max_wasm_stack(options.stack_bytes)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        // Traps are answered, not debugged: no back traces, and no tables for them in the cache.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false);
    if let Some(pooling) = options.pooling {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(pooling)?));
    }
    Ok(config)
}

fn pool(pooling: Pooling) -> Result<PoolingAllocationConfig, PluginError> {
    let each = |count: usize| {
        u32::try_from(count)
            .ok()
            .and_then(|count| pooling.instances.checked_mul(count))
            .ok_or_else(|| PluginError::Options("`pooling.instances` is too large".to_owned()))
    };
    let mut config = PoolingAllocationConfig::new();
    config
        .total_component_instances(pooling.instances)
        .total_core_instances(each(CORE_INSTANCES)?)
        .total_memories(each(MEMORIES)?)
        .total_tables(each(TABLES)?)
        .max_memory_size(pooling.memory_bytes);
    Ok(config)
}

/// The thread that advances an engine's epoch. It ends when this value is dropped.
#[derive(Debug)]
struct Ticker {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: EngineWeak, tick: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        };
        let thread = thread::Builder::new().name("mandate-epoch".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; were it to, there is nothing left to end.
            let _ended = thread.join();
        }
    }
}

const SHORTEST_TICK: Duration = Duration::from_millis(1);
const LONGEST_TICK: Duration = Duration::from_secs(1);
/// wasmtime adds the ticks to the current epoch: the sum must not wrap.
const MOST_TICKS: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;

    fn engine_with_tick(tick: Duration) -> TimedEngine {
        TimedEngine::start(&PluginOptions { tick, ..PluginOptions::default() }).unwrap()
    }

    #[test]
    fn a_deadline_is_rounded_up_to_whole_ticks_and_never_cut() {
        let engine = engine_with_tick(Duration::from_millis(10));
        assert_eq!(engine.ticks(Duration::from_millis(100)), 11);
        assert_eq!(engine.ticks(Duration::from_millis(101)), 12);
        assert_eq!(engine.ticks(Duration::from_nanos(1)), 2);
        assert_eq!(engine.ticks(Duration::MAX), MOST_TICKS);
    }

    #[test]
    fn the_ticker_ends_with_its_engine() {
        let engine = engine_with_tick(Duration::from_millis(1));
        let weak = engine.engine.weak();
        assert!(weak.upgrade().is_some());
        drop(engine);
        assert!(weak.upgrade().is_none(), "the ticker's thread still holds the engine");
    }

    #[test]
    fn a_tick_outside_its_range_does_not_start() {
        for tick in [Duration::ZERO, Duration::from_secs(2)] {
            let options = PluginOptions { tick, ..PluginOptions::default() };
            let error = TimedEngine::start(&options).unwrap_err();
            assert_eq!(error.to_string(), "plugin options: `tick` must be 1 ms to 1 s");
        }
    }
}
