//! `mandate snapshot build`: facts, a model and a contract to a signed snapshot.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::Args;
use mandate_authz::container::{Kind, Position, Statement, seal};
use mandate_authz::facts::{Facts, Loaded};
use mandate_authz::limits;
use mandate_authz::model::Model;
use mandate_authz::policy::Policy;
use mandate_authz::snapshot::Snapshot;
use serde_json::{Value, json};

use super::census::Census;
use super::container_file::ContainerFile;
use super::key_file::{PinnedKeys, PrivateKeyOption};
use super::newest::newest;
use crate::commands::contract_file::ContractFile;
use crate::commands::input_file;
use crate::commands::model_file::ModelFile;
use crate::commands::output_file;
use crate::commands::session::now;
use crate::output::{self, Page};

/// Build and sign a snapshot: a model, a contract, and facts in YAML (docs/facts.md).
///
/// The first mistake is named with its line, and nothing is written. Where OUTPUT is a folder, the
/// snapshot follows on the newest one there: same era, next epoch.
#[derive(Args, Clone, Debug)]
pub(super) struct BuildCommand {
    /// The model: OpenFGA's language, its JSON, or `fga.mod`.
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// The contract, whose `authz` says which types are tenants, users, agents and tools.
    #[arg(long, value_name = "FILE", required_unless_present = "raw")]
    contract: Option<PathBuf>,
    /// The facts.
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
    /// The organization of facts that name none.
    #[arg(long, value_name = "ID")]
    organization: Option<String>,
    /// The owner of agents that name none.
    #[arg(long, value_name = "USER")]
    owner: Option<String>,
    #[command(flatten)]
    key: PrivateKeyOption,
    /// The deployment that the snapshot is for.
    #[arg(long, value_name = "NAME")]
    deployment: String,
    /// The set of tenants that it holds.
    #[arg(long, value_name = "NAME", default_value = "all")]
    slice: String,
    /// The era. Default: that of the newest snapshot in the folder, else 1.
    #[arg(long, value_name = "ERA")]
    era: Option<u64>,
    /// The epoch. Default: the one after the newest snapshot in the folder, else 1.
    #[arg(long, value_name = "EPOCH")]
    epoch: Option<u64>,
    /// A snapshot without tenants and identities, for tests of models: it decides nothing.
    #[arg(long, conflicts_with_all = ["contract", "organization", "owner"])]
    raw: bool,
    /// File to write, or a folder: there it is `snapshot-ERA.EPOCH.mandate`.
    #[arg(long, short, value_name = "PATH", default_value = ".")]
    output: PathBuf,
    /// When it is issued, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl BuildCommand {
    /// Builds: 0 written, 2 not.
    pub(super) fn run(self) -> ExitCode {
        self.build().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn build(&self) -> anyhow::Result<ExitCode> {
        let issued_at = now(self.now)?;
        ensure!(
            Statement::is_name(&self.deployment),
            "`--deployment` must be 1 to 128 bytes of text"
        );
        ensure!(Statement::is_name(&self.slice), "`--slice` must be 1 to 128 bytes of text");
        let key = self.key.read()?;
        let contract = self.contract.as_deref().map(ContractFile::read_with_policy).transpose()?;
        let loaded = self
            .world(ModelFile::sound(&self.model)?, contract.as_ref().map(|(_, policy)| policy))?;
        let facts = self.facts.display();
        let body = loaded.build(seed()?).map_err(|error| anyhow!("facts `{facts}`: {error}"))?;
        // What this build would refuse to load is not signed.
        let snapshot = Snapshot::from_body(body.clone()).context("the snapshot does not load")?;
        let statement = Statement {
            kind: Kind::Snapshot,
            raw: self.raw,
            deployment: self.deployment.clone(),
            slice: self.slice.clone(),
            position: self.position(&PinnedKeys::of(&key)?)?,
            contract_version: contract.map(|(file, _)| file.checked.version()).unwrap_or_default(),
            issued_at,
        };
        let container = seal(&statement, &body, &key)?;
        let path = self.path(statement.position);
        output_file::replace("snapshot", &path, &container)?;
        for note in &loaded.notes {
            output::warn(&format!("facts `{facts}`: {note}"));
        }
        self.report(&path, &snapshot, &loaded, issued_at)
    }

    fn world(&self, model: Model, policy: Option<&Policy>) -> anyhow::Result<Loaded> {
        let longest = u64::try_from(limits::FACTS_BYTES)?;
        let text = input_file::read_text_within("facts", &self.facts, longest)?;
        let facts = Facts::parse(&text).and_then(|facts| match policy {
            None => facts.into_raw_world(model),
            Some(policy) => facts
                .with_defaults(self.organization.as_deref(), self.owner.as_deref())
                .into_world(model, policy),
        });
        facts.map_err(|error| anyhow!("facts `{}`: {error}", self.facts.display()))
    }

    /// Where it stands in history.
    fn position(&self, keys: &PinnedKeys) -> anyhow::Result<Position> {
        let folder = match self.output.parent() {
            _ if self.output.is_dir() => self.output.as_path(),
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let newest = match (self.era, self.epoch) {
            (Some(_), Some(_)) => None,
            _ => newest(folder, &self.deployment, &self.slice, &keys.keys)?,
        };
        let era = self.era.or_else(|| newest.map(|newest| newest.era)).unwrap_or(1);
        let next = match newest {
            Some(newest) if newest.era > era => bail!(
                "`--era` {era}: there is a snapshot of era {} in `{}`",
                newest.era,
                folder.display()
            ),
            Some(newest) if newest.era == era => newest.epoch.saturating_add(1),
            _ => 1,
        };
        Ok(Position::new(era, self.epoch.unwrap_or(next)))
    }

    fn path(&self, Position { era, epoch }: Position) -> PathBuf {
        if self.output.is_dir() {
            self.output.join(format!("snapshot-{era}.{epoch}.mandate"))
        } else {
            self.output.clone()
        }
    }

    fn report(
        &self,
        path: &Path,
        snapshot: &Snapshot,
        loaded: &Loaded,
        now: u64,
    ) -> anyhow::Result<ExitCode> {
        // Read back what stands on the disk.
        let file = ContainerFile::read(path)?;
        let census = Census::take(snapshot, now);
        let mut page = Page::new();
        page.line(&format!("snapshot written to {}", path.display()));
        page.rows(&file.rows(now));
        page.line("");
        census.write(&mut page);
        let notes: Vec<Value> =
            loaded.notes.iter().map(|note| Value::from(note.to_string())).collect();
        let value = json!({
            "file": path,
            "header": file.to_json(),
            "content": census.to_json(),
            "notes": notes,
        });
        Ok(output::print_either(self.json, &value, &page))
    }
}

/// Keys the hash of the names, so that nobody can choose names that collide.
fn seed() -> anyhow::Result<[u8; 16]> {
    let mut seed = [0; 16];
    getrandom::getrandom(&mut seed).map_err(|error| anyhow!("no randomness: {error}"))?;
    Ok(seed)
}
