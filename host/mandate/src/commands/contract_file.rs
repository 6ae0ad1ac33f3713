//! A contract as a file: its text, its checked form, and the audiences that it lists.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;
use mandate_authn::{Contract, Json};
use mandate_authz::policy::Policy;
use mandate_gate::GatePolicy;
use mandate_host::Sha256Digest;
use mandate_registry::contract::ContractVersion;
use serde_json::Value;

use crate::commands::input_file;
use crate::keys::quoted;

/// A contract that loads.
#[derive(Clone, Debug)]
pub(crate) struct ContractFile {
    /// The checked form.
    pub(crate) checked: Contract,
    /// What it says about decisions, if anything.
    pub(crate) authz: Option<Policy>,
    /// As written, for the trust document.
    pub(crate) value: Value,
}

impl ContractFile {
    /// Reads and checks a contract.
    ///
    /// # Errors
    /// When the file cannot be read, or the first member that is wrong.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = input_file::read_text("contract", path)?;
        let refuse = |problem: String| anyhow!("contract `{}`: {problem}", path.display());
        // First the strict reader: it refuses duplicate members, of which `Value` keeps the last.
        let checked = Contract::parse(&text).map_err(|error| refuse(error.to_string()))?;
        let authz = Policy::from_contract(&checked).map_err(|error| refuse(error.to_string()))?;
        // Nothing here guards requests, but a gate would not load what is wrong there.
        GatePolicy::from_contract(&checked, authz.as_ref())
            .map_err(|error| refuse(error.to_string()))?;
        let value = serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { checked, authz, value })
    }

    /// Reads and checks a contract that says who may do what.
    ///
    /// # Errors
    /// As [`ContractFile::read`], and when it has no `authz`.
    pub(crate) fn read_with_policy(path: &Path) -> anyhow::Result<(Self, Policy)> {
        let mut file = Self::read(path)?;
        match file.authz.take() {
            Some(policy) => Ok((file, policy)),
            None => bail!("contract `{}`: `authz`: is missing", path.display()),
        }
    }

    /// Checks a contract that was put together here.
    pub(crate) fn from_value(value: Value) -> anyhow::Result<Self> {
        let checked = Contract::parse(&value.to_string())?;
        Ok(Self { authz: Policy::from_contract(&checked)?, checked, value })
    }

    /// `major.minor.patch`.
    #[must_use]
    pub(crate) fn version(&self) -> String {
        self.checked.version().map(|number| number.to_string()).join(".")
    }

    /// The version with the digest of what it says: of the document in canonical form (RFC 8785),
    /// without the status, which changes while the version stays.
    #[must_use]
    pub(crate) fn as_version(&self) -> ContractVersion {
        const DEPTH: usize = 32;
        let mut document = self.value.clone();
        if let Some(members) = document.as_object_mut() {
            members.remove("status");
        }
        let text = document.to_string();
        // What loaded once is JSON of that depth.
        let canonical =
            Json::parse(text.as_bytes(), DEPTH).map_or(text, |json| json.to_canonical());
        let digest = Sha256Digest::of(canonical.as_bytes()).to_string();
        ContractVersion { version: self.version(), digest }
    }

    /// `draft`, `frozen` or `deployed`.
    #[must_use]
    pub(crate) fn status(&self) -> &str {
        self.value.get("status").and_then(Value::as_str).unwrap_or_default()
    }
}

/// The options that say what the token must be meant for.
#[derive(Args, Clone, Debug)]
pub(crate) struct AudienceChoice {
    /// The audience that the token must be for; may be left out when the contract lists one only.
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// The app, or the app's route, whose audience the token must be for.
    #[arg(long, value_name = "NAME[/ROUTE]", conflicts_with = "audience")]
    app: Option<String>,
}

impl AudienceChoice {
    /// No choice: the only audience.
    pub(crate) const NONE: Self = Self { audience: None, app: None };

    /// The audience as it stands in the contract.
    ///
    /// # Errors
    /// When the contract does not list it, or lists several and none was chosen.
    pub(crate) fn resolve(&self, contract: &Contract) -> anyhow::Result<String> {
        let listed: Vec<(String, &str)> = named_audiences(contract);
        let names = || {
            let names: Vec<_> = listed.iter().map(|(name, _)| quoted(name)).collect();
            names.join(", ")
        };
        let found = match (&self.audience, &self.app, listed.as_slice()) {
            (Some(wanted), _, _) => listed.iter().find(|(_, audience)| audience == wanted),
            (None, Some(wanted), _) => listed.iter().find(|(name, _)| name == wanted),
            (None, None, [only]) => Some(only),
            (None, None, _) => bail!("`--app` is required: the contract has {}", names()),
        };
        match (found, &self.audience, &self.app) {
            (Some((_, audience)), _, _) => Ok((*audience).to_owned()),
            (None, Some(wanted), _) => {
                bail!("`--audience`: the contract does not list {}", quoted(wanted))
            }
            (None, None, wanted) => {
                let wanted = wanted.as_deref().unwrap_or_default();
                bail!("`--app`: the contract has no {}, it has {}", quoted(wanted), names())
            }
        }
    }
}

/// Every audience with the name by which `--app` chooses it.
#[must_use]
pub(crate) fn named_audiences(contract: &Contract) -> Vec<(String, &str)> {
    contract
        .apps()
        .iter()
        .flat_map(|app| {
            let own = (app.name.clone(), app.audience.as_str());
            let routes = app
                .routes
                .iter()
                .map(|route| (format!("{}/{}", app.name, route.name), route.audience.as_str()));
            std::iter::once(own).chain(routes)
        })
        .collect()
}

/// The option that names a contract.
#[derive(Args, Clone, Debug)]
pub(crate) struct ContractOption {
    /// The contract: contract/CONTRACT.md.
    #[arg(long, value_name = "FILE")]
    pub(crate) contract: PathBuf,
}
