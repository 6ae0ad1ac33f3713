//! Mutation testing of the core crates: a seeded choice of mutants, kept between runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::ranking::{escape, ranked};
use crate::checkout::Checkout;
use crate::digest;
use crate::process;
use crate::setup::{CARGO_MUTANTS, need_tool};
use crate::workspace;

/// Which mutants to try.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) package: Package,
    /// `None` for as many as the package's figures are of.
    pub(crate) count: Option<usize>,
    pub(crate) seed: u64,
    pub(crate) again: bool,
}

/// What is mutated, and whose tests are to notice.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Package {
    /// core/authn
    Authn,
    /// core/authz
    Authz,
}

impl Package {
    const fn count(self) -> usize {
        match self {
            Self::Authn => 300,
            Self::Authz => 400,
        }
    }

    /// The folder of its results, and the end of its name.
    const fn folder(self) -> &'static str {
        match self {
            Self::Authn => "authn",
            Self::Authz => "authz",
        }
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Authn => &["--package", "mandate-authn"],
            Self::Authz => &["--package", "mandate-authz", "--features", "builder"],
        }
    }

    /// The tests that know a mutant's part of the package best: they are asked first, alone, because
    /// most mutants are caught by them and building them is less than building all.
    fn nearest(self, mutant: &str) -> &'static [&'static str] {
        let path = match self {
            Self::Authn => return &[],
            Self::Authz => mutant.strip_prefix("core/authz/src/").unwrap_or_default(),
        };
        match path.split(['/', '.']).next().unwrap_or_default() {
            "agent_context" | "authorize" | "authorizer" | "binding" | "decision" | "policy"
            | "records" | "rule" | "wire" => &["--lib", "--test", "rule"],
            "condition" => &["--lib", "--test", "condition"],
            "container" | "delta" | "state" => &["--lib", "--test", "state"],
            "evaluate" | "name" | "relation_query" | "snapshot" => {
                &["--lib", "--test", "snapshot", "--test", "oracle"]
            }
            "facts" => &["--lib", "--test", "facts"],
            "model" | "store_file" => &["--lib", "--test", "model"],
            _ => &[],
        }
    }

    /// What makes its tests short: a mutant that many random cases would catch is most often caught
    /// by few, and one that is missed can be tried against all of them by hand.
    const fn environment(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Authn => &[],
            Self::Authz => &[("MANDATE_CAMPAIGN_CASES", "400"), ("PROPTEST_CASES", "32")],
        }
    }
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Fate {
    /// A test failed, as it should.
    Caught,
    /// No test noticed.
    Missed,
    /// The tests did not end in time: noticed too, by a person who waits.
    Timeout,
    /// It did not compile.
    Unviable,
}

/// The files that cargo-mutants appends to as it goes, so that an interrupted run is not lost.
const FATES: [(Fate, &str); 4] = [
    (Fate::Caught, "caught.txt"),
    (Fate::Missed, "missed.txt"),
    (Fate::Timeout, "timeout.txt"),
    (Fate::Unviable, "unviable.txt"),
];

/// A mutant's name to the digest of its change: names move with line numbers, changes do not.
type Plan = BTreeMap<String, String>;
/// Digest of the change to what became of it.
type Results = BTreeMap<String, Fate>;

/// The least share of viable mutants that has to be caught.
const REQUIRED_PERCENT: usize = 90;

