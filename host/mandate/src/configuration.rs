//! `mandate.yaml`: which contract, model, database and feed a deployment has (docs/cli-registry.md).
//!
//! Paths are relative to the file's folder. Flags come before the environment, the environment before
//! the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use mandate_authz::container::{SigningKey, Statement};
use mandate_authz::model::Model;
use mandate_authz::policy::Policy;
use mandate_registry::Registry;
use mandate_registry::content::Slice;
use mandate_registry::contract::ContractVersion;
use mandate_registry::database::{self, Database, PostgresDatabase, PostgresOptions};
use mandate_registry::random::SystemRandomness;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy};

use crate::commands::contract_file::ContractFile;
use crate::commands::input_file;
use crate::commands::model_file::ModelFile;
use crate::commands::snapshot::key_file::read_signing_key;
use crate::webhook::HookSource;

/// The name of the file, in a working folder.
pub const FILE: &str = "mandate.yaml";

/// Names the configuration where no flag does.
pub const CONFIG: &str = "MANDATE_CONFIG";

/// Says where the database is, in place of the file.
pub const DATABASE_URL: &str = "MANDATE_DATABASE_URL";

/// A configuration that could be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Configuration {
    /// Where the file is: what it names is found from there.
    pub folder: PathBuf,
    /// The deployment's name, which the registry has as well.
    pub deployment: String,
    /// The contract.
    pub contract: PathBuf,
    /// The model: a folder with `fga.mod`, or one file.
    pub model: PathBuf,
    /// Where the registry is.
    pub database: DatabaseSource,
    /// What is published, and the key that signs it.
    pub feed: Option<FeedSource>,
    /// What the server makes of it.
    pub serve: Option<Value>,
    /// Who asked to be told of what.
    pub notify: Vec<HookSource>,
}

