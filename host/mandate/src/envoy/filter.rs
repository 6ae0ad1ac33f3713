//! The gate's entry in `http_filters`: is it there, does it run, and how does it fail?

use super::configuration::{self, Settings};
use super::lint::Report;
use super::module;
use super::node::Node;
use super::rule::Rule;

/// The gate's entry.
#[derive(Clone, Debug)]
pub(super) struct Filter<'v> {
    entry: Node<'v>,
    /// Routes configure a filter by this name.
    pub(super) name: &'v str,
    /// Envoy's `PluginConfig`.
    pub(super) plugin: Node<'v>,
    pub(super) settings: Settings,
    /// Whether a matcher decides that it runs.
    matched: bool,
}

const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";
const MATCHED: &str = "envoy.extensions.common.matching.v3.ExtensionWithMatcher";

impl<'v> Filter<'v> {
    /// The entry, if it is the gate's. `named` are filters that entries name instead of having them.
    pub(super) fn of(entry: &Node<'v>, named: &[Node<'v>]) -> Option<Self> {
        let name = entry.get("name").text().unwrap_or_default();
        let (mut kind, mut wasm) = entry.get("typed_config").typed();
        if entry.get("config_discovery").is_present() {
            let found = named.iter().find(|one| one.get("name").text() == Some(name))?;
            (kind, wasm) = found.get("typed_config").typed();
        }
        let matched = kind == MATCHED;
        if matched {
            (kind, wasm) = wasm.at(&["extension_config", "typed_config"]).typed();
        }
        let plugin = wasm.get("config");
        let settings = Settings::of(&plugin.get("configuration"));
        let found = kind == WASM && (settings.is_ours || is_named_so(&plugin));
        found.then(|| Self { entry: entry.clone(), name, plugin, settings, matched })
    }

    /// Whether the entry may be the gate's, but its configuration is elsewhere.
    pub(super) fn is_elsewhere(entry: &Node<'v>, named: &[Node<'v>]) -> bool {
        let discovery = entry.get("config_discovery");
        let types = discovery.get("type_urls").items();
        let may_be = types.iter().any(|url| url.text().is_some_and(|url| url.ends_with(WASM)));
        let name = entry.get("name").text();
        may_be && !named.iter().any(|one| one.get("name").text() == name)
    }

    /// What is wrong with the entry itself.
    pub(super) fn check(&self, report: &mut Report<'_>) {
        self.check_presence(report);
        let policy = self.plugin.get("failure_policy");
        let open = self.plugin.get("fail_open");
        let by_number = policy.value().and_then(serde_json::Value::as_u64) == Some(FAIL_OPEN);
        if policy.text() == Some("FAIL_OPEN") || by_number || !open.is_off() {
            let place = if open.is_off() { &policy } else { &open };
            let reason = "once the module has trapped, every request passes undecided";
            report.find(Rule::FailOpen, place, reason);
        } else if policy.text() != Some("FAIL_RELOAD") {
            let reason = "a worker whose module has trapped once answers 503 for ever";
            report.find(Rule::NoReload, &policy, reason);
        }
        let held = self.plugin.get("allow_on_headers_stop_iteration");
        if !held.is_true() {
            let reason =
                "headers that wait for their body hang, or reach the upstream before the verdict";
            report.find(Rule::HeadersNotHeld, &held, reason);
        }
        check_plugin(&self.plugin, &self.settings, report);
    }

    fn check_presence(&self, report: &mut Report<'_>) {
        for (member, reason) in [
            ("disabled", "the gate does not run, unless a route says so"),
            ("is_optional", "an Envoy without wasm starts, and passes everything undecided"),
        ] {
            let member = self.entry.get(member);
            if !member.is_off() {
                report.find(Rule::FilterDisabled, &member, reason);
            }
        }
        if self.matched {
            let place = self.entry.get("typed_config");
            let reason = "a matcher decides whether the gate runs, by what the request says";
            report.find(Rule::FilterDisabled, &place, reason);
        }
    }
}

/// What is wrong with a plugin of the gate's, filter or singleton.
pub(super) fn check_plugin(plugin: &Node<'_>, settings: &Settings, report: &mut Report<'_>) {
    module::check(&plugin.get("vm_config"), report);
    if let Err(problem) = configuration::check(&settings.text) {
        let reason = format!("Envoy does not start with it: {problem}");
        report.find(Rule::ConfigurationRefused, &plugin.get("configuration"), reason);
    }
}

/// What is meant to be the gate, although its configuration is not.
fn is_named_so(plugin: &Node<'_>) -> bool {
    let file = plugin.at(&["vm_config", "code", "local", "filename"]);
    let named = |node: &Node<'_>| node.text().is_some_and(|name| name.contains("mandate"));
    named(&plugin.get("name")) || named(&file)
}

/// The number of `FAIL_OPEN` among Envoy's failure policies.
const FAIL_OPEN: u64 = 3;
