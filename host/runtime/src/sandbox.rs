//! The store's data: what an instance may allocate.

use std::fmt;

use wasmtime::{ResourceLimiter, Result};

use crate::limits::Limits;

/// Holds one instance to its limits. A plugin has no imports, so there is nothing else in a store.
#[derive(Debug)]
pub(crate) struct Sandbox {
    memory_bytes: usize,
    table_elements: usize,
}

impl Sandbox {
    pub(crate) const fn new(limits: &Limits) -> Self {
        Self { memory_bytes: limits.memory_bytes, table_elements: limits.table_elements }
    }
}

// Growing past a limit is an error, and so a trap, rather than a refused `memory.grow`: a plugin
// that carries on without the memory it asked for would answer something that depends on the host.
impl ResourceLimiter for Sandbox {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if desired > self.memory_bytes {
            return Err(Overrun::Memory(self.memory_bytes).into());
        }
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        if desired > self.table_elements {
            return Err(Overrun::Table(self.table_elements).into());
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }

    fn tables(&self) -> usize {
        TABLES
    }
}

/// An instance asked for more than its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overrun {
    /// Bytes of linear memory.
    Memory(usize),
    /// Elements of a table.
    Table(usize),
}

impl fmt::Display for Overrun {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(limit) => write!(formatter, "memory limit of {limit} bytes"),
            Self::Table(limit) => write!(formatter, "table limit of {limit} elements"),
        }
    }
}

impl std::error::Error for Overrun {}

/// Core instances in a component: the module, and the shims that a componentizer may add.
pub(crate) const CORE_INSTANCES: usize = 8;
/// A plugin is one module with one memory; `memory_bytes` bounds each.
pub(crate) const MEMORIES: usize = 1;
/// Tables: the module's own, and a shim's.
pub(crate) const TABLES: usize = 4;
