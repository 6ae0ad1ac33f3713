//! The host calls of proxy-wasm 0.2.1, declared and checked here.
//!
//! The SDK's own wrappers end the VM on any status that they do not expect, and take header values for
//! UTF-8: one request could stop a worker. Here every status but `OK` is a [`HostProblem`], which
//! denies. The one call left to the SDK is `dispatch_http_call`, which has to tell its dispatcher whose
//! answer it is; it is never made for a request.

#![expect(unsafe_code, reason = "host calls: addresses and lengths into this module's memory")]

use std::ops::Range;
use std::time::Duration;

use proxy_wasm::hostcalls;

use crate::fields;
use crate::host::{Buffer, Get, Host, HostProblem, Level, LocalReply, Map, MetricKind};
use crate::signature::VerifySignature;

/// Envoy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envoy;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        most: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_buffer_bytes(
        buffer: u32,
        start: usize,
        size: usize,
        data: *const u8,
        data_size: usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, amount: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
}

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const CAS_MISMATCH: u32 = 8;

const fn checked(call: &'static str, status: u32) -> Result<(), HostProblem> {
    match status {
        OK => Ok(()),
        status => Err(HostProblem { call, status }),
    }
}

/// Runs a call that gives bytes: Envoy asks this module for the memory, and gives it away.
fn given(
    call: &'static str,
    run: impl FnOnce(*mut *mut u8, *mut usize) -> u32,
) -> Result<Vec<u8>, HostProblem> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    checked(call, run(&raw mut data, &raw mut size))?;
    if data.is_null() || size == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: the host has asked the SDK's `malloc` for `size` bytes, which made a boxed slice of
    // exactly this length, has filled them, and keeps no address.
    Ok(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, size)) }.into_vec())
}

/// A property's path: its parts, each ended by a zero byte but the last.
fn property_path(path: &[&str]) -> String {
    path.join("\0")
}

const fn map_number(map: Map) -> u32 {
    match map {
        Map::Request => 0,
        Map::RequestTrailers => 1,
        Map::Response => 2,
        Map::CallResponse => 6,
    }
}

const fn buffer_number(buffer: Buffer) -> u32 {
    match buffer {
        Buffer::Request => 0,
        Buffer::Response => 1,
        Buffer::CallResponse => 4,
        Buffer::Configuration => 7,
    }
}

impl Envoy {
    /// Asks for a callback every so often.
    pub(crate) fn tick_every(self, milliseconds: u32) -> Result<(), HostProblem> {
        // SAFETY: no address is passed.
        let status = unsafe { proxy_set_tick_period_milliseconds(milliseconds) };
        checked("set_tick_period", status)
    }
}

impl Host for Envoy {
    fn now(&self) -> Result<u64, HostProblem> {
        let mut time = 0;
        // SAFETY: `time` outlives the call.
        let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
        checked("get_current_time", status).map(|()| time)
    }

    fn fields(&self, map: Map) -> Result<Vec<u8>, HostProblem> {
        given("get_header_map_pairs", |data, size| {
            // SAFETY: both addresses outlive the call.
            unsafe { proxy_get_header_map_pairs(map_number(map), data, size) }
        })
    }

    fn set_field(&self, map: Map, name: &str, value: &str) -> Result<(), HostProblem> {
        // SAFETY: both texts outlive the call.
        let status = unsafe {
            proxy_replace_header_map_value(
                map_number(map),
                name.as_ptr(),
                name.len(),
                value.as_ptr(),
                value.len(),
            )
        };
        checked("replace_header_map_value", status)
    }

    fn remove_field(&self, map: Map, name: &str) -> Result<(), HostProblem> {
        // SAFETY: the name outlives the call.
        let status =
            unsafe { proxy_remove_header_map_value(map_number(map), name.as_ptr(), name.len()) };
        checked("remove_header_map_value", status)
    }

    fn buffer(&self, buffer: Buffer, bytes: Range<usize>) -> Result<Vec<u8>, HostProblem> {
        let given = given("get_buffer_bytes", |data, size| {
            let buffer = buffer_number(buffer);
            // SAFETY: both addresses outlive the call.
            unsafe { proxy_get_buffer_bytes(buffer, bytes.start, bytes.len(), data, size) }
        });
        match given {
            Err(HostProblem { status: NOT_FOUND, .. }) => Ok(Vec::new()),
            given => given,
        }
    }

