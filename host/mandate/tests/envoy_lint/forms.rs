//! What the lint reads besides a bootstrap in its usual spelling.

use std::path::PathBuf;

use mandate::envoy::{Document, Form, LintOptions, Rule, lint};
use mandate_host::Sha256Digest;
use serde_json::{Value, json};

use super::cli::Folder;
use super::program::{module, placed};
use super::{bad, found, good};

fn value(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn rules(document: Value, options: &LintOptions) -> Vec<(&'static str, String)> {
    let document = Document::from_value(document).unwrap();
    let findings = lint(&document, options);
    findings.into_iter().map(|finding| (finding.rule.id(), finding.pointer)).collect()
}

fn names(findings: &[(&'static str, String)]) -> Vec<&'static str> {
    findings.iter().map(|(rule, _)| *rule).collect()
}

/// The good configuration as a value, with everything in its place.
fn good_value(files: &Folder) -> Value {
    value(&placed(&good(), files, &module(files)))
}

fn manager(document: &mut Value) -> &mut Value {
    let place = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    document.pointer_mut(place).unwrap()
}

fn filter_of(document: &mut Value) -> Value {
    manager(document).pointer("/http_filters/0").unwrap().clone()
}

/// Every member in lower camel case, as protobuf writes it.
fn camel(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(camel).collect(),
        Value::Object(members) => {
            let renamed = members.into_iter().map(|(name, member)| {
                let mut words = name.split('_');
                let first = words.next().unwrap().to_owned();
                let name =
                    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..]);
                (name, camel(member))
            });
            Value::Object(renamed.collect())
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

/// A dump of an Envoy with this bootstrap: listeners, clusters and routes as control planes send them.
fn dump(bootstrap: &Value) -> Value {
    let kind = |name: &str| format!("type.googleapis.com/envoy.admin.v3.{name}");
    let resources = bootstrap.pointer("/static_resources").unwrap();
    let mut listener = resources.pointer("/listeners/0").unwrap().clone();
    let manager = listener.pointer_mut("/filter_chains/0/filters/0/typed_config").unwrap();
    let members = manager.as_object_mut().unwrap();
    let routes = members.remove("route_config").unwrap();
    members.insert("rds".to_owned(), json!({"route_config_name": "gate"}));
    let clusters = resources.pointer("/clusters").unwrap().as_array().unwrap();
    let clusters: Vec<Value> = clusters.iter().map(|cluster| json!({"cluster": cluster})).collect();
    let mut started = bootstrap.clone();
    started.as_object_mut().unwrap().remove("static_resources");
    json!({"configs": [
        {"@type": kind("BootstrapConfigDump"), "bootstrap": started},
        {"@type": kind("ClustersConfigDump"), "dynamic_active_clusters": clusters},
        {"@type": kind("ListenersConfigDump"),
            "dynamic_listeners": [{"name": "gate", "active_state": {"listener": listener}}]},
        {"@type": kind("RoutesConfigDump"), "dynamic_route_configs": [{"route_config": routes}]},
    ]})
}

#[test]
fn a_dump_is_judged_as_the_bootstrap_is() {
    let files = Folder::new("lint-dump");
    let options = LintOptions::default();
    let good = good_value(&files);
    assert_eq!(rules(dump(&good), &options), []);
    let module = module(&files);
    for (rule, name, text) in bad() {
        let bootstrap = value(&placed(&text, &files, &module));
        // What a dump shows after all, and what is not a part of the one listener.
        if rule == "unseen" || rule == "filter-missing" {
            continue;
        }
        let findings = rules(dump(&bootstrap), &options);
        assert!(!findings.is_empty(), "{name}");
        assert!(findings.iter().all(|(found, _)| *found == rule), "{name}: {findings:?}");
    }
    let mut without_routes = dump(&good);
    without_routes.pointer_mut("/configs").and_then(Value::as_array_mut).unwrap().pop();
    assert_eq!(names(&rules(without_routes, &options)), ["unseen"]);
    let alone = json!({"configs": []});
    assert_eq!(names(&rules(alone, &options)), ["unseen"]);
}

#[test]
fn every_table_of_scoped_routes_is_looked_at() {
    let files = Folder::new("lint-scoped");
    let (_, _, text) = bad().into_iter().find(|(rule, _, _)| rule == "route-rewrite").unwrap();
    let mut dumped = dump(&value(&placed(&text, &files, &module(&files))));
    let place = "/configs/2/dynamic_listeners/0/active_state/listener/filter_chains/0/filters/0/typed_config";
    let members = dumped.pointer_mut(place).and_then(Value::as_object_mut).unwrap();
    members.remove("rds").unwrap();
    members.insert("scoped_routes".to_owned(), json!({"name": "scopes"}));
    assert_eq!(names(&rules(dumped.clone(), &LintOptions::default())), ["route-rewrite"]);
    dumped.pointer_mut("/configs").and_then(Value::as_array_mut).unwrap().pop();
    assert_eq!(names(&rules(dumped, &LintOptions::default())), ["unseen"]);
}

#[test]
fn a_filter_that_nobody_supplies_is_refused() {
    let files = Folder::new("lint-supply");
    let mut document = good_value(&files);
    document.as_object_mut().unwrap().remove("bootstrap_extensions").unwrap();
    assert_eq!(names(&rules(document, &LintOptions::default())), ["state-not-shared"]);
}

#[test]
fn members_in_camel_case_are_the_same_members() {
    let files = Folder::new("lint-camel");
    let module = module(&files);
    assert_eq!(rules(camel(good_value(&files)), &LintOptions::default()), []);
    for (rule, name, text) in bad() {
        let bootstrap = value(&placed(&text, &files, &module));
        let findings = rules(camel(bootstrap), &LintOptions::default());
        assert!(findings.iter().any(|(found, _)| *found == rule), "{name}: {findings:?}");
    }
}

#[test]
fn what_a_control_plane_wraps_is_unwrapped() {
    let files = Folder::new("lint-typed-struct");
    let mut document = good_value(&files);
    let wrapped = |value: &Value| {
        let mut inner = value.clone();
        let kind = inner.as_object_mut().unwrap().remove("@type").unwrap();
        json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct",
            "type_url": kind, "value": inner})
    };
    let config = manager(&mut document).pointer_mut("/http_filters/0/typed_config").unwrap();
    *config = wrapped(config);
    assert_eq!(rules(document.clone(), &LintOptions::default()), []);
    let place = "/http_filters/0/typed_config/value/config/failure_policy";
    *manager(&mut document).pointer_mut(place).unwrap() = json!("FAIL_OPEN");
    assert_eq!(names(&rules(document, &LintOptions::default())), ["fail-open"]);
}

#[test]
fn a_configuration_may_be_a_struct() {
    let files = Folder::new("lint-struct");
    let mut document = good_value(&files);
    let place = "/http_filters/0/typed_config/config/configuration";
    let configuration = manager(&mut document).pointer_mut(place).unwrap();
    let text = configuration.get("value").and_then(Value::as_str).unwrap();
    let inner: Value = serde_json::from_str(text).unwrap();
    *configuration = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": inner});
    assert_eq!(rules(document, &LintOptions::default()), []);
}

#[test]
fn a_matcher_that_decides_whether_the_gate_runs_is_refused() {
    let files = Folder::new("lint-matcher");
    let mut document = good_value(&files);
    let mut filter = filter_of(&mut document);
    let members = filter.as_object_mut().unwrap();
    let inner = members.remove("typed_config").unwrap();
    members.insert(
        "typed_config".to_owned(),
        json!({
            "@type": "type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            "extension_config": {"name": "wasm", "typed_config": inner},
            "xds_matcher": {},
        }),
    );
    *manager(&mut document).pointer_mut("/http_filters/0").unwrap() = filter;
    assert_eq!(names(&rules(document, &LintOptions::default())), ["filter-disabled"]);
}

#[test]
fn the_filter_alone_is_judged_by_what_it_says() {
    let files = Folder::new("lint-filter");
    let filter = filter_of(&mut good_value(&files));
    assert_eq!(Document::from_value(filter.clone()).unwrap().form(), Form::Filter);
    assert_eq!(rules(filter.clone(), &LintOptions::default()), []);
    let mut open = filter;
    *open.pointer_mut("/typed_config/config/failure_policy").unwrap() = json!("FAIL_OPEN");
    let place = "/typed_config/config/failure_policy".to_owned();
    assert_eq!(rules(open, &LintOptions::default()), [("fail-open", place)]);
    let other = json!({"name": "a", "typed_config": {"@type": "type.googleapis.com/a.B"}});
    assert_eq!(names(&rules(other, &LintOptions::default())), ["filter-missing"]);
}

#[test]
fn a_filter_that_comes_from_elsewhere_is_looked_for_in_the_dump() {
    let files = Folder::new("lint-ecds");
    let mut document = good_value(&files);
    let filter = filter_of(&mut document);
    *manager(&mut document).pointer_mut("/http_filters/0").unwrap() = json!({
        "name": "gate",
        "config_discovery": {"config_source": {"ads": {}}, "type_urls":
            ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]},
    });
    let unseen = rules(dump(&document), &LintOptions::default());
    assert_eq!(names(&unseen), ["unseen", "filter-missing"]);
    let mut seen = dump(&document);
    let named = json!({"name": "gate", "typed_config": filter.get("typed_config")});
    let kind = "type.googleapis.com/envoy.admin.v3.EcdsConfigDump";
    let configs = seen.pointer_mut("/configs").and_then(Value::as_array_mut).unwrap();
    configs.push(json!({"@type": kind, "ecds_filters": [{"ecds_filter": named}]}));
    assert_eq!(rules(seen, &LintOptions::default()), []);
}

#[test]
fn a_listener_may_be_named_as_one_that_guards_nothing() {
    let files = Folder::new("lint-unguarded");
    let (_, _, text) = bad().into_iter().find(|(rule, _, _)| rule == "filter-missing").unwrap();
    let document = value(&placed(&text, &files, &module(&files)));
    let options = LintOptions { unguarded: vec!["raw".to_owned()], ..LintOptions::default() };
    assert_eq!(rules(document.clone(), &options), []);
    let all = LintOptions {
        unguarded: vec!["raw".to_owned(), "gate".to_owned()],
        ..LintOptions::default()
    };
    assert_eq!(names(&rules(document, &all)), ["filter-missing"]);
}

#[test]
fn the_module_is_the_one_that_was_reviewed_wherever_it_lies() {
    let files = Folder::new("lint-module");
    let good = good_value(&files);
    let reviewed = Sha256Digest::of(&std::fs::read(files.path("module.wasm")).unwrap());
    let options = |module: Option<String>, expected: Option<Sha256Digest>| LintOptions {
        module: module.map(PathBuf::from),
        expected,
        unguarded: Vec::new(),
    };
    assert_eq!(rules(good.clone(), &options(None, Some(reviewed))), []);
    let another = Sha256Digest::of(b"another");
    let refused = |options: &LintOptions| names(&rules(good.clone(), options));
    assert_eq!(refused(&options(None, Some(another))), ["module-unpinned", "module-unpinned"]);
    let copy = files.write("other.wasm", "another");
    assert_eq!(refused(&options(Some(copy), None)), ["module-unpinned", "module-unpinned"]);
    let absent = files.path("absent.wasm");
    assert_eq!(refused(&options(Some(absent), None)), ["module-unpinned", "module-unpinned"]);
}

#[test]
fn a_fetched_module_is_pinned_by_its_digest() {
    let files = Folder::new("lint-remote");
    let mut filter = filter_of(&mut good_value(&files));
    let remote = |digest: &str| json!({"remote": {"sha256": digest, "http_uri": {}}});
    let mut with = |code: Value| {
        *filter.pointer_mut("/typed_config/config/vm_config/code").unwrap() = code;
        names(&rules(filter.clone(), &LintOptions::default()))
    };
    assert_eq!(with(remote(&Sha256Digest::of(b"").to_string())), [""; 0]);
    assert_eq!(with(remote("")), ["module-unpinned"]);
}

#[test]
fn loopback_and_unix_sockets_need_no_tls() {
    let files = Folder::new("lint-local");
    let text = placed(&good(), &files, &module(&files));
    let begin = text.find("\n    transport_socket:\n").unwrap();
    let plain = &text[..begin];
    let remote = "{socket_address: {address: feed.example, port_value: 443}}";
    for (address, expected) in [
        ("{pipe: {path: /run/feed.sock}}", Vec::new()),
        ("{socket_address: {address: 127.0.0.1, port_value: 1}}", Vec::new()),
        ("{socket_address: {address: \"::1\", port_value: 1}}", Vec::new()),
        ("{socket_address: {address: localhost, port_value: 1}}", Vec::new()),
        ("{socket_address: {address: 10.0.0.1, port_value: 1}}", vec![Rule::ClusterPlaintext]),
        (remote, vec![Rule::ClusterPlaintext]),
    ] {
        let findings = found(&plain.replace(remote, address));
        let rules: Vec<Rule> = findings.into_iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, expected, "{address}");
    }
}
