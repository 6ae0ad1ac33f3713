//! The README's worked check: its commands, run as they stand there.

#![expect(clippy::unwrap_used, reason = "tests")]

mod cli;

use std::path::Path;
use std::process::Command;

use cli::{Folder, has_plugin};

/// The block of shell commands that builds a snapshot: what comes before the first question, and
/// the questions.
fn worked_check() -> (String, Vec<String>) {
    let readme = include_str!("../../../README.md");
    let blocks = readme.split("```sh\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| Some(rest.split_once("\n```")?.0));
    let block = blocks.find(|block| block.contains("mandate snapshot build")).unwrap();
    let (before, questions) = block.split_once("\nmay ").unwrap();
    let questions =
        questions.lines().map(|line| format!("may {}", line.trim_start_matches("may ")));
    (before.to_owned(), questions.collect())
}

/// A folder in which a person could stand: the checkout's files, and `mandate` in the path.
fn shell(folder: &Folder, script: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_mandate")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let ran = Command::new("sh")
        .args(["-c", script])
        .current_dir(folder.path(""))
        .env("PATH", format!("{}:{path}", program.display()))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn readme_worked_check() {
    if !has_plugin("the worked check of the README") {
        return;
    }
    let folder = Folder::new("readme");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for name in ["contract", "docs"] {
        std::os::unix::fs::symlink(root.join(name), folder.path(name)).unwrap();
    }
    let (before, questions) = worked_check();
    let asked: Vec<String> =
        questions.iter().map(|question| format!("echo '=='; {question}\n")).collect();
    // The answers are told by their first lines; a denial's exit code is no failure here.
    let output = shell(&folder, &format!("{before}\n{}\nexit 0", asked.concat()));
    let answers: Vec<&str> =
        output.split("==\n").skip(1).map(|answer| answer.lines().next().unwrap()).collect();
    let stated: Vec<&str> = questions
        .iter()
        .map(|question| question.split_once("# ").unwrap().1)
        .map(|comment| comment.split_once(':').map_or(comment, |(answer, _)| answer))
        .collect();
    assert_eq!(answers, stated);
    let mut reasons = stated.clone();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons.len(), stated.len(), "every denial has a reason of its own");
    assert_eq!(stated.len(), 11);
}

/// What the README prints of an allowed answer, line by line; `…` leaves lines out.
#[cfg(unix)]
#[test]
fn readme_shows_the_path_as_it_is_printed() {
    if !has_plugin("the answer in the README") {
        return;
    }
    let readme = include_str!("../../../README.md");
    let shown = readme.split("```console\nallow\n").nth(1).unwrap().split_once("\n```").unwrap().0;
    let folder = Folder::new("readme-path");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for name in ["contract", "docs"] {
        std::os::unix::fs::symlink(root.join(name), folder.path(name)).unwrap();
    }
    let (before, questions) = worked_check();
    let output = shell(&folder, &format!("{before}\n{}", questions.first().unwrap()));
    let answer = output.split_once("\nallow\n").unwrap().1;
    for line in shown.lines().filter(|line| line.trim() != "…") {
        assert!(answer.lines().any(|printed| printed == line), "{line}\n{answer}");
    }
}
