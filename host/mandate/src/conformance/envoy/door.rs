//! What decides in Envoy: the filter, or what it asks by `ext_authz`.

use std::path::PathBuf;

use mandate_host::Plugin;
use serde_json::{Value, json};

use super::client::Protocol;
use super::desk::{Desk, authority};
use super::ground::Ground;
use super::process::Logged;
use super::question::Question;

/// Which door is asked.
#[derive(Clone, Debug)]
pub(super) enum DoorKind {
    /// The plugin in the server, over gRPC.
    ExtAuthz(Plugin),
    /// The module.
    Filter(PathBuf),
}

/// A door that is there.
#[derive(Clone, Debug)]
pub(super) enum Door {
    ExtAuthz(Desk),
    Filter(PathBuf),
}

impl DoorKind {
    /// The first word of the names of exceptions and results.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::ExtAuthz(_) => "ext-authz",
            Self::Filter(_) => "envoy",
        }
    }

    pub(super) fn open(&self) -> anyhow::Result<Door> {
        Ok(match self {
            Self::ExtAuthz(plugin) => Door::ExtAuthz(Desk::serve(plugin.clone())?),
            Self::Filter(module) => Door::Filter(module.clone()),
        })
    }
}

impl Door {
    /// The filter of Envoy that decides.
    pub(super) fn filter(&self, number: usize, ground: &Ground) -> Value {
        match self {
            Self::Filter(module) => json!({"name": "envoy.filters.http.wasm", "typed_config": {
                "@type": any("envoy.extensions.filters.http.wasm.v3.Wasm"),
                "config": {
                    "name": "mandate",
                    // The log names it before each line of the module's.
                    "root_id": format!("gate-{number}"),
                    "failure_policy": "FAIL_RELOAD",
                    "allow_on_headers_stop_iteration": true,
                    "configuration": {"@type": any("google.protobuf.StringValue"),
                        "value": ground.configuration(number).to_string()},
                    // Without a `vm_id` nothing is shared: every ground is asked for by itself.
                    "vm_config": {"runtime": "envoy.wasm.runtime.v8",
                        "code": {"local": {"filename": module}}},
                },
            }}),
            Self::ExtAuthz(_) => json!({"name": EXT_AUTHZ, "typed_config": {
                "@type": any("envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"),
                "transport_api_version": "V3",
                "grpc_service": {"timeout": "20s",
                    "envoy_grpc": {"cluster_name": DESK, "authority": authority(number)}},
                "encode_raw_headers": true,
                "with_request_body": {"max_request_bytes": BODY_BYTES,
                    "allow_partial_message": false, "pack_as_bytes": true},
            }}),
        }
    }

    /// `ext_authz` is not shown trailers: there they are off, as docs/server.md asks for.
    pub(super) const fn sees_trailers(&self) -> bool {
        matches!(self, Self::Filter(_))
    }

    /// Envoy's routes. With `ext_authz` each of them names one of the gate's, as the operator would
    /// write it: those of MCP and their metadata by their paths, the rest is the first of HTTP.
    pub(super) fn routes(&self, ground: &Ground) -> Vec<Value> {
        let connect = json!({"name": "connect", "match": {"connect_matcher": {}},
            "route": {"cluster": "upstream"}});
        let all = |matching: Value, named: Option<&str>| {
            let mut route = json!({"name": "all", "match": matching, "route": {"cluster": "upstream", "timeout": "0s"}});
            if let (Some(named), Some(members)) = (named, route.as_object_mut()) {
                let settings = json!({EXT_AUTHZ: {
                    "@type": any("envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute"),
                    "check_settings": {"context_extensions": {"mandate_route": named}},
                }});
                members.insert("typed_per_filter_config".to_owned(), settings);
            }
            route
        };
        let everything = json!({"prefix": ""});
        let mut routes = vec![connect];
        let Self::ExtAuthz(_) = self else {
            routes.push(all(everything, None));
            return routes;
        };
        if let Some(named) = ground.route.as_ref().and_then(Value::as_str) {
            routes.push(all(everything, Some(named)));
            return routes;
        }
        let of_gate = ground.trust.pointer("/contract/gate/routes").and_then(Value::as_object);
        let mut rest = None;
        for (name, route) in of_gate.into_iter().flatten() {
            let text = |member: &str| route.get(member).and_then(Value::as_str);
            let metadata = text("metadata").and_then(|url| url.splitn(4, '/').nth(3));
            let metadata = metadata.map(|path| format!("/{path}"));
            let paths = text("path").map(str::to_owned).into_iter().chain(metadata);
            routes.extend(paths.map(|path| all(json!({ "path": path }), Some(name))));
            if text("path").is_none() {
                rest.get_or_insert(name.as_str());
            }
        }
        // Without a gate the answer is the same by whatever name.
        routes.push(all(everything, rest.or(Some("none"))));
        routes
    }

    /// The cluster that is asked.
    pub(super) fn cluster(&self) -> Option<(&'static str, u16)> {
        match self {
            Self::ExtAuthz(desk) => Some((DESK, desk.port)),
            Self::Filter(_) => None,
        }
    }

    /// What became of a request, in the words of the filter's log: `ext_authz` has one for all.
    pub(super) fn logged(&self, logged: Logged, question: &Question, over: Protocol) -> Logged {
        let Self::ExtAuthz(desk) = self else { return logged };
        let decided = desk.take(&question.seen_host(over));
        let [decided] = decided.as_slice() else { return logged };
        let details = match (logged.details.as_str(), decided.reason.as_str()) {
            ("ext_authz_denied", "ok") => "mandate_answered".to_owned(),
            ("ext_authz_denied", reason) => format!("mandate_denied{{{reason}}}"),
            (_, _) => logged.details,
        };
        Logged { details, record: decided.record.clone() }
    }
}

pub(super) fn any(name: &str) -> String {
    format!("type.googleapis.com/{name}")
}

const EXT_AUTHZ: &str = "envoy.filters.http.ext_authz";
const DESK: &str = "desk";
/// What is longer than a limit of the gate's has to reach the gate.
const BODY_BYTES: u32 = 1_310_720;