/// Where the registry is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseSource {
    /// `postgres://…`, as the environment gives it: a password may stand in it.
    Address(String),
    /// A server.
    Postgres {
        /// `postgres://USER@HOST/DATABASE`.
        url: String,
        /// The file that holds the password alone.
        password_file: Option<PathBuf>,
        /// Certificate authorities (PEM) for TLS, without which only this machine is spoken to.
        authorities: Option<PathBuf>,
    },
    /// A file.
    Sqlite(PathBuf),
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSource {
    /// The private key that signs.
    pub key: PathBuf,
    /// By name, the tenants of a slice; `None` for all.
    pub slices: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Configuration {
    /// Reads the file that a flag names, else the environment, else [`FILE`] here.
    ///
    /// # Errors
    /// A file that cannot be read; the first member that is wrong.
    pub fn choose(flag: Option<&Path>) -> anyhow::Result<Self> {
        let named = std::env::var_os(CONFIG).map(PathBuf::from);
        let path = flag.map(Path::to_owned).or(named).unwrap_or_else(|| PathBuf::from(FILE));
        let mut configuration = Self::read(&path)?;
        if let Some(address) = std::env::var_os(DATABASE_URL) {
            let address = address.into_string();
            let address = address.map_err(|_| anyhow!("`{DATABASE_URL}` is not UTF-8"))?;
            configuration.database = DatabaseSource::of_address(&address)?;
        }
        Ok(configuration)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read; the first member that is wrong.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let refuse = |problem: String| anyhow!("configuration `{}`: {problem}", path.display());
        ensure!(
            path.exists(),
            "there is no configuration `{}`: `mandate init` makes one, `--config` names one",
            path.display()
        );
        let text = input_file::read_text("configuration", path)?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        parse(&text).and_then(|file| file.into_configuration(folder)).map_err(refuse)
    }

    /// The contract with its policy, and the model.
    ///
    /// # Errors
    /// What keeps them from loading.
    pub(crate) fn rules(&self) -> anyhow::Result<(ContractFile, Policy, Model)> {
        let (contract, policy) = ContractFile::read_with_policy(&self.contract)?;
        let manifest = self.model.join("fga.mod");
        let model = if self.model.is_dir() { &manifest } else { &self.model };
        Ok((contract, policy, ModelFile::sound(model)?))
    }

    /// The database, whatever is in it.
    ///
    /// # Errors
    /// What cannot be opened or reached; an SQLite file that is not there.
    pub fn open_database(&self) -> anyhow::Result<Box<dyn Database>> {
        match &self.database {
            DatabaseSource::Address(address) => Ok(database::open(address)?),
            DatabaseSource::Postgres { url, password_file, authorities } => {
                let password = password_file.as_deref();
                let password = password.map(|path| read_secret("password file", path));
                let authorities = authorities.as_deref().map(|path| {
                    let unread = || format!("`database.postgres.authorities` `{}`", path.display());
                    std::fs::read(path).with_context(unread)
                });
                let options = PostgresOptions {
                    password: password.transpose()?,
                    authorities: authorities.transpose()?,
                };
                Ok(Box::new(PostgresDatabase::open_with(url, &options)?))
            }
            DatabaseSource::Sqlite(path) => {
                // Opening would make an empty one.
                ensure!(
                    path.exists(),
                    "there is no database `{}`: `mandate init` makes one",
                    path.display()
                );
                let opened = database::open(&format!("sqlite:{}", path.display()));
                opened.with_context(|| format!("database `{}`", path.display()))
            }
        }
    }

    /// The registry of this deployment.
    ///
    /// # Errors
    /// What keeps contract, model or database from loading; another deployment's registry; a contract
    /// that is not the one which was frozen as its version.
    pub fn open_registry(&self) -> anyhow::Result<Registry> {
        let (contract, policy, model) = self.rules()?;
        self.registry(&contract.as_version(), policy, model)
    }

    /// The registry of this deployment, by a model and a policy that are read already.
    ///
    /// # Errors
    /// As [`Configuration::open_registry`].
    pub fn registry(
        &self,
        contract: &ContractVersion,
        policy: Policy,
        model: Model,
    ) -> anyhow::Result<Registry> {
        let randomness = Box::new(SystemRandomness::new());
        let mut registry = Registry::open(self.open_database()?, model, policy, randomness)?;
        let (found, _) = registry.standing()?;
        ensure!(
            found == self.deployment,
            "`deployment`: the database is the registry of `{found}`, not of `{}`",
            self.deployment
        );
        registry.require_contract(contract).context("`contract`")?;
        Ok(registry)
    }

    /// The feed.
    ///
    /// # Errors
    /// Where the configuration has none.
    pub fn feed(&self) -> anyhow::Result<&FeedSource> {
        self.feed.as_ref().context("`feed` is missing in the configuration")
    }
}

impl DatabaseSource {
    /// `postgres://…`, `sqlite:PATH` or a path.
    ///
    /// # Errors
    /// What is empty.
    pub fn of_address(address: &str) -> anyhow::Result<Self> {
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            return Ok(Self::Address(address.to_owned()));
        }
        let path = address.strip_prefix("sqlite:").unwrap_or(address);
        ensure!(
            !path.is_empty() && !path.contains("://"),
            "`{DATABASE_URL}` must be `sqlite:PATH` or `postgres://…`"
        );
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl std::fmt::Debug for DatabaseSource {
    /// Without the address, in which a password may stand.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Address(_) | Self::Postgres { .. } => "Postgres",
            Self::Sqlite(_) => "Sqlite",
        })
    }
}

impl FeedSource {
    /// The key.
    ///
    /// # Errors
    /// A file that is no private key.
    pub fn read_key(&self) -> anyhow::Result<SigningKey> {
        read_signing_key(&self.key)
    }

    /// A slice by its name.
    ///
    /// # Errors
    /// A name that the configuration lacks.
    pub fn slice(&self, name: &str) -> anyhow::Result<Slice> {
        match self.slices.get(name) {
            Some(Some(tenants)) => Ok(Slice::of_tenants(name, tenants.iter().cloned())),
            Some(None) => Ok(Slice::everything(name)),
            None => bail!("`feed.slices` has no `{name}`"),
        }
    }
}

