//! `mandate relationship list`.

use std::process::ExitCode;

use clap::Args;
use mandate_authz::tuple::Tuple;
use mandate_registry::relationship::RelationshipFilter;
use serde_json::{Value, json};

use super::key;
use crate::commands::registry_option::{ConfigOption, optional_object};
use crate::output::{self, Page};
use crate::registry_json;

/// List relationships, in the order of object, relation and subject.
#[derive(Args, Clone, Debug)]
pub(super) struct ListCommand {
    /// Of this object.
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// Of objects of this type.
    #[arg(long = "type", value_name = "TYPE")]
    object_type: Option<String>,
    /// Of this relation.
    #[arg(long, value_name = "RELATION")]
    relation: Option<String>,
    /// Whose subject is this object, or a userset of it.
    #[arg(long, value_name = "OBJECT")]
    subject: Option<String>,
    /// After this one: the last of the page before.
    #[arg(long, value_name = "OBJECT#RELATION@SUBJECT")]
    after: Option<String>,
    /// As many as that.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    limit: u64,
    #[command(flatten)]
    config: ConfigOption,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

impl ListCommand {
    pub(super) fn list(&self) -> anyhow::Result<ExitCode> {
        let filter = RelationshipFilter {
            object: optional_object("--object", self.object.as_deref())?,
            object_type: self.object_type.clone(),
            relation: self.relation.clone(),
            subject: optional_object("--subject", self.subject.as_deref())?,
            tenant: None,
            after: self.after.as_deref().map(key).transpose()?,
            most: self.limit,
        };
        let tuples = self.config.open()?.relationships(&filter)?;
        let mut page = Page::new();
        for Tuple { object, relation, subject, condition } in &tuples {
            let under = condition.as_ref().map(|condition| format!(" with {}", condition.name));
            let under = under.unwrap_or_default();
            page.line(&format!("{object}#{relation}@{subject}{under}"));
        }
        let values: Vec<Value> = tuples.iter().map(registry_json::relationship).collect();
        Ok(output::print_either(self.json, &json!({"relationships": values}), &page))
    }
}
