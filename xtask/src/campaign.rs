//! `cargo xtask campaign NAME`: long runs that look for what nobody thought of.

mod fuzz;
mod mutants;
mod ranking;

use std::process::Command;

use clap::Subcommand;

use crate::checkout::Checkout;
use crate::setup::{
    need_envoy, need_keycloak, need_node, need_openfga, need_postgres, need_python,
};
use crate::summary::Summary;
use crate::{guests, process, repro, workspace};
use mutants::{Choice, Package};

pub(crate) use fuzz::run_short as fuzz_short;

/// The campaigns by name.
#[derive(Debug, Subcommand)]
pub(crate) enum Campaign {
    /// Random tokens against this validator, PyJWT, joserfc, jose and jsonwebtoken
    Differential {
        /// How many tokens
        #[arg(long, default_value_t = 100_000)]
        cases: u32,
    },
    /// Random conditions in their bytecode and in the interpreter of the `cel` crate
    Conditions {
        /// How many evaluations
        #[arg(long, default_value_t = 1_000_000)]
        evaluations: u32,
    },
    /// A real Envoy under requests while keys, feed, clock, VM or listener fail: nothing passes that
    /// should not, and one row a fault
    EnvoyFaults {
        /// How many requests a fault
        #[arg(long, default_value_t = 10_000)]
        requests: u32,
    },
    /// From a revocation that is written to its enforcement by every worker of a real Envoy
    EnvoyPropagation {
        /// How many revocations
        #[arg(long, default_value_t = 200)]
        changes: u32,
    },
    /// A real Envoy under mixed traffic while keys rotate and a snapshot comes every 5 s: nothing is
    /// answered wrongly, and memory stands still
    EnvoySoak {
        /// Seconds
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
    /// Random worlds in the evaluator of relationships and in the naive one of its tests
    Evaluators {
        /// How many checks
        #[arg(long, default_value_t = 1_000_000)]
        checks: u32,
    },
    /// libFuzzer on every target of fuzz/
    Fuzz {
        /// Seconds a target
        #[arg(long, default_value_t = 600)]
        seconds: u32,
        /// Targets at a time
        #[arg(long, short, default_value_t = 1)]
        jobs: usize,
        /// Only these targets
        #[arg(value_name = "TARGET")]
        targets: Vec<String>,
    },
    /// Tokens of a Keycloak server, fetched from Maven Central the first time
    Keycloak,
    /// `kill -9` at random moments of a load of writes on the registry: nothing acknowledged is lost
    Kills {
        /// How often on SQLite; a fifth of it on Postgres, whose server is killed every other time
        #[arg(long, default_value_t = 500)]
        rounds: u32,
    },
    /// Mutations of a core crate that its tests should catch; a rerun continues
    Mutants {
        /// Whose code
        #[arg(long, value_enum, default_value_t = Package::Authn)]
        package: Package,
        /// How many mutants, chosen by the seed: of authn 300, of authz 400
        #[arg(long)]
        count: Option<usize>,
        /// Which choice
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Builds and test runs at a time
        #[arg(long, short, default_value_t = 2)]
        jobs: u32,
        /// Tries those again that were missed or ran out of time
        #[arg(long)]
        again: bool,
    },
    /// Random worlds in the evaluator of relationships and on an OpenFGA server
    Openfga {
        /// How many worlds, of ten checks and a list each
        #[arg(long, default_value_t = 10_000)]
        worlds: u32,
    },
    /// Random worlds and conditions in the second reader of snapshots
    Readers {
        /// How many checks, and how many evaluations of conditions
        #[arg(long, default_value_t = 100_000)]
        cases: u32,
    },
    /// The guests built twice in folders of different depth: equal bytes
    Repro,
    /// PyPI schemathesis against the real server, by its OpenAPI document: nothing fails, and no answer
    /// is other than documented
    Schemathesis {
        /// How many random requests an endpoint, beside those at its bounds
        #[arg(long, default_value_t = 100)]
        examples: u32,
    },
    /// An optimized server under requests: its memory stands still
    ServerSoak {
        /// Seconds
        #[arg(long, default_value_t = 600)]
        seconds: u32,
    },
}

/// Runs one campaign.
///
/// # Errors
/// When it finds something, or cannot run here.
pub(crate) fn run(checkout: &Checkout, campaign: &Campaign) -> anyhow::Result<()> {
    match campaign {
        Campaign::Differential { cases } => differential(checkout, *cases),
        Campaign::Conditions { evaluations } => {
            relationships(checkout, &["condition"], "differential::", *evaluations, |_, _| {})
        }
        Campaign::EnvoyFaults { requests } => envoy_faults(checkout, *requests),
        Campaign::EnvoyPropagation { changes } => {
            envoy_runs(checkout, "propagation::", ("MANDATE_ENVOY_CHANGES", *changes))
        }
        Campaign::EnvoySoak { seconds } => {
            envoy_runs(checkout, "soak::", ("MANDATE_ENVOY_SOAK_SECONDS", *seconds))
        }
        Campaign::Evaluators { checks } => {
            relationships(checkout, &["oracle"], "differential::", *checks, |_, _| {})
        }
        Campaign::Fuzz { seconds, jobs, targets } => fuzz::run(checkout, *seconds, *jobs, targets),
        Campaign::Keycloak => keycloak(checkout),
        Campaign::Kills { rounds } => kills(checkout, *rounds),
        Campaign::Mutants { package, count, seed, jobs, again } => {
            let (package, count, seed, again) = (*package, *count, *seed, *again);
            mutants::run(checkout, Choice { package, count, seed, again }, *jobs)
        }
        Campaign::Openfga { worlds } => {
            relationships(checkout, &["oracle"], "server::", *worlds, |cargo, summary| {
                workspace::with_openfga(cargo, summary, need_openfga(checkout));
            })
        }
        Campaign::Readers { cases } => {
            let tests = ["oracle", "condition"];
            relationships(checkout, &tests, "reader::", *cases, |cargo, summary| {
                workspace::with_python(cargo, summary, need_python(checkout));
            })
        }
        Campaign::Repro => repro::run(checkout),
        Campaign::Schemathesis { examples } => schemathesis(checkout, *examples),
        Campaign::ServerSoak { seconds } => {
            server_runs(checkout, "soak::", ("MANDATE_SERVER_SOAK_SECONDS", *seconds))
        }
    }
}

/// The long form of the differential test; `cargo test` runs the short one.
fn differential(checkout: &Checkout, cases: u32) -> anyhow::Result<()> {
    guests::run(checkout)?;
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--workspace", "--test", "differential"]);
    cargo.args(["--", "--nocapture"]).env("MANDATE_DIFFERENTIAL_CASES", cases.to_string());
    workspace::with_peers(&mut cargo, &mut summary, need_python(checkout), need_node(checkout));
    cargo.env("MANDATE_SKIPS", summary.file());
    let result = process::step("differential", &mut cargo);
    summary.print();
    result
}

/// The long form of the faults of `plugins/envoy/tests/envoy`; `cargo test` runs the short one.
fn envoy_faults(checkout: &Checkout, requests: u32) -> anyhow::Result<()> {
    guests::run(checkout)?;
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--package", "mandate-envoy", "--test", "envoy", "faults::"]);
    cargo.args(["--", "--nocapture", "--test-threads=1"]);
    cargo.env("MANDATE_ENVOY_FAULT_REQUESTS", requests.to_string());
    cargo.env("MANDATE_SKIPS", summary.file());
    workspace::with_envoy(&mut cargo, &mut summary, Ok(need_envoy(checkout)?));
    crate::say!("| fault | passed | denied | 503 | other | should not have passed | recovery |");
    let result = process::step("envoy-faults", &mut cargo);
    summary.print();
    result
}

/// The long form of `host/mandate/tests/envoy_runs`; `cargo test` runs the short one.
fn envoy_runs(checkout: &Checkout, filter: &str, long: (&str, u32)) -> anyhow::Result<()> {
    guests::run(checkout)?;
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--workspace", "--test", "envoy_runs", filter]);
    cargo.args(["--", "--nocapture"]);
    cargo.env(long.0, long.1.to_string()).env("MANDATE_SKIPS", summary.file());
    workspace::with_envoy(&mut cargo, &mut summary, Ok(need_envoy(checkout)?));
    let result = process::step("envoy", &mut cargo);
    summary.print();
    result
}

/// The long form of `host/mandate/tests/server_runs`, on an optimized server; `cargo test` runs the
/// short one on the usual build.
pub(crate) fn server_runs(
    checkout: &Checkout,
    filter: &str,
    long: (&str, u32),
) -> anyhow::Result<()> {
    guests::run(checkout)?;
    let program = workspace::build_optimized_mandate(checkout)?;
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--workspace", "--test", "server_runs", filter]);
    cargo.args(["--", "--nocapture", "--test-threads=1"]);
    cargo.env(long.0, long.1.to_string()).env("MANDATE_SERVER_PROGRAM", program);
    cargo.env("MANDATE_SKIPS", summary.file());
    workspace::with_openfga(&mut cargo, &mut summary, need_openfga(checkout));
    let result = process::step("server", &mut cargo);
    summary.print();
    result
}

/// Fetches Keycloak and runs its tests; after that `cargo xtask test` runs them as well.
fn keycloak(checkout: &Checkout) -> anyhow::Result<()> {
    let folder = need_keycloak(checkout)?;
    guests::run(checkout)?;
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--workspace", "--test", "cli_keycloak"]);
    workspace::with_keycloak(&mut cargo, &mut summary, Ok(folder));
    cargo.env("MANDATE_SKIPS", summary.file());
    let result = process::step("keycloak", &mut cargo);
    summary.print();
    result
}

/// The long form of the kills in `host/registry/tests/suite`; `cargo test` runs the short one.
fn kills(checkout: &Checkout, rounds: u32) -> anyhow::Result<()> {
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--package", "mandate-registry", "--test", "suite"]);
    cargo.args(["kills::", "--", "--nocapture", "--test-threads=1"]);
    cargo.env("MANDATE_KILLS", rounds.to_string()).env("MANDATE_SKIPS", summary.file());
    workspace::with_postgres(&mut cargo, &mut summary, need_postgres());
    let result = process::step("kills", &mut cargo);
    summary.print();
    result
}

/// The long form of `host/mandate/tests/server/schemathesis.rs`; `cargo test` runs the short one.
fn schemathesis(checkout: &Checkout, examples: u32) -> anyhow::Result<()> {
    guests::run(checkout)?;
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--workspace", "--test", "server", "schemathesis::"]);
    cargo.args(["--", "--nocapture"]).env("MANDATE_SCHEMATHESIS", examples.to_string());
    workspace::with_python(&mut cargo, &mut summary, Ok(need_python(checkout)?));
    cargo.env("MANDATE_SKIPS", summary.file());
    let result = process::step("schemathesis", &mut cargo);
    summary.print();
    result
}

/// The long form of tests of `core/authz/tests`; `cargo test` runs the short one.
fn relationships(
    checkout: &Checkout,
    tests: &[&str],
    filter: &str,
    cases: u32,
    prepare: impl FnOnce(&mut Command, &mut Summary),
) -> anyhow::Result<()> {
    let mut summary = Summary::new(checkout)?;
    let mut cargo = workspace::cargo(checkout);
    cargo.args(["test", "--locked", "--release", "--package", "mandate-authz"]);
    cargo.args(["--features", "builder"]);
    cargo.args(tests.iter().flat_map(|test| ["--test", test]));
    cargo.args([filter, "--", "--nocapture"]);
    cargo.env("MANDATE_CAMPAIGN_CASES", cases.to_string());
    cargo.env("MANDATE_SKIPS", summary.file());
    prepare(&mut cargo, &mut summary);
    let result = process::step("campaign", &mut cargo);
    summary.print();
    result
}
