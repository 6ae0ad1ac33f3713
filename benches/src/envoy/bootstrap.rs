//! Envoy's configuration: the same listener for every contestant, but for its filters.

use serde_json::{Value, json};

use super::deployment::{LOGIN, MCP, TOOLS, WEB};

/// What all of it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) admin: u16,
    pub(crate) upstream: u16,
    pub(crate) check_server: u16,
    /// What the issuer publishes.
    pub(crate) key_set: Value,
    pub(crate) trust: Value,
    /// The path of the module.
    pub(crate) module: String,
}

/// A deployment of our filter: its state, and the port of its feed.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    pub(crate) slice: &'static str,
    pub(crate) state: Value,
    pub(crate) feed: u16,
}

/// A listener with its filters, the router left out.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) port: u16,
    pub(crate) filters: Vec<Value>,
}

/// The whole of it.
pub(crate) fn bootstrap(ground: &Ground, listeners: &[Listener], ours: &[Ours]) -> Value {
    let mut clusters =
        vec![cluster("upstream", ground.upstream), http2("check-server", ground.check_server)];
    clusters.extend(ours.iter().map(|one| cluster(&feed_cluster(one), one.feed)));
    let singletons: Vec<Value> = ours.iter().map(|one| singleton(ground, one)).collect();
    let listeners: Vec<Value> = listeners.iter().map(listener).collect();
    json!({
        "admin": {"address": address(ground.admin)},
        "node": {"id": "bench", "cluster": "bench"},
        "bootstrap_extensions": singletons,
        "static_resources": {"listeners": listeners, "clusters": clusters},
    })
}

/// Tokens are verified.
pub(crate) fn jwt_authn(ground: &Ground, cache: bool, claims: bool) -> Value {
    let mut provider = json!({
        "issuer": LOGIN, "audiences": [WEB, MCP],
        "local_jwks": {"inline_string": ground.key_set.to_string()},
    });
    if let Some(members) = provider.as_object_mut() {
        if cache {
            members.insert("jwt_cache_config".to_owned(), json!({"jwt_cache_size": 20_000}));
        }
        if claims {
            members.insert("payload_in_metadata".to_owned(), json!("jwt"));
        }
    }
    filter(
        "envoy.filters.http.jwt_authn",
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        &json!({
            "providers": {"login": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "login"}}],
        }),
    )
}

/// One policy: this path, for tokens of this tenant and client.
pub(crate) fn rbac_on_claims() -> Value {
    let permission = json!({"and_rules": {"rules": [
        {"header": {"name": ":method", "string_match": {"exact": "GET"}}},
        {"url_path": {"path": {"prefix": "/boards/"}}},
    ]}});
    rbac(&permission)
}

/// One policy: this tool, for tokens of this tenant and client.
pub(crate) fn rbac_on_tool() -> Value {
    let [allowed, _] = TOOLS;
    let said = |keys: &[&str], exact: &str| {
        let path: Vec<Value> = keys.iter().map(|key| json!({"key": key})).collect();
        json!({"metadata": {"filter": "envoy.filters.http.mcp", "path": path,
            "value": {"string_match": {"exact": exact}}}})
    };
    rbac(&json!({"and_rules": {"rules": [
        said(&["method"], "tools/call"),
        said(&["params", "name"], allowed),
    ]}}))
}

fn rbac(permission: &Value) -> Value {
    let claim = |name: &str, exact: &str| {
        json!({"metadata": {"filter": "envoy.filters.http.jwt_authn",
            "path": [{"key": "jwt"}, {"key": name}], "value": {"string_match": {"exact": exact}}}})
    };
    let principal =
        json!({"and_ids": {"ids": [claim("tenant", "acme"), claim("client_id", "board-web")]}});
    filter(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        &json!({"rules": {"action": "ALLOW",
            "policies": {"one": {"permissions": [permission], "principals": [principal]}}}}),
    )
}

