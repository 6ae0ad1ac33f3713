//! One message: whether it is a list, and what it is without the entries that are not shown.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Entry, Keep};
use crate::limits;
use crate::mcp::message::Id;
use crate::mcp::method::ListKind;
use crate::mcp::reply::quoted;
use crate::mcp::value::{Name, Object, Value};

/// What a message may be.
#[derive(Clone, Copy)]
pub(super) enum Expected<'i> {
    /// The answer to this request for a list, or what a server says before it.
    Answer { list: ListKind, id: &'i Id },
    /// Whatever a server says.
    Any,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rewritten {
    /// It is no response.
    Aside,
    /// Another text goes in its place.
    Changed { text: String, removed: usize },
    /// It passes as it came.
    Unchanged,
}

/// Rewrites one message.
///
/// # Errors
/// One phrase for the operator: it cannot be passed on.
pub(super) fn rewrite(
    expected: Expected<'_>,
    text: &str,
    keep: &mut Keep<'_>,
) -> Result<Rewritten, &'static str> {
    let value = Value::parse(text.as_bytes()).map_err(|error| error.describe())?;
    let message = value.as_object().ok_or("is no object")?;
    if message.get("jsonrpc").and_then(Value::as_text) != Some("2.0") {
        return Err("is not JSON-RPC 2.0");
    }
    let result = match (message.get("result"), message.get("error")) {
        (None, None) => {
            let method = message.get("method");
            return method.map(|_| Rewritten::Aside).ok_or("is no message");
        }
        (result, None) => result.and_then(Value::as_object).ok_or("`result` is no object")?,
        (None, Some(_)) => return error(expected, message),
        (Some(_), Some(_)) => return Err("has `result` and `error`"),
    };
    if message.iter().any(|(name, _)| !matches!(name, "jsonrpc" | "id" | "result")) {
        return Err("has a member that no response has");
    }
    let id = message.get("id").and_then(Id::of).ok_or("has no id")?;
    match expected {
        Expected::Answer { list, id: asked } if id == *asked => {
            let shown = decide(list, result, keep)?;
            rewritten(text, result, &[(list, shown)])
        }
        Expected::Answer { .. } => Err("answers another request"),
        Expected::Any => {
            let lists =
                [ListKind::Prompts, ListKind::Resources, ListKind::Templates, ListKind::Tools];
            let mut shown = Vec::new();
            for list in lists {
                // Without one entry it is no list to any client either: the answer of a tool may
                // have such a member.
                if is_list(list, result) {
                    shown.push((list, decide_named(list, result, keep)?));
                }
            }
            rewritten(text, result, &shown)
        }
    }
}

/// An error tells of no entry. It may lack the id, where the server could not read the request.
fn error(expected: Expected<'_>, message: &Object<'_>) -> Result<Rewritten, &'static str> {
    if message.iter().any(|(name, _)| !matches!(name, "jsonrpc" | "id" | "error")) {
        return Err("has a member that no response has");
    }
    match (expected, message.get("id")) {
        (Expected::Any, _) | (Expected::Answer { .. }, None | Some(Value::Null)) => {
            Ok(Rewritten::Unchanged)
        }
        (Expected::Answer { id: asked, .. }, Some(id)) if Id::of(id).as_ref() == Some(asked) => {
            Ok(Rewritten::Unchanged)
        }
        (Expected::Answer { .. }, Some(_)) => Err("answers another request"),
    }
}

/// Whether each entry of a list is shown.
fn decide(
    list: ListKind,
    result: &Object<'_>,
    keep: &mut Keep<'_>,
) -> Result<Vec<bool>, &'static str> {
    let entries = entries(list, result).ok_or("has no list")?;
    if entries.iter().any(|entry| name(list, entry).is_none()) {
        return Err("has an entry without a name");
    }
    decide_named(list, result, keep)
}

/// Whether each element of what may be a list is shown. One without a name is not: a client that
/// reads less strictly would take the others for a list.
fn decide_named(
    list: ListKind,
    result: &Object<'_>,
    keep: &mut Keep<'_>,
) -> Result<Vec<bool>, &'static str> {
    let entries = entries(list, result).unwrap_or_default();
    if entries.len() > limits::LIST_ENTRIES {
        return Err("has more entries than the limit");
    }
    let names: Vec<Option<&str>> = entries.iter().map(|entry| name(list, entry)).collect();
    let entry = |name| match list {
        ListKind::Prompts => Entry::Prompt(name),
        ListKind::Resources => Entry::Resource(name),
        ListKind::Templates => Entry::Template(name),
        ListKind::Tools => Entry::Tool(name),
    };
    let named: Vec<Entry<'_>> = names.iter().flatten().map(|name| entry(name)).collect();
    let kept = keep(&named)?;
    if kept.len() != named.len() {
        return Err("is not decided entry by entry");
    }
    let mut kept = kept.into_iter();
    Ok(names.iter().map(|name| name.is_some() && kept.next().unwrap_or(false)).collect())
}

