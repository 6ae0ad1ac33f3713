//! The lint: what a configuration of Envoy says that opens the door.

use std::path::PathBuf;

use mandate_host::Sha256Digest;

use super::chain::{self, Guarded};
use super::cluster;
use super::document::{Document, Form};
use super::filter::Filter;
use super::node::Node;
use super::rule::Rule;
use super::singleton;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule it breaks.
    pub rule: Rule,
    /// JSON Pointer to the place.
    pub pointer: String,
    /// Why that opens the door, or closes it for everybody.
    pub reason: String,
}

/// What the lint cannot read out of the configuration.
#[derive(Clone, Debug, Default)]
pub struct LintOptions {
    /// A copy of the module, where the path of the configuration is that of another machine.
    pub module: Option<PathBuf>,
    /// The module that was reviewed.
    pub expected: Option<Sha256Digest>,
    /// Listeners that guard nothing.
    pub unguarded: Vec<String>,
}

/// Everything that is wrong with a configuration, in its order.
#[must_use]
pub fn lint(document: &Document, options: &LintOptions) -> Vec<Finding> {
    let mut report = Report { options, findings: Vec::new() };
    let root = document.root();
    match document.form() {
        Form::Filter => match Filter::of(&root, &[]) {
            Some(filter) => filter.check(&mut report),
            None => report.find(Rule::FilterMissing, &root, "this is not the gate's filter"),
        },
        Form::Bootstrap => Parts::of_bootstrap(&root).check(&mut report),
        Form::ConfigDump => Parts::of_dump(&root).check(&mut report),
    }
    report.findings
}

/// What was found so far.
pub(super) struct Report<'o> {
    pub(super) options: &'o LintOptions,
    findings: Vec<Finding>,
}

impl Report<'_> {
    /// Notes a finding; one of a rule and a place is enough.
    pub(super) fn find(&mut self, rule: Rule, place: &Node<'_>, reason: impl Into<String>) {
        let pointer = place.pointer().to_owned();
        let finding = Finding { rule, pointer, reason: reason.into() };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// The parts of an Envoy, wherever they stand.
pub(super) struct Parts<'v> {
    pub(super) listeners: Vec<Node<'v>>,
    pub(super) clusters: Vec<Node<'v>>,
    /// Routes that listeners name instead of having them.
    pub(super) routes: Vec<Node<'v>>,
    /// Filters that listeners name instead of having them.
    pub(super) filters: Vec<Node<'v>>,
    pub(super) secrets: Vec<Node<'v>>,
    extensions: Vec<Node<'v>>,
    admin: Node<'v>,
    /// What brings listeners that are not among these, if anything does.
    elsewhere: Option<Node<'v>>,
    place: Node<'v>,
    cluster_place: Node<'v>,
    root: Node<'v>,
}

impl<'v> Parts<'v> {
    fn of_bootstrap(root: &Node<'v>) -> Self {
        let resources = root.get("static_resources");
        let elsewhere = root.at(&["dynamic_resources", "lds_config"]);
        Self {
            listeners: resources.get("listeners").items(),
            clusters: resources.get("clusters").items(),
            routes: Vec::new(),
            filters: Vec::new(),
            secrets: resources.get("secrets").items(),
            extensions: root.get("bootstrap_extensions").items(),
            admin: root.get("admin"),
            elsewhere: elsewhere.is_present().then_some(elsewhere),
            place: resources.get("listeners"),
            cluster_place: resources.get("clusters"),
            root: root.clone(),
        }
    }

    fn of_dump(root: &Node<'v>) -> Self {
        let dumps = root.get("configs").items();
        let inside = |kind: &str, lists: &[&str], path: &[&str]| -> Vec<Node<'v>> {
            let of_kind = dumps.iter().filter(|dump| dump.typed().0.ends_with(kind));
            let listed = of_kind.flat_map(|dump| {
                lists.iter().flat_map(|list| dump.get(list).items()).collect::<Vec<_>>()
            });
            listed.map(|one| one.at(path)).filter(Node::is_present).collect()
        };
        let bootstrap = dumps.iter().find(|dump| dump.typed().0.ends_with(".BootstrapConfigDump"));
        let bootstrap = bootstrap.map_or_else(|| root.get("bootstrap"), |one| one.get("bootstrap"));
        let listeners = ".ListenersConfigDump";
        let active = inside(listeners, &["dynamic_listeners"], &["active_state", "listener"]);
        let warming = inside(listeners, &["dynamic_listeners"], &["warming_state", "listener"]);
        let fixed = inside(listeners, &["static_listeners"], &["listener"]);
        let elsewhere = (!bootstrap.is_present()).then(|| bootstrap.clone());
        Self {
            listeners: [fixed, active, warming].concat(),
            clusters: inside(
                ".ClustersConfigDump",
                &["static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"],
                &["cluster"],
            ),
            routes: inside(".RoutesConfigDump", &["dynamic_route_configs"], &["route_config"]),
            filters: inside(".EcdsConfigDump", &["ecds_filters"], &["ecds_filter"]),
            secrets: bootstrap.at(&["static_resources", "secrets"]).items(),
            extensions: bootstrap.get("bootstrap_extensions").items(),
            admin: bootstrap.get("admin"),
            elsewhere,
            place: root.get("configs"),
            cluster_place: root.get("configs"),
            root: root.clone(),
        }
    }

    /// Where clusters stand.
    pub(super) const fn cluster_place(&self) -> &Node<'v> {
        &self.cluster_place
    }

    fn check(&self, report: &mut Report<'_>) {
        check_admin(&self.admin, report);
        if let Some(elsewhere) = &self.elsewhere {
            let reason = "listeners come from elsewhere, and are not in this document";
            report.find(Rule::Unseen, elsewhere, reason);
        }
        let mut guarded = Guarded::default();
        let named = &report.options.unguarded;
        let guards = |listener: &&Node<'v>| {
            let name = listener.get("name").text().unwrap_or_default();
            !named.iter().any(|one| one == name)
        };
        let checked: Vec<&Node<'v>> = self.listeners.iter().filter(guards).collect();
        if checked.is_empty() && self.elsewhere.is_none() {
            report.find(Rule::FilterMissing, &self.place, "there is no listener with the gate");
        }
        for listener in checked {
            chain::check_listener(listener, self, &mut guarded, report);
        }
        guarded.singletons = singleton::find(&self.extensions, report);
        singleton::check(&self.root, &guarded, report);
        cluster::check(self, &guarded, report);
    }
}

/// Whoever reaches the admin interface reads the session secret in `/config_dump`, and may turn Envoy off.
fn check_admin(admin: &Node<'_>, report: &mut Report<'_>) {
    let address = admin.get("address");
    if address.is_present() && !cluster::is_local(&address) {
        let reason = "the admin interface can be reached from other machines: it shows this \
                      configuration with its session secret, and changes the runtime";
        report.find(Rule::AdminExposed, &address, reason);
    }
}
