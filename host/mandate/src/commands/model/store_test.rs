//! `mandate model test`: OpenFGA's store files, run on the shipped evaluator.

mod questions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::Args;
use mandate_authz::snapshot::World;
use mandate_authz::store_file::{StoreFile, StoreFileError, StoreTest};
use mandate_authz::tuple::Tuple;
use serde_json::{Value, json};

use self::questions::{Asked, Questioner};
use crate::commands::input_file;
use crate::commands::runner::{MakeEngine, Runner};
use crate::engine::{Engine, LocalState};
use crate::output::{self, Page};
use crate::plugin::PluginChoice;

/// Run the tests of OpenFGA store files: does what follows from the relationships?
///
/// Exit codes: 0 every assertion holds, 1 one does not, 2 a file cannot be used.
#[derive(Args, Clone, Debug)]
pub(super) struct TestCommand {
    /// Store files, `….fga.yaml`.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What answers: `native`, or the plugin as `component` or `module`.
    #[arg(long, default_value = "native")]
    runner: Runner,
    #[command(flatten)]
    plugin: PluginChoice,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// How a file went.
struct FileReport {
    file: PathBuf,
    name: String,
    tests: usize,
    assertions: usize,
    failures: Vec<Failure>,
}

/// An assertion that does not hold.
struct Failure {
    test: String,
    asked: Asked,
}

impl TestCommand {
    /// Tests: 0 everything holds, 1 something does not, 2 a file cannot be used.
    pub(super) fn run(self) -> ExitCode {
        let tested = self.runner.engines(&self.plugin).and_then(|make| {
            self.files.iter().map(|file| test(file, &make)).collect::<anyhow::Result<Vec<_>>>()
        });
        match tested {
            Ok(reports) => self.report(&reports),
            Err(error) => output::fail(&format!("{error:#}")),
        }
    }

    fn report(&self, reports: &[FileReport]) -> ExitCode {
        let failed: usize = reports.iter().map(|report| report.failures.len()).sum();
        let mut page = Page::new();
        for report in reports {
            report.write(&mut page);
        }
        let (tests, assertions): (usize, usize) = (
            reports.iter().map(|report| report.tests).sum(),
            reports.iter().map(|report| report.assertions).sum(),
        );
        match failed {
            0 => page.line(&format!("{assertions} assertions of {tests} tests hold")),
            _ => page.line(&format!("{failed} of {assertions} assertions of {tests} tests fail")),
        }
        let files: Vec<Value> = reports.iter().map(FileReport::to_json).collect();
        let value = json!({
            "passed": failed == 0,
            "tests": tests,
            "assertions": assertions,
            "failures": failed,
            "files": files,
        });
        let printed = output::print_either(self.json, &value, &page);
        let denied = failed > 0 && printed == ExitCode::SUCCESS;
        if denied { ExitCode::from(output::DENY) } else { printed }
    }
}

fn test(file: &Path, make: &MakeEngine) -> anyhow::Result<FileReport> {
    let store = read(file)?;
    let mut report = FileReport {
        file: file.to_owned(),
        name: store.name.clone(),
        tests: store.tests.len(),
        assertions: 0,
        failures: Vec::new(),
    };
    for test in &store.tests {
        let tuples = [store.tuples.clone(), test.tuples.clone()].concat();
        let asked = ask(&store, test, tuples, make)
            .with_context(|| format!("store file `{}`: test `{}`", file.display(), test.name))?;
        report.assertions = report.assertions.saturating_add(asked.len());
        let failed = asked.into_iter().filter(|asked| !asked.holds());
        let test = || test.name.clone();
        report.failures.extend(failed.map(|asked| Failure { test: test(), asked }));
    }
    Ok(report)
}

fn ask(
    store: &StoreFile,
    test: &StoreTest,
    tuples: Vec<Tuple>,
    make: &MakeEngine,
) -> anyhow::Result<Vec<Asked>> {
    let mut everybody = engine(store, tuples.clone(), make)?;
    let named: Vec<Tuple> =
        tuples.iter().filter(|tuple| !questions::is_for_everybody(tuple)).cloned().collect();
    // Only ListUsers asks who has a relation by name: the same without `type:*`.
    let by_name = match test.list_users.as_slice() {
        [] => None,
        _ => Some(engine(store, named, make)?),
    };
    let subjects: BTreeSet<_> = tuples.into_iter().map(|tuple| tuple.subject).collect();
    Questioner { engine: everybody.as_mut(), by_name, subjects }.ask(test)
}

fn engine(
    store: &StoreFile,
    tuples: Vec<Tuple>,
    make: &MakeEngine,
) -> anyhow::Result<Box<dyn Engine>> {
    // A relationship that the model has no place for is a mistake of the test.
    let world = World { ignore_unfit: false, ..World::raw(store.model.clone(), tuples) };
    let body = world.build([0; 16])?;
    let state = LocalState::new(true, [0; 3])?;
    let mut engine = make()?;
    engine.configure_state(&state.config()?)?;
    engine.load(&state.snapshot(&body)?)?;
    Ok(engine)
}

impl FileReport {
    fn write(&self, page: &mut Page) {
        let name = if self.name.is_empty() { String::new() } else { format!(" ({})", self.name) };
        let (file, tests, assertions) = (self.file.display(), self.tests, self.assertions);
        page.line(&format!("{file}{name}: {tests} tests, {assertions} assertions"));
        for Failure { test, asked } in &self.failures {
            page.line(&format!("  FAIL {test}: {asked}"));
        }
    }

    fn to_json(&self) -> Value {
        let failures: Vec<Value> = self
            .failures
            .iter()
            .map(|Failure { test, asked }| {
                json!({
                    "test": test,
                    "question": asked.question,
                    "expected": asked.expected,
                    "found": asked.found,
                })
            })
            .collect();
        json!({
            "file": self.file,
            "name": self.name,
            "tests": self.tests,
            "assertions": self.assertions,
            "failures": failures,
        })
    }
}

/// Reads a store file and what it names, beside it.
fn read(file: &Path) -> anyhow::Result<StoreFile> {
    let text = input_file::read_text("store file", file)?;
    let mut open = |name: &str| {
        let path = file.parent().unwrap_or_else(|| Path::new("")).join(name);
        // The place that names it is told already.
        input_file::read_text("file", &path).map_err(|error| format!("{error:#}"))
    };
    let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    StoreFile::parse(&name, &text, &mut open)
        .map_err(|errors| anyhow!("store file `{}`: {}", file.display(), first(&errors)))
}

fn first(errors: &[StoreFileError]) -> String {
    let first = errors.first().map(ToString::to_string).unwrap_or_default();
    match errors.len() {
        0 | 1 => first,
        all => format!("{first} (and {} more)", all.saturating_sub(1)),
    }
}
