//! The figures as a table, and as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::delegation::targets::Target;
use crate::lineup::{Clock, Cost};

/// What one lineup cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// What was done.
    pub name: String,
    /// How time was told.
    pub clock: Clock,
    /// The contestants, the first being the one that the others are compared with.
    pub costs: Vec<Cost>,
}

/// Writes a table of ratios.
///
/// # Errors
/// When the output cannot be written.
pub fn write_table(sections: &[Section], output: &mut dyn Write) -> io::Result<()> {
    for section in sections {
        let first = section.costs.first().map_or("", |cost| cost.name);
        writeln!(output, "\n{} ({})", section.name, clock(section.clock))?;
        writeln!(output, "  {:<34}{:>14}{:>12}", "", "one call", "x")?;
        for cost in &section.costs {
            let time = time(cost.nanoseconds);
            let mark = if cost.name == first { " (compared with)" } else { "" };
            writeln!(output, "  {:<34}{time:>14}{:>12.2}{mark}", cost.name, cost.ratio)?;
        }
    }
    Ok(())
}

/// The same figures for a program.
#[must_use]
pub fn to_json(sections: &[Section]) -> Value {
    let sections = sections.iter().map(|section| {
        let costs = section.costs.iter().map(
            |cost| json!({"name": cost.name, "nanoseconds": cost.nanoseconds, "ratio": cost.ratio}),
        );
        json!({
            "name": section.name,
            "clock": clock(section.clock),
            "costs": costs.collect::<Vec<_>>(),
        })
    });
    json!({ "sections": sections.collect::<Vec<_>>() })
}

/// The aims as a table of a page, each with what was measured.
#[must_use]
pub fn aims(targets: &[Target]) -> String {
    let mut text = "\n| | aim | measured | |\n|---|---:|---:|---|\n".to_owned();
    for target in targets {
        let measured = target.measured.map(|measured| format!("{measured:.2} {}", target.unit));
        let verdict = match target.is_reached() {
            Some(true) => "reached",
            Some(false) => "**not reached**",
            None => "",
        };
        let measured = measured.unwrap_or_else(|| "not measured".to_owned());
        let _ = writeln!(text, "| {} | {} | {measured} | {verdict} |", target.what, target.bound());
    }
    text
}

/// A page with another part between two marks; `None` where it has no such marks.
#[must_use]
pub fn with_part(page: &str, [begin, end]: [&str; 2], part: &str) -> Option<String> {
    let (before, rest) = page.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{part}{end}{after}"))
}

const fn clock(clock: Clock) -> &'static str {
    match clock {
        Clock::Thread => "processor time of one thread",
        Clock::Wall => "time on the wall",
    }
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        below if below < 1e3 => format!("{below:.0} ns"),
        below if below < 1e6 => format!("{:.2} us", below / 1e3),
        more => format!("{:.2} ms", more / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegation::targets::Bound;

    fn sections() -> Vec<Section> {
        let cost = |name, nanoseconds, ratio| Cost { name, nanoseconds, ratio };
        let costs = vec![cost("native", 15_000.0, 1.0), cost("component", 300_000.0, 20.0)];
        vec![Section { name: "RS256".to_owned(), clock: Clock::Thread, costs }]
    }

    #[test]
    fn the_table_says_what_is_compared_with_what() {
        let mut table = Vec::new();
        write_table(&sections(), &mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        let lines: Vec<Vec<&str>> =
            table.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            lines,
            [
                vec!["RS256", "(processor", "time", "of", "one", "thread)"],
                vec!["one", "call", "x"],
                vec!["native", "15.00", "us", "1.00", "(compared", "with)"],
                vec!["component", "300.00", "us", "20.00"],
            ]
        );
    }

    #[test]
    fn an_aim_that_is_missed_is_said_loudly() {
        let target =
            |measured| Target { what: "file", bound: Bound::AtMost(18.0), measured, unit: "bytes" };
        let text = aims(&[target(Some(17.0)), target(Some(19.0)), target(None)]);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "| file | <= 18 bytes | 17.00 bytes | reached |",
                "| file | <= 18 bytes | 19.00 bytes | **not reached** |",
                "| file | <= 18 bytes | not measured |  |",
            ]
        );
    }

    #[test]
    fn what_is_around_the_marks_stays() {
        let marks = ["<!-- a: begin -->", "<!-- a: end -->"];
        let page = format!("before\n{}\nold\n{}\nafter\n", marks[0], marks[1]);
        let expected = format!("before\n{}\nnew\n{}\nafter\n", marks[0], marks[1]);
        assert_eq!(with_part(&page, marks, "new\n"), Some(expected));
        assert_eq!(with_part("no marks", marks, "new\n"), None);
    }

    #[test]
    fn the_json_holds_the_same_figures() {
        assert_eq!(
            to_json(&sections()),
            json!({"sections": [{
                "name": "RS256",
                "clock": "processor time of one thread",
                "costs": [
                    {"name": "native", "nanoseconds": 15_000.0, "ratio": 1.0},
                    {"name": "component", "nanoseconds": 300_000.0, "ratio": 20.0},
                ],
            }]})
        );
    }
}
