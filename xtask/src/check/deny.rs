//! cargo-deny: licences, bans and sources always; advisories where their database is.

use std::process::Command;

use crate::check::Outcome;
use crate::checkout::{Checkout, cargo_home};
use crate::process;
use crate::setup::{CARGO_DENY, need_tool};

/// Licences, bans and sources need the packages of every platform, of which a build fetches its own.
pub(crate) fn check(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let mut fetch = process::cargo();
    process::status(fetch.current_dir(checkout.root()).args(["fetch", "--locked", "--quiet"]))?;
    run(checkout, &["licenses", "bans", "sources"])?;
    Ok(Outcome::Done)
}

/// Advisories need their database, which is not fetched here: an hourly change is no part of a build.
pub(crate) fn advisories(checkout: &Checkout) -> anyhow::Result<Outcome> {
    let database = cargo_home()?.join("advisory-dbs");
    if !database.is_dir() {
        return Ok(Outcome::Skipped("no advisory database: `cargo deny fetch db`".to_owned()));
    }
    run(checkout, &["--disable-fetch", "advisories"])?;
    Ok(Outcome::Done)
}

fn run(checkout: &Checkout, checks: &[&str]) -> anyhow::Result<()> {
    let program = need_tool(checkout, &CARGO_DENY)?;
    let mut deny = Command::new(program);
    deny.current_dir(checkout.root());
    deny.args(["--offline", "--locked", "--workspace", "--log-level", "warn", "check"])
        .args(checks);
    process::status(&mut deny)
}
