//! Apps and routes: the audiences that tokens are meant for.

use serde::Deserialize;

use super::{check_names, require_some};
use crate::contract::issuer::Issuer;
use crate::load_error::LoadError;

/// A service of the family, and the issuers whose tokens it accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its name, unique in the contract.
    pub name: String,
    /// The audience of its tokens.
    pub audience: String,
    /// Routes with an audience of their own.
    pub routes: Vec<Route>,
    /// Positions in the contract's issuers, ascending.
    pub(crate) issuers: Vec<usize>,
}

/// A part of an app with an audience of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name, unique in the app.
    pub name: String,
    /// The audience of its tokens.
    pub audience: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppFile {
    name: String,
    audience: String,
    issuers: Option<Vec<String>>,
    #[serde(default)]
    routes: Vec<Route>,
}

impl App {
    /// Every audience of the app, each once.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let routes = self.routes.iter().map(|route| route.audience.as_str());
        std::iter::once(self.audience.as_str()).chain(routes)
    }
}

pub(super) fn check_all(files: Vec<AppFile>, issuers: &[Issuer]) -> Result<Vec<App>, LoadError> {
    require_some("apps", &files)?;
    let names: Vec<String> = files.iter().map(|app| app.name.clone()).collect();
    check_names("apps", &names)?;
    let mut apps = Vec::with_capacity(files.len());
    for (position, file) in files.into_iter().enumerate() {
        apps.push(check(file, issuers).map_err(|error| error.under(&format!("apps[{position}]")))?);
    }
    check_audiences(&apps)?;
    Ok(apps)
}

fn check(file: AppFile, issuers: &[Issuer]) -> Result<App, LoadError> {
    let names: Vec<String> = file.routes.iter().map(|route| route.name.clone()).collect();
    check_names("routes", &names)?;
    let accepted = match file.issuers {
        None => (0..issuers.len()).collect(),
        Some(listed) => positions(&listed, issuers)?,
    };
    Ok(App { name: file.name, audience: file.audience, routes: file.routes, issuers: accepted })
}

fn positions(listed: &[String], issuers: &[Issuer]) -> Result<Vec<usize>, LoadError> {
    require_some("issuers", listed)?;
    check_names("issuers", listed)?;
    for (position, issuer) in listed.iter().enumerate() {
        if !issuers.iter().any(|known| known.issuer() == issuer) {
            return Err(LoadError::new(
                &format!("issuers[{position}]"),
                "is not an issuer of this contract",
            ));
        }
    }
    let named = issuers
        .iter()
        .enumerate()
        .filter(|(_, known)| listed.iter().any(|issuer| issuer == known.issuer()));
    Ok(named.map(|(position, _)| position).collect())
}

/// An audience names one route, or it could not say whose token it is.
fn check_audiences(apps: &[App]) -> Result<(), LoadError> {
    let all: Vec<(String, &str)> = apps
        .iter()
        .enumerate()
        .flat_map(|(app_position, app)| {
            let routes = app.routes.iter().enumerate().map(move |(position, route)| {
                (
                    format!("apps[{app_position}].routes[{position}].audience"),
                    route.audience.as_str(),
                )
            });
            std::iter::once((format!("apps[{app_position}].audience"), app.audience.as_str()))
                .chain(routes)
        })
        .collect();
    for (position, (path, audience)) in all.iter().enumerate() {
        if audience.is_empty() {
            return Err(LoadError::new(path, "is empty"));
        }
        if all.iter().take(position).any(|(_, earlier)| earlier == audience) {
            return Err(LoadError::new(path, "another app or route has this audience"));
        }
    }
    Ok(())
}
