//! Listeners, their filter chains, and what stands before and after the gate in them.

use serde_json::Value;

use super::filter::Filter;
use super::lint::{Parts, Report};
use super::node::Node;
use super::routes;
use super::rule::Rule;
use super::singleton::Singleton;

/// What of the gate was found in listeners.
#[derive(Debug, Default)]
pub(super) struct Guarded<'v> {
    pub(super) filters: Vec<Filter<'v>>,
    /// The singletons that supply them.
    pub(super) singletons: Vec<Singleton<'v>>,
}

const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/// What may stand after the gate: it changes no path, no request header and no route. Anything else is
/// refused, because it may.
const HARMLESS: [&str; 11] = [
    "envoy.extensions.filters.http.admission_control.v3.AdmissionControl",
    "envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit",
    "envoy.extensions.filters.http.buffer.v3.Buffer",
    "envoy.extensions.filters.http.compressor.v3.Compressor",
    "envoy.extensions.filters.http.cors.v3.Cors",
    "envoy.extensions.filters.http.csrf.v3.CsrfPolicy",
    "envoy.extensions.filters.http.fault.v3.HTTPFault",
    "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
    "envoy.extensions.filters.http.rbac.v3.RBAC",
    "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
    ROUTER,
];

const ROUTER: &str = "envoy.extensions.filters.http.router.v3.Router";

/// Longest life of a stream: what is open is not decided again.
const STREAM_SECONDS: f64 = 300.0;

/// Is the gate in every chain of a listener, and what is around it?
pub(super) fn check_listener<'v>(
    listener: &Node<'v>,
    parts: &Parts<'v>,
    guarded: &mut Guarded<'v>,
    report: &mut Report<'_>,
) {
    let chains = chains(listener);
    let mut without = Vec::new();
    let mut with = 0_usize;
    for chain in chains {
        match chain.gate(parts, report) {
            Some((filter, at)) => {
                chain.check(&filter, at, parts, report);
                if filter.settings.peer_address {
                    check_listener_filters(listener, &chain.node, report);
                }
                guarded.filters.push(filter);
                with = with.saturating_add(1);
            }
            None => without.push(chain.node),
        }
    }
    if with == 0 {
        let reason = "what comes in here is not decided";
        report.find(Rule::FilterMissing, listener, reason);
        return;
    }
    for chain in without {
        let reason =
            "what comes in by this chain is not decided, although the listener has the gate";
        report.find(Rule::FilterBypassed, &chain, reason);
    }
}

/// What may read a connection before its chain is chosen, where conditions ask for its address: none
/// of these changes it.
const ADDRESS_KEPT: [&str; 4] = [
    "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
    "envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit",
    "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
];

/// With the PROXY protocol whoever connects writes the address, in its first bytes.
fn check_listener_filters(listener: &Node<'_>, chain: &Node<'_>, report: &mut Report<'_>) {
    let reason = "the address that conditions ask for may be what the caller wrote first";
    for filter in listener.get("listener_filters").items() {
        if !ADDRESS_KEPT.contains(&filter.get("typed_config").typed().0) {
            report.find(Rule::PeerAddress, &filter, reason);
        }
    }
    let old = chain.get("use_proxy_proto");
    if !old.is_off() {
        report.find(Rule::PeerAddress, &old, reason);
    }
}

/// One way through a listener.
struct Chain<'v> {
    node: Node<'v>,
    /// Its `HttpConnectionManager`, if it has one.
    manager: Node<'v>,
}

fn chains<'v>(listener: &Node<'v>) -> Vec<Chain<'v>> {
    let mut nodes = listener.get("filter_chains").items();
    let default = listener.get("default_filter_chain");
    nodes.extend(default.is_present().then_some(default));
    let mut chains: Vec<Chain<'v>> = nodes.into_iter().map(Chain::of).collect();
    let api = listener.at(&["api_listener", "api_listener"]);
    if api.is_present() {
        chains.push(Chain { node: api.clone(), manager: api.typed().1 });
    }
    chains
}