fn is_list(list: ListKind, result: &Object<'_>) -> bool {
    entries(list, result).is_some_and(|entries| {
        entries.is_empty() || entries.iter().any(|it| name(list, it).is_some())
    })
}

fn entries<'r>(list: ListKind, result: &'r Object<'r>) -> Option<&'r [Value<'r>]> {
    result.get(member(list))?.as_array()
}

fn name<'e>(list: ListKind, entry: &'e Value<'e>) -> Option<&'e str> {
    let member = match list {
        ListKind::Prompts | ListKind::Tools => "name",
        ListKind::Resources => "uri",
        ListKind::Templates => "uriTemplate",
    };
    entry.as_object()?.get(member)?.as_text()
}

/// The member of the result that has the entries.
const fn member(list: ListKind) -> &'static str {
    match list {
        ListKind::Prompts => "prompts",
        ListKind::Resources => "resources",
        ListKind::Templates => "resourceTemplates",
        ListKind::Tools => "tools",
    }
}

/// The text without what is not shown. It was read strictly before: the raw pieces are those that
/// were decided.
fn rewritten(
    text: &str,
    result: &Object<'_>,
    lists: &[(ListKind, Vec<bool>)],
) -> Result<Rewritten, &'static str> {
    let hidden = |shown: &Vec<bool>| shown.iter().filter(|shown| !**shown).count();
    let removed = lists.iter().map(|(_, shown)| hidden(shown)).sum();
    // Only a list says whom its answer is for; `resources/read` does, too, and is not filtered.
    let scope = result.get(CACHE_SCOPE).and_then(Value::as_text);
    let shared = !lists.is_empty() && result.get(CACHE_SCOPE).is_some() && scope != Some("private");
    if removed == 0 && !shared {
        return Ok(Rewritten::Unchanged);
    }
    let text = object(text, |name, raw| {
        if name != "result" {
            return Some(Cow::Borrowed(raw));
        }
        let result = object(raw, |name, raw| {
            let list = lists.iter().find(|(list, _)| member(*list) == name);
            match list {
                Some((_, shown)) => array(raw, shown).map(Cow::Owned),
                None if name == CACHE_SCOPE => Some(Cow::Borrowed("\"private\"")),
                None => Some(Cow::Borrowed(raw)),
            }
        });
        result.map(Cow::Owned)
    });
    let text = text.ok_or("cannot be taken apart")?;
    Ok(Rewritten::Changed { text, removed })
}

/// An object with other values for its members.
fn object<'t>(
    text: &'t str,
    mut value: impl FnMut(&str, &'t str) -> Option<Cow<'t, str>>,
) -> Option<String> {
    let members: Members<'t> = serde_json::from_str(text).ok()?;
    let mut rewritten = String::with_capacity(text.len());
    for (name, raw) in &members.0 {
        rewritten.push(if rewritten.is_empty() { '{' } else { ',' });
        rewritten.push_str(&quoted(name));
        rewritten.push(':');
        rewritten.push_str(&value(name, raw.get())?);
    }
    rewritten.push('}');
    Some(rewritten)
}

/// An array with those elements that are shown, byte for byte.
fn array(text: &str, shown: &[bool]) -> Option<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    if elements.len() != shown.len() {
        return None;
    }
    let kept = elements.iter().zip(shown).filter(|(_, shown)| **shown);
    let kept: Vec<_> = kept.map(|(element, _)| element.get()).collect();
    Some(format!("[{}]", kept.join(",")))
}

/// The members of an object in their order, with the bytes of their values.
struct Members<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut members: A,
            ) -> Result<Members<'de>, A::Error> {
                let mut read = Vec::new();
                while let Some(name) = members.next_key_seed(Name)? {
                    read.push((name, members.next_value()?));
                }
                Ok(Members(read))
            }
        }

        reader.deserialize_map(Read)
    }
}

/// MCP 2026-07-28, server/utilities/caching.
const CACHE_SCOPE: &str = "cacheScope";
