//! The token-validation contract: `contract.json`.
//!
//! A contract that would weaken a check does not load. What it may say is in
//! `contract/CONTRACT.md`.

mod app;
mod claim_test;
mod issuer;
mod preset;
mod url;

use serde::Deserialize;

use crate::json::{Json, JsonError};
use crate::limits;
use crate::load_error::LoadError;

pub use self::app::{App, Route};
pub use self::issuer::Issuer;

/// A contract that passed every check of its form.
#[derive(Clone, Debug)]
pub struct Contract {
    apps: Vec<App>,
    /// Canonical JSON; what it means is not this crate's to know.
    authz: Option<String>,
    /// As `authz`.
    gate: Option<String>,
    issuers: Vec<Issuer>,
    skew: u64,
    status: Status,
    version: [u32; 3],
}

/// How far the contract is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In force in the cluster.
    Deployed,
    /// May still change.
    Draft,
    /// Changes only with a new version.
    Frozen,
}

impl Contract {
    /// Parses and checks a contract.
    ///
    /// # Errors
    /// The first member that is missing, unknown, malformed, or would weaken a check.
    pub fn parse(text: &str) -> Result<Self, LoadError> {
        Self::from_file(read(text)?)
    }

    pub(crate) fn from_file(file: ContractFile) -> Result<Self, LoadError> {
        if file.contract != "mandate" {
            return Err(LoadError::new("contract", "must be `mandate`"));
        }
        if file.skew_seconds > limits::SKEW_SECONDS {
            let message = format!("above the limit of {} s", limits::SKEW_SECONDS);
            return Err(LoadError::new("skew_seconds", message));
        }
        let version = parse_version(&file.version)?;
        let issuers = issuer::check_all(file.issuers)?;
        let apps = app::check_all(file.apps, &issuers)?;
        Ok(Self {
            apps,
            authz: file.authz.map(|authz| authz.to_string()),
            gate: file.gate.map(|gate| gate.to_string()),
            issuers,
            skew: file.skew_seconds,
            status: file.status,
            version,
        })
    }

    /// Seconds of clock skew, 0 to 60.
    #[must_use]
    pub const fn skew(&self) -> u64 {
        self.skew
    }

    /// draft, frozen or deployed.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// major, minor, patch.
    #[must_use]
    pub const fn version(&self) -> [u32; 3] {
        self.version
    }

    /// The member `authz` as JSON, for the crate that decides. It is strict JSON without `null`;
    /// nothing else of it is checked here.
    #[must_use]
    pub fn authz(&self) -> Option<&str> {
        self.authz.as_deref()
    }

    /// The member `gate` as JSON, for the crate that guards requests. Nothing of it is checked
    /// here.
    #[must_use]
    pub fn gate(&self) -> Option<&str> {
        self.gate.as_deref()
    }

    /// The issuers whose tokens an audience accepts, in the contract's order.
    pub fn issuers_of(&self, audience: &str) -> impl Iterator<Item = &Issuer> {
        let app = self.audiences().find(|(known, _)| *known == audience).map(|(_, app)| app);
        let accepted = app.into_iter().flat_map(|app| app.issuers.iter());
        accepted.filter_map(|position| self.issuers.get(*position))
    }

    /// The issuers, in the contract's order.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The apps, in the contract's order.
    #[must_use]
    pub fn apps(&self) -> &[App] {
        &self.apps
    }

    /// Every audience once, with the app that it belongs to.
    pub fn audiences(&self) -> impl Iterator<Item = (&str, &App)> {
        self.apps.iter().flat_map(|app| app.audiences().map(move |audience| (audience, app)))
    }
}

/// `contract.json` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContractFile {
    contract: String,
    version: String,
    status: Status,
    #[serde(default = "default_skew")]
    skew_seconds: u64,
    issuers: Vec<issuer::IssuerFile>,
    apps: Vec<app::AppFile>,
    authz: Option<serde_json::Value>,
    gate: Option<serde_json::Value>,
}

const fn default_skew() -> u64 {
    limits::SKEW_SECONDS
}

