//! The clusters that the gate asks, and filters before upstreams.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::chain::{self, Guarded};
use super::lint::{Parts, Report};
use super::node::Node;
use super::rule::Rule;

const TLS: &str = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";

/// Are the feed and the key sets asked of nobody else?
pub(super) fn check(parts: &Parts<'_>, guarded: &Guarded<'_>, report: &mut Report<'_>) {
    for cluster in &parts.clusters {
        for (_, options) in cluster.get("typed_extension_protocol_options").members() {
            chain::check_upstream(&options.get("http_filters"), report);
        }
    }
    let filters = guarded.filters.iter().map(|filter| &filter.settings);
    let asked: BTreeSet<&String> = filters
        .chain(guarded.singletons.iter().map(|one| &one.settings))
        .flat_map(|settings| &settings.clusters)
        .collect();
    for name in asked {
        let named = |one: &&Node<'_>| one.get("name").text() == Some(name);
        let found: Vec<&Node<'_>> = parts.clusters.iter().filter(named).collect();
        if found.is_empty() {
            let reason =
                format!("the cluster `{name}`, which the gate asks, is not in this document");
            report.find(Rule::Unseen, parts.cluster_place(), reason);
        }
        for cluster in found {
            check_cluster(cluster, name, parts, report);
        }
    }
}

fn check_cluster(cluster: &Node<'_>, name: &str, parts: &Parts<'_>, report: &mut Report<'_>) {
    if endpoints_are_local(cluster) {
        return;
    }
    let mut sockets = vec![cluster.get("transport_socket")];
    let matched = cluster.get("transport_socket_matches").items();
    sockets.extend(matched.iter().map(|one| one.get("transport_socket")));
    for socket in sockets {
        let (kind, context) = socket.get("typed_config").typed();
        if kind == TLS {
            check_tls(&context, name, parts, report);
        } else {
            let reason = format!(
                "whoever is on the way to `{name}` reads every relationship, or gives keys"
            );
            report.find(Rule::ClusterPlaintext, &socket, reason);
        }
    }
}

/// The server has to prove its name by an authority that was chosen.
fn check_tls(context: &Node<'_>, name: &str, parts: &Parts<'_>, report: &mut Report<'_>) {
    let common = context.get("common_tls_context");
    let combined = common.get("combined_validation_context");
    let secret = |place: &Node<'_>| {
        let wanted = place.get("name").text();
        let found =
            parts.secrets.iter().find(|one| wanted.is_some() && one.get("name").text() == wanted);
        found.map(|secret| secret.get("validation_context"))
    };
    let own = common.get("validation_context");
    let by_name = secret(&common.get("validation_context_sds_secret_config"));
    let merged = secret(&combined.get("validation_context_sds_secret_config"));
    let default = combined.get("default_validation_context");
    let contexts: Vec<Node<'_>> = [Some(own.clone()), by_name, Some(default), merged]
        .into_iter()
        .flatten()
        .filter(Node::is_present)
        .collect();
    let place = contexts.first().cloned().unwrap_or(own);
    let trusts = |one: &Node<'_>| {
        matches!(one.get("trust_chain_verification").text(), None | Some("VERIFY_TRUST_CHAIN"))
    };
    if !contexts.iter().any(|one| has_data(&one.get("trusted_ca"))) || !contexts.iter().all(trusts)
    {
        let reason =
            format!("any certificate will do for `{name}`, also one that an attacker has made");
        report.find(Rule::ClusterAuthority, &place.get("trusted_ca"), reason);
    }
    if !contexts.iter().any(names_server) {
        let reason = format!("a certificate of any other server will do for `{name}`");
        report.find(Rule::ClusterName, &place.get("match_typed_subject_alt_names"), reason);
    }
}

/// A `DataSource` that has something.
fn has_data(source: &Node<'_>) -> bool {
    let forms = ["filename", "inline_bytes", "inline_string", "environment_variable"];
    forms.iter().any(|form| source.get(form).text().is_some_and(|text| !text.is_empty()))
}

/// Exact names alone: what a pattern lets in, nobody sees.
fn names_server(context: &Node<'_>) -> bool {
    let typed = context.get("match_typed_subject_alt_names").items();
    let matchers: Vec<Node<'_>> = typed
        .iter()
        .map(|one| one.get("matcher"))
        .chain(context.get("match_subject_alt_names").items())
        .collect();
    let exact = |one: &Node<'_>| one.get("exact").text().is_some_and(|name| !name.is_empty());
    !matchers.is_empty() && matchers.iter().all(exact)
}

fn endpoints_are_local(cluster: &Node<'_>) -> bool {
    let localities = cluster.at(&["load_assignment", "endpoints"]).items();
    let endpoints: Vec<Node<'_>> =
        localities.iter().flat_map(|one| one.get("lb_endpoints").items()).collect();
    !endpoints.is_empty() && endpoints.iter().all(|one| is_local(&one.at(&["endpoint", "address"])))
}

/// Whether an address is of this machine alone.
pub(super) fn is_local(address: &Node<'_>) -> bool {
    if address.get("pipe").is_present() {
        return true;
    }
    let host = address.at(&["socket_address", "address"]).text().unwrap_or_default();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
