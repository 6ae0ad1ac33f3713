//! Which registry a verb works on, and in whose name.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::Args;
use mandate_authz::container::Position;
use mandate_authz::name::ObjectName;
use mandate_registry::actor::Actor;
use mandate_registry::confirm::Confirm;
use mandate_registry::{Act, Registry};
use serde_json::{Value, json};

use crate::commands::session::now;
use crate::configuration::Configuration;
use crate::output::{self, Page};
use crate::registry_json;

/// The option that names the configuration.
#[derive(Args, Clone, Debug)]
pub(super) struct ConfigOption {
    /// The configuration. Default: $MANDATE_CONFIG, else `mandate.yaml` here.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigOption {
    /// The configuration.
    pub(super) fn read(&self) -> anyhow::Result<Configuration> {
        Configuration::choose(self.config.as_deref())
    }

    /// The registry that it names.
    pub(super) fn open(&self) -> anyhow::Result<Registry> {
        self.read()?.open_registry()
    }
}

/// The options of every verb that changes the registry.
#[derive(Args, Clone, Debug)]
pub(super) struct ActOptions {
    #[command(flatten)]
    pub(super) config: ConfigOption,
    /// In whose name, `user:anne`. You vouch for it: nobody asks for a password. Default: the local
    /// operator, who may do everything.
    #[arg(long = "as", value_name = "PRINCIPAL", default_value = LOCAL)]
    actor: String,
    /// When it happens, in seconds since the epoch, instead of the clock.
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// Print one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// The local operator.
const LOCAL: &str = "local";

impl ActOptions {
    /// The registry, and a change that is meant.
    pub(super) fn open(&self) -> anyhow::Result<(Registry, Act)> {
        self.open_as(Confirm::Confirmed)
    }

    /// The registry, and a change that is meant only where `--confirm` says so.
    pub(super) fn open_as(&self, confirm: Confirm) -> anyhow::Result<(Registry, Act)> {
        let mut registry = self.config.open()?;
        let actor = self.actor(&mut registry)?;
        Ok((registry, Act { actor, now: self.now()?, confirm }))
    }

    /// The moment.
    pub(super) fn now(&self) -> anyhow::Result<u64> {
        now(self.now)
    }

    fn actor(&self, registry: &mut Registry) -> anyhow::Result<Actor> {
        if self.actor == LOCAL {
            return Ok(Actor::Local);
        }
        let object = object("--as", &self.actor)?;
        if registry.has_principal(&object)? {
            return Ok(Actor::Principal(object));
        }
        bail!("`--as`: there is no principal `{object}`")
    }
}

/// The option of changes that are hard to take back.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct ConfirmOption {
    /// Do it. Without this nothing is changed, and what would happen is told.
    #[arg(long)]
    confirm: bool,
}

impl ConfirmOption {
    /// Whether it is meant.
    pub(super) const fn confirm(self) -> Confirm {
        if self.confirm { Confirm::Confirmed } else { Confirm::DryRun }
    }

    /// Whether it was given.
    pub(super) const fn is_given(self) -> bool {
        self.confirm
    }

    /// Says so where it is not.
    pub(super) fn explain(self, page: &mut Page) {
        if !self.confirm {
            page.line("dry run: nothing was changed; `--confirm` does it");
        }
    }
}

/// `type:id`, from a flag.
pub(super) fn object(flag: &str, text: &str) -> anyhow::Result<ObjectName> {
    let object = ObjectName::parse(text).filter(ObjectName::is_well_formed);
    object.ok_or_else(|| anyhow!("`{flag}`: `{text}` is no `TYPE:ID`"))
}

/// The same, where the flag is given.
pub(super) fn optional_object(
    flag: &str,
    text: Option<&str>,
) -> anyhow::Result<Option<ObjectName>> {
    text.map(|text| object(flag, text)).transpose()
}

/// Prints what a change gave, with where it stands.
pub(super) fn finish(
    json: bool,
    act: &Act,
    mut page: Page,
    mut value: Value,
    position: Position,
) -> ExitCode {
    let confirmed = act.confirm == Confirm::Confirmed;
    if let Some(members) = value.as_object_mut() {
        members.insert("confirmed".to_owned(), json!(confirmed));
        members.insert("position".to_owned(), registry_json::position(position));
    }
    if confirmed {
        page.line(&format!("registry at era {}, epoch {}", position.era, position.epoch));
    }
    output::print_either(json, &value, &page)
}
