//! The filter's own configuration, read by the filter's own parser.

use mandate_gate::Gate;
use serde_json::Value;

use super::node::Node;

/// The parser itself: one source in two packages. The filter is a `cdylib`, on which nothing can depend,
/// and a second parser would drift.
#[path = "../../../../plugins/envoy/src/configuration.rs"]
#[expect(dead_code, reason = "the filter uses what it reads; here it is read to be refused")]
mod plugin;

/// Loads a configuration as the filter does.
///
/// # Errors
/// What the filter would write into Envoy's log.
pub fn check(text: &str) -> Result<(), String> {
    let configuration = plugin::Configuration::parse(text).map_err(|error| error.to_string())?;
    let mut gate = Gate::new();
    gate.authorizer_mut()
        .configure_state(&configuration.state)
        .map_err(|error| error.under("state").to_string())?;
    let mut without_keys = Vec::new();
    if let Some(trust) = &configuration.trust {
        let loaded = gate.load_trust(trust).map_err(|error| error.under("trust").to_string())?;
        without_keys = loaded.issuers_without_keys;
    }
    if let Some(secret) = &configuration.session_secret {
        gate.configure_sealing(secret)
            .map_err(|error| error.under("session_secret").to_string())?;
    }
    let stray = |set: &&plugin::KeySetAddress| !without_keys.contains(&set.issuer);
    let decides = configuration.trust.is_some();
    match configuration.key_sets.iter().find(stray).filter(|_| decides) {
        Some(set) => {
            Err(format!("`key_sets`: {} is no issuer of the contract without keys", set.issuer))
        }
        None => Ok(()),
    }
}

/// What the lint has to know of a configuration, sound or not.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// As Envoy hands it to the module.
    pub(super) text: String,
    /// Whether it is the singleton's.
    pub(super) is_sync: bool,
    /// Whether it is one of ours at all.
    pub(super) is_ours: bool,
    pub(super) has_feed: bool,
    /// Issuers whose key sets this plugin fetches.
    pub(super) fetched: Vec<String>,
    /// Issuers of the contract whose key sets are not in the configuration.
    pub(super) without_keys: Vec<String>,
    /// Clusters that are asked for the feed and for key sets.
    pub(super) clusters: Vec<String>,
    pub(super) client_certificate: bool,
    pub(super) peer_address: bool,
}

impl Settings {
    /// Reads `PluginConfig.configuration`.
    pub(super) fn of(configuration: &Node<'_>) -> Self {
        let (kind, any) = configuration.typed();
        let text = match kind {
            // Envoy writes it as JSON for the module.
            "google.protobuf.Struct" => any.get("value").value().map(Value::to_string),
            _ => any.get("value").text().map(str::to_owned),
        };
        let text = text.unwrap_or_default();
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        let root = Node::root(&document);
        let named = |node: &Node<'_>| node.get("cluster").text().map(str::to_owned);
        let feed = root.get("feed");
        let key_sets = root.get("key_sets").items();
        Self {
            is_sync: root.get("role").text() == Some("sync"),
            is_ours: root.get("emitter").is_present() && root.get("state").is_present(),
            has_feed: feed.is_present(),
            fetched: named_issuers(&key_sets),
            without_keys: without_keys(&root.get("trust")),
            clusters: std::iter::once(&feed).chain(&key_sets).filter_map(named).collect(),
            client_certificate: !root.get("client_certificate").is_off(),
            peer_address: !root.get("peer_address").is_off(),
            text,
        }
    }
}

fn named_issuers(entries: &[Node<'_>]) -> Vec<String> {
    entries.iter().filter_map(|entry| entry.get("issuer").text()).map(str::to_owned).collect()
}

fn without_keys(trust: &Node<'_>) -> Vec<String> {
    let with = named_issuers(&trust.get("key_sets").items());
    let issuers = named_issuers(&trust.at(&["contract", "issuers"]).items());
    issuers.into_iter().filter(|issuer| !with.contains(issuer)).collect()
}
