//! The workspace depends as `docs/architecture.md` says: the test reads its table of arrows.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_arrow_of_the_workspace_is_written_in_the_document() {
    let packages = packages();
    let ours: BTreeSet<_> = packages.keys().cloned().collect();
    let among_ours = |all: &BTreeSet<String>| all.intersection(&ours).cloned().collect();
    let actual: Arrows =
        packages.iter().map(|(name, all)| (name.clone(), among_ours(all))).collect();
    assert_eq!(actual, written(&document()));
}

#[test]
fn nothing_depends_on_tests_benches_tools_or_plugins() {
    let leaves = [
        "mandate-bench-delegation",
        "mandate-benches",
        "mandate-envoy",
        "mandate-policy",
        "mandate-test-signature",
        "mandate-tests",
        "xtask",
    ];
    let violations: Vec<_> = packages()
        .into_iter()
        .flat_map(|(name, all)| all.into_iter().map(move |one| (name.clone(), one)))
        .filter(|(_, dependency)| leaves.contains(&dependency.as_str()))
        .collect();
    assert_eq!(violations, []);
}

#[test]
fn the_host_runtime_never_links_core() {
    let packages = packages();
    let core: BTreeSet<_> = ["mandate-authn", "mandate-authz", "mandate-channel", "mandate-gate"]
        .map(str::to_owned)
        .into();
    let host = packages.get("mandate-host").expect("mandate-host is a member");
    assert_eq!(host.intersection(&core).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn libraries_do_not_depend_on_anyhow() {
    let with_anyhow: BTreeSet<_> = packages()
        .into_iter()
        .filter(|(_, all)| all.contains("anyhow"))
        .map(|(name, _)| name)
        .collect();
    let allowed: BTreeSet<_> =
        ["mandate", "mandate-benches", "mandate-tests", "xtask"].map(str::to_owned).into();
    assert_eq!(with_anyhow.difference(&allowed).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn an_arrow_that_the_document_lacks_is_noticed() {
    let page = "## Arrows\n\n| package | depends on | reason |\n|---|---|---|\n| `b` | `a`, `c` | x |\n| `a` | | y |\n";
    let expected = Arrows::from([
        ("a".to_owned(), BTreeSet::new()),
        ("b".to_owned(), ["a", "c"].map(str::to_owned).into()),
    ]);
    assert_eq!(written(page), expected);
}

/// Every member of the workspace with all its dependencies: normal, build and dev.
fn packages() -> Arrows {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let packages = metadata.get("packages").and_then(Value::as_array).expect("packages");
    packages.iter().map(|package| (name_of(package), dependencies_of(package))).collect()
}

fn dependencies_of(package: &Value) -> BTreeSet<String> {
    let dependencies = package.get("dependencies").and_then(Value::as_array);
    dependencies.into_iter().flatten().map(name_of).collect()
}

fn name_of(value: &Value) -> String {
    value.get("name").and_then(Value::as_str).expect("a name").to_owned()
}

/// The rows of the table below `## Arrows`.
fn written(page: &str) -> Arrows {
    let (_, section) = page.split_once("## Arrows").expect("a section `Arrows`");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(backticked);
        let name = cells.next().and_then(|names| names.into_iter().next()).expect("a package");
        (name, cells.next().expect("a column of arrows"))
    })
    .collect()
}

/// Every word of a cell that stands in backticks.
fn backticked(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn document() -> String {
    std::fs::read_to_string(root().join("docs/architecture.md")).expect("docs/architecture.md")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
