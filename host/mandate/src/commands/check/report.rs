//! A decision for people.

use mandate_authn::ReasonCode;
use serde_json::Value;

use super::tree;
use crate::moment;
use crate::output::Page;

/// The page of a decision made at `now` on a snapshot issued at `issued_at`.
pub(super) fn page(answer: &Value, now: u64, issued_at: u64) -> Page {
    let mut page = Page::new();
    let text = |member: &str| answer.get(member).and_then(Value::as_str);
    let reason = text("reason").unwrap_or_default();
    if text("verdict") == Some("allow") {
        page.line("allow");
    } else {
        page.line(&format!("deny {reason}"));
    }
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mut put = |name: &'static str, value: Option<String>| {
        rows.extend(value.filter(|value| !value.is_empty()).map(|value| (name, value)));
    };
    put("detail", text("detail").map(str::to_owned));
    put("failed at", text("failing_line").map(place));
    let denied = text("verdict") != Some("allow");
    let meaning = ReasonCode::parse(reason).filter(|_| denied).map(ReasonCode::meaning);
    put("meaning", meaning.map(str::to_owned));
    put("hint", hint(reason));
    put("whose", text("principal").map(str::to_owned));
    for (name, member) in BOUND {
        put(name, text(member).map(str::to_owned));
    }
    put("scopes", scopes(answer));
    put("contract", text("contract_version").map(str::to_owned));
    put("state", state(answer, now, issued_at));
    put("now", Some(moment::utc(now)));
    page.rows(&rows);
    // Whom a path leads to: nothing explains them any further.
    let ends: Vec<&str> = ["user", "agent", "service"].into_iter().filter_map(text).collect();
    write_path(&mut page, "by", answer.get("relation_path"), "", &ends);
    write_lines(&mut page, answer, &ends);
    page
}

/// What was bound, by the names of people and of the answer's members.
const BOUND: [(&str, &str); 10] = [
    ("binding", "binding_mode"),
    ("user", "user"),
    ("agent", "agent"),
    ("service", "service"),
    ("asserter", "asserter"),
    ("tenant", "tenant"),
    ("credential", "credential"),
    ("delegation", "delegation"),
    ("role", "role"),
    ("context", "context_id"),
];

/// What the caller would be asked for.
fn scopes(answer: &Value) -> Option<String> {
    let scopes = answer.get("required_scopes")?.as_array()?;
    Some(scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "))
}

fn state(answer: &Value, now: u64, issued_at: u64) -> Option<String> {
    let number = |member: &str| answer.get(member).and_then(Value::as_u64);
    let (era, epoch) = (number("era")?, number("epoch")?);
    Some(format!("era {era}, epoch {epoch}, issued {}", moment::relative(issued_at, now)))
}

fn hint(reason: &str) -> Option<String> {
    (reason == "snapshot-stale")
        .then(|| "`--any-age` looks past the age of a file; a door never does".to_owned())
}

/// Where it failed.
fn place(line: &str) -> String {
    match title(line) {
        "" => line.to_owned(),
        title => format!("line {line}, which needs: {title}"),
    }
}

/// What each line of the rule is about: contract/CONTRACT.md#rule.
fn title(line: &str) -> &'static str {
    match line {
        "1" => "the state is loaded, verified and fresh",
        "2" => "user, agent and credential are known and active",
        "3" => "everything is of one tenant",
        "4" => "the user has delegated to the agent",
        "5" => "token scope and identity cover the action",
        "6" => "the user may use the agent",
        "7" => "agent and user may call the tool",
        "8" => "the user has the relation to every resource",
        _ => "",
    }
}

fn write_path(page: &mut Page, title: &str, path: Option<&Value>, indent: &str, ends: &[&str]) {
    let steps: Vec<&str> =
        path.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if steps.is_empty() {
        return;
    }
    if !title.is_empty() {
        page.line(&format!("{indent}{title}"));
    }
    for line in tree::lines(&steps, ends) {
        page.line(&format!("{indent}  {line}"));
    }
}

/// Every line of the rule, where it was asked for.
fn write_lines(page: &mut Page, answer: &Value, ends: &[&str]) {
    let Some(lines) = answer.get("lines").and_then(Value::as_array) else { return };
    page.line("lines");
    for report in lines {
        let text = |member: &str| report.get(member).and_then(Value::as_str).unwrap_or_default();
        let line = text("line");
        let verdict = match text("verdict") {
            "fails" => format!("FAILS {}: {}", text("reason"), text("detail")),
            "not-asked" => "not asked".to_owned(),
            verdict => verdict.to_owned(),
        };
        page.line(&format!("  {line}  {}: {verdict}", title(line)));
        write_path(page, "", report.get("relation_path"), "     ", ends);
    }
}
