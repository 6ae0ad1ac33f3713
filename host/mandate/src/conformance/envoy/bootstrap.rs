//! Envoy's configuration: as little before the filter as can be, so that the filter answers.
//!
//! This is not how a proxy is set up that guards something (`mandate envoy config` writes that): paths
//! are not normalized and underscores are kept here, since the filter has to refuse by itself what two
//! programs could read as two requests.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::door::{Door, any};
use super::ground::{Ground, Grounds};

/// Where everything is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places<'p> {
    pub(super) door: &'p Door,
    /// Where the access log goes.
    pub(super) log: &'p Path,
    /// Where listeners are read from.
    pub(super) listeners: &'p Path,
    pub(super) feed: u16,
    pub(super) upstream: u16,
}

/// What Envoy starts with: one listener, so that the module is compiled before the cases are made.
/// The others are read from a file.
pub(super) fn bootstrap(first: &Ground, places: &Places<'_>) -> Value {
    let trailers =
        json!({"http_protocol_options": {"enable_trailers": places.door.sees_trailers()}});
    let mut clusters = vec![
        cluster("feed", places.feed, &trailers),
        cluster("upstream", places.upstream, &trailers),
    ];
    let asked = places.door.cluster();
    clusters.extend(
        asked.map(|(name, port)| cluster(name, port, &json!({"http2_protocol_options": {}}))),
    );
    json!({
        "admin": {"address": address(0)},
        "node": {"id": "conformance", "cluster": "conformance"},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": places.listeners}}},
        "static_resources": {
            "listeners": [listener(FIRST, 0, first, places)],
            "clusters": clusters,
        },
    })
}

/// A listener for each ground, named by the ground's number.
///
/// Their ports are chosen here: two that leave it to the system have the same address for Envoy, which
/// hands the socket of one that is drained to the next.
pub(super) fn listeners(
    grounds: &Grounds,
    ports: &BTreeMap<usize, u16>,
    places: &Places<'_>,
    version: usize,
) -> Value {
    let typed = |(number, ground): (&usize, &Ground)| {
        let port = ports.get(number).copied().unwrap_or_default();
        let mut listener = listener(*number, port, ground, places);
        if let Some(members) = listener.as_object_mut() {
            members.insert("@type".to_owned(), json!(any("envoy.config.listener.v3.Listener")));
        }
        listener
    };
    let resources: Vec<Value> = grounds.iter().map(typed).collect();
    json!({"version_info": version.to_string(), "resources": resources})
}

fn listener(number: usize, port: u16, ground: &Ground, places: &Places<'_>) -> Value {
    let manager = json!({
        "@type": any("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "gate",
        // The record has the id that the client has sent, and no other.
        "generate_request_id": false,
        "preserve_external_request_id": true,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "skip_xff_append": true,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "max_request_headers_kb": 96,
        "http_protocol_options": {"enable_trailers": places.door.sees_trailers()},
        "access_log": [{"name": "envoy.access_loggers.file", "typed_config": {
            "@type": any("envoy.extensions.access_loggers.file.v3.FileAccessLog"),
            "path": places.log,
            "log_format": {"text_format_source": {"inline_string": LOG_LINE}},
        }}],
        "route_config": {"name": "gate", "virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": places.door.routes(ground),
        }]},
        "http_filters": [
            places.door.filter(number, ground),
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": any("envoy.extensions.filters.http.router.v3.Router"),
                "suppress_envoy_headers": true,
            }},
        ],
    });
    json!({
        "name": number.to_string(),
        "address": address(port),
        "per_connection_buffer_limit_bytes": BUFFER,
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
        }]}],
    })
}

/// The ports of the listener and of who asked, what Envoy says became of it, and the audit record.
const LOG_LINE: &str = "%DOWNSTREAM_LOCAL_PORT%\t%DOWNSTREAM_DIRECT_REMOTE_PORT%\t%RESPONSE_CODE_DETAILS%\t\
    %FILTER_STATE(wasm.mandate:PLAIN)%\n";

fn cluster(name: &str, port: u16, protocol: &Value) -> Value {
    json!({"name": name, "type": "STATIC", "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": BUFFER,
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": any("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
            "explicit_http_config": protocol,
        }},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": address(port)}}]}]}})
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

/// Bytes that Envoy holds: what is longer than the filter's own limits has to reach the filter.
const BUFFER: u32 = 4 * 1024 * 1024;
/// The number of the ground that Envoy starts with, which no case's has.
const FIRST: usize = 0;
