//! Envoy's configuration.

use std::path::Path;

use mandate_authn::base64url;
use serde_json::{Value, json};

use crate::scene::{LOGIN, SECRET, state_config};
use crate::stage::{Plan, Supply};

/// Who listens where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) listener: u16,
    pub(crate) tls: u16,
    pub(crate) admin: u16,
    pub(crate) feed: u16,
    pub(crate) upstream: u16,
}

/// The whole of it. Listeners are read from a file in the folder, so that a test can replace them.
pub(crate) fn bootstrap(
    plan: &Plan<'_>,
    (filter, singleton): (&Path, &Path),
    folder: &Path,
    ports: &Ports,
) -> Value {
    let listeners = folder.join(LISTENERS);
    put_listener(&listeners, plan, filter, ports, "1");
    let keys = plan.keys.unwrap_or(ports.feed);
    let mut bootstrap = json!({
        "admin": {"address": address(ports.admin)},
        "node": {"id": "edge-1", "cluster": "edge"},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": listeners}}},
        "static_resources": {"clusters": [
            cluster("feed", ports.feed, plan), cluster("upstream", ports.upstream, plan),
            cluster("login", keys, plan)]},
    });
    if plan.supply != Supply::Filters {
        let mut sync = json!({"role": "sync", "emitter": "edge-1-sync", "state": state_config()});
        follow(&mut sync, plan);
        bootstrap["bootstrap_extensions"] = json!([{
            "name": "envoy.bootstrap.wasm",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
                "singleton": true,
                "config": {"name": "mandate_sync", "root_id": "sync", "configuration": text(&sync),
                    "vm_config": vm(singleton)}},
        }]);
    }
    bootstrap
}

/// Writes the listener; Envoy takes it up when the file is replaced whole.
pub(crate) fn put_listener(
    path: &Path,
    plan: &Plan<'_>,
    filter: &Path,
    ports: &Ports,
    version: &str,
) {
    let draft = path.with_extension("draft");
    let mut listeners = vec![listener(plan, filter, ports.listener, version)];
    if let Some(socket) = &plan.more.tls {
        let mut listener = listener(plan, filter, ports.tls, version);
        listener["name"] = json!("tls");
        listener["filter_chains"][0]["transport_socket"] = socket.clone();
        listeners.push(listener);
    }
    let listeners = json!({"version_info": version, "resources": listeners});
    std::fs::write(&draft, listeners.to_string()).expect("it is written");
    std::fs::rename(&draft, path).expect("it is replaced");
}

fn listener(plan: &Plan<'_>, filter: &Path, port: u16, version: &str) -> Value {
    let mut trust = plan.scene.trust();
    if plan.keys.is_some() {
        trust["key_sets"] = json!([]);
    }
    let mut gate = json!({"emitter": "edge-1", "trust": trust, "state": state_config(),
        "session_secret": base64url::encode(&SECRET)});
    if matches!(plan.supply, Supply::Both | Supply::Filters) {
        follow(&mut gate, plan);
    }
    for (name, value) in &plan.more.gate {
        gate[*name] = value.clone();
    }
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": format!("in{version}"),
        "http_protocol_options": {"enable_trailers": true},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"name": "all", "match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]}]},
        "http_filters": [
            {"name": "envoy.filters.http.wasm", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {"name": "mandate", "root_id": "gate", "failure_policy": "FAIL_RELOAD",
                    "allow_on_headers_stop_iteration": true,
                    "configuration": text(&gate), "vm_config": vm(filter)}}},
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    });
    for (name, value) in &plan.more.manager {
        manager[*name] = value.clone();
    }
    json!({
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "in", "address": address(port),
        "filter_chains": [{"filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}],
    })
}

/// Lets a plugin follow the feed, and the issuer's keys where they are not in the configuration.
fn follow(configuration: &mut Value, plan: &Plan<'_>) {
    configuration["feed"] = json!({"cluster": "feed", "authority": "feed.example"});
    if plan.keys.is_some() {
        configuration["key_sets"] = json!([{"issuer": LOGIN, "cluster": "login",
            "authority": "login.example", "path": "/keys.json"}]);
    }
}

fn text(value: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value.to_string()})
}

fn vm(filter: &Path) -> Value {
    json!({"vm_id": "mandate", "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": filter}}})
}

fn cluster(name: &str, port: u16, plan: &Plan<'_>) -> Value {
    let mut cluster = json!({"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}});
    for (_, socket) in plan.more.clusters.iter().filter(|(of, _)| *of == name) {
        cluster["transport_socket"] = socket.clone();
    }
    cluster
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

/// The file with the listener.
pub(crate) const LISTENERS: &str = "listeners.json";
