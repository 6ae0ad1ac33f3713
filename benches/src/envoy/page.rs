//! The figures in docs/performance.md.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::contestant::Method;
use super::memory::{Memory, Resident};
use super::run::{CLOCK, Measured};
use super::targets::targets;
use crate::report::{aims, with_part};

/// Writes the tables between the page's marks.
///
/// # Errors
/// When the page has no marks, or cannot be read or written.
pub fn write(measured: &Measured, memory: Option<&Memory>, folder: &Path) -> Result<()> {
    let page = folder.join("performance.md");
    let text = std::fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let text = with_part(&text, MARKS, &tables(measured, memory));
    std::fs::write(&page, text.context("performance.md has no marks")?)?;
    Ok(())
}

/// All tables.
#[must_use]
pub fn tables(measured: &Measured, memory: Option<&Memory>) -> String {
    let plan = &measured.plan;
    let (rounds, requests) = (plan.rounds, plan.requests);
    let worlds: Vec<String> = measured.relationships.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "\n{rounds} rounds of {requests} requests, in which all take turns; worlds of {} \
         relationships. Microseconds of one request: {CLOCK}; the least of the rounds, and beside it \
         their middle and the most.\n",
        worlds.join(" and ")
    );
    for (method, title) in [(Method::Get, "GET"), (Method::Post, "POST of an MCP call, 1 KiB")] {
        costs(&mut text, measured, method, title);
    }
    if let Some(memory) = memory {
        residents(&mut text, memory);
    }
    text.push_str("\n#### Aims\n");
    text.push_str(&aims(&targets(measured, memory)));
    text
}

fn costs(text: &mut String, measured: &Measured, method: Method, title: &str) {
    let _ = write!(text, "\n| {title} | us | middle | most | over no filter | signatures each |");
    text.push_str("\n|---|---:|---:|---:|---:|---:|\n");
    for row in measured.rows.iter().filter(|row| row.contestant.method == method) {
        let name = row.contestant.name;
        let over = measured.over(method, name).unwrap_or(f64::NAN);
        let checked = row.checked.map(|share| format!("{share:.2}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {name} | {:.1} | {:.1} | {:.1} | {over:+.1} | {checked} |",
            row.least(),
            row.middle(),
            row.most()
        );
    }
}

fn residents(text: &mut String, memory: &Memory) {
    let Memory { snapshot, few, more } = memory;
    let bytes = u64::try_from(*snapshot).unwrap_or(u64::MAX);
    let _ = writeln!(
        text,
        "\n| memory, snapshot of {} | {} worker | {} workers | each further worker, to the snapshot |\
         \n|---|---:|---:|---:|",
        megabytes(bytes),
        few.workers,
        more.workers
    );
    let line = |text: &mut String, name: &str, of: &dyn Fn(&Resident) -> u64, share: &str| {
        let (few, more) = (megabytes(of(few)), megabytes(of(more)));
        let _ = writeln!(text, "| {name} | {few} | {more} | {share} |");
    };
    line(text, "empty", &|one| one.empty, "");
    for swaps in 0..=memory.swaps() {
        let name = match swaps {
            0 => "first snapshot".to_owned(),
            swaps => format!("replaced {swaps} times"),
        };
        let share = memory.per_worker(swaps).unwrap_or(f64::NAN);
        let of = |one: &Resident| one.loaded.get(swaps).copied().unwrap_or_default();
        line(text, &name, &of, &format!("{share:.2}"));
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

const MARKS: [&str; 2] = ["<!-- envoy: begin -->", "<!-- envoy: end -->"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envoy::contestant::{ALL, Filters, NO_FILTER};
    use crate::envoy::run::{Plan, Row};

    #[test]
    fn a_row_says_what_comes_on_top_of_no_filter() {
        let row = |number: usize, rounds: [f64; 3]| Row {
            contestant: ALL[number],
            rounds: rounds.to_vec(),
            checked: matches!(ALL[number].filters, Filters::Gate(_)).then_some(1.0),
        };
        let rows = vec![row(0, [20.0, 21.0, 25.0]), row(14, [30.5, 30.0, 31.0])];
        assert_eq!(rows[0].contestant.name, NO_FILTER);
        let measured = Measured { rows, relationships: vec![1000], plan: Plan::trial() };
        let mut text = String::new();
        costs(&mut text, &measured, Method::Get, "GET");
        let expected = "
| GET | us | middle | most | over no filter | signatures each |
|---|---:|---:|---:|---:|---:|
| no filter | 20.0 | 21.0 | 25.0 | +0.0 |  |
| mandate, RS256, every token new | 30.0 | 30.5 | 31.0 | +10.0 | 1.00 |
";
        assert_eq!(text, expected);
    }
}
