//! The figures in docs/performance.md, and their curves beside it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::Form;
use super::bench::Measured;
use super::chart::{Chart, Series};
use super::targets::targets;
use crate::report::{Section, aims, with_part};

/// Writes the tables between the page's marks, and the curves.
///
/// # Errors
/// When the page has no marks, or a file cannot be read or written.
pub fn write(measured: &[Measured], folder: &Path) -> Result<()> {
    let page = folder.join("performance.md");
    let text = std::fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let text = with_part(&text, MARKS, &tables(measured)).context("performance.md has no marks")?;
    std::fs::write(&page, text)?;
    for (file, chart) in charts(measured) {
        std::fs::write(folder.join(file), chart.to_svg())?;
    }
    Ok(())
}

/// What the tables say beside the checks: loads, changes and aims.
#[must_use]
pub fn summary(measured: &[Measured]) -> String {
    let mut text = String::new();
    text.push_str(&states(measured));
    text.push_str("\n### Aims, at 1e6 relationships\n");
    text.push_str(&aims(&targets(measured)));
    text
}

fn tables(measured: &[Measured]) -> String {
    let mut text = String::new();
    for world in measured {
        let _ = writeln!(text, "\n### {} relationships", world.relationships);
        for section in &world.checks {
            checks(&mut text, world, section);
        }
    }
    text.push_str(&summary(measured));
    for (file, chart) in charts(measured) {
        let _ = writeln!(text, "\n![{}]({file})", chart.title);
    }
    text
}

fn checks(text: &mut String, world: &Measured, section: &Section) {
    let _ = write!(text, "\n| asked with {} | one request | x | load, s |", section.name);
    text.push_str(" bytes a relationship |\n|---|---:|---:|---:|---:|\n");
    let loads = world.loads.iter().filter(|load| load.form.name() == section.name);
    for (cost, load) in section.costs.iter().zip(loads) {
        let _ = writeln!(
            text,
            "| {} | {} | {:.2} | {:.4} | {:.1} |",
            cost.name,
            time(cost.nanoseconds),
            cost.ratio,
            load.seconds,
            share(load.bytes, world.relationships)
        );
    }
}

fn states(measured: &[Measured]) -> String {
    let mut text =
        "\n### Loading and changing\n\n| relationships | file, bytes each | validation, \
                    native | in wasm | digests, in wasm | memory in wasm, to the file | delta of \
                    100, native | in wasm, signature and all | signature alone |\n"
            .to_owned();
    text.push_str("|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for world in measured {
        let wasm = &world.in_wasm;
        let _ = writeln!(
            text,
            "| {} | {:.1} | {} | {} | {} | {:.2} | {} | {} | {} |",
            world.relationships,
            share(world.file_bytes, world.relationships),
            time(world.validation),
            time(wasm.validation),
            time(wasm.digests),
            share(wasm.memory_bytes, world.file_bytes),
            time(world.delta),
            time(wasm.delta),
            time(wasm.heartbeat)
        );
    }
    text
}

/// The curves, each with its file.
fn charts(measured: &[Measured]) -> [(&'static str, Chart); 2] {
    let costs = measured.iter().flat_map(|world| {
        let sections = world.checks.iter().filter(|section| section.name != Form::Json.name());
        sections.flat_map(|section| {
            let costs = section.costs.iter();
            costs.map(|cost| {
                (label(cost.name, &section.name), world.relationships, cost.nanoseconds)
            })
        })
    });
    let sizes = measured.iter().flat_map(|world| {
        let loads = world.loads.iter().filter(|load| load.form == Form::Ids);
        loads.map(|load| {
            let bytes = share(load.bytes, world.relationships);
            (load.name.to_owned(), world.relationships, bytes)
        })
    });
    let chart = |title: &str, upwards, series| Chart {
        title: title.to_owned(),
        across: "relationships",
        upwards,
        series,
    };
    [
        ("performance-checks.svg", chart("One request", "nanoseconds", series(costs))),
        ("performance-memory.svg", chart("Memory", "bytes a relationship", series(sizes))),
    ]
}

/// Who is not asked with ids says so.
fn label(name: &str, form: &str) -> String {
    if form == Form::Ids.name() { name.to_owned() } else { format!("{name}, {form}") }
}

/// One series a name, in the order in which the names come first.
fn series(points: impl Iterator<Item = (String, usize, f64)>) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (name, relationships, value) in points {
        let point = (to_number(relationships), value.max(1.0));
        match series.iter_mut().find(|known| known.name == name) {
            Some(known) => known.points.push(point),
            None => series.push(Series { name, points: vec![point] }),
        }
    }
    series
}

