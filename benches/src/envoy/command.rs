//! The bench as a command: its arguments and its output.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::contestant::{ALL, NO_FILTER};
use super::deployment::Size;
use super::programs::Programs;
use super::run::{Plan, check_caches, run};
use super::targets::targets;
use super::{memory, page};
use crate::delegation::targets as aims;

/// Runs everybody as the arguments of this process say, and prints what they cost.
///
/// `--bench` (or `--json`, or `--docs FOLDER`) is the whole run, in `--rounds N` of `--requests N`, over
/// so many snapshots as `--swaps N` says; `--only TEXT` lets those take part whose names have it, and
/// `--tokens N` mints fewer tokens, of which caches then hold all. Without any of the first three, one
/// short turn shows that the bench works.
///
/// # Errors
/// When something is missing or does not start, an answer is wrong, or the output cannot be written.
pub fn run_command() -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let value = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at.checked_add(1)?)
    };
    let number = |flag: &str, usual: usize| -> Result<usize> {
        let Some(value) = value(flag) else { return Ok(usual) };
        let text = value.to_str().with_context(|| format!("{flag} needs a number"))?;
        text.parse().with_context(|| format!("{flag} needs a number"))
    };
    let docs = value("--docs").map(PathBuf::from);
    let whole = asked("--bench") || asked("--json") || docs.is_some();
    let plan = match whole {
        true => {
            let usual = Plan::whole(number("--rounds", 15)?, number("--requests", 20_000)?);
            let fresh = number("--tokens", usual.fresh)?;
            let swaps = number("--swaps", usual.swaps)?;
            Plan { fresh, swaps, many: usual.many.min(fresh), ..usual }
        }
        false => Plan::trial(),
    };
    let programs = Programs::find()?;
    let only = value("--only").and_then(|text| text.to_str()).unwrap_or_default();
    let named = ALL.iter().filter(|one| one.name == NO_FILTER || one.name.contains(only));
    let measured = run(&plan, &programs, &named.copied().collect::<Vec<_>>())?;
    if whole && plan.fresh >= Plan::whole(0, 0).fresh {
        check_caches(&measured)?;
    }
    let memory = match plan.swaps {
        0 => None,
        swaps => Some(memory::measure(&programs, &Size::SIXTEEN_MEGABYTES.build()?, swaps)?),
    };
    if let Some(folder) = docs {
        page::write(&measured, memory.as_ref(), &folder)?;
    }
    let mut output = std::io::stdout().lock();
    if asked("--json") {
        let all = json!({
            "requests": measured.to_json(),
            "memory": memory.as_ref().map(memory::Memory::to_json),
            "targets": aims::to_json(&targets(&measured, memory.as_ref())),
        });
        writeln!(output, "{all}")?;
    } else {
        writeln!(output, "{}", page::tables(&measured, memory.as_ref()))?;
    }
    Ok(())
}
