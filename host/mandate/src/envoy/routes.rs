//! Route tables: what they do to a request that is decided, and what they choose it by.

use super::chain::is_bounded;
use super::lint::Report;
use super::node::Node;
use super::rule::Rule;

/// Everything in a route table that undoes the gate. `filter` is the gate's name in its chain.
pub(super) fn check(table: &Node<'_>, filter: &str, report: &mut Report<'_>) {
    if table.get("vhds").is_present() {
        let reason = "virtual hosts come from elsewhere, and are not in this document";
        report.find(Rule::Unseen, &table.get("vhds"), reason);
    }
    walk(table, filter, report);
}

fn walk(node: &Node<'_>, filter: &str, report: &mut Report<'_>) {
    for (_, member) in node.members() {
        walk(&member, filter, report);
    }
    for item in node.items() {
        walk(&item, filter, report);
    }
    if node.value().is_some_and(serde_json::Value::is_object) {
        check_message(node, filter, report);
    }
}

/// One message of the table, whichever it is: a virtual host, a route, an action, a weighted cluster.
fn check_message(node: &Node<'_>, filter: &str, report: &mut Report<'_>) {
    check_filter(node, filter, report);
    check_match(node, report);
    check_headers(node, report);
    check_action(&node.get("route"), report);
}

fn check_filter(node: &Node<'_>, filter: &str, report: &mut Report<'_>) {
    let own = node.get("typed_per_filter_config").members();
    for (_, config) in own.iter().filter(|(name, _)| *name == filter) {
        let reason = "for these requests the gate is turned off, or another than the chain's";
        report.find(Rule::FilterDisabled, config, reason);
    }
}

fn check_match(node: &Node<'_>, report: &mut Report<'_>) {
    let mut places = Vec::new();
    for header in node.at(&["match", "headers"]).items() {
        places.push(header.get("name"));
    }
    // An input of a matcher tree, wherever in the tree it stands.
    let (kind, input) = node.typed();
    if kind.ends_with(".HttpRequestHeaderMatchInput") {
        places.push(input.get("header_name"));
    }
    // Of an action, or of a weighted cluster.
    places.push(node.get("cluster_header"));
    for place in places {
        let Some(name) = place.text().filter(|name| is_changed(name)) else { continue };
        let reason =
            format!("the route is chosen by `{name}`, which the caller sets and the gate changes");
        report.find(Rule::RouteMatch, &place, reason);
    }
}

fn check_headers(node: &Node<'_>, report: &mut Report<'_>) {
    let added = node.get("request_headers_to_add").items();
    let added = added.iter().map(|entry| entry.at(&["header", "key"]));
    let removed = node.get("request_headers_to_remove").items();
    for place in added.chain(removed) {
        let Some(name) = place.text().filter(|name| is_identity(name)) else { continue };
        let reason = format!("`{name}` is set or taken away after the gate has said who asks");
        report.find(Rule::RouteHeaders, &place, reason);
    }
}

/// What an action does with a request.
fn check_action(action: &Node<'_>, report: &mut Report<'_>) {
    const REWRITES: [&str; 7] = [
        "host_rewrite_header",
        "host_rewrite_path",
        "host_rewrite_path_regex",
        "path_rewrite",
        "path_rewrite_policy",
        "prefix_rewrite",
        "regex_rewrite",
    ];
    for place in REWRITES.map(|name| action.get(name)) {
        if place.is_present() && place.text() != Some("") {
            let reason = "the upstream is asked for something else than what was decided";
            report.find(Rule::RouteRewrite, &place, reason);
        }
    }
    for name in ["cluster_specifier_plugin", "inline_cluster_specifier_plugin"] {
        let place = action.get(name);
        if place.is_present() {
            let reason = "code chooses the upstream once the gate has decided, by what it likes";
            report.find(Rule::RoutePlugin, &place, reason);
        }
    }
    let policy = action.get("internal_redirect_policy");
    let old = action.get("internal_redirect_action");
    let follows = old.is_present() && old.text() != Some("PASS_THROUGH_INTERNAL_REDIRECT");
    for (wrong, place) in [(policy.is_present(), policy), (follows, old)] {
        if wrong {
            let reason =
                "an answer of the upstream chooses what is asked next, in the caller's name";
            report.find(Rule::InternalRedirect, &place, reason);
        }
    }
    let duration = action.at(&["max_stream_duration", "max_stream_duration"]);
    if duration.is_present() && !is_bounded(&duration) {
        let reason = "a stream of this route goes on after its token and its right have ended";
        report.find(Rule::StreamUnbounded, &duration, reason);
    }
}

/// Whether the gate removes or sets a header.
fn is_changed(name: &str) -> bool {
    let name = plain(name);
    name == "authorization" || name == "mandate-agent-context" || is_identity(&name)
}

/// Whether it says who asks.
fn is_identity(name: &str) -> bool {
    plain(name).starts_with("x-mandate-")
}

fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}