impl<'v> Chain<'v> {
    fn of(node: Node<'v>) -> Self {
        let configs =
            node.get("filters").items().into_iter().map(|one| one.get("typed_config").typed());
        let manager = configs.into_iter().find(|(kind, _)| *kind == MANAGER);
        let manager = manager.map_or_else(|| node.nothing(), |(_, manager)| manager);
        Self { node, manager }
    }

    /// The gate among the manager's filters, and its place there.
    fn gate(&self, parts: &Parts<'v>, report: &mut Report<'_>) -> Option<(Filter<'v>, usize)> {
        let filters = self.manager.get("http_filters").items();
        for entry in &filters {
            if Filter::is_elsewhere(entry, &parts.filters) {
                let reason = "the filter comes from elsewhere, and is not in this document";
                report.find(Rule::Unseen, &entry.get("config_discovery"), reason);
            }
        }
        position(&filters, parts)
    }

    fn check(&self, filter: &Filter<'v>, at: usize, parts: &Parts<'v>, report: &mut Report<'_>) {
        filter.check(report);
        check_after(&self.manager.get("http_filters").items(), at, report);
        self.check_upgrades(parts, report);
        self.check_paths(report);
        self.check_streams(report);
        self.check_replies(report);
        self.check_peer(filter, report);
        self.check_routes(filter, parts, report);
    }

    /// An upgrade may have filters of its own, in place of the chain's.
    fn check_upgrades(&self, parts: &Parts<'v>, report: &mut Report<'_>) {
        for upgrade in self.manager.get("upgrade_configs").items() {
            let filters = upgrade.get("filters");
            let entries = filters.items();
            match position(&entries, parts) {
                _ if entries.is_empty() => {}
                Some((filter, at)) => {
                    filter.check(report);
                    check_after(&entries, at, report);
                }
                None => {
                    let reason = "a request that asks for the upgrade passes these filters in place \
                                  of the gate";
                    report.find(Rule::UpgradeUnfiltered, &filters, reason);
                }
            }
        }
    }

    fn check_paths(&self, report: &mut Report<'_>) {
        let normalized = self.manager.get("normalize_path");
        if !normalized.is_true() {
            let reason = "`/open/../secret` is one path for the route and another for the upstream";
            report.find(Rule::PathNotNormalized, &normalized, reason);
        }
        let merged = self.manager.get("merge_slashes");
        if !merged.is_true() {
            let reason = "`//secret` is one path for the route and another for the upstream";
            report.find(Rule::SlashesNotMerged, &merged, reason);
        }
        let options = self.manager.get("common_http_protocol_options");
        let action = options.get("headers_with_underscores_action");
        if !matches!(action.text(), Some("REJECT_REQUEST" | "DROP_HEADER")) {
            let reason = "many servers read `x_mandate_user` as `x-mandate-user`";
            report.find(Rule::UnderscoresKept, &action, reason);
        }
    }

    fn check_streams(&self, report: &mut Report<'_>) {
        let duration = self.manager.at(&["common_http_protocol_options", "max_stream_duration"]);
        if !is_bounded(&duration) {
            let reason = "a stream that is open goes on after its token and its right have ended";
            report.find(Rule::StreamUnbounded, &duration, reason);
        }
    }

    /// A denial leaves as the gate wrote it: clients go by its status, those of MCP by its body.
    fn check_replies(&self, report: &mut Report<'_>) {
        let config = self.manager.get("local_reply_config");
        let mut bodies = vec![config.get("body_format")];
        for mapper in config.get("mappers").items() {
            let status = mapper.get("status_code");
            let is_error = |value: &Value| value.as_u64().is_some_and(|status| status >= 400);
            if status.value().is_some_and(|value| !is_error(value)) {
                report.find(Rule::LocalReply, &status, "a denial is answered as a success");
            }
            bodies.extend([mapper.get("body"), mapper.get("body_format_override")]);
        }
        for body in bodies.iter().filter(|body| body.is_present()) {
            let reason = "the error of a denied MCP call, which comes as 200, gets another body";
            report.find(Rule::LocalReply, body, reason);
        }
    }

