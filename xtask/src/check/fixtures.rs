//! Every refusal has a fixture, and every fixture that denies an accepted twin.

mod authz;
mod gate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::check::Outcome;
use crate::checkout::Checkout;
use crate::generate::ReasonCodes;

/// What the guard needs of one fixture.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Fixture {
    verdict: String,
    reason: String,
    twin: Option<String>,
}

type Fixtures = BTreeMap<String, Fixture>;

/// Reads `contract/fixtures` and names every gap at once.
pub(crate) fn check(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let text = std::fs::read_to_string(checkout.path("contract/reason-codes.toml"))?;
    let codes = ReasonCodes::parse(&text)?;
    let mut fixtures = Fixtures::new();
    read_folder(&checkout.path("contract/fixtures/authn"), &mut fixtures)?;
    let mut gaps = gaps(&codes, &fixtures);
    let decisions = authz::check(&codes, &checkout.path("contract/fixtures/authz"))?;
    let decisions = decisions.unwrap_or_else(|more| {
        gaps.extend(more);
        0
    });
    let at_the_gate = gate::check(&codes, &checkout.path("contract/fixtures/gate"))?;
    let at_the_gate = at_the_gate.unwrap_or_else(|more| {
        gaps.extend(more);
        0
    });
    if !gaps.is_empty() {
        bail!("{} gaps:\n  {}", gaps.len(), gaps.join("\n  "));
    }
    crate::say!(
        "check: {} fixtures of token validation, {decisions} decisions, {at_the_gate} at the gate",
        fixtures.len()
    );
    Ok(Outcome::Done)
}

/// One line for every code without a fixture and every denying fixture without an accepted twin.
fn gaps(codes: &ReasonCodes, fixtures: &Fixtures) -> Vec<String> {
    let expected: BTreeSet<_> = fixtures.values().map(|fixture| fixture.reason.as_str()).collect();
    // Codes of class token that fail at another line (`token-revoked`) are not token validation's.
    let of_tokens = codes.iter().filter(|code| code.class == "token" && code.line == "token");
    let uncovered = of_tokens
        .filter(|code| !expected.contains(code.code.as_str()))
        .map(|code| format!("no fixture expects `{}`", code.code));
    let denying = fixtures.iter().filter(|(_, fixture)| fixture.verdict == "deny");
    let alone = denying.filter_map(|(id, fixture)| {
        let Some(twin) = &fixture.twin else { return Some(format!("`{id}` names no twin")) };
        match fixtures.get(twin) {
            None => Some(format!("twin `{twin}` of `{id}` does not exist")),
            Some(twin) if twin.verdict == "allow" => None,
            Some(_) => Some(format!("twin `{twin}` of `{id}` is not accepted")),
        }
    });
    uncovered.chain(alone).collect()
}

/// Reads every fixture below a folder; names that begin with `_` hold what fixtures share.
fn read_folder(folder: &Path, fixtures: &mut Fixtures) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder);
    for entry in entries.with_context(|| format!("cannot read `{}`", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('_') {
            continue;
        }
        if path.is_dir() {
            read_folder(&path, fixtures)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let text = std::fs::read_to_string(&path)?;
            let (id, fixture) = read(&text).with_context(|| path.display().to_string())?;
            if fixtures.insert(id.clone(), fixture).is_some() {
                bail!("two fixtures have the id `{id}`");
            }
        }
    }
    Ok(())
}

fn read(text: &str) -> anyhow::Result<(String, Fixture)> {
    let fixture: Value = serde_json::from_str(text)?;
    let member =
        |pointer: &str| fixture.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let required =
        |pointer: &str| member(pointer).with_context(|| format!("no text at `{pointer}`"));
    Ok((
        required("/id")?,
        Fixture {
            verdict: required("/expect/verdict")?,
            reason: required("/expect/reason")?,
            twin: member("/twin"),
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes() -> ReasonCodes {
        ReasonCodes::of(&[("token-expired", "token", "token"), ("token-revoked", "token", "2")])
    }

    fn fixtures(all: &[(&str, &str, &str, Option<&str>)]) -> Fixtures {
        let fixture = |(id, verdict, reason, twin): &(&str, &str, &str, Option<&str>)| {
            let twin = twin.map(str::to_owned);
            let fixture =
                Fixture { verdict: (*verdict).to_owned(), reason: (*reason).to_owned(), twin };
            ((*id).to_owned(), fixture)
        };
        all.iter().map(fixture).collect()
    }

    #[test]
    fn a_code_with_a_fixture_and_a_fixture_with_a_twin_leave_no_gap() {
        let all = fixtures(&[
            ("fresh", "allow", "ok", None),
            ("late", "deny", "token-expired", Some("fresh")),
        ]);
        assert_eq!(gaps(&codes(), &all), [""; 0]);
    }

    #[test]
    fn a_code_without_a_fixture_is_a_gap() {
        assert_eq!(gaps(&codes(), &Fixtures::new()), ["no fixture expects `token-expired`"]);
    }

    #[test]
    fn a_twin_that_is_missing_unknown_or_denied_is_a_gap() {
        let all = fixtures(&[
            ("alone", "deny", "token-expired", None),
            ("lost", "deny", "token-expired", Some("nowhere")),
            ("paired", "deny", "token-expired", Some("alone")),
        ]);
        let expected = [
            "`alone` names no twin",
            "twin `nowhere` of `lost` does not exist",
            "twin `alone` of `paired` is not accepted",
        ];
        assert_eq!(gaps(&codes(), &all), expected);
    }

    #[test]
    fn a_fixture_without_a_reason_is_refused() {
        let error = read(r#"{"id": "a", "expect": {"verdict": "deny"}}"#).expect_err("refused");
        assert_eq!(error.to_string(), "no text at `/expect/reason`");
    }
}