/// Bodies are read as MCP.
pub(crate) fn mcp() -> Value {
    filter(
        "envoy.filters.http.mcp",
        "envoy.extensions.filters.http.mcp.v3.Mcp",
        &json!({"traffic_mode": "REJECT_NO_MCP"}),
    )
}

/// Somebody else is asked.
pub(crate) fn ext_authz(with_body: bool) -> Value {
    let mut members = json!({
        "transport_api_version": "V3",
        "grpc_service": {"envoy_grpc": {"cluster_name": "check-server"}, "timeout": "10s"},
    });
    if let (true, Some(members)) = (with_body, members.as_object_mut()) {
        let body = json!({"max_request_bytes": 262_144, "allow_partial_message": false});
        members.insert("with_request_body".to_owned(), body);
    }
    filter(
        "envoy.filters.http.ext_authz",
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        &members,
    )
}

/// Ours, as docs/envoy.md sets it up, but for the number of signatures that it checks in a tick: what
/// is verified here would otherwise be 503 after the first 200.
pub(crate) fn gate(ground: &Ground, ours: &Ours) -> Value {
    let configuration = json!({"emitter": "bench", "trust": ground.trust, "state": ours.state,
        "feed": feed(ours), "verifications_per_tick": 1_000_000});
    filter(
        "envoy.filters.http.wasm",
        "envoy.extensions.filters.http.wasm.v3.Wasm",
        &json!({"config": {"name": "mandate", "root_id": "gate", "failure_policy": "FAIL_RELOAD",
            "allow_on_headers_stop_iteration": true,
            "configuration": text(&configuration), "vm_config": vm(ground, ours)}}),
    )
}

fn singleton(ground: &Ground, ours: &Ours) -> Value {
    let configuration = json!({"role": "sync", "emitter": "bench-sync", "state": ours.state,
        "feed": feed(ours)});
    json!({
        "name": "envoy.bootstrap.wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
            "singleton": true,
            "config": {"name": "mandate_sync", "root_id": "sync",
                "configuration": text(&configuration), "vm_config": vm(ground, ours)},
        },
    })
}

fn vm(ground: &Ground, ours: &Ours) -> Value {
    json!({"vm_id": format!("mandate-{}", ours.slice), "runtime": "envoy.wasm.runtime.v8",
        "code": {"local": {"filename": ground.module}}})
}

fn feed(ours: &Ours) -> Value {
    json!({"cluster": feed_cluster(ours), "authority": "feed.example"})
}

fn feed_cluster(ours: &Ours) -> String {
    format!("feed-{}", ours.slice)
}

fn listener(listener: &Listener) -> Value {
    let mut filters = listener.filters.clone();
    filters.push(filter(
        "envoy.filters.http.router",
        "envoy.extensions.filters.http.router.v3.Router",
        &json!({}),
    ));
    let name = format!("in-{}", listener.port);
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name, "normalize_path": true, "merge_slashes": true,
        "use_remote_address": true,
        "common_http_protocol_options": {"headers_with_underscores_action": "REJECT_REQUEST"},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"name": "all", "match": {"prefix": "/"},
                "route": {"cluster": "upstream", "timeout": "30s"}}]}]},
        "http_filters": filters,
    });
    json!({"name": name, "address": address(listener.port), "filter_chains": [{"filters": [
        {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]})
}

fn filter(name: &str, kind: &str, members: &Value) -> Value {
    let mut typed = members.clone();
    if let Some(typed) = typed.as_object_mut() {
        typed.insert("@type".to_owned(), json!(format!("type.googleapis.com/{kind}")));
    }
    json!({"name": name, "typed_config": typed})
}

fn text(value: &Value) -> Value {
    json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value.to_string()})
}

fn http2(name: &str, port: u16) -> Value {
    let mut cluster = cluster(name, port);
    if let Some(members) = cluster.as_object_mut() {
        let options = json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}}}});
        members.insert("typed_extension_protocol_options".to_owned(), options);
    }
    cluster
}

fn cluster(name: &str, port: u16) -> Value {
    json!({"name": name, "type": "STATIC", "load_assignment": {"cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}})
}

fn address(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}
