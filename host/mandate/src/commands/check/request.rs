//! What is to be done, from the command line.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::Args;
use mandate_authz::name::ObjectName;
use serde_json::{Map, Value, json};

use crate::commands::input_file;

/// The options that say what is to be done.
#[derive(Args, Clone, Debug)]
pub(super) struct RequestOptions {
    /// The action's name in the contract; of an MCP tool's call it follows from the tool.
    #[arg(long, value_name = "NAME")]
    action: String,
    /// The MCP tool that is called.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// What it is done to; may be repeated.
    #[arg(long, value_name = "TYPE:ID", value_parser = resource)]
    resource: Vec<ObjectName>,
    /// What it is done to, named by a free text such as a URI; may be repeated.
    #[arg(long, value_name = "TYPE=TEXT", value_parser = pair)]
    resource_text: Vec<(String, String)>,
    /// An argument of the tool's call that the contract maps to a resource; may be repeated.
    #[arg(long, value_name = "POINTER=VALUE", value_parser = pair)]
    argument: Vec<(String, String)>,
    /// The user for whom the request says it is.
    #[arg(long, value_name = "user:ID")]
    on_behalf_of: Option<String>,
    /// Values that the caller gives for conditions: a file with a JSON object.
    #[arg(long, value_name = "FILE")]
    caller: Option<PathBuf>,
    /// The address of the connection's other end, for conditions.
    #[arg(long, value_name = "ADDRESS")]
    peer_address: Option<String>,
    /// Deny unless the snapshot includes this position.
    #[arg(long, value_name = "ERA.EPOCH")]
    minimum_epoch: Option<String>,
}

impl RequestOptions {
    /// The member `request` of a question: docs/authorize.md.
    pub(super) fn to_json(&self, audience: &str) -> anyhow::Result<Value> {
        let by_id = self
            .resource
            .iter()
            .map(|ObjectName { type_name, id }| json!({ "type": type_name, "id": id }));
        let texts = self.resource_text.iter();
        let by_text = texts.map(|(type_name, text)| json!({ "type": type_name, "text": text }));
        let arguments = self.argument.iter();
        let arguments = arguments.map(|(name, value)| json!({ "argument": name, "value": value }));
        let resources: Vec<Value> = by_id.chain(by_text).chain(arguments).collect();
        let mut request = Map::new();
        request.insert("audience".to_owned(), json!(audience));
        request.insert("action".to_owned(), json!(self.action));
        if !resources.is_empty() {
            request.insert("resources".to_owned(), json!(resources));
        }
        let texts = [
            ("tool", &self.tool),
            ("on_behalf_of", &self.on_behalf_of),
            ("peer_address", &self.peer_address),
            ("minimum_epoch", &self.minimum_epoch),
        ];
        for (name, value) in texts {
            request.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
        }
        if let Some(path) = &self.caller {
            let text = input_file::read_text("caller values", path)?;
            let name = format!("caller values `{}`", path.display());
            let value: Value = serde_json::from_str(&text).with_context(|| name.clone())?;
            ensure!(value.is_object(), "{name}: must be a JSON object");
            request.insert("caller".to_owned(), value);
        }
        Ok(Value::Object(request))
    }
}

fn resource(text: &str) -> Result<ObjectName, &'static str> {
    ObjectName::parse(text).ok_or("must be TYPE:ID")
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("must be NAME=VALUE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_split_at_its_first_equals_sign() {
        assert_eq!(pair("/uri=a=b"), Ok(("/uri".to_owned(), "a=b".to_owned())));
        assert_eq!(pair("=b"), Err("must be NAME=VALUE"));
        assert_eq!(pair("b"), Err("must be NAME=VALUE"));
    }
}
