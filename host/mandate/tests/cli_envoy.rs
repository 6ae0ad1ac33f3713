//! `mandate envoy`, end to end: what it writes, what it refuses, and a real Envoy that runs it.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

mod authz_world;
mod cli;
#[path = "cli_envoy/config.rs"]
mod config;
#[expect(dead_code, reason = "shared: each test program uses a part")]
mod local_server;
#[path = "cli_envoy/real.rs"]
mod real;
#[path = "cli_envoy/running.rs"]
#[expect(dead_code, reason = "shared: each test program uses a part")]
mod running;
#[path = "cli_envoy/set_up.rs"]
mod set_up;

use cli::{Folder, mandate, mandate_with};
use serde_json::json;

use set_up::SetUp;

#[test]
fn envoy() {
    let world = SetUp::new("envoy");
    let file = world.folder().path("envoy.yaml");
    let written = mandate(&[&world.usual(), &["-o", &file][..]].concat());
    assert_eq!((written.code, written.stdout.as_str(), written.stderr.as_str()), (0, "", ""));
    let linted = mandate(&["envoy", "lint", &file, "--module-digest", &world.digest]);
    assert_eq!(
        (linted.code, linted.stdout),
        (0, format!("`{file}` (bootstrap): nothing was found\n"))
    );
    let text = std::fs::read_to_string(&file).unwrap();
    let open = text.replace("failure_policy: FAIL_RELOAD", "failure_policy: FAIL_OPEN");
    let open = world.folder().write("open.yaml", open);
    let refused = mandate(&["envoy", "lint", &open, "--module-digest", &world.digest]);
    let place = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/\
                 typed_config/config/failure_policy";
    assert_eq!(
        (refused.code, refused.stdout),
        (
            1,
            format!(
                "{open}: {place}: once the module has trapped, every request passes undecided \
                 [fail-open]\n  `failure_policy: FAIL_RELOAD`, and no `fail_open`\n\
                 `{open}` (bootstrap): 1 finding\n"
            )
        )
    );
    let said = mandate(&["envoy", "lint", &open, "--module-digest", &world.digest, "--json"]);
    assert_eq!(
        said.json(),
        json!({
            "file": open, "form": "bootstrap", "sound": false,
            "findings": [{
                "rule": "fail-open", "pointer": place,
                "reason": "once the module has trapped, every request passes undecided",
                "remedy": "`failure_policy: FAIL_RELOAD`, and no `fail_open`",
            }],
        })
    );
    let schema = mandate(&["envoy", "schema"]);
    let own = include_str!("../../../contract/schema/envoy.schema.json");
    assert_eq!((schema.code, schema.stdout.as_str()), (0, own));
}

#[test]
fn what_is_no_configuration_of_envoy_cannot_be_linted() {
    let folder = Folder::new("envoy-unreadable");
    let lint = |text: &str| {
        let file = folder.write("file.yaml", text);
        mandate(&["envoy", "lint", &file]).one_line().replace(&file, "FILE")
    };
    assert_eq!(
        lint("listeners: []"),
        "configuration `FILE`: is no bootstrap, no `/config_dump` and no entry of `http_filters`"
    );
    assert!(lint("a: [").starts_with("configuration `FILE`: "));
    let stdin = mandate_with(&["envoy", "lint", "-"], b"static_resources: {}");
    assert_eq!(stdin.code, 1, "{stdin:?}");
    assert!(
        stdin.stdout.ends_with(
            "[filter-missing]\n  put the gate before the router, or name the \
        listener with `--unguarded`\n`-` (bootstrap): 1 finding\n"
        ),
        "{}",
        stdin.stdout
    );
}
