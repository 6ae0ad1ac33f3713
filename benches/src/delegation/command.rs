//! What the benches of the delegation workload have in common: their arguments and their output.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;

use super::bench::{self, Plan};
use super::targets::{self, targets};
use super::{Contestant, page};
use crate::report::write_table;

/// Runs the contestants as the arguments of this process say, and prints what they cost.
///
/// # Errors
/// When a world does not load, an answer is wrong, or the output cannot be written.
pub fn run(contestants: &[Contestant]) -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let asked = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let docs = arguments.iter().position(|argument| argument == "--docs");
    let docs = docs.and_then(|at| arguments.get(at.checked_add(1)?)).map(PathBuf::from);
    let whole = asked("--bench") || asked("--json") || docs.is_some();
    let plan = if whole { Plan::whole(asked("--largest")) } else { Plan::trial() };
    let measured = bench::run(&plan, contestants)?;
    if let Some(folder) = docs {
        page::write(&measured, &folder)?;
    }
    let mut output = std::io::stdout().lock();
    if asked("--json") {
        let mut all = bench::to_json(&measured);
        if let Some(members) = all.as_object_mut() {
            members.insert("targets".to_owned(), targets::to_json(&targets(&measured)));
        }
        writeln!(output, "{all}")?;
        return Ok(());
    }
    for world in &measured {
        writeln!(output, "\n{} relationships", world.relationships)?;
        write_table(&world.checks, &mut output)?;
    }
    writeln!(output, "{}", page::summary(&measured))?;
    Ok(())
}