    /// What the gate is told of the connection has to be proved by the connection.
    fn check_peer(&self, filter: &Filter<'v>, report: &mut Report<'_>) {
        if filter.settings.client_certificate && !self.requires_certificate() {
            let reason =
                "the gate takes certificates that nobody has verified for proof of possession";
            report.find(Rule::ClientCertificate, &self.node.get("transport_socket"), reason);
        }
        if filter.settings.peer_address {
            let own = self.manager.get("use_remote_address");
            let hops = self.manager.get("xff_num_trusted_hops");
            let detection = self.manager.get("original_ip_detection_extensions");
            let reason = "the address that conditions ask for is read from a header of the caller";
            let trusted = hops.value().is_some_and(|hops| hops.as_u64() != Some(0));
            for (wrong, place) in
                [(!own.is_true(), own), (trusted, hops), (!detection.items().is_empty(), detection)]
            {
                if wrong {
                    report.find(Rule::PeerAddress, &place, reason);
                }
            }
        }
    }

    fn requires_certificate(&self) -> bool {
        let (_, socket) = self.node.at(&["transport_socket", "typed_config"]).typed();
        let quic = socket.get("downstream_tls_context");
        let tls = if quic.is_present() { quic } else { socket };
        let common = tls.get("common_tls_context");
        let required = tls.get("require_client_certificate").is_true();
        let validation = common.get("validation_context");
        let combined = common.at(&["combined_validation_context", "default_validation_context"]);
        let verified = [validation, combined].iter().any(|context| {
            context.get("trusted_ca").is_present()
                && matches!(
                    context.get("trust_chain_verification").text(),
                    None | Some("VERIFY_TRUST_CHAIN")
                )
        });
        required && verified
    }

    fn check_routes(&self, filter: &Filter<'v>, parts: &Parts<'v>, report: &mut Report<'_>) {
        let (rds, scoped) = (self.manager.get("rds"), self.manager.get("scoped_routes"));
        let reason = "routes come from elsewhere, and are not in this document";
        let mut tables = vec![self.manager.get("route_config")];
        if scoped.is_present() {
            // Which of them serve this listener, the request says.
            tables.extend(parts.routes.iter().cloned());
            if parts.routes.is_empty() {
                report.find(Rule::Unseen, &scoped, reason);
            }
        }
        if rds.is_present() {
            let wanted = rds.get("route_config_name").text();
            let named = parts.routes.iter().filter(|table| table.get("name").text() == wanted);
            tables = named.cloned().collect();
            if tables.is_empty() {
                report.find(Rule::Unseen, &rds, reason);
            }
        }
        for table in tables {
            routes::check(&table, filter.name, report);
        }
    }
}

fn position<'v>(entries: &[Node<'v>], parts: &Parts<'v>) -> Option<(Filter<'v>, usize)> {
    let mut places = entries.iter().enumerate();
    places.find_map(|(at, entry)| Some((Filter::of(entry, &parts.filters)?, at)))
}

/// What follows on the gate must leave the request as it was decided.
fn check_after(entries: &[Node<'_>], at: usize, report: &mut Report<'_>) {
    for entry in entries.iter().skip(at.saturating_add(1)) {
        check_harmless(entry, report);
        let (kind, router) = entry.get("typed_config").typed();
        if kind == ROUTER {
            check_upstream(&router.get("upstream_http_filters"), report);
        }
    }
}

/// Filters before an upstream, which run after all others.
pub(super) fn check_upstream(filters: &Node<'_>, report: &mut Report<'_>) {
    for entry in filters.items() {
        check_harmless(&entry, report);
    }
}

fn check_harmless(entry: &Node<'_>, report: &mut Report<'_>) {
    let (kind, _) = entry.get("typed_config").typed();
    if !HARMLESS.contains(&kind) {
        let name = entry.get("name").text().unwrap_or_default();
        let reason = format!(
            "`{name}` may change path, headers or route of what the gate has decided ({})",
            if kind.is_empty() { "its type is not in this document" } else { kind }
        );
        report.find(Rule::FilterAfter, entry, reason);
    }
}

/// More than nothing, which would be for ever, and not too long.
pub(super) fn is_bounded(duration: &Node<'_>) -> bool {
    let seconds = duration.text().and_then(|text| text.strip_suffix('s'));
    let seconds = seconds.and_then(|seconds| seconds.parse::<f64>().ok());
    seconds.is_some_and(|seconds| seconds > 0.0 && seconds <= STREAM_SECONDS)
}
