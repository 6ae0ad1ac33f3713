//! The fixtures of the gate in a real Envoy, over HTTP/1.1 and over HTTP/2: what a client, the server
//! behind it and the access log see is what core says in this process. Once by the filter, and once
//! by `ext_authz`, as `mandate serve` answers it.

#![expect(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use mandate::conformance::{
    EnvoyRunner, Exceptions, Outcome, Protocol, Report, Suite, write_table,
};
use mandate_host::{Plugin, PluginOptions};
use mandate_tests::skip::skip;

#[test]
fn envoy_answers_every_request_as_it_states_over_both_protocols() {
    let Some(runner) = runner("conformance of the gate: envoy") else { return };
    require_exceptions_alone(&runner, 25);
}

/// What is refused beyond the gate's own refusals: lists, streams and sessions, whose responses Envoy
/// does not show. None of the exceptions lets pass what the gate refuses, but where Envoy takes away
/// what is wrong with it, or names the route.
#[test]
fn envoy_that_asks_the_server_answers_every_request_as_it_states() {
    let Some(envoy) = variable("conformance of the gate: ext_authz", "MANDATE_ENVOY") else {
        return;
    };
    let Some(plugin) = mandate::plugin::embedded() else {
        skip("conformance of the gate: ext_authz", "no plugin is inside (cargo xtask guests)");
        return;
    };
    let plugin = Plugin::from_bytes(plugin.bytes, &plugin.digest, &PluginOptions::default());
    require_exceptions_alone(&EnvoyRunner::of_ext_authz(envoy, plugin.unwrap()), 102);
}

/// One Envoy at a time: ports are looked for and then told, and two that find the same one share it
/// (`SO_REUSEPORT`), so that each answers requests that were meant for the other.
static ALONE: Mutex<()> = Mutex::new(());

fn require_exceptions_alone(runner: &EnvoyRunner, most: usize) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let suite = Suite::embedded().unwrap();
    let exceptions = [Protocol::Http1, Protocol::Http2]
        .map(|protocol| (protocol, Exceptions::embedded(&runner.name(protocol)).unwrap()));
    let ids = suite.gate_ids();
    for (_, exceptions) in &exceptions {
        assert_eq!(exceptions.unknown(ids.iter().map(String::as_str)), [""; 0]);
    }
    let reports = runner.reports(&suite, &exceptions).unwrap();
    assert_eq!(reports.len(), 2);
    for report in &reports {
        require_agreement(report, ids.len(), most);
    }
}

/// Every case was asked, none was skipped, and few are excepted.
fn require_agreement(report: &Report, cases: usize, most: usize) {
    let mut table = Vec::new();
    write_table(report, &mut table).unwrap();
    assert!(report.agrees(), "{}", String::from_utf8_lossy(&table));
    assert_eq!(report.runs.len(), cases);
    let excepted =
        report.runs.iter().filter(|run| matches!(run.outcome, Outcome::Exception { .. })).count();
    let agree = report.runs.iter().filter(|run| run.outcome == Outcome::Agree).count();
    assert_eq!(agree + excepted, cases);
    assert!(excepted <= most, "{excepted} exceptions");
}

fn runner(part: &str) -> Option<EnvoyRunner> {
    let (envoy, guests) = (variable(part, "MANDATE_ENVOY")?, variable(part, "MANDATE_GUESTS")?);
    let module = guests.join("mandate-envoy.wasm");
    if !module.is_file() {
        skip(part, "MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)");
        return None;
    }
    Some(EnvoyRunner::new(envoy, module).unwrap())
}

fn variable(part: &str, name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name).map(PathBuf::from);
    if value.is_none() {
        skip(part, &format!("{name} is not set"));
    }
    value
}
