//! What one message does, with the names that the rule is asked about.

use mandate_authn::{FailingLine, ReasonCode};

use super::{Form, ListKind, Method, Target};
use crate::mcp::message::Message;
use crate::mcp::value::{Object, Value};
use crate::mcp::version::Generation;
use crate::refused::Refused;

/// What a message does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation<'m> {
    /// Asks for a list, whose entries are filtered.
    List(ListKind),
    /// Uses a prompt.
    Prompt(&'m str),
    /// Uses resources, at least one; by their URIs or URI templates.
    Resources(Vec<&'m str>),
    /// Asks the server as a whole: line 7 is of the server.
    Server,
    /// Nothing that has a right of its own: lines 1 to 6.
    Session,
    /// Calls a tool.
    Tool {
        name: &'m str,
        /// `None` where the call has none.
        arguments: Option<&'m Object<'m>>,
    },
}

/// A message in the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapped<'m> {
    /// The method's name; `None` for the answer to a request of the server.
    pub(crate) method: Option<&'static str>,
    /// What it does.
    pub(crate) operation: Operation<'m>,
}

/// Looks a message up in the table.
///
/// # Errors
/// `method-unknown`; `malformed` for a request without an id, a notification with one, a response
/// where there are no sessions (all at the line `framing`), and for a name that is missing or no
/// string (at the line `mapping`); `unmapped` for a call as a task, and for subscriptions that are
/// not known.
pub(crate) fn map<'m>(
    generation: Generation,
    message: &'m Message<'m>,
) -> Result<Mapped<'m>, Refused> {
    let (name, params, form) = match (message, generation) {
        (Message::Notification { method, params }, _) => (method, params, Form::Notification),
        (Message::Request { method, params, .. }, _) => (method, params, Form::Request),
        // It answers what the server asked on the session's own stream.
        (Message::Response { .. }, Generation::Sessions) => {
            return Ok(Mapped { method: None, operation: Operation::Server });
        }
        // MCP 2026-07-28, sending messages 4: "The client MUST NOT send JSON-RPC responses".
        (Message::Response { .. }, Generation::Stateless) => {
            return Err(Refused::malformed("a response, where the server asks nothing"));
        }
    };
    let method = Method::find(name, generation).ok_or_else(unknown)?;
    if method.form != form {
        return Err(Refused::malformed(match method.form {
            Form::Notification => "a notification has no `id`",
            Form::Request => "a request needs an `id`",
        }));
    }
    let operation = operation(method.target, params)?;
    Ok(Mapped { method: Some(method.name), operation })
}

fn operation<'m>(target: Target, params: &'m Object<'m>) -> Result<Operation<'m>, Refused> {
    match target {
        Target::Completion => completion(params),
        Target::List(list) => Ok(Operation::List(list)),
        Target::Listen => listen(params),
        Target::Prompt => Ok(Operation::Prompt(text(params, "name")?)),
        Target::Resource => Ok(Operation::Resources(vec![text(params, "uri")?])),
        Target::Server => Ok(Operation::Server),
        Target::Session => Ok(Operation::Session),
        Target::Tool => tool(params),
        Target::Unsupported => {
            Err(Refused::new(ReasonCode::MethodUnknown, "the method is not supported"))
        }
    }
}

fn tool<'m>(params: &'m Object<'m>) -> Result<Operation<'m>, Refused> {
    // 2025-11-25, tasks: the call's result would be fetched later, by an id that is not sealed.
    if params.get("task").is_some() {
        return Err(Refused::unmapped("a call as a task is not supported"));
    }
    let arguments = match params.get("arguments") {
        None => None,
        Some(Value::Object(arguments)) => Some(arguments),
        Some(_) => return Err(Refused::malformed_mapping("`params.arguments` is no object")),
    };
    Ok(Operation::Tool { name: text(params, "name")?, arguments })
}

