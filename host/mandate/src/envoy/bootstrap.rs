//! A bootstrap, or the filter alone, that the lint has nothing to say about.

use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::address::Address;
use super::module::ModulePin;

/// Everything that a bootstrap says.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Where requests come in.
    pub listen: SocketAddr,
    /// TLS of the listener; without it, something before Envoy ends TLS.
    pub listener_tls: Option<ListenerTls>,
    /// The admin interface, if there is to be one.
    pub admin: Option<SocketAddr>,
    /// Where decided requests go.
    pub upstream: Address,
    /// By whom the upstream's certificate is vouched for.
    pub upstream_trust: TlsTrust,
    /// The gate.
    pub filter: FilterPlan,
}

/// Everything that the filter's entry says.
#[derive(Clone, Debug)]
pub struct FilterPlan {
    /// The module as Envoy finds it.
    pub module: String,
    /// Which file that has to be.
    pub pin: ModulePin,
    /// Who writes the audit records.
    pub emitter: String,
    /// Contract and key sets.
    pub trust: Value,
    /// Whose state, and signed by whom.
    pub state: Value,
    /// The gate's route, where the filter stands before one only.
    pub route: Option<String>,
    /// Seals MCP session ids; base64url.
    pub session_secret: Option<String>,
    /// Whether the listener requires and verifies client certificates.
    pub client_certificate: bool,
    /// Where the state comes from.
    pub feed: Source,
    /// Key sets that are fetched: the issuer, and from where.
    pub key_sets: Vec<(String, Source)>,
    /// Whether a plugin on the main thread follows the feed, and workers only where it is gone.
    pub singleton: bool,
}

/// Something that the gate asks.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is.
    pub address: Address,
    /// By whom its certificate is vouched for.
    pub trust: TlsTrust,
}

/// Whose word is taken for the name of a server.
#[derive(Clone, Debug)]
pub struct TlsTrust {
    /// Certificate authorities, as a PEM file of Envoy's machine.
    pub authorities: String,
    /// The name in the certificate, where it is not the URL's host.
    pub name: Option<String>,
}

/// The listener's own certificate.
#[derive(Clone, Debug)]
pub struct ListenerTls {
    /// The chain, as a PEM file of Envoy's machine.
    pub certificate: String,
    /// Its private key.
    pub key: String,
    /// Authorities of the client certificates that are then required.
    pub client_authorities: Option<String>,
}

impl Bootstrap {
    /// As Envoy reads it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut clusters = vec![cluster("upstream", &self.upstream, &self.upstream_trust)];
        clusters.extend(self.filter.clusters());
        let mut bootstrap = json!({
            "static_resources": {"listeners": [self.listener()], "clusters": clusters},
        });
        let mut more = Map::new();
        if self.filter.singleton {
            more.insert("bootstrap_extensions".to_owned(), json!([self.filter.singleton()]));
        }
        if let Some(admin) = self.admin {
            more.insert("admin".to_owned(), json!({"address": socket(admin)}));
        }
        if let Some(members) = bootstrap.as_object_mut() {
            members.extend(more);
        }
        bootstrap
    }

    fn listener(&self) -> Value {
        let mut chain = json!({"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": self.manager(),
        }]});
        if let (Some(tls), Some(members)) = (&self.listener_tls, chain.as_object_mut()) {
            members.insert("transport_socket".to_owned(), tls.to_json());
        }
        json!({"name": "gate", "address": socket(self.listen), "filter_chains": [chain]})
    }

    fn manager(&self) -> Value {
        json!({
            "@type": any("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
            "stat_prefix": "gate",
            "normalize_path": true,
            "merge_slashes": true,
            // The address of the connection, not of a header.
            "use_remote_address": true,
            "common_http_protocol_options": {
                "headers_with_underscores_action": "REJECT_REQUEST",
                "max_stream_duration": "300s",
            },
            "access_log": [{"name": "envoy.access_loggers.stdout", "typed_config": {
                "@type": any("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"),
                "log_format": {"text_format_source": {"inline_string": LOG_LINE}},
            }}],
            "route_config": {"name": "gate", "virtual_hosts": [{
                "name": "all", "domains": ["*"],
                // Streams of events last as long as `max_stream_duration` says.
                "routes": [{"name": "all", "match": {"prefix": "/"},
                    "route": {"cluster": "upstream", "timeout": "0s"}}],
            }]},
            "http_filters": [self.filter.to_json(), {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": any("envoy.extensions.filters.http.router.v3.Router")},
            }],
        })
    }
}

/// The moment, the answer, why, and the audit record as one object of JSON.
const LOG_LINE: &str =
    "%START_TIME% %RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %FILTER_STATE(wasm.mandate:PLAIN)%\n";

