//! Small rules of the house that no lint knows.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::check::Outcome;
use crate::checkout::Checkout;

/// Runs every rule over the tree and names every finding at once.
pub(crate) fn check(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let private = checkout.private_folders();
    let mut findings = Vec::new();
    for path in checkout.files()? {
        let name = path.strip_prefix(checkout.root())?.to_string_lossy().replace('\\', "/");
        let content = std::fs::read(&path).with_context(|| format!("cannot read `{name}`"))?;
        // A file that is no text (a captured packet, a picture) has no lines to look at.
        if let Ok(text) = String::from_utf8(content) {
            findings.extend(findings_in(&name, &text, &private));
        }
    }
    if !findings.is_empty() {
        bail!("{} findings:\n  {}", findings.len(), findings.join("\n  "));
    }
    Ok(Outcome::Done)
}

fn findings_in(name: &str, text: &str, private: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for folder in private {
        if text.contains(folder) {
            findings.push(format!("`{name}` names `{folder}`, a folder of this machine"));
        }
    }
    if is_rust(name) && !text.contains(GENERATED) {
        let lines = length_without_tests(text);
        if lines > LONGEST_FILE {
            findings.push(format!("`{name}` has {lines} lines without tests, over {LONGEST_FILE}"));
        }
    }
    if is_core_root(name) && !text.contains("#![forbid(unsafe_code)]") {
        findings.push(format!("`{name}` does not forbid unsafe code"));
    }
    findings
}

fn is_rust(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "rs")
}

/// `core/authn/src/lib.rs` and its like.
fn is_core_root(name: &str) -> bool {
    name.starts_with("core/") && name.ends_with("/src/lib.rs")
}

/// Lines before the tests at the bottom of a file.
fn length_without_tests(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// A file longer than this holds two ideas; review looks closer from 400 on.
const LONGEST_FILE: usize = 600;

/// The mark of a file that a generator keeps.
const GENERATED: &str = "//! Generated from `contract/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_a_folder_of_the_machine_is_found() {
        let found = findings_in("docs/a.md", "see /somewhere/tree/a", &["/somewhere/tree/".into()]);
        assert_eq!(found, ["`docs/a.md` names `/somewhere/tree/`, a folder of this machine"]);
    }

    #[test]
    fn lines_of_tests_do_not_make_a_file_long() {
        let code = "fn a() {}\n".repeat(LONGEST_FILE);
        let tests = "#[cfg(test)]\n".to_owned() + &code;
        assert_eq!(findings_in("a.rs", &format!("{code}{tests}"), &[]), [""; 0]);
        let expected = ["`a.rs` has 601 lines without tests, over 600"];
        assert_eq!(findings_in("a.rs", &format!("{code}fn b() {{}}\n"), &[]), expected);
    }

    #[test]
    fn a_core_crate_that_may_use_unsafe_code_is_found() {
        let expected = ["`core/authn/src/lib.rs` does not forbid unsafe code"];
        assert_eq!(findings_in("core/authn/src/lib.rs", "//! Tokens.\n", &[]), expected);
    }
}
