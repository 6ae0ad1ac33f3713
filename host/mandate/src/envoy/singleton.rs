//! Who follows the feed for all VMs of a process, and who else could reach what they share.

use serde_json::Value;

use super::chain::Guarded;
use super::configuration::Settings;
use super::filter::{Filter, check_plugin};
use super::lint::Report;
use super::node::Node;
use super::rule::Rule;

const SERVICE: &str = "envoy.extensions.wasm.v3.WasmService";

/// The singleton, as far as filters have to do with it.
#[derive(Debug)]
pub(super) struct Singleton<'v> {
    pub(super) settings: Settings,
    machine: Node<'v>,
}

/// Every singleton of the gate's, each checked for itself.
pub(super) fn find<'v>(extensions: &[Node<'v>], report: &mut Report<'_>) -> Vec<Singleton<'v>> {
    let mut found = Vec::new();
    for extension in extensions {
        let (kind, service) = extension.get("typed_config").typed();
        let plugin = service.get("config");
        let settings = Settings::of(&plugin.get("configuration"));
        if kind != SERVICE || !settings.is_sync {
            continue;
        }
        check_plugin(&plugin, &settings, report);
        let single = service.get("singleton");
        if !single.is_true() {
            let reason = "each worker follows the feed and shares what it has, one over the other";
            report.find(Rule::StateNotShared, &single, reason);
        }
        found.push(Singleton { settings, machine: plugin.get("vm_config") });
    }
    found
}

/// Does every filter get a state and keys, and does nobody else write them?
pub(super) fn check(root: &Node<'_>, guarded: &Guarded<'_>, report: &mut Report<'_>) {
    for filter in &guarded.filters {
        check_supply(filter, &guarded.singletons, report);
    }
    let filters = guarded.filters.iter().map(|filter| filter.plugin.get("vm_config"));
    let singletons = guarded.singletons.iter().map(|singleton| singleton.machine.clone());
    let ours: Vec<Node<'_>> = filters.chain(singletons).collect();
    check_strangers(root, &ours, report);
}

fn check_supply(filter: &Filter<'_>, singletons: &[Singleton<'_>], report: &mut Report<'_>) {
    let machine = filter.plugin.get("vm_config");
    let place = machine.get("vm_id");
    let same = |one: &&Singleton<'_>| one.machine.get("vm_id").text() == place.text();
    let singletons = singletons.iter().filter(same).map(|one| &one.settings);
    let itself = filter.settings.has_feed.then_some(&filter.settings);
    let supply: Vec<&Settings> = singletons.chain(itself).collect();
    if supply.is_empty() {
        let reason =
            "no singleton shares its state with this filter: every request is 503 for ever";
        report.find(Rule::StateNotShared, &place, reason);
        return;
    }
    for issuer in &filter.settings.without_keys {
        // Any of them may be the one that asks.
        if !supply.iter().all(|settings| settings.fetched.contains(issuer)) {
            let reason = format!(
                "not all that follow the feed fetch the key set of `{issuer}`: its tokens become 503"
            );
            report.find(Rule::KeysAbsent, &filter.plugin.get("configuration"), reason);
        }
    }
}

/// What is shared belongs to the `vm_id`, and key sets are signed by nobody: another module with the
/// same one could say whose tokens are good.
fn check_strangers(node: &Node<'_>, ours: &[Node<'_>], report: &mut Report<'_>) {
    let machine = node.get("vm_config");
    let place = machine.get("vm_id");
    let code = |one: &Node<'_>| one.get("code").value().cloned().unwrap_or(Value::Null);
    let named: Vec<&Node<'_>> = ours
        .iter()
        .filter(|one| place.is_present() && one.get("vm_id").text() == place.text())
        .collect();
    if !named.is_empty() && !named.iter().any(|one| code(one) == code(&machine)) {
        let reason = "another module reads and writes what the gate shares, key sets too";
        report.find(Rule::VmShared, &place, reason);
    }
    for (_, member) in node.members() {
        check_strangers(&member, ours, report);
    }
    for item in node.items() {
        check_strangers(&item, ours, report);
    }
}
