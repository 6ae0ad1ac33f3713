//! The lint of Envoy's configurations: `envoy_lint/good.yaml`, and for each rule at least one file that
//! differs from it by that alone.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "tests stop where something is not as it should be"
)]

mod cli;
#[path = "envoy_lint/forms.rs"]
mod forms;
#[path = "envoy_lint/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cli::Folder;
use mandate::envoy::{Document, Finding, LintOptions, Rule, lint};
use program::{Envoy, module, placed};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envoy_lint")
}

fn good() -> String {
    fs::read_to_string(folder().join("good.yaml")).unwrap()
}

/// Every bad file: the rule that it is named after, its name, its text.
fn bad() -> Vec<(String, String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder().join("bad")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let rule = name.split('.').next().unwrap().to_owned();
        files.push((rule, name, fs::read_to_string(&path).unwrap()));
    }
    files.sort();
    files
}

fn found(text: &str) -> Vec<Finding> {
    let document = Document::parse(text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    lint(&document, &LintOptions::default())
}

#[test]
fn the_good_configuration_has_no_finding() {
    let files = Folder::new("lint-good");
    assert_eq!(found(&placed(&good(), &files, &module(&files))), []);
}

#[test]
fn each_rule_alone_refuses_its_own_files() {
    let files = Folder::new("lint-bad");
    let module = module(&files);
    let mut seen = BTreeSet::new();
    for (rule, name, text) in bad() {
        let findings = found(&placed(&text, &files, &module));
        let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.id()).collect();
        assert_eq!(rules, BTreeSet::from([rule.as_str()]), "{name}: {findings:#?}");
        for finding in &findings {
            assert!(finding.pointer.starts_with('/'), "{name}: {finding:?}");
        }
        seen.insert(rule);
    }
    let every: BTreeSet<String> = Rule::ALL.map(|rule| rule.id().to_owned()).into();
    assert_eq!(seen, every);
}

#[test]
fn a_bad_file_differs_from_the_good_one_by_little() {
    let good = good();
    let kept: Vec<&str> = good.lines().filter(|line| !line.starts_with('#')).collect();
    for (_, name, text) in bad() {
        let lines: Vec<&str> = text.lines().collect();
        let gone = kept.iter().filter(|line| !lines.contains(line)).count();
        let come = lines.iter().filter(|line| !kept.contains(line)).count();
        assert!(gone.max(come) <= 10 && gone.max(come) > 0, "{name}: {gone} gone, {come} come");
    }
}

/// None of them is a file that Envoy would refuse by itself: it starts, and the door is open.
#[test]
fn envoy_starts_with_the_good_file_and_with_every_bad_one() {
    let Some(envoy) = Envoy::named("what Envoy says of the lint's files") else { return };
    let files = Folder::new("lint-envoy");
    let module = module(&files);
    let accepted = |name: &str, text: &str| {
        let path = files.write(name, placed(text, &files, &module));
        envoy.validate(&path).unwrap_or_else(|said| panic!("{name}: {said}"));
    };
    accepted("good.yaml", &good());
    for (_, name, text) in bad() {
        accepted(&name, &text);
    }
    let Some(filter) = program::filter("the lint's good file with the filter itself") else {
        return;
    };
    let path = files.write("filter.yaml", placed(&good(), &files, &filter));
    envoy.validate(&path).unwrap_or_else(|said| panic!("{said}"));
}
