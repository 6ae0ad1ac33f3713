//! What `mandate envoy config` writes, and what it does not.

use serde_json::{Value, json};

use super::cli::{ISSUER, Ran, mandate};
use super::set_up::SetUp;

fn written(arguments: &[&str]) -> Value {
    let ran = mandate(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    serde_saphyr::from_str(&ran.stdout).unwrap()
}

fn with<'a>(usual: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [usual, more].concat()
}

/// What the module is told.
fn configuration(plugin: &Value) -> Value {
    serde_json::from_str(plugin["configuration"]["value"].as_str().unwrap()).unwrap()
}

fn filter(bootstrap: &Value) -> &Value {
    let chain = &bootstrap["static_resources"]["listeners"][0]["filter_chains"][0];
    &chain["filters"][0]["typed_config"]["http_filters"][0]["typed_config"]["config"]
}

fn singleton(bootstrap: &Value) -> &Value {
    &bootstrap["bootstrap_extensions"][0]["typed_config"]["config"]
}

#[test]
fn the_filter_and_a_singleton_know_the_feed_unless_there_is_to_be_none() {
    let set_up = SetUp::new("envoy-singleton");
    let feed = json!({"cluster": "mandate-feed", "authority": "127.0.0.1:9001"});
    let usual = written(&set_up.usual());
    let (gate, sync) = (configuration(filter(&usual)), configuration(singleton(&usual)));
    assert_eq!((&gate["feed"], &sync["feed"]), (&feed, &feed));
    assert_eq!((&gate["emitter"], &sync["emitter"]), (&json!("edge-1"), &json!("edge-1-sync")));
    assert_eq!((&sync["role"], &gate["state"]), (&json!("sync"), &sync["state"]));
    assert_eq!(filter(&usual)["vm_config"], singleton(&usual)["vm_config"]);
    let without = written(&with(&set_up.usual(), &["--without-singleton"]));
    assert_eq!(without["bootstrap_extensions"], Value::Null);
    assert_eq!(configuration(filter(&without))["feed"], feed);
}

#[test]
fn the_filter_alone_is_the_filter_of_the_bootstrap() {
    let set_up = SetUp::new("envoy-filter-only");
    let alone = written(&with(&set_up.filter_only(), &["--filter-only"]));
    let usual = written(&set_up.usual());
    assert_eq!(&alone["typed_config"]["config"], filter(&usual));
    assert_eq!(
        alone["typed_config"]["config"]["vm_config"],
        json!({
            "vm_id": format!("mandate@sha256:{}", set_up.digest),
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": set_up.module}},
        })
    );
    let trust = &configuration(&alone["typed_config"]["config"])["trust"];
    let contract = std::fs::read_to_string(&set_up.world.contract).unwrap();
    assert_eq!(trust["contract"], serde_json::from_str::<Value>(&contract).unwrap());
    assert_eq!(trust["key_sets"][0]["issuer"], json!(ISSUER));
}

#[test]
fn a_feed_elsewhere_has_to_prove_its_name() {
    let set_up = SetUp::new("envoy-feed");
    let mut usual = set_up.usual();
    let place = usual.iter().position(|word| *word == "http://127.0.0.1:9001").unwrap();
    usual[place] = "https://registry.example/feeds/test/all";
    let bootstrap = written(&with(&usual, &["--ca", "/etc/ca.pem", "--feed-name", "feed.example"]));
    let clusters = bootstrap["static_resources"]["clusters"].as_array().unwrap();
    let cluster = clusters.iter().find(|one| one["name"] == "mandate-feed").unwrap();
    let tls = &cluster["transport_socket"]["typed_config"];
    assert_eq!(
        (&tls["sni"], &tls["common_tls_context"]["validation_context"]),
        (
            &json!("feed.example"),
            &json!({
                "trusted_ca": {"filename": "/etc/ca.pem"},
                "match_typed_subject_alt_names":
                    [{"san_type": "DNS", "matcher": {"exact": "feed.example"}}],
            })
        )
    );
    assert_eq!(
        configuration(singleton(&bootstrap))["feed"],
        json!({"cluster": "mandate-feed", "authority": "registry.example", "path": "/feeds/test/all"})
    );
    usual[place] = "unix:/run/mandate/feed.sock";
    let bootstrap = written(&usual);
    let clusters = bootstrap["static_resources"]["clusters"].as_array().unwrap();
    let cluster = clusters.iter().find(|one| one["name"] == "mandate-feed").unwrap();
    assert_eq!(
        cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"],
        json!({"pipe": {"path": "/run/mandate/feed.sock"}})
    );
}

