//! What the filter asks of Envoy, as a trait: a scripted host in tests, checked host calls in the
//! module.

use std::fmt;
use std::ops::Range;

/// The host calls of the filter. Every status that was not expected is a [`HostProblem`].
pub(crate) trait Host {
    /// Nanoseconds since the epoch.
    fn now(&self) -> Result<u64, HostProblem>;

    /// Every field of a header map, as [`fields`](crate::fields) reads it.
    fn fields(&self, map: Map) -> Result<Vec<u8>, HostProblem>;

    /// Sets a field: it replaces every value of its name.
    fn set_field(&self, map: Map, name: &str, value: &str) -> Result<(), HostProblem>;

    /// Removes every value of a field.
    fn remove_field(&self, map: Map, name: &str) -> Result<(), HostProblem>;

    /// These bytes of a buffer, as far as it has them; empty where there is none. Never ask from
    /// beyond its end.
    fn buffer(&self, buffer: Buffer, bytes: Range<usize>) -> Result<Vec<u8>, HostProblem>;

    /// Puts these bytes in place of the whole buffer.
    fn replace_buffer(&self, buffer: Buffer, bytes: &[u8]) -> Result<(), HostProblem>;

    /// A property of the stream or of the process; `None` where it has none of this name.
    fn property(&self, path: &[&str]) -> Result<Option<Vec<u8>>, HostProblem>;

    /// Sets `wasm.<name>` in the filter state.
    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostProblem>;

    /// Answers the request here. `details` is what `%RESPONSE_CODE_DETAILS%` logs.
    fn reply(&self, reply: &LocalReply<'_>) -> Result<(), HostProblem>;

    /// What the VMs of one `vm_id` share under a key, and its version.
    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostProblem>;

    /// Shares a value; `false` where another VM was faster. Version 0 means whatever is there.
    fn share(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostProblem>;

    /// Sends a `GET` to a cluster; the number under which its answer comes.
    fn get(&self, get: &Get<'_>) -> Result<u32, HostProblem>;

    /// Defines a metric, or finds it.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostProblem>;

    /// Adds to a counter.
    fn add_metric(&self, id: u32, amount: i64) -> Result<(), HostProblem>;

    /// Sets a gauge, or adds a value to a histogram.
    fn record_metric(&self, id: u32, value: u64) -> Result<(), HostProblem>;

    /// Writes a line to Envoy's log.
    fn log(&self, level: Level, line: &str);
}

/// A header map: the numbers of proxy-wasm 0.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Map {
    Request,
    RequestTrailers,
    Response,
    CallResponse,
}

/// A body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Buffer {
    Request,
    Response,
    CallResponse,
    Configuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

/// An answer that the filter gives itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalReply<'r> {
    pub(crate) status: u16,
    pub(crate) details: &'r str,
    pub(crate) headers: &'r [(&'r str, &'r str)],
    pub(crate) body: &'r [u8],
}

/// A request to a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Get<'g> {
    pub(crate) cluster: &'g str,
    pub(crate) authority: &'g str,
    pub(crate) path: &'g str,
    pub(crate) if_none_match: Option<&'g str>,
    pub(crate) timeout_milliseconds: u32,
}

/// A host call that did not answer as it should: whatever it was for is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostProblem {
    /// Which call.
    pub(crate) call: &'static str,
    /// The status of proxy-wasm, or that of [`HostProblem::UNREADABLE`].
    pub(crate) status: u32,
}

impl HostProblem {
    /// The call succeeded, and what it gave cannot be read.
    pub(crate) const UNREADABLE: u32 = 1000;

    pub(crate) const fn unreadable(call: &'static str) -> Self {
        Self { call, status: Self::UNREADABLE }
    }
}

impl fmt::Display for HostProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, status } = self;
        write!(formatter, "the host call `{call}` answered {status}")
    }
}
