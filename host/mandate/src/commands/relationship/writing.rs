//! `mandate relationship write` and `delete`.

use std::process::ExitCode;

use anyhow::anyhow;
use clap::Args;
use mandate_authz::tuple::{Tuple, TupleCondition};
use serde_json::{Value, json};

use super::key;
use crate::commands::registry_option::{ActOptions, finish};
use crate::output::Page;

/// Write relationships, all or none. What is there already stays as it is.
///
/// A `delegate_of` is the user's own, or an administrator's, to write; docs/registry.md has the rest.
#[derive(Args, Clone, Debug)]
pub(super) struct WriteCommand {
    /// `board:roadmap#viewer@user:anne`.
    #[arg(value_name = "OBJECT#RELATION@SUBJECT", required = true)]
    relationships: Vec<String>,
    /// Under this condition of the model.
    #[arg(long, value_name = "NAME")]
    condition: Option<String>,
    /// What the condition is given: a JSON object.
    #[arg(long, value_name = "JSON", requires = "condition", default_value = "{}")]
    context: String,
    #[command(flatten)]
    act: ActOptions,
}

impl WriteCommand {
    pub(super) fn write(&self) -> anyhow::Result<ExitCode> {
        let tuples = self.tuples()?;
        let (mut registry, act) = self.act.open()?;
        let written = registry.write_relationships(&act, &tuples)?;
        let mut page = Page::new();
        let (new, all) = (written.outcome, tuples.len());
        page.line(&format!("{new} of {all} relationships changed"));
        let value = json!({"changed": new, "given": all});
        Ok(finish(self.act.json, &act, page, value, written.position))
    }

    fn tuples(&self) -> anyhow::Result<Vec<Tuple>> {
        let condition = match &self.condition {
            None => None,
            Some(name) => {
                let context: Value = serde_json::from_str(&self.context)
                    .map_err(|_| anyhow!("`--context` is no JSON"))?;
                let Value::Object(context) = context else {
                    return Err(anyhow!("`--context` is no JSON object"));
                };
                Some(TupleCondition { name: name.clone(), context })
            }
        };
        let tuple = |text: &String| {
            let key = key(text)?;
            let mut tuple = Tuple::new(key.object, key.relation, key.subject);
            tuple.condition.clone_from(&condition);
            Ok(tuple)
        };
        self.relationships.iter().map(tuple).collect()
    }
}

/// End relationships, all or none. What is not there is passed over.
#[derive(Args, Clone, Debug)]
pub(super) struct DeleteCommand {
    /// `board:roadmap#viewer@user:anne`.
    #[arg(value_name = "OBJECT#RELATION@SUBJECT", required = true)]
    relationships: Vec<String>,
    #[command(flatten)]
    act: ActOptions,
}

impl DeleteCommand {
    pub(super) fn delete(&self) -> anyhow::Result<ExitCode> {
        let keys = self.relationships.iter().map(|text| key(text));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let (mut registry, act) = self.act.open()?;
        let written = registry.delete_relationships(&act, &keys)?;
        let mut page = Page::new();
        let (ended, all) = (written.outcome, keys.len());
        page.line(&format!("{ended} of {all} relationships ended"));
        let value = json!({"changed": ended, "given": all});
        Ok(finish(self.act.json, &act, page, value, written.position))
    }
}
