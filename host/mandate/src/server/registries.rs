//! Connections to the registry: a fixed number, each for one call at a time.

use std::sync::{Arc, Mutex, PoisonError};

use mandate_registry::Registry;
use mandate_registry::error::RegistryError;

use super::OpenRegistry;
use super::workers::{Busy, Workers};

/// Connections, opened when they are needed.
pub(super) struct Registries {
    open: OpenRegistry,
    idle: Arc<Mutex<Vec<Registry>>>,
    workers: Workers,
}

/// Why a call gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CallError {
    /// Too many calls at once.
    Busy,
    /// There is no connection, and why.
    Unreachable(String),
    /// What the registry says.
    Registry(RegistryError),
}

impl Registries {
    pub(super) fn new(open: OpenRegistry, connections: usize) -> Self {
        const WAITING: usize = 16;
        Self { open, idle: Arc::default(), workers: Workers::new(connections, WAITING) }
    }

    /// Makes one call.
    ///
    /// # Errors
    /// As [`CallError`].
    pub(super) async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut Registry) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, CallError> {
        let (open, idle) = (Arc::clone(&self.open), Arc::clone(&self.idle));
        let work = move || {
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut registry = match kept {
                Some(registry) => registry,
                None => open().map_err(|error| CallError::Unreachable(format!("{error:#}")))?,
            };
            let outcome = call(&mut registry).map_err(CallError::Registry);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(registry);
            outcome
        };
        self.workers.run(work).await.map_err(|Busy| CallError::Busy)?
    }
}

impl std::fmt::Debug for Registries {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registries").field("workers", &self.workers).finish_non_exhaustive()
    }
}
