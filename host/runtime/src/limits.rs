//! What one call and one instance may cost.

use std::fmt;
use std::num::NonZeroU32;
use std::thread;
use std::time::Duration;

/// Bounds on the plugin's work. Whatever exceeds one is a denial with the reason `internal`.
///
/// # Example
/// ```
/// use std::time::Duration;
/// use mandate_host::Limits;
///
/// let limits = Limits { deadline: Duration::from_millis(50), ..Limits::default() };
/// assert_eq!(limits.memory_bytes, 64 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time of one decision, rounded up to the engine's tick. Default 100 ms: two
    /// hundred times the dearest signature check measured in wasm (ES256, 0.5 ms), and half of
    /// the 200 ms that Envoy gives an external authorizer by default.
    pub deadline: Duration,
    /// Wall-clock time of loading one trust document. Default 5 s: loading is rare, and a document
    /// may list hundreds of keys.
    pub load_deadline: Duration,
    /// Linear memory of one instance, in bytes. Default 64 MiB: a thousand times what an instance
    /// touches for a small trust document (about 36 KiB resident, measured).
    pub memory_bytes: usize,
    /// Bytes of one answer, as the host reads it. Default 4 MiB: the longest list that is filtered,
    /// 1 MiB, as the module writes it in JSON, where a quotation mark or a line end has two bytes. It
    /// bounds what an answer costs outside the instance, where it may state one text many times.
    pub answer_bytes: usize,
    /// Elements in the tables of one instance. Default 10,000: one per function that is called
    /// through a pointer, of which a plugin has some hundreds.
    pub table_elements: usize,
    /// Instances alive at once; each answers one call at a time. Default twice the processors, at
    /// least 4: a decision only computes, so that more would only take memory.
    pub instances: usize,
    /// Wall-clock time that a call waits for a free instance before it is denied. Default 100 ms,
    /// as the deadline.
    pub wait: Duration,
    /// Calls that one instance answers before a fresh one takes its place; `None` is no bound, 1 is
    /// a fresh instance for every call. Default `None`: an instance keeps nothing of a call but
    /// verified tokens, bounded and keyed by the whole token.
    pub calls_per_instance: Option<NonZeroU32>,
}

impl Limits {
    /// The default limits with a fresh instance for every call: nothing of one call can reach
    /// another, at the price of instantiating and loading the trust each time.
    #[must_use]
    pub fn fresh_instance_per_call() -> Self {
        Self { calls_per_instance: Some(NonZeroU32::MIN), ..Self::default() }
    }

    /// Refuses limits under which nothing could be answered.
    ///
    /// # Errors
    /// [`LimitsError`] names the first member that is too small.
    pub fn check(&self) -> Result<(), LimitsError> {
        let small = |member, least| Err(LimitsError { member, least });
        match self {
            Self { deadline: Duration::ZERO, .. } => small("deadline", "more than 0 s"),
            Self { load_deadline: Duration::ZERO, .. } => small("load_deadline", "more than 0 s"),
            Self { memory_bytes: ..WASM_PAGE_BYTES, .. } => small("memory_bytes", "65536 bytes"),
            Self { answer_bytes: ..LEAST_ANSWER_BYTES, .. } => small("answer_bytes", "65536 bytes"),
            Self { instances: 0, .. } => small("instances", "1"),
            Self { .. } => Ok(()),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(2, usize::from);
        Self {
            deadline: Duration::from_millis(100),
            load_deadline: Duration::from_secs(5),
            memory_bytes: 64 * 1024 * 1024,
            answer_bytes: 4 * 1024 * 1024,
            table_elements: 10_000,
            instances: processors.saturating_mul(2).max(4),
            wait: Duration::from_millis(100),
            calls_per_instance: None,
        }
    }
}

/// A limit is too small to answer anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitsError {
    /// The member of [`Limits`].
    pub member: &'static str,
    /// The least that it may be.
    pub least: &'static str,
}

impl fmt::Display for LimitsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "limit `{}` must be at least {}", self.member, self.least)
    }
}

impl std::error::Error for LimitsError {}

/// A WebAssembly page: the unit in which memory grows.
const WASM_PAGE_BYTES: usize = 65_536;
/// An answer may state a token of 16 KiB, and as much again about it.
const LEAST_ANSWER_BYTES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limits_hold() {
        assert_eq!(Limits::default().check(), Ok(()));
        assert_eq!(Limits::fresh_instance_per_call().calls_per_instance, NonZeroU32::new(1));
    }

    #[test]
    fn a_limit_of_nothing_is_refused_by_name() {
        let refused = |limits: Limits| limits.check().map_err(|error| error.member);
        let zero = Duration::ZERO;
        assert_eq!(refused(Limits { deadline: zero, ..Limits::default() }), Err("deadline"));
        assert_eq!(
            refused(Limits { load_deadline: zero, ..Limits::default() }),
            Err("load_deadline")
        );
        assert_eq!(
            refused(Limits { memory_bytes: 65_535, ..Limits::default() }),
            Err("memory_bytes")
        );
        assert_eq!(refused(Limits { answer_bytes: 1, ..Limits::default() }), Err("answer_bytes"));
        assert_eq!(refused(Limits { instances: 0, ..Limits::default() }), Err("instances"));
    }
}