/// Tries what is left of the choice and prints the figures over the whole choice: first against the
/// nearest tests, then what these miss against all.
///
/// # Errors
/// When fewer than 90 % of the viable mutants are caught, or some could not be tried.
pub(crate) fn run(checkout: &Checkout, choice: Choice, jobs: u32) -> anyhow::Result<()> {
    let program = need_tool(checkout, &CARGO_MUTANTS)?;
    let folder = checkout.cache("mutants").join(choice.package.folder());
    let near = folder.join("nearest");
    std::fs::create_dir_all(&near).context("cannot make the folder of results")?;
    let run = Run { checkout, program: &program, package: choice.package, folder: &folder, jobs };
    let count = choice.count.unwrap_or_else(|| choice.package.count());
    let chosen = ranked(run.list()?, choice.seed, count);
    let mut results = collect(&folder)?;
    if choice.again {
        results.retain(|_, fate| matches!(fate, Fate::Caught | Fate::Unviable));
    }
    let mut nearby = collect(&near)?;
    let open = open(&chosen, &[&results, &nearby]);
    crate::say!("mutants: {} chosen, {} new", chosen.len(), open.len());
    for (tests, part) in by_tests(choice.package, open) {
        run.test(&near, &part, tests)?;
        nearby.extend(collect(&near)?);
    }
    nearby.retain(|_, fate| *fate != Fate::Missed);
    nearby.extend(results);
    let open = self::open(&chosen, &[&nearby]);
    crate::say!("mutants: {} to try against all tests", open.len());
    if !open.is_empty() {
        // Examples in documentation would be linked anew for every mutant, one program each.
        run.test(&folder, &open, &["--tests"])?;
        nearby.extend(collect(&folder)?);
    }
    report(&chosen, &nearby)
}

/// The chosen mutants of which nothing is known.
fn open(chosen: &Plan, known: &[&Results]) -> Plan {
    let is_open = |key: &String| !known.iter().any(|results| results.contains_key(key));
    let open = chosen.iter().filter(|(_, key)| is_open(key));
    open.map(|(name, key)| (name.clone(), key.clone())).collect()
}

/// The mutants by their nearest tests; those without are left to all tests.
fn by_tests(package: Package, open: Plan) -> BTreeMap<&'static [&'static str], Plan> {
    let mut parts = BTreeMap::<_, Plan>::new();
    for (name, key) in open {
        let tests = package.nearest(&name);
        if !tests.is_empty() {
            parts.entry(tests).or_default().insert(name, key);
        }
    }
    parts
}

/// Prints counts, every mutant that survived, and the percentage.
fn report(chosen: &Plan, results: &Results) -> anyhow::Result<()> {
    let fate_of = |key: &String| results.get(key).copied();
    let count = |fate: Fate| chosen.values().filter(|key| fate_of(key) == Some(fate)).count();
    for (name, _) in chosen.iter().filter(|(_, key)| fate_of(key) == Some(Fate::Missed)) {
        crate::say!("missed: {name}");
    }
    let [caught, missed, timeouts, unviable] = FATES.map(|(fate, _)| count(fate));
    let percent = percent(caught.saturating_add(timeouts), missed);
    crate::say!(
        "mutants: {} chosen, {caught} caught, {missed} missed, {timeouts} timeouts, {unviable} unviable; \
         {percent} % of viable mutants caught (a timeout counts as caught)",
        chosen.len()
    );
    let tried = [caught, missed, timeouts, unviable].into_iter().sum::<usize>();
    ensure!(tried == chosen.len(), "{} were not tried: run again", chosen.len().abs_diff(tried));
    ensure!(percent >= REQUIRED_PERCENT, "fewer than {REQUIRED_PERCENT} % were caught");
    Ok(())
}

fn percent(caught: usize, missed: usize) -> usize {
    let viable = caught.saturating_add(missed);
    caught.saturating_mul(100).checked_div(viable).unwrap_or(100)
}

/// Where the mutants are; a name starts with its file.
fn files(plan: &Plan) -> BTreeSet<&str> {
    plan.keys().filter_map(|name| name.split(':').next()).collect()
}

/// How cargo-mutants is called.
struct Run<'r> {
    checkout: &'r Checkout,
    program: &'r Path,
    package: Package,
    folder: &'r Path,
    jobs: u32,
}