/// Reads a secret from a file. One that others can read is everybody's.
pub(crate) fn read_secret(what: &str, path: &Path) -> anyhow::Result<String> {
    let text = input_file::read_text(what, path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        const OTHERS: u32 = 0o077;
        let mode = std::fs::metadata(path)?.permissions().mode();
        let name = path.display();
        ensure!(mode & OTHERS == 0, "{what} `{name}` can be read by others: `chmod 600` it");
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn parse(text: &str) -> Result<File, String> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
    };
    let value = serde_saphyr::from_str_with_options::<Value>(text, options);
    let value =
        value.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let problem = error.into_inner();
        if path == "." { problem.to_string() } else { format!("`{path}`: {problem}") }
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the members of a configuration")]
struct File {
    deployment: String,
    contract: PathBuf,
    model: PathBuf,
    database: DatabaseFile,
    feed: Option<FeedFile>,
    serve: Option<Value>,
    #[serde(default)]
    notify: Vec<HookSource>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`sqlite` or `postgres`")]
struct DatabaseFile {
    sqlite: Option<PathBuf>,
    postgres: Option<PostgresFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`url` and perhaps `password_file`, `authorities`")]
struct PostgresFile {
    url: String,
    password_file: Option<PathBuf>,
    authorities: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "`key` and `slices`")]
struct FeedFile {
    key: PathBuf,
    slices: BTreeMap<String, Tenants>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "must be \"*\" or a list of tenants")]
enum Tenants {
    All(String),
    Listed(BTreeSet<String>),
}

impl File {
    fn into_configuration(self, folder: &Path) -> Result<Configuration, String> {
        if !Statement::is_name(&self.deployment) {
            return Err("`deployment`: must be 1 to 128 bytes of text".to_owned());
        }
        let database = match (self.database.sqlite, self.database.postgres) {
            (Some(path), None) => DatabaseSource::Sqlite(folder.join(path)),
            (None, Some(PostgresFile { url, password_file, authorities })) => {
                let beside = |path: Option<PathBuf>| path.map(|path| folder.join(path));
                DatabaseSource::Postgres {
                    url,
                    password_file: beside(password_file),
                    authorities: beside(authorities),
                }
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err("`database`: must have one of `sqlite` and `postgres`".to_owned());
            }
        };
        let feed = self.feed.map(|feed| feed.into_source(folder)).transpose()?;
        let notify: Vec<_> = self.notify.into_iter().map(|hook| hook.beside(folder)).collect();
        if let Some(twice) = HookSource::twice(&notify) {
            return Err(format!("`notify`: there are two hooks `{twice}`"));
        }
        Ok(Configuration {
            folder: folder.to_owned(),
            deployment: self.deployment,
            contract: folder.join(self.contract),
            model: folder.join(self.model),
            database,
            feed,
            serve: self.serve,
            notify,
        })
    }
}

impl FeedFile {
    fn into_source(self, folder: &Path) -> Result<FeedSource, String> {
        let mut slices = BTreeMap::new();
        for (name, tenants) in self.slices {
            if !Statement::is_name(&name) {
                return Err("`feed.slices`: a name must be 1 to 128 bytes of text".to_owned());
            }
            let tenants = match tenants {
                Tenants::All(all) if all == "*" => None,
                Tenants::All(_) => {
                    let problem = "must be \"*\" or a list of tenants";
                    return Err(format!("`feed.slices.{name}`: {problem}"));
                }
                Tenants::Listed(tenants) => Some(tenants),
            };
            slices.insert(name, tenants);
        }
        Ok(FeedSource { key: folder.join(self.key), slices })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "deployment: acme\ncontract: contract.json\nmodel: model\n\
        database: {sqlite: registry.db}\n\
        feed: {key: keys/feed.private.json, slices: {default: \"*\", eu: [acme]}}\n";

    fn read(text: &str) -> Result<Configuration, String> {
        parse(text)?.into_configuration(Path::new("/w"))
    }

    #[test]
    fn paths_are_relative_to_the_folder() {
        let configuration = read(WHOLE).unwrap();
        let slices = [
            ("default".to_owned(), None),
            ("eu".to_owned(), Some(BTreeSet::from(["acme".to_owned()]))),
        ];
        let expected = Configuration {
            folder: PathBuf::from("/w"),
            deployment: "acme".to_owned(),
            contract: PathBuf::from("/w/contract.json"),
            model: PathBuf::from("/w/model"),
            database: DatabaseSource::Sqlite(PathBuf::from("/w/registry.db")),
            feed: Some(FeedSource {
                key: PathBuf::from("/w/keys/feed.private.json"),
                slices: BTreeMap::from(slices),
            }),
            serve: None,
            notify: Vec::new(),
        };
        assert_eq!(configuration, expected);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_member() {
        let database = "`database`: must have one of `sqlite` and `postgres`";
        let table = [
            (WHOLE.replace("feed:", "fed:"), "`fed`: unknown field `fed`"),
            (WHOLE.replace("sqlite", "sqllite"), "`database.sqllite`: unknown field `sqllite`"),
            (WHOLE.replace("{sqlite: registry.db}", "{}"), database),
            (WHOLE.replace("deployment: acme\n", ""), "missing field `deployment`"),
            (WHOLE.replace("\"*\"", "all"), "`feed.slices.default`: must be \"*\" or a list"),
        ];
        for (text, expected) in table {
            let problem = read(&text).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn no_debug_output_shows_a_password() {
        let source = DatabaseSource::of_address("postgres://a:planted@localhost/b").unwrap();
        assert_eq!(format!("{source:?}"), "Postgres");
    }
}