    fn replace_buffer(&self, buffer: Buffer, bytes: &[u8]) -> Result<(), HostProblem> {
        // SAFETY: the bytes outlive the call.
        let status = unsafe {
            proxy_set_buffer_bytes(
                buffer_number(buffer),
                0,
                usize::MAX,
                bytes.as_ptr(),
                bytes.len(),
            )
        };
        checked("set_buffer_bytes", status)
    }

    fn property(&self, path: &[&str]) -> Result<Option<Vec<u8>>, HostProblem> {
        let path = property_path(path);
        let given = given("get_property", |data, size| {
            // SAFETY: the path and both addresses outlive the call.
            unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) }
        });
        match given {
            Err(HostProblem { status: NOT_FOUND, .. }) => Ok(None),
            given => given.map(Some),
        }
    }

    fn set_filter_state(&self, name: &str, value: &[u8]) -> Result<(), HostProblem> {
        // SAFETY: both outlive the call.
        let status =
            unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) };
        checked("set_property", status)
    }

    fn reply(&self, reply: &LocalReply<'_>) -> Result<(), HostProblem> {
        let LocalReply { status, details, headers, body } = reply;
        let headers = fields::write(headers);
        const NO_GRPC_STATUS: i32 = -1;
        // SAFETY: details, body and headers outlive the call.
        let status = unsafe {
            proxy_send_local_response(
                u32::from(*status),
                details.as_ptr(),
                details.len(),
                body.as_ptr(),
                body.len(),
                headers.as_ptr(),
                headers.len(),
                NO_GRPC_STATUS,
            )
        };
        checked("send_local_response", status)
    }

    fn shared(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, HostProblem> {
        let mut version = 0;
        let given = given("get_shared_data", |data, size| {
            // SAFETY: the key and all addresses outlive the call.
            unsafe { proxy_get_shared_data(key.as_ptr(), key.len(), data, size, &raw mut version) }
        });
        match given {
            Err(HostProblem { status: NOT_FOUND, .. }) => Ok(None),
            given => given.map(|bytes| Some((bytes, version))),
        }
    }

    fn share(&self, key: &str, value: &[u8], version: u32) -> Result<bool, HostProblem> {
        // SAFETY: both outlive the call.
        let status = unsafe {
            proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), version)
        };
        match status {
            CAS_MISMATCH => Ok(false),
            status => checked("set_shared_data", status).map(|()| true),
        }
    }

    fn get(&self, get: &Get<'_>) -> Result<u32, HostProblem> {
        let mut headers = vec![
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", get.authority),
            (":path", get.path),
        ];
        headers.extend(get.if_none_match.map(|tag| ("if-none-match", tag)));
        let timeout = Duration::from_millis(u64::from(get.timeout_milliseconds));
        hostcalls::dispatch_http_call(get.cluster, headers, None, Vec::new(), timeout)
            .map_err(|_| HostProblem::unreadable("dispatch_http_call"))
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostProblem> {
        let kind = match kind {
            MetricKind::Counter => 0,
            MetricKind::Gauge => 1,
            MetricKind::Histogram => 2,
        };
        let mut id = 0;
        // SAFETY: the name and `id` outlive the call.
        let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
        checked("define_metric", status).map(|()| id)
    }

    fn add_metric(&self, id: u32, amount: i64) -> Result<(), HostProblem> {
        // SAFETY: no address is passed.
        checked("increment_metric", unsafe { proxy_increment_metric(id, amount) })
    }

    fn record_metric(&self, id: u32, value: u64) -> Result<(), HostProblem> {
        // SAFETY: no address is passed.
        checked("record_metric", unsafe { proxy_record_metric(id, value) })
    }

    fn log(&self, level: Level, line: &str) {
        let level = match level {
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        // SAFETY: the line outlives the call. What cannot be logged is not.
        let _ = unsafe { proxy_log(level, line.as_ptr(), line.len()) };
    }
}

impl VerifySignature for Envoy {
    fn call(&self, arguments: &[u8]) -> Result<Vec<u8>, HostProblem> {
        const NAME: &str = "verify_signature";
        given("call_foreign_function", |data, size| {
            // SAFETY: name, arguments and both addresses outlive the call.
            unsafe {
                proxy_call_foreign_function(
                    NAME.as_ptr(),
                    NAME.len(),
                    arguments.as_ptr(),
                    arguments.len(),
                    data,
                    size,
                )
            }
        })
    }
}