/// Reads a document strictly: duplicate members and `null` refused, unknown members by `T`.
///
/// `null` may stand inside `keys`: what others publish is not ours to shape.
///
/// # Errors
/// The first member that is wrong, or what keeps the text from being strict JSON.
pub fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, LoadError> {
    // A contract nests six levels and the key sets in it four; serde_json stops at 128.
    const DEPTH: usize = 32;
    let json = Json::parse(text.as_bytes(), DEPTH).map_err(|error| syntax_error(text, error))?;
    if let Some(path) = find_null(&json, "") {
        return Err(LoadError::new(&path, "`null` is not a value: leave the member out"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { path.as_str() };
        LoadError::new(path, without_values(error.into_inner().to_string()))
    })
}

/// Keeps what was expected and where, and drops the value that was found: it may be a secret that
/// stands in the wrong member.
fn without_values(message: String) -> String {
    let expected = ["invalid type", "invalid value", "invalid length"];
    match message.rsplit_once(", expected ") {
        Some((found, rest)) if expected.iter().any(|start| found.starts_with(start)) => {
            format!("expected {rest}")
        }
        _ => message,
    }
}

fn syntax_error(text: &str, error: JsonError) -> LoadError {
    let place = serde_json::from_str::<serde::de::IgnoredAny>(text).err();
    let place = place.map(|place| format!(", line {} column {}", place.line(), place.column()));
    LoadError::new("", format!("the document {}{}", error.describe(), place.unwrap_or_default()))
}

fn find_null(value: &Json, path: &str) -> Option<String> {
    match value {
        Json::Null => Some(path.to_owned()),
        Json::Array(elements) => {
            let mut numbered = elements.iter().enumerate();
            numbered
                .find_map(|(position, element)| find_null(element, &format!("{path}[{position}]")))
        }
        Json::Object(members) => {
            members.iter().filter(|(name, _)| *name != "keys").find_map(|(name, member)| {
                let separator = if path.is_empty() { "" } else { "." };
                find_null(member, &format!("{path}{separator}{name}"))
            })
        }
        Json::Bool(_) | Json::Integer(_) | Json::OtherNumber | Json::String(_) => None,
    }
}

fn parse_version(text: &str) -> Result<[u32; 3], LoadError> {
    let numbers: Option<Vec<u32>> = text.split('.').map(plain_number).collect();
    let version: Option<[u32; 3]> = numbers.and_then(|numbers| numbers.try_into().ok());
    match version {
        Some(version @ [1, _, _]) => Ok(version),
        Some(_) => Err(LoadError::new("version", "this build implements major version 1")),
        None => Err(LoadError::new("version", "must be `major.minor.patch`")),
    }
}

fn plain_number(text: &str) -> Option<u32> {
    let number = text.parse().ok()?;
    // `+1` and `01` parse as numbers, but two spellings of one version are two versions.
    (u32::to_string(&number) == text).then_some(number)
}

/// Requires a list of distinct, non-empty strings.
fn check_names(path: &str, names: &[String]) -> Result<(), LoadError> {
    for (position, name) in names.iter().enumerate() {
        let at = format!("{path}[{position}]");
        if name.is_empty() {
            return Err(LoadError::new(&at, "is empty"));
        }
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(LoadError::new(
                &at,
                format!("{} is listed twice", crate::text::quoted(name)),
            ));
        }
    }
    Ok(())
}

/// Requires at least one element.
fn require_some<T>(path: &str, list: &[T]) -> Result<(), LoadError> {
    if list.is_empty() { Err(LoadError::new(path, "must not be empty")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_found_is_not_told_and_a_name_is() {
        let said = |message: &str| without_values(message.to_owned());
        let found = "invalid type: string \"secret, expected or not\", expected a list";
        assert_eq!(said(found), "expected a list");
        let unknown = "unknown field `isuer`, expected `issuer`";
        assert_eq!(said(unknown), unknown);
        assert_eq!(said("missing field `issuer`"), "missing field `issuer`");
    }
}
