//! `cargo xtask generate`: the reason codes as a Rust enum and as a page, from one file.

mod page;
mod reason_codes;
mod rust;

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::checkout::Checkout;
pub(crate) use reason_codes::{ReasonCode, ReasonCodes};

/// Writes every generated file, or with `check` fails when one differs from what would be written.
///
/// # Errors
/// When `contract/reason-codes.toml` does not parse, rustfmt fails, or (with `check`) a file differs.
pub(crate) fn run(checkout: &Checkout, check: bool) -> anyhow::Result<()> {
    let source = checkout.path("contract/reason-codes.toml");
    let text = std::fs::read_to_string(&source)
        .with_context(|| format!("cannot read `{}`", source.display()))?;
    let codes = ReasonCodes::parse(&text).context("contract/reason-codes.toml")?;
    let files = [
        ("core/authn/src/reason_code.rs", rust::format(checkout, &rust::enumeration(&codes))?),
        ("core/authn/src/reason_code/answer.rs", rust::format(checkout, &rust::answers(&codes))?),
        ("docs/reason-codes.md", page::render(&codes)),
    ];
    for (name, content) in files {
        let path = checkout.path(name);
        if check {
            compare(&path, name, &content)?;
        } else if std::fs::read_to_string(&path).ok().as_ref() != Some(&content) {
            std::fs::create_dir_all(path.parent().unwrap_or(&path))?;
            std::fs::write(&path, content).with_context(|| format!("cannot write `{name}`"))?;
            crate::say!("generate: wrote {name}");
        }
    }
    crate::say!("generate: {} reason codes, files up to date", codes.len());
    Ok(())
}

/// Fails when the file is not what generation would write.
fn compare(path: &Path, name: &str, expected: &str) -> anyhow::Result<()> {
    let present = std::fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
    if present != expected {
        bail!("`{name}` differs from contract/reason-codes.toml: run `cargo xtask generate`");
    }
    Ok(())
}
