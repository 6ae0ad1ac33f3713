//! libFuzzer on stable: `RUSTC_BOOTSTRAP=1` gives cargo-fuzz its sanitizer.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::checkout::Checkout;
use crate::process;
use crate::setup::{CARGO_FUZZ, need_tool};
use crate::summary::Summary;
use crate::unavailable::Unavailable;

/// Seconds a target inside `cargo xtask test`.
const SHORT_SECONDS: u32 = 30;

/// Targets at a time there: each runs on one core, and no machine that builds this has fewer.
const SHORT_JOBS: usize = 2;

/// Runs every target briefly; without targets it is a skipped part.
///
/// # Errors
/// When a target crashes.
pub(crate) fn run_short(checkout: &Checkout, summary: &mut Summary) -> anyhow::Result<()> {
    if !checkout.path("fuzz/Cargo.toml").exists() {
        summary.skip("fuzzing", "fuzz/ has no targets");
        return Ok(());
    }
    run(checkout, SHORT_SECONDS, SHORT_JOBS, &[])
}

/// Runs the named targets, or all, so many at a time.
///
/// # Errors
/// When a target is unknown, does not build, or crashes; the log is named.
pub(crate) fn run(
    checkout: &Checkout,
    seconds: u32,
    jobs: usize,
    only: &[String],
) -> anyhow::Result<()> {
    let targets = targets(checkout)?;
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        let remedy = format!("there are {}", targets.join(", "));
        return Err(Unavailable::new(format!("the fuzz target `{unknown}`"), remedy).into());
    }
    let program = need_tool(checkout, &CARGO_FUZZ)?;
    let mut build = cargo_fuzz(checkout, &program, "build");
    // One target is built alone, more than one with all: cargo-fuzz knows nothing in between.
    process::step("fuzz", build.args(only.first().filter(|_| only.len() == 1)))?;
    let chosen = targets.iter().filter(|name| only.is_empty() || only.contains(name));
    let waiting = Mutex::new(chosen);
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let work = || -> anyhow::Result<()> {
        while let Some(target) = next() {
            fuzz(checkout, &program, target, seconds)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a thread of the fuzzing campaign ended early"),
        });
        // All end before the first failure is told: none is left running.
        results.collect::<Vec<_>>().into_iter().collect()
    })
}

/// One target with a time limit; its output goes to a log, its last figures to the terminal.
fn fuzz(checkout: &Checkout, program: &Path, target: &str, seconds: u32) -> anyhow::Result<()> {
    let folder = checkout.path("target/fuzz-logs");
    std::fs::create_dir_all(&folder).context("cannot make target/fuzz-logs")?;
    let path = folder.join(format!("{target}.log"));
    let log = File::create(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    crate::say!("fuzz: {target} for {seconds} s, log in {}", path.display());
    let mut run = cargo_fuzz(checkout, program, "run");
    run.arg(target).arg(checkout.path("fuzz/corpus").join(target));
    std::fs::create_dir_all(checkout.path("fuzz/corpus").join(target))?;
    run.args(["--", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
    run.arg(format!("-max_total_time={seconds}"));
    let status =
        run.stdout(log.try_clone()?).stderr(log).status().context("cannot run cargo-fuzz")?;
    let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
    if !status.success() {
        for line in last_lines(&text, 30) {
            crate::say!("{line}");
        }
        bail!("fuzz target `{target}` failed, see `{}`", path.display());
    }
    let runs = executions(&text).context("libFuzzer stated no number of runs")?;
    ensure!(runs > 0, "fuzz target `{target}` ran nothing");
    crate::say!("fuzz: {target}: {runs} runs, clean");
    Ok(())
}

fn cargo_fuzz(checkout: &Checkout, program: &Path, subcommand: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(checkout.root()).arg(subcommand).args(["--fuzz-dir", "fuzz"]);
    // Beside the tools: a new checkout does not build libFuzzer and what the crates depend on again.
    command.arg("--target-dir").arg(checkout.cache("fuzz"));
    command.env("RUSTC_BOOTSTRAP", "1").env_remove("CARGO_TARGET_DIR");
    command
}

/// The binaries of `fuzz/Cargo.toml`.
fn targets(checkout: &Checkout) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(checkout.path("fuzz/Cargo.toml"))
        .context("cannot read `fuzz/Cargo.toml`")?;
    names(&text).context("fuzz/Cargo.toml")
}

fn names(manifest: &str) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Manifest {
        bin: Vec<Binary>,
    }
    #[derive(Deserialize)]
    struct Binary {
        name: String,
    }
    let manifest: Manifest = toml::from_str(manifest)?;
    Ok(manifest.bin.into_iter().map(|binary| binary.name).collect())
}

/// `stat::number_of_executed_units: 123` is 123.
fn executions(log: &str) -> Option<u64> {
    let mut lines = log.lines().rev();
    lines.find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

fn last_lines(text: &str, count: usize) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().rev().take(count).collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_are_the_binaries_of_the_manifest() {
        let manifest =
            "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"token\"\n[[bin]]\nname = \"key_set\"\n";
        assert_eq!(names(manifest).expect("names"), ["token", "key_set"]);
    }

    #[test]
    fn the_number_of_runs_is_read_from_the_log() {
        let log = "#2 INITED\nstat::number_of_executed_units: 4711\nstat::peak_rss_mb: 40\n";
        assert_eq!([executions(log), executions("")], [Some(4711), None]);
    }
}
