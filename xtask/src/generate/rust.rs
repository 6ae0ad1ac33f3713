//! `core/authn/src/reason_code.rs` and the file of answers below it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::reason_codes::{ReasonCode, ReasonCodes, pascal_case};
use crate::checkout::Checkout;

/// The enum, with what decides by it: class and failing line. Rust source, not yet formatted.
pub(crate) fn enumeration(codes: &ReasonCodes) -> String {
    let codes = codes.alphabetical();
    let mut variants = String::new();
    for code in &codes {
        let _ = writeln!(variants, "/// `{}`: {}\n{},", code.code, code.meaning, code.variant());
    }
    let all: String = codes.iter().map(|code| format!("Self::{},", code.variant())).collect();
    include_str!("reason_code.rs.template")
        .replace("@VARIANTS@", &variants)
        .replace("@ALL@", &all)
        .replace("@COUNT@", &codes.len().to_string())
        .replace("@AS_STR@", &arms(&codes, |code| quoted(&code.code)))
        .replace("@CLASS@", &arms(&codes, |code| format!("Class::{}", pascal_case(&code.class))))
        .replace("@LINE@", &arms(&codes, line))
}

/// What each door answers, and the texts. Rust source, not yet formatted.
pub(crate) fn answers(codes: &ReasonCodes) -> String {
    let codes = codes.alphabetical();
    include_str!("answer.rs.template")
        .replace("@ANSWER@", &arms(&codes, answer))
        .replace("@BRIDGE@", &arms(&codes, |code| quoted(&code.bridge)))
        .replace("@MEANING@", &arms(&codes, |code| quoted(&code.meaning)))
}

/// Runs rustfmt with the checkout's configuration.
///
/// # Errors
/// When rustfmt is missing or refuses the source.
pub(crate) fn format(checkout: &Checkout, source: &str) -> anyhow::Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(checkout.path("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run `rustfmt`: install it with `rustup component add rustfmt`")?;
    rustfmt.stdin.take().context("rustfmt has no stdin")?.write_all(source.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refused the generated source");
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Match arms, codes of equal value in one arm, arms in the order of their first code.
fn arms(codes: &[&ReasonCode], value: impl Fn(&ReasonCode) -> String) -> String {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for code in codes {
        let (value, pattern) = (value(code), format!("Self::{}", code.variant()));
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, patterns)) => patterns.push(pattern),
            None => groups.push((value, vec![pattern])),
        }
    }
    let arm = |(value, patterns): (String, Vec<String>)| {
        format!("{} => {value},\n", patterns.join(" | "))
    };
    groups.into_iter().map(arm).collect()
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn line(code: &ReasonCode) -> String {
    let name = match code.line.as_str() {
        "none" => return "None".to_owned(),
        "1" => "One",
        "2" => "Two",
        "3" => "Three",
        "4" => "Four",
        "5" => "Five",
        "6" => "Six",
        "7" => "Seven",
        "8" => "Eight",
        place => return format!("Some(FailingLine::{})", pascal_case(place)),
    };
    format!("Some(FailingLine::{name})")
}

fn answer(code: &ReasonCode) -> String {
    let json_rpc_code = match code.jsonrpc {
        0 => "None".to_owned(),
        number => format!("Some({number})"),
    };
    let challenge = match code.challenge.as_str() {
        "" => "None".to_owned(),
        error => format!("Some(Challenge::{})", pascal_case(error)),
    };
    let authzen = match code.authzen.as_str() {
        "true" => "Allow",
        "false" => "Deny",
        _ => "Error",
    };
    format!(
        "Answer {{ http_status: {}, mcp_status: {}, json_rpc_code: {json_rpc_code}, \
         challenge: {challenge}, authzen: Outcome::{authzen}, permit: Outcome::{}, text: {:?} }}",
        code.status,
        code.mcp_status,
        pascal_case(&code.permit),
        code.text
    )
}
