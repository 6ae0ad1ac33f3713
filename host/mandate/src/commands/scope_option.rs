//! The scope of an identity, on the command line and in answers.

use std::convert::Infallible;
use std::str::FromStr;

use clap::Args;
use mandate_authz::record::{Grant, Scope};

/// What an identity is limited to. What is not given is empty, and covers nothing.
#[derive(Args, Clone, Debug)]
pub(super) struct ScopeOptions {
    /// Ids of workspaces, with commas, or `*`.
    #[arg(long, value_name = "IDS", default_value = "")]
    workspaces: Listed,
    /// Ids of boards, with commas, or `*`.
    #[arg(long, value_name = "IDS", default_value = "")]
    boards: Listed,
    /// `read`, `write`, `admin`, with commas, or `*`.
    #[arg(long, value_name = "MODES", default_value = "")]
    modes: Listed,
    /// Actions of the contract, with commas, or `*`.
    #[arg(long, value_name = "ACTIONS", default_value = "")]
    actions: Listed,
}

impl ScopeOptions {
    pub(super) fn scope(&self) -> Scope {
        Scope {
            workspaces: self.workspaces.0.clone(),
            boards: self.boards.0.clone(),
            modes: self.modes.0.clone(),
            actions: self.actions.0.clone(),
        }
    }
}

/// A list with commas, or `*`.
#[derive(Clone, Debug)]
struct Listed(Grant);

impl FromStr for Listed {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(match text {
            "*" => Grant::All,
            listed => {
                let names = listed.split(',').filter(|name| !name.is_empty());
                Grant::Listed(names.map(str::to_owned).collect())
            }
        }))
    }
}

/// For people.
pub(super) fn text(scope: &Scope) -> String {
    let parts = parts(scope).map(|(name, grant)| match grant {
        Grant::All => format!("{name} *"),
        Grant::Listed(names) if names.is_empty() => format!("{name} none"),
        Grant::Listed(names) => format!("{name} {}", names.join(",")),
    });
    parts.join("; ")
}

fn parts(scope: &Scope) -> [(&'static str, &Grant); 4] {
    let Scope { workspaces, boards, modes, actions } = scope;
    [("workspaces", workspaces), ("boards", boards), ("modes", modes), ("actions", actions)]
}