fn completion<'m>(params: &'m Object<'m>) -> Result<Operation<'m>, Refused> {
    let reference = params.get("ref").and_then(Value::as_object);
    let reference = reference.ok_or_else(|| Refused::malformed_mapping("`ref` is no object"))?;
    match text(reference, "type")? {
        "ref/prompt" => Ok(Operation::Prompt(text(reference, "name")?)),
        "ref/resource" => Ok(Operation::Resources(vec![text(reference, "uri")?])),
        _ => {
            Err(Refused::unmapped("`ref.type` is neither prompt nor resource")
                .at(FailingLine::Mapping))
        }
    }
}

/// The streams of 2026-07-28. What is opted in to is a closed list: an extension's member may stand
/// for content that nothing here has decided about.
fn listen<'m>(params: &'m Object<'m>) -> Result<Operation<'m>, Refused> {
    let filter = params.get("notifications").and_then(Value::as_object);
    let filter =
        filter.ok_or_else(|| Refused::malformed_mapping("`notifications` is no object"))?;
    let mut uris = Vec::new();
    for (name, value) in filter.iter() {
        match (name, value) {
            // They carry no content: only that a list, which is filtered, has changed.
            ("promptsListChanged" | "resourcesListChanged" | "toolsListChanged", value) => {
                if !matches!(value, Value::Bool(_)) {
                    return Err(Refused::malformed_mapping("a subscription is no boolean"));
                }
            }
            ("resourceSubscriptions", Value::Array(resources)) => {
                for uri in resources {
                    let uri = uri.as_text();
                    uris.push(uri.ok_or_else(|| {
                        Refused::malformed_mapping("a subscribed resource is no string")
                    })?);
                }
            }
            ("resourceSubscriptions", _) => {
                return Err(Refused::malformed_mapping("`resourceSubscriptions` is no array"));
            }
            _ => return Err(Refused::unmapped("a subscription that is not known")),
        }
    }
    Ok(if uris.is_empty() { Operation::Server } else { Operation::Resources(uris) })
}

/// A member that is one string.
fn text<'m>(params: &'m Object<'m>, member: &'static str) -> Result<&'m str, Refused> {
    let text = params.get(member).and_then(Value::as_text);
    text.ok_or_else(|| {
        Refused::malformed_mapping(format!("`{member}` is missing, or is no string"))
    })
}

