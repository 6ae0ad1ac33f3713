//! `mandate init`: a working folder in one go.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use include_dir::{Dir, include_dir};
use mandate_authz::container::{SigningKey, Statement};
use mandate_registry::Registry;
use mandate_registry::confirm::Confirm;
use mandate_registry::database;
use mandate_registry::migration;
use mandate_registry::random::SystemRandomness;
use serde_json::json;

use crate::commands::output_file;
use crate::commands::private_file::write_private;
use crate::commands::session::now;
use crate::commands::snapshot::keygen;
use crate::configuration::{Configuration, FILE};
use crate::output::{self, Page};
use crate::plugin::PluginChoice;

/// Make a working folder: configuration, contract, model, signing key, and an empty registry on SQLite.
///
/// The folder is new or empty. What fails leaves nothing behind. Change the contract before anything
/// real is decided by it: it is an example.
#[derive(Args, Clone, Debug)]
pub struct InitCommand {
    /// The folder.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The deployment's name: registry, snapshots and consumers agree on it.
    #[arg(long, value_name = "NAME")]
    deployment: String,
    /// When it is made, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl InitCommand {
    /// Makes it: 0 made, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        self.make().unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }

    fn make(&self) -> anyhow::Result<ExitCode> {
        ensure!(
            Statement::is_name(&self.deployment) && !self.deployment.contains(['"', '\\']),
            "`--deployment` must be 1 to 128 bytes of text without quotes and backslashes"
        );
        let folder = self.folder.as_path();
        let unwritten = || format!("folder `{}` cannot be made", folder.display());
        let was_there = folder.exists();
        fs::create_dir_all(folder).with_context(unwritten)?;
        let is_empty = fs::read_dir(folder).with_context(unwritten)?.next().is_none();
        ensure!(is_empty, "folder `{}` is not empty", folder.display());
        let key = self.fill(folder).inspect_err(|_| clear(folder, was_there))?;
        let path = folder.join(FILE);
        let mut page = Page::new();
        page.line(&format!("deployment {} in {}", self.deployment, folder.display()));
        page.rows(&[
            ("configuration", path.display().to_string()),
            ("signing key", key.id().to_string()),
        ]);
        // So that the server's first start does not wait for a compiler: two seconds, once a machine.
        // Where it fails, the server says why.
        let is_compiled = PluginChoice::default().load().is_ok();
        page.rows(&[("plugin", if is_compiled { "compiled" } else { "not compiled" }.to_owned())]);
        let value = json!({
            "configuration": path,
            "plugin_compiled": is_compiled,
            "deployment": self.deployment,
            "key_id": key.id().to_string(),
        });
        Ok(output::print_either(self.json, &value, &page))
    }

    fn fill(&self, folder: &Path) -> anyhow::Result<SigningKey> {
        for made in ["model", "keys"] {
            let path = folder.join(made);
            fs::create_dir(&path)
                .with_context(|| format!("folder `{}` cannot be made", path.display()))?;
        }
        let put =
            |name: &str, bytes: &[u8]| output_file::replace("file", &folder.join(name), bytes);
        put("contract.json", CONTRACT.as_bytes())?;
        for file in MODEL.files().filter(|file| is_model(file.path())) {
            put(&format!("model/{}", file.path().display()), file.contents())?;
        }
        let key = keygen::generate()?;
        write_private(&folder.join("keys/feed.private.json"), &format!("{}\n", key.to_jwk()))
            .context("the signing key cannot be written")?;
        put("keys/feed.public.json", format!("{}\n", key.to_public_jwk()).as_bytes())?;
        put(FILE, CONFIGURATION.replace("DEPLOYMENT", &self.deployment).as_bytes())?;
        let configuration = Configuration::read(&folder.join(FILE))?;
        let (_, policy, model) = configuration.rules()?;
        let path = folder.join("registry.db");
        let mut database = database::open(&format!("sqlite:{}", path.display()))?;
        let now = now(self.now)?;
        migration::apply(&mut *database, migration::latest(), now, Confirm::Confirmed)?;
        let randomness = Box::new(SystemRandomness::new());
        Registry::open(database, model, policy, randomness)?.initialize(&self.deployment, now)?;
        Ok(key)
    }
}

/// Takes away what was made in a folder that was empty.
fn clear(folder: &Path, was_there: bool) {
    // What cannot be taken away now could not have been, either, by asking twice.
    if was_there {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    } else {
        let _ = fs::remove_dir_all(folder);
    }
}

fn is_model(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "fga" || extension == "mod")
}

static MODEL: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../contract/model");

const CONTRACT: &str = include_str!("../../../../docs/examples/boards/contract.json");

const CONFIGURATION: &str = r#"# Mandate: what this deployment is made of. Paths are relative to this file's folder.
# What each member means: docs/cli-registry.md. Unknown members are refused.

# The name that registry, snapshots and consumers agree on.
deployment: "DEPLOYMENT"

# Who may issue tokens, and which action needs which relation: an example to begin with.
contract: contract.json

# Types and relations, in OpenFGA's language: a folder with fga.mod, or one file.
model: model

# The registry. On Postgres: {postgres: {url: "postgres://user@localhost/db", password_file: FILE}}
database: {sqlite: registry.db}

# What is published, and the key that signs it: a slice is a list of tenants, or "*" for all.
feed: {key: keys/feed.private.json, slices: {default: "*"}}

# The server (docs/server.md): callers come with a token for `audience`. Beyond loopback it needs `tls`.
serve:
  listen: 127.0.0.1:8443
  base_url: http://127.0.0.1:8443
  audience: https://pdp.example
  decisions: https://pdp.example/decisions
"#;