fn share(bytes: usize, relationships: usize) -> f64 {
    to_number(bytes) / to_number(relationships)
}

#[expect(clippy::as_conversions, reason = "sizes of memory, far below where a double is inexact")]
const fn to_number(count: usize) -> f64 {
    count as f64
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        below if below < 1e3 => format!("{below:.0} ns"),
        below if below < 1e6 => format!("{:.2} us", below / 1e3),
        more => format!("{:.2} ms", more / 1e6),
    }
}

const MARKS: [&str; 2] = ["<!-- measured: begin -->", "<!-- measured: end -->"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::bench::Load;
    use crate::delegation::loads::InWasm;
    use crate::lineup::{Clock, Cost};

    fn measured() -> Vec<Measured> {
        let world = |relationships: usize, nanoseconds| {
            let section = Section {
                name: Form::Ids.name().to_owned(),
                clock: Clock::Thread,
                costs: vec![
                    Cost { name: "kernel", nanoseconds: 300.0, ratio: 1.0 },
                    Cost { name: "mandate", nanoseconds, ratio: nanoseconds / 300.0 },
                ],
            };
            let bytes = relationships.saturating_mul(16);
            let load = |name| Load { name, form: Form::Ids, seconds: 0.0125, bytes };
            Measured {
                relationships,
                file_bytes: bytes,
                checks: vec![section],
                loads: ["kernel", "mandate"].map(load).to_vec(),
                validation: 9e6,
                delta: 45_000.0,
                in_wasm: InWasm {
                    memory_bytes: relationships.saturating_mul(24),
                    ..InWasm::default()
                },
            }
        };
        vec![world(1_000, 420.0), world(100_000, 1_500.0)]
    }

    #[test]
    fn the_table_has_a_line_for_each_contestant() {
        let measured = measured();
        let mut text = String::new();
        checks(&mut text, &measured[0], &measured[0].checks[0]);
        let expected = "
| asked with four ids | one request | x | load, s | bytes a relationship |
|---|---:|---:|---:|---:|
| kernel | 300 ns | 1.00 | 0.0125 | 16.0 |
| mandate | 420 ns | 1.40 | 0.0125 | 16.0 |
";
        assert_eq!(text, expected);
    }

    #[test]
    fn loading_has_a_line_for_each_world() {
        let text = states(&measured());
        let lines: Vec<&str> = text.lines().skip(5).collect();
        let shared = "16.0 | 9.00 ms | 0 ns | 0 ns | 1.50 | 45.00 us | 0 ns | 0 ns |";
        assert_eq!(lines, [format!("| 1000 | {shared}"), format!("| 100000 | {shared}")]);
    }

    #[test]
    fn a_curve_has_a_point_for_each_world() {
        let [(_, checks), _] = charts(&measured());
        let points = |name: &str, points: [(f64, f64); 2]| Series {
            name: name.to_owned(),
            points: points.to_vec(),
        };
        assert_eq!(
            checks.series,
            [
                points("kernel", [(1e3, 300.0), (1e5, 300.0)]),
                points("mandate", [(1e3, 420.0), (1e5, 1500.0)]),
            ]
        );
    }
}