fn unknown() -> Refused {
    Refused::new(ReasonCode::MethodUnknown, "the method is not in the table")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::BODY_BYTES;
    use crate::mcp::message;

    use Generation::{Sessions, Stateless};

    /// The operation of a request with these parameters, shown as text.
    fn shown(
        generation: Generation,
        method: &str,
        params: &str,
    ) -> Result<String, (ReasonCode, FailingLine)> {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let message = message::parse(body.as_bytes(), BODY_BYTES).unwrap();
        let mapped = map(generation, &message);
        mapped
            .map(|mapped| {
                assert_eq!(mapped.method, Some(method));
                match mapped.operation {
                    Operation::List(list) => format!("list {list:?}"),
                    Operation::Prompt(name) => format!("prompt {name}"),
                    Operation::Resources(uris) => format!("resources {}", uris.join(" ")),
                    Operation::Server => "server".to_owned(),
                    Operation::Session => "session".to_owned(),
                    Operation::Tool { name, arguments } => {
                        let arguments = arguments.map(|arguments| arguments.iter().count());
                        format!("tool {name} {arguments:?}")
                    }
                }
            })
            .map_err(|refused| (refused.reason(), refused.line))
    }

    const MALFORMED: Result<String, (ReasonCode, FailingLine)> =
        Err((ReasonCode::Malformed, FailingLine::Mapping));
    const UNKNOWN: Result<String, (ReasonCode, FailingLine)> =
        Err((ReasonCode::MethodUnknown, FailingLine::Mapping));

    fn unmapped() -> Result<String, (ReasonCode, FailingLine)> {
        Err((ReasonCode::Unmapped, Refused::unmapped("").line))
    }

    #[test]
    fn every_target_reads_its_own_names() {
        for (generation, method, params, expected) in [
            (Sessions, "tools/call", r#"{"name":"a"}"#, "tool a None"),
            (Stateless, "tools/call", r#"{"name":"a","arguments":{"b":1}}"#, "tool a Some(1)"),
            (Sessions, "tools/list", "{}", "list Tools"),
            (Stateless, "prompts/list", "{}", "list Prompts"),
            (Stateless, "resources/list", "{}", "list Resources"),
            (Sessions, "resources/templates/list", "{}", "list Templates"),
            (Stateless, "resources/read", r#"{"uri":"a:b"}"#, "resources a:b"),
            (Sessions, "resources/subscribe", r#"{"uri":"a:b"}"#, "resources a:b"),
            (Sessions, "resources/unsubscribe", r#"{"uri":"a:b"}"#, "resources a:b"),
            (Stateless, "prompts/get", r#"{"name":"p"}"#, "prompt p"),
            (
                Sessions,
                "completion/complete",
                r#"{"ref":{"type":"ref/prompt","name":"p"}}"#,
                "prompt p",
            ),
            (
                Stateless,
                "completion/complete",
                r#"{"ref":{"type":"ref/resource","uri":"a:{b}"}}"#,
                "resources a:{b}",
            ),
            (Sessions, "initialize", "{}", "server"),
            (Sessions, "ping", "{}", "session"),
            (Sessions, "logging/setLevel", "{}", "server"),
            (Stateless, "server/discover", "{}", "server"),
            (Stateless, "subscriptions/listen", r#"{"notifications":{}}"#, "server"),
            (
                Stateless,
                "subscriptions/listen",
                r#"{"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b","c:d"]}}"#,
                "resources a:b c:d",
            ),
        ] {
            assert_eq!(
                shown(generation, method, params),
                Ok(expected.to_owned()),
                "{method} {params}"
            );
        }
    }

    #[test]
    fn a_name_that_is_not_one_string_is_malformed_at_the_mapping() {
        for value in ["null", "1", "true", "[\"a\"]", "{}"] {
            assert_eq!(shown(Sessions, "tools/call", &format!(r#"{{"name":{value}}}"#)), MALFORMED);
            assert_eq!(
                shown(Sessions, "prompts/get", &format!(r#"{{"name":{value}}}"#)),
                MALFORMED
            );
            assert_eq!(
                shown(Stateless, "resources/read", &format!(r#"{{"uri":{value}}}"#)),
                MALFORMED
            );
            let reference = format!(r#"{{"ref":{{"type":"ref/prompt","name":{value}}}}}"#);
            assert_eq!(shown(Stateless, "completion/complete", &reference), MALFORMED);
            let filter = format!(r#"{{"notifications":{{"resourceSubscriptions":[{value}]}}}}"#);
            assert_eq!(shown(Stateless, "subscriptions/listen", &filter), MALFORMED);
        }
        for (method, params) in [
            ("tools/call", r#"{"uri":"a"}"#),
            ("prompts/get", "{}"),
            ("resources/read", r#"{"name":"a"}"#),
            ("completion/complete", "{}"),
            ("completion/complete", r#"{"ref":"ref/prompt"}"#),
            ("completion/complete", r#"{"ref":{"name":"p"}}"#),
        ] {
            assert_eq!(shown(Sessions, method, params), MALFORMED, "{method} {params}");
        }
    }

    #[test]
    fn arguments_are_an_object_or_absent() {
        for value in ["null", "[]", "\"a\"", "1"] {
            let params = format!(r#"{{"name":"a","arguments":{value}}}"#);
            assert_eq!(shown(Sessions, "tools/call", &params), MALFORMED);
        }
    }

    #[test]
    fn a_call_as_a_task_is_unmapped_however_it_is_written() {
        for task in ["{}", "null", r#"{"ttl":1}"#] {
            for generation in [Sessions, Stateless] {
                let params = format!(r#"{{"name":"a","task":{task}}}"#);
                assert_eq!(shown(generation, "tools/call", &params), unmapped());
            }
        }
        assert_eq!(
            shown(Sessions, "tools/call", r#"{"name":"a","tasks":{}}"#),
            Ok("tool a None".to_owned())
        );
    }

    #[test]
    fn unknown_methods_and_those_of_the_other_generation_are_denied() {
        for (generation, method) in [
            (Sessions, "tools/Call"),
            (Sessions, "server/discover"),
            (Sessions, "subscriptions/listen"),
            (Stateless, "initialize"),
            (Stateless, "ping"),
            (Stateless, "resources/subscribe"),
            (Stateless, "logging/setLevel"),
            (Sessions, "tasks/get"),
            (Stateless, "tasks/update"),
            (Sessions, "sampling/createMessage"),
            (Sessions, ""),
        ] {
            assert_eq!(shown(generation, method, "{}"), UNKNOWN, "{method}");
        }
    }

    #[test]
    fn subscriptions_that_are_not_known_are_unmapped() {
        let listen = |filter: &str| {
            let params = format!(r#"{{"notifications":{filter}}}"#);
            shown(Stateless, "subscriptions/listen", &params)
        };
        assert_eq!(listen(r#"{"tasks":["t"]}"#), unmapped());
        assert_eq!(listen(r#"{"toolsListChanged":"yes"}"#), MALFORMED);
        assert_eq!(listen(r#"{"resourceSubscriptions":"a:b"}"#), MALFORMED);
        assert_eq!(listen("[]"), MALFORMED);
        assert_eq!(listen(r#"{"toolsListChanged":false}"#), Ok("server".to_owned()));
        assert_eq!(shown(Stateless, "subscriptions/listen", "{}"), MALFORMED);
    }

    #[test]
    fn a_completion_for_something_else_is_unmapped() {
        let params = r#"{"ref":{"type":"ref/tool","name":"a"}}"#;
        assert_eq!(
            shown(Stateless, "completion/complete", params),
            Err((ReasonCode::Unmapped, FailingLine::Mapping))
        );
    }

    #[test]
    fn requests_have_an_id_and_notifications_none() {
        let reason = |generation, body: &str| {
            let message = message::parse(body.as_bytes(), BODY_BYTES).unwrap();
            let refused = map(generation, &message).map(|mapped| mapped.method);
            refused.map_err(|refused| (refused.reason(), refused.line))
        };
        let framing = Err((ReasonCode::Malformed, FailingLine::Framing));
        let call = r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#;
        assert_eq!(reason(Sessions, call), framing);
        let ping = r#"{"jsonrpc":"2.0","method":"ping"}"#;
        assert_eq!(reason(Sessions, ping), framing);
        let cancelled = r#"{"jsonrpc":"2.0","id":1,"method":"notifications/cancelled"}"#;
        assert_eq!(reason(Stateless, cancelled), framing);
        let cancelled = r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#;
        assert_eq!(reason(Stateless, cancelled), Ok(Some("notifications/cancelled")));
        let unknown = r#"{"jsonrpc":"2.0","method":"notifications/tasks/status"}"#;
        assert_eq!(
            reason(Sessions, unknown),
            Err((ReasonCode::MethodUnknown, FailingLine::Mapping))
        );
    }

    #[test]
    fn an_answer_to_the_server_belongs_to_a_session() {
        let message =
            message::parse(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#, BODY_BYTES).unwrap();
        let session = Mapped { method: None, operation: Operation::Server };
        assert_eq!(map(Sessions, &message), Ok(session));
        let refused = map(Stateless, &message).map_err(|refused| refused.reason());
        assert_eq!(refused, Err(ReasonCode::Malformed));
    }
}
