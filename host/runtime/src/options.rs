//! How a plugin is compiled and run: settings of the engine, fixed when it is loaded.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::Limits;

/// Settings of the engine that compiles and runs one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginOptions {
    /// Directory for compiled plugins; `None` compiles in memory on every start. It is made when
    /// absent; it must belong to this user and be closed to all others (mode 0700), because what
    /// is loaded from it runs as machine code.
    pub cache_directory: Option<PathBuf>,
    /// Counts the work of every call ([`Policy::fuel_used`](crate::Policy::fuel_used)): exact and
    /// repeatable figures for tests, at about 15 % more time per call. Default off.
    pub fuel: bool,
    /// Resolution of deadlines: how often the engine's clock ticks. Default 10 ms, a tenth of the
    /// default deadline; a thread wakes that often as long as the plugin is loaded.
    pub tick: Duration,
    /// Stack of a call inside the plugin, in bytes. Default 512 KiB, wasmtime's own: threads that
    /// call the plugin need that much and some more.
    pub stack_bytes: usize,
    /// Reserves memory for a fixed number of instances beforehand; `None` allocates on demand.
    pub pooling: Option<Pooling>,
}

impl Default for PluginOptions {
    fn default() -> Self {
        Self {
            cache_directory: None,
            fuel: false,
            tick: Duration::from_millis(10),
            stack_bytes: 512 * 1024,
            pooling: None,
        }
    }
}

/// The pooling allocator's size: instantiation is some 15 % faster (measured), and a fixed address
/// space is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// Instances in all policies and core modules of this plugin; one more than
    /// [`Limits::instances`], because a new trust is tried in an instance of its own.
    pub instances: u32,
    /// Most linear memory of an instance, in bytes; at least [`Limits::memory_bytes`].
    pub memory_bytes: usize,
}

impl Pooling {
    /// Enough for one policy with these limits.
    #[must_use]
    pub fn for_limits(limits: &Limits) -> Self {
        let instances = u32::try_from(limits.instances).unwrap_or(u32::MAX);
        Self { instances: instances.saturating_add(1), memory_bytes: limits.memory_bytes }
    }
}
