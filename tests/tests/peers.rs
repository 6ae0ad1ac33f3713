//! Other libraries on the contract's fixtures: the scores of docs/peers.md come from this run.
//!
//! `MANDATE_WRITE_PEERS=1` writes them.

#![expect(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use mandate::conformance::{
    Comparison, Concrete, Exceptions, Exec, ExecOptions, FixtureKind, FixtureSet, Implementation,
    Native, Outcome, Report,
};
use mandate_tests::peer::Peer;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/peers.md");
const BEGIN: &str = "<!-- written by tests/tests/peers.rs: begin -->\n";
const END: &str = "<!-- end -->";

/// One implementation's answers, by class of fixture.
#[derive(Debug, Default)]
struct Score {
    name: String,
    agree: usize,
    skipped: usize,
    wrongly_allowed: BTreeMap<String, Vec<String>>,
    wrongly_denied: BTreeMap<String, Vec<String>>,
}

#[test]
fn the_committed_scores_are_those_of_a_run() {
    let commands = Peer::ALL.map(|peer| (peer, peer.command("the scores of other libraries")));
    let here: Vec<(Peer, Vec<String>)> =
        commands.into_iter().filter_map(|(peer, command)| Some((peer, command?))).collect();
    // The page has a column for each library: with one missing there is nothing to compare.
    if here.len() < Peer::ALL.len() {
        return;
    }
    let all = FixtureSet::embedded().unwrap().concrete().unwrap();
    // Loading a contract is no library's business: those fixtures are not asked.
    let asked: Vec<Concrete> =
        all.iter().filter(|one| one.fixture.kind == FixtureKind::Validate).cloned().collect();
    let mut scores = vec![Score::of(&mut Native::new(), &asked)];
    for (peer, command) in here {
        let quoted: Vec<String> = command.iter().map(|word| format!("\"{word}\"")).collect();
        let mut exec = Exec::new(peer.name(), &quoted.join(" "), ExecOptions::default()).unwrap();
        scores.push(Score::of(&mut exec, &asked));
    }
    let section = section(&scores, asked.len(), all.len() - asked.len());
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (committed, after) = rest.split_once(END).unwrap();
    if std::env::var_os("MANDATE_WRITE_PEERS").is_some() {
        std::fs::write(Path::new(PAGE), format!("{before}{BEGIN}{section}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(committed, section, "docs/peers.md: MANDATE_WRITE_PEERS=1 writes it anew");
}

impl Score {
    fn of(implementation: &mut dyn Implementation, fixtures: &[Concrete]) -> Self {
        let name = implementation.name().to_owned();
        let report =
            Report::make(implementation, fixtures, &Exceptions::default(), Comparison::Decision);
        let mut score = Self { name, ..Self::default() };
        for run in report.runs {
            match run.outcome {
                Outcome::Agree => score.agree += 1,
                Outcome::Skipped { .. } => score.skipped += 1,
                Outcome::Disagree { expected, actual } => {
                    let known = actual.starts_with("allow") || actual.starts_with("deny");
                    assert!(known, "{}: {}: {actual}", score.name, run.id);
                    let wrong = if expected.starts_with("deny") {
                        &mut score.wrongly_allowed
                    } else {
                        &mut score.wrongly_denied
                    };
                    wrong.entry(run.class).or_default().push(run.id);
                }
                Outcome::Exception { reason } => panic!("{}: an exception: {reason}", run.id),
            }
        }
        score
    }
}

fn section(scores: &[Score], asked: usize, not_asked: usize) -> String {
    let mut text = String::new();
    writeln!(text, "{asked} fixtures about tokens; {not_asked} about contracts are not asked.\n")
        .unwrap();
    writeln!(text, "| | agree | wrongly allowed | wrongly denied | skipped |").unwrap();
    writeln!(text, "|---|---:|---:|---:|---:|").unwrap();
    for score in scores {
        let count =
            |wrong: &BTreeMap<String, Vec<String>>| wrong.values().map(Vec::len).sum::<usize>();
        let (allowed, denied) = (count(&score.wrongly_allowed), count(&score.wrongly_denied));
        writeln!(
            text,
            "| {} | {} | {allowed} | {denied} | {} |",
            name(score),
            score.agree,
            score.skipped
        )
        .unwrap();
    }
    classes(&mut text, "Wrongly allowed", scores, |score| &score.wrongly_allowed);
    classes(&mut text, "Wrongly denied", scores, |score| &score.wrongly_denied);
    text
}

/// Counts a class and library, and every fixture by its id.
fn classes(
    text: &mut String,
    title: &str,
    scores: &[Score],
    wrong: impl Fn(&Score) -> &BTreeMap<String, Vec<String>>,
) {
    let others = scores.iter().skip(1);
    let mut ids: BTreeMap<&str, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
    for score in others {
        for (class, fixtures) in wrong(score) {
            for id in fixtures {
                ids.entry(class).or_default().entry(id).or_default().push(&score.name);
            }
        }
    }
    writeln!(text, "\n{title}, by class of fixture:\n\n| class | fixture: by whom |\n|---|---|")
        .unwrap();
    for (class, fixtures) in ids {
        let mut by_whom: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (id, names) in fixtures {
            let names =
                if names.len() == Peer::ALL.len() { "all".to_owned() } else { names.join(", ") };
            by_whom.entry(names).or_default().push(id);
        }
        let cells: Vec<String> = by_whom
            .iter()
            .map(|(names, ids)| format!("**{names}** ({}): {}", ids.len(), ids.join(", ")))
            .collect();
        writeln!(text, "| {class} | {} |", cells.join("<br>")).unwrap();
    }
}

fn name(score: &Score) -> &str {
    if score.name == "native" { "Mandate" } else { &score.name }
}
