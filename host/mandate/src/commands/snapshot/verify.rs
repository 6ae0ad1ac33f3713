//! `mandate snapshot verify`: is this what a pinned key has signed, and would it load?

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use mandate_authz::container::Kind;
use mandate_authz::delta;
use serde_json::{Value, json};

use super::container_file::ContainerFile;
use super::key_file::PinnedKeyOption;
use crate::commands::session::now;
use crate::output::{self, Page};

/// Check signature, digests and every byte of a snapshot or delta: 0 it may be used, 1 it may not.
#[derive(Args, Clone, Debug)]
pub(super) struct VerifyCommand {
    /// The snapshot or delta.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    keys: PinnedKeyOption,
    /// The deployment that it must be of.
    #[arg(long, value_name = "NAME")]
    deployment: Option<String>,
    /// The slice that it must be of.
    #[arg(long, value_name = "NAME")]
    slice: Option<String>,
    /// The moment to look from, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl VerifyCommand {
    /// Verifies: 0 verified, 1 not, 2 when there is nothing to verify.
    pub(super) fn run(self) -> ExitCode {
        self.verify().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn verify(&self) -> anyhow::Result<ExitCode> {
        let now = now(self.now)?;
        let keys = self.keys.read()?;
        let file = ContainerFile::read(&self.file)?;
        let problem = file.verify(&keys.keys).err().map(|problem| problem.to_string());
        let problem = problem.or_else(|| self.misplaced(&file)).or_else(|| unusable(&file));
        let verified = problem.is_none();
        let mut page = Page::new();
        let kind = file.kind();
        match &problem {
            None => page.line(&format!("verified: {kind} `{}`", self.file.display())),
            Some(problem) => {
                page.line(&format!("not verified: {kind} `{}`: {problem}", self.file.display()));
            }
        }
        // What nobody vouches for is not shown as if somebody did.
        if verified {
            page.rows(&file.rows(now));
        }
        let mut value = json!({ "file": self.file, "verified": verified });
        if let Some(members) = value.as_object_mut() {
            members.extend(problem.map(|problem| ("problem".to_owned(), Value::from(problem))));
            members.extend(verified.then(|| ("header".to_owned(), file.to_json())));
        }
        let printed = output::print_either(self.json, &value, &page);
        let denied = !verified && printed == ExitCode::SUCCESS;
        Ok(if denied { ExitCode::from(output::DENY) } else { printed })
    }

    /// Signed, but for somebody else.
    fn misplaced(&self, file: &ContainerFile) -> Option<String> {
        let statement = &file.header.statement;
        let differs = |what: &str, wanted: &Option<String>, found: &str| {
            let wanted = wanted.as_deref().filter(|wanted| *wanted != found)?;
            Some(format!("the {what} is `{found}`, not `{wanted}`"))
        };
        differs("deployment", &self.deployment, &statement.deployment)
            .or_else(|| differs("slice", &self.slice, &statement.slice))
    }
}

/// Signed, but no snapshot or delta that this build reads.
fn unusable(file: &ContainerFile) -> Option<String> {
    match file.header.statement.kind {
        Kind::Delta { .. } => delta::decode(file.body()).err().map(|error| error.to_string()),
        Kind::Snapshot => file.snapshot().err().map(|error| format!("{:#}", error.root_cause())),
    }
}