impl FilterPlan {
    /// The filter's entry of `http_filters`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"name": "envoy.filters.http.wasm", "typed_config": {
            "@type": any("envoy.extensions.filters.http.wasm.v3.Wasm"),
            "config": {
                "name": "mandate",
                "root_id": "gate",
                "failure_policy": "FAIL_RELOAD",
                "allow_on_headers_stop_iteration": true,
                "configuration": text(&self.configuration()),
                "vm_config": self.machine(),
            },
        }})
    }

    fn singleton(&self) -> Value {
        let mut configuration = json!({
            "role": "sync",
            "emitter": format!("{}-sync", self.emitter),
            "state": self.state,
        });
        self.put_sources(&mut configuration);
        json!({"name": "envoy.bootstrap.wasm", "typed_config": {
            "@type": any("envoy.extensions.wasm.v3.WasmService"),
            "singleton": true,
            "config": {
                "name": "mandate_sync",
                "root_id": "sync",
                "configuration": text(&configuration),
                "vm_config": self.machine(),
            },
        }})
    }

    fn configuration(&self) -> Value {
        let mut configuration =
            json!({"emitter": self.emitter, "trust": self.trust, "state": self.state});
        let mut put = |name: &str, value: Option<Value>| {
            if let (Some(value), Some(members)) = (value, configuration.as_object_mut()) {
                members.insert(name.to_owned(), value);
            }
        };
        put("route", self.route.clone().map(Value::from));
        put("session_secret", self.session_secret.clone().map(Value::from));
        put("client_certificate", self.client_certificate.then_some(Value::Bool(true)));
        // Also beside a singleton: a worker takes over from one that has trapped.
        self.put_sources(&mut configuration);
        configuration
    }

    /// Whoever follows the feed also fetches key sets.
    fn put_sources(&self, configuration: &mut Value) {
        let Some(members) = configuration.as_object_mut() else { return };
        let feed = &self.feed.address;
        let mut asked = json!({"cluster": FEED, "authority": feed.authority()});
        if let (false, Some(members)) = (feed.prefix().is_empty(), asked.as_object_mut()) {
            members.insert("path".to_owned(), Value::from(feed.prefix()));
        }
        members.insert("feed".to_owned(), asked);
        let key_sets: Vec<Value> = self
            .key_sets
            .iter()
            .enumerate()
            .map(|(number, (issuer, Source { address, .. }))| {
                json!({"issuer": issuer, "cluster": key_cluster(number),
                    "authority": address.authority(), "path": address.path()})
            })
            .collect();
        if !key_sets.is_empty() {
            members.insert("key_sets".to_owned(), Value::from(key_sets));
        }
    }

    /// The clusters that the gate asks.
    #[must_use]
    pub fn clusters(&self) -> Vec<Value> {
        let feed = cluster(FEED, &self.feed.address, &self.feed.trust);
        let key_sets = self.key_sets.iter().enumerate().map(|(number, (_, source))| {
            cluster(&key_cluster(number), &source.address, &source.trust)
        });
        std::iter::once(feed).chain(key_sets).collect()
    }

    fn machine(&self) -> Value {
        json!({
            "vm_id": self.pin.vm_id(),
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": self.module}},
        })
    }
}

const FEED: &str = "mandate-feed";

fn key_cluster(number: usize) -> String {
    format!("mandate-keys-{number}")
}

fn cluster(name: &str, address: &Address, trust: &TlsTrust) -> Value {
    let mut cluster = json!({
        "name": name,
        "type": address.discovery(),
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": address.to_json()}}]}]},
    });
    if let (Some(host), Some(members)) = (address.secure_host(), cluster.as_object_mut()) {
        members.insert("transport_socket".to_owned(), trust.to_json(host));
    }
    cluster
}

impl TlsTrust {
    fn to_json(&self, host: &str) -> Value {
        let name = self.name.as_deref().unwrap_or(host);
        let kind = if name.parse::<std::net::IpAddr>().is_ok() { "IP_ADDRESS" } else { "DNS" };
        let mut context = json!({
            "@type": any("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
            "common_tls_context": {"validation_context": {
                "trusted_ca": {"filename": self.authorities},
                "match_typed_subject_alt_names":
                    [{"san_type": kind, "matcher": {"exact": name}}],
            }},
        });
        // An address is no name that a client may ask for (RFC 6066 section 3).
        if let ("DNS", Some(members)) = (kind, context.as_object_mut()) {
            members.insert("sni".to_owned(), Value::from(name));
        }
        json!({"name": "envoy.transport_sockets.tls", "typed_config": context})
    }
}

impl ListenerTls {
    fn to_json(&self) -> Value {
        let file = |path: &str| json!({"filename": path});
        let mut common = json!({"tls_certificates": [{
            "certificate_chain": file(&self.certificate), "private_key": file(&self.key),
        }]});
        if let (Some(authorities), Some(members)) =
            (&self.client_authorities, common.as_object_mut())
        {
            let context = json!({"trusted_ca": file(authorities)});
            members.insert("validation_context".to_owned(), context);
        }
        json!({"name": "envoy.transport_sockets.tls", "typed_config": {
            "@type": any("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
            "common_tls_context": common,
            "require_client_certificate": self.client_authorities.is_some(),
        }})
    }
}

fn any(name: &str) -> String {
    format!("type.googleapis.com/{name}")
}

/// A configuration as the module gets it: on lines, for who reads the file.
fn text(configuration: &Value) -> Value {
    let lines = format!("{configuration:#}");
    json!({"@type": any("google.protobuf.StringValue"), "value": lines})
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address":
        {"address": address.ip().to_string(), "port_value": address.port()}})
}