impl Run<'_> {
    /// Every mutant that cargo-mutants sees; `.cargo/mutants.toml` leaves out generated code.
    fn list(&self) -> anyhow::Result<Plan> {
        #[derive(Deserialize)]
        struct Mutant {
            name: String,
            diff: String,
        }
        let text = process::output(self.command().args(["--list", "--json", "--diff"]))?;
        let mutants: Vec<Mutant> = serde_json::from_str(&text).context("cargo mutants --list")?;
        Ok(mutants.into_iter().map(|mutant| (mutant.name, digest::text(&mutant.diff))).collect())
    }

    /// Tries the named mutants. Missed mutants are a result here, not a failure.
    fn test(&self, output: &Path, open: &Plan, tests: &[&str]) -> anyhow::Result<()> {
        write(&output.join(PLAN), open)?;
        let names: Vec<_> = open.keys().map(|name| escape(name)).collect();
        let mut command = self.command();
        command.arg("--re").arg(format!("^({})$", names.join("|")));
        // The expression is not asked about deleted fields (cargo-mutants 27.1): without the files
        // every one of the package would be tried each time.
        command.args(files(open).into_iter().map(|file| format!("--file={file}")));
        command.args(["--no-shuffle", "--jobs", &self.jobs.to_string(), "--output"]).arg(output);
        if self.jobs == 1 {
            // What it depends on is not built again for every run. More jobs would wait for each
            // other's locks, and each builds in its own copy of the tree.
            command.env("CARGO_TARGET_DIR", self.folder.join("target"));
        }
        // For the build too, so that no test program is linked in vain.
        command.args(tests.iter().map(|argument| format!("--cargo-arg={argument}")));
        let status = command.status().context("cannot run cargo-mutants")?;
        // 2: some were missed; 3: some timed out. Anything else means that it did not run.
        let ran = status.success() || matches!(status.code(), Some(2 | 3));
        ensure!(ran, "cargo-mutants failed ({status})");
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(self.checkout.root()).arg("mutants").args(self.package.arguments());
        workspace::with_folders(&mut command, self.checkout);
        command.envs(self.package.environment().iter().copied());
        command.env_remove("CARGO_TARGET_DIR");
        command
    }
}

/// Adds the last run's outcomes, also of an interrupted one, to what is known; returns all.
fn collect(folder: &Path) -> anyhow::Result<Results> {
    let path = folder.join(RESULTS);
    let mut results: Results = read(&path)?.unwrap_or_default();
    let plan: Plan = read(&folder.join(PLAN))?.unwrap_or_default();
    for (fate, file) in FATES {
        let text = std::fs::read_to_string(folder.join("mutants.out").join(file));
        let names = text.unwrap_or_default();
        let keys = names.lines().filter_map(|name| plan.get(name));
        results.extend(keys.map(|key| (key.clone(), fate)));
    }
    write(&path, &results)?;
    Ok(results)
}

fn read<T: for<'a> Deserialize<'a>>(path: &PathBuf) -> anyhow::Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path)?;
    serde_json::from_str(&text).map(Some).with_context(|| path.display().to_string())
}

fn write<T: Serialize>(path: &Path, value: &T) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

const PLAN: &str = "plan.json";
const RESULTS: &str = "results.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_is_of_viable_mutants_and_rounds_down() {
        assert_eq!([percent(9, 1), percent(2, 1), percent(0, 0), percent(0, 5)], [90, 66, 100, 0]);
    }

    #[test]
    fn an_interrupted_run_is_continued_from_its_files() {
        let folder = std::env::temp_dir().join(format!("mandate-mutants-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("mutants.out")).expect("folder");
        let plan = Plan::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        write(&folder.join(PLAN), &plan).expect("plan");
        std::fs::write(folder.join("mutants.out/caught.txt"), "a\nforeign\n").expect("caught");
        let first = collect(&folder).expect("first");
        std::fs::remove_dir_all(folder.join("mutants.out")).expect("rotated away");
        let second = collect(&folder).expect("second");
        std::fs::remove_dir_all(&folder).expect("clean");
        let expected = Results::from([("1".to_owned(), Fate::Caught)]);
        assert_eq!([first, second], [expected.clone(), expected]);
    }

    #[test]
    fn the_nearest_tests_are_of_the_mutants_part() {
        let plan = |names: &[&str]| -> Plan {
            names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect()
        };
        let names = ["core/authz/src/rule/scope.rs:1:1: x", "core/authz/src/limits.rs:1:1: x"];
        assert_eq!(
            Vec::from_iter(files(&plan(&names))),
            ["core/authz/src/limits.rs", "core/authz/src/rule/scope.rs"]
        );
        let found = by_tests(Package::Authz, plan(&names));
        let rule: &[_] = &["--lib", "--test", "rule"];
        assert_eq!(found, BTreeMap::from([(rule, plan(&names[..1]))]));
        assert_eq!(by_tests(Package::Authn, plan(&names)), BTreeMap::new());
    }
}