#[test]
fn client_certificates_prove_possession_where_they_are_required() {
    let set_up = SetUp::new("envoy-mtls");
    let tls = ["--tls-certificate", "/etc/gate.pem", "--tls-key", "/etc/gate.key"];
    let bootstrap = written(&with(&set_up.usual(), &tls));
    assert_eq!(configuration(filter(&bootstrap))["client_certificate"], Value::Null);
    let mutual = [&tls[..], &["--client-ca", "/etc/clients.pem"]].concat();
    let bootstrap = written(&with(&set_up.usual(), &mutual));
    assert_eq!(configuration(filter(&bootstrap))["client_certificate"], json!(true));
    let chain = &bootstrap["static_resources"]["listeners"][0]["filter_chains"][0];
    let context = &chain["transport_socket"]["typed_config"];
    assert_eq!(context["require_client_certificate"], json!(true));
    assert_eq!(
        context["common_tls_context"]["validation_context"],
        json!({"trusted_ca": {"filename": "/etc/clients.pem"}})
    );
}

#[cfg(unix)]
#[test]
fn a_file_with_a_secret_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let set_up = SetUp::new("envoy-secret");
    let secret = set_up.folder().write("secret", format!("{}\n", "A".repeat(43)));
    let file = set_up.folder().path("envoy.yaml");
    let ran = mandate(&with(&set_up.usual(), &["--session-secret", &secret, "-o", &file]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let bootstrap: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(configuration(filter(&bootstrap))["session_secret"], json!("A".repeat(43)));
}

#[test]
fn what_the_lint_refuses_is_not_written() {
    let set_up = SetUp::new("envoy-refused");
    let file = set_up.folder().write("envoy.yaml", "what was there");
    let refused = |more: &[&str], replaced: Option<(&str, &str)>| -> String {
        let mut arguments = with(&set_up.usual(), more);
        if let Some((old, new)) = replaced {
            let place = arguments.iter().position(|word| *word == old).unwrap();
            arguments[place] = new;
        }
        arguments.extend(["-o", &file]);
        let ran: Ran = mandate(&arguments);
        let line = ran.one_line().to_owned();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "what was there");
        line
    };
    let feed = Some(("http://127.0.0.1:9001", "http://10.0.0.1:9001"));
    assert_eq!(
        refused(&[], feed),
        "nothing is written: the configuration: /static_resources/clusters/1/transport_socket: \
         whoever is on the way to `mandate-feed` reads every relationship, or gives keys \
         [cluster-plaintext]; give the cluster a `transport_socket` of `UpstreamTlsContext`, or \
         loopback or Unix sockets alone"
    );
    assert!(refused(&["--admin", "0.0.0.0:9901"], None).contains("[admin-exposed]"));
    let short = set_up.folder().write("short", "AAAA");
    let said = refused(&["--session-secret", &short], None);
    assert!(said.contains("`session_secret.secret`: must have at least"), "{said}");
    let emitter = refused(&[], Some(("edge-1", "edge 1")));
    assert!(emitter.contains("`emitter`: must be 1 to 64 of"), "{emitter}");
}

#[test]
fn bad_input_is_named_with_its_reason() {
    let set_up = SetUp::new("envoy-bad-input");
    let refused = |arguments: &[&str]| mandate(arguments).one_line().to_owned();
    let replaced = |old: &str, new: &'static str| -> Vec<&str> {
        set_up.usual().into_iter().map(|word| if word == old { new } else { word }).collect()
    };
    assert_eq!(
        refused(&replaced("http://127.0.0.1:9000", "ftp://a")),
        "invalid value 'ftp://a' for '--upstream <URL>': `ftp://a` must be http://…, https://… or \
         unix:/…; see `--help`"
    );
    assert!(
        refused(&set_up.filter_only())
            .starts_with("the following required arguments were not provided: --listen")
    );
    let another = "0".repeat(64);
    let mut arguments = set_up.usual();
    let place = arguments.iter().position(|word| *word == set_up.digest).unwrap();
    arguments[place] = &another;
    assert_eq!(
        refused(&arguments),
        format!(
            "`--module`: `{}` is {}, and must be {another}; `--module-digest` says otherwise",
            set_up.module, set_up.digest
        )
    );
    let mut arguments = set_up.usual();
    let place = arguments.iter().position(|word| *word == set_up.module).unwrap();
    arguments[place] = "/absent/mandate-envoy.wasm";
    assert_eq!(
        refused(&arguments),
        "`--module`: `/absent/mandate-envoy.wasm` cannot be read; `--module-copy` names a copy: No \
         such file or directory (os error 2)"
    );
    let copied = with(&arguments, &["--module-copy", &set_up.module]);
    let place = filter(&written(&copied))["vm_config"]["code"]["local"]["filename"].clone();
    assert_eq!(place, json!("/absent/mandate-envoy.wasm"));
    let fetched = [&set_up.bare()[..], &["--feed", "http://127.0.0.1:1", "--filter-only"]].concat();
    assert_eq!(
        refused(&fetched),
        format!(
            "the contract has no `jwks_uri` of `{ISSUER}`, and Envoy has no discovery: give \
             `--key-set` or `--keys`"
        )
    );
    let stranger = with(&fetched, &["--key-set", "https://stranger.example=https://a.example"]);
    assert_eq!(
        refused(&stranger),
        "`--key-set`: `https://stranger.example` is no issuer of the contract"
    );
}
