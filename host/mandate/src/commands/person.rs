//! `mandate person`: people, with their tokens and tenants.

use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Subcommand};
use mandate_authz::record::{Holder, Status};
use mandate_registry::person::Person;
use serde_json::{Value, json};

use super::identity::report::moment;
use super::instant::Instant;
use super::registry_option::{ActOptions, ConfigOption, finish, object};
use crate::output::{self, Page};
use crate::registry_json;

/// People: which tokens they are, and to which tenants they belong.
#[derive(Args, Clone, Debug)]
pub struct PersonCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    List(ListCommand),
    Put(PutCommand),
    Show(ShowCommand),
}

impl PersonCommand {
    /// Runs the verb: 0 done, 2 not.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let done = match self.action {
            Action::List(command) => command.list(),
            Action::Put(command) => command.put(),
            Action::Show(command) => command.show(),
        };
        done.unwrap_or_else(|error| output::fail(&format!("{error:#}")))
    }
}

/// Register a person, or replace the record whole. Who leaves a tenant loses what joined them to it.
#[derive(Args, Clone, Debug)]
struct PutCommand {
    /// The person, `user:ID`.
    #[arg(value_name = "USER")]
    person: String,
    /// A tenant; may be repeated. Without any the person belongs nowhere.
    #[arg(long, value_name = "ID")]
    tenant: Vec<String>,
    /// Tokens that are this person; may be repeated.
    #[arg(long, value_name = "ISSUER=SUBJECT")]
    subject: Vec<Named>,
    /// `active` or `suspended`.
    #[arg(long, value_name = "STATUS", default_value = "active", value_parser = standing)]
    status: Status,
    /// From when on they may not act.
    #[arg(long, value_name = "WHEN")]
    expires: Option<Instant>,
    #[command(flatten)]
    act: ActOptions,
}

/// `ISSUER=SUBJECT`.
#[derive(Clone, Debug)]
struct Named(Holder);

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((issuer, name)) if !issuer.is_empty() && !name.is_empty() => {
                Ok(Self(Holder { issuer: issuer.to_owned(), name: name.to_owned() }))
            }
            Some(_) | None => Err("must be ISSUER=SUBJECT"),
        }
    }
}

fn standing(text: &str) -> Result<Status, &'static str> {
    match text {
        "active" => Ok(Status::Active),
        "suspended" => Ok(Status::Suspended),
        _ => Err("must be `active` or `suspended`"),
    }
}

impl PutCommand {
    fn put(&self) -> anyhow::Result<ExitCode> {
        let now = self.act.now()?;
        let person = Person {
            object: object("USER", &self.person)?,
            tenants: self.tenant.clone(),
            subjects: self.subject.iter().map(|Named(holder)| holder.clone()).collect(),
            status: self.status,
            expires_at: self.expires.map(|expires| expires.at(now)),
        };
        let (mut registry, act) = self.act.open()?;
        let written = registry.put_person(&act, &person)?;
        let mut page = Page::new();
        page.line(&format!("person {} registered", person.object));
        Ok(finish(self.act.json, &act, page, registry_json::person(&person), written.position))
    }
}

/// List people, in the order of their names.
#[derive(Args, Clone, Debug)]
struct ListCommand {
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ListCommand {
    fn list(&self) -> anyhow::Result<ExitCode> {
        let people = self.config.open()?.people()?;
        let head = ["person", "tenants", "status", "expires"];
        let mut table = vec![head.map(str::to_owned).to_vec()];
        table.extend(people.iter().map(|person| {
            vec![
                person.object.to_string(),
                person.tenants.join(","),
                registry_json::status(person.status).to_owned(),
                moment(person.expires_at),
            ]
        }));
        let mut page = Page::new();
        page.table(&table);
        let values: Vec<Value> = people.iter().map(registry_json::person).collect();
        Ok(output::print_either(self.json, &json!({"people": values}), &page))
    }
}

/// Show one person.
#[derive(Args, Clone, Debug)]
struct ShowCommand {
    /// The person, `user:ID`.
    #[arg(value_name = "USER")]
    person: String,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ShowCommand {
    fn show(&self) -> anyhow::Result<ExitCode> {
        let person = object("USER", &self.person)?;
        let person = self.config.open()?.person(&person)?;
        let mut page = Page::new();
        page.line(&person.object.to_string());
        let subject = |holder: &Holder| format!("{} of {}", holder.name, holder.issuer);
        let subjects: Vec<String> = person.subjects.iter().map(subject).collect();
        page.rows(&[
            ("tenants", person.tenants.join(", ")),
            ("tokens", subjects.join(", ")),
            ("status", registry_json::status(person.status).to_owned()),
            ("expires", moment(person.expires_at)),
        ]);
        Ok(output::print_either(self.json, &registry_json::person(&person), &page))
    }
}
