//! Actions, and the token scopes that cover them.

use std::collections::BTreeMap;

use mandate_authn::LoadError;
use serde::Deserialize;

use super::at;
use super::name::{check, check_distinct, require_some};

/// What an action does to the state of the world: how fresh the decision's state must be, and what
/// an identity's modes limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Looks.
    Read,
    /// Changes.
    Write,
    /// Changes who may.
    Admin,
}

/// An action of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// read, write or admin.
    pub mode: Mode,
    /// What it is done to.
    pub on: ActionTarget,
}

/// What an action is done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionTarget {
    /// Resources of these types; the user needs the relation on each.
    Resources {
        /// `can_` and the action's name where the contract names none.
        relation: String,
        /// Types of resources.
        types: Vec<String>,
    },
    /// No resource.
    Nothing,
    /// The session itself, `ping` for example: lines 1 to 6 only.
    Session,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActionFile {
    mode: Mode,
    relation: Option<String>,
    on: OnFile,
}

/// `"none"`, `"session"`, or a list of types.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`none`, `session` or a list of types")]
enum OnFile {
    Word(OnWord),
    Types(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnWord {
    None,
    Session,
}

/// The actions that a scope covers: `"*"`, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "`*` or a list of actions")]
pub(super) enum ScopeFile {
    All(Star),
    Actions(Vec<String>),
}

/// `*`, written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Star {
    #[serde(rename = "*")]
    Star,
}

impl Mode {
    /// The mode as the contract writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl ScopeFile {
    pub(super) fn covers(&self, action: &str) -> bool {
        match self {
            Self::All(Star::Star) => true,
            Self::Actions(actions) => actions.iter().any(|covered| covered == action),
        }
    }
}

pub(super) fn check_all(
    files: BTreeMap<String, ActionFile>,
) -> Result<BTreeMap<String, Action>, LoadError> {
    if files.is_empty() {
        return Err(LoadError::new("actions", "must not be empty"));
    }
    let checked = files.into_iter().map(|(name, file)| {
        let path = at("actions", &name);
        check(&path, &name)?;
        let action = check_action(&name, file).map_err(|error| error.under(&path))?;
        Ok((name, action))
    });
    checked.collect()
}

fn check_action(name: &str, file: ActionFile) -> Result<Action, LoadError> {
    let on = match file.on {
        OnFile::Types(types) => {
            require_some("on", &types)?;
            check_distinct("on", &types)?;
            for (position, name) in types.iter().enumerate() {
                check(&format!("on[{position}]"), name)?;
            }
            let relation = file.relation.unwrap_or_else(|| format!("can_{name}"));
            check("relation", &relation)?;
            ActionTarget::Resources { relation, types }
        }
        OnFile::Word(_) if file.relation.is_some() => {
            return Err(LoadError::new("relation", "an action on no resource needs no relation"));
        }
        OnFile::Word(OnWord::None) => ActionTarget::Nothing,
        OnFile::Word(OnWord::Session) => ActionTarget::Session,
    };
    Ok(Action { mode: file.mode, on })
}

pub(super) fn check_scopes(
    scopes: &BTreeMap<String, ScopeFile>,
    actions: &BTreeMap<String, Action>,
) -> Result<(), LoadError> {
    for (scope, covered) in scopes {
        let path = at("scopes", scope);
        // RFC 6749 section 3.3: what a scope claim could never contain covers nothing.
        let token = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        if scope.is_empty() || !scope.bytes().all(token) {
            return Err(LoadError::new(&path, "is no scope of RFC 6749"));
        }
        let ScopeFile::Actions(covered) = covered else { continue };
        require_some(&path, covered)?;
        check_distinct(&path, covered)?;
        if let Some(position) = covered.iter().position(|name| !actions.contains_key(name)) {
            return Err(LoadError::new(&format!("{path}[{position}]"), "is not one of `actions`"));
        }
    }
    Ok(())
}
