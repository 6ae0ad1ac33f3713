//! The methods of the protocol, and what each does to what.
//!
//! A closed table: a method that is not in it, or not in the generation that the request speaks, is
//! `method-unknown`, so that what later versions and extensions add is denied until it is written
//! down here (AuthZEN COAZ-MCP draft 1, unknown methods: "MUST be denied").

pub(crate) mod operation;

use super::version::Generation;

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// As `method` says it.
    pub(crate) name: &'static str,
    /// Whether 2025-03-26 to 2025-11-25 have it.
    sessions: bool,
    /// Whether 2026-07-28 has it.
    stateless: bool,
    /// Whether it has an id and an answer.
    pub(crate) form: Form,
    /// What a client does by it.
    pub(crate) target: Target,
}

/// Whether a message has an id and an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It has neither.
    Notification,
    /// It has both.
    Request,
}

/// What a client does by a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Asks for values of an argument of the prompt or resource in `params.ref`.
    Completion,
    /// Asks for a list, whose entries are filtered.
    List(ListKind),
    /// Opens a stream, which tells of changes of the resources in
    /// `params.notifications.resourceSubscriptions`.
    Listen,
    /// Uses the prompt in `params.name`.
    Prompt,
    /// Uses the resource in `params.uri`.
    Resource,
    /// The server as a whole: who may call it.
    Server,
    /// Nothing that has a right of its own.
    Session,
    /// Calls the tool in `params.name`.
    Tool,
    /// Known, and not supported: denied like an unknown one.
    Unsupported,
}

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// `prompts/list`.
    Prompts,
    /// `resources/list`.
    Resources,
    /// `resources/templates/list`.
    Templates,
    /// `tools/list`.
    Tools,
}

impl Method {
    /// The method of that name in that generation.
    pub(crate) fn find(name: &str, generation: Generation) -> Option<&'static Self> {
        METHODS.iter().find(|method| method.name == name && method.is_in(generation))
    }

    const fn is_in(&self, generation: Generation) -> bool {
        match generation {
            Generation::Sessions => self.sessions,
            Generation::Stateless => self.stateless,
        }
    }

    /// The member of `params` that `Mcp-Name` repeats, if one.
    pub(crate) const fn named_by(&self) -> Option<&'static str> {
        match self.target {
            Target::Prompt | Target::Tool => Some("name"),
            Target::Resource => Some("uri"),
            Target::Completion
            | Target::List(_)
            | Target::Listen
            | Target::Server
            | Target::Session
            | Target::Unsupported => None,
        }
    }
}

/// One row of the table, in its columns.
const fn row(
    name: &'static str,
    [sessions, stateless]: [bool; 2],
    form: Form,
    target: Target,
) -> Method {
    Method { name, sessions, stateless, form, target }
}

/// Versions that have a method: `[2025-03-26 to 2025-11-25, 2026-07-28]`.
const BOTH: [bool; 2] = [true, true];
/// Only those with sessions.
const OLD: [bool; 2] = [true, false];
/// Only the one without.
const NEW: [bool; 2] = [false, true];

/// Every method that a client sends, by name. `docs/mcp.md` shows the same table.
///
/// 2025-03-26 to 2025-11-25 are one column: what a later one of them added is harmless to say to a
/// server of an earlier one, which does not know it. Sources: `ClientRequest` and
/// `ClientNotification` of the schemas; the default mapping of AuthZEN COAZ-MCP draft 1.
pub(crate) const METHODS: [Method; 25] = [
    row("completion/complete", BOTH, Form::Request, Target::Completion),
    row("initialize", OLD, Form::Request, Target::Server),
    row("logging/setLevel", OLD, Form::Request, Target::Server),
    row("notifications/cancelled", BOTH, Form::Notification, Target::Session),
    row("notifications/initialized", OLD, Form::Notification, Target::Session),
    row("notifications/progress", OLD, Form::Notification, Target::Session),
    row("notifications/roots/list_changed", OLD, Form::Notification, Target::Session),
    row("notifications/tasks/status", OLD, Form::Notification, Target::Unsupported),
    row("ping", OLD, Form::Request, Target::Session),
    row("prompts/get", BOTH, Form::Request, Target::Prompt),
    row("prompts/list", BOTH, Form::Request, Target::List(ListKind::Prompts)),
    row("resources/list", BOTH, Form::Request, Target::List(ListKind::Resources)),
    row("resources/read", BOTH, Form::Request, Target::Resource),
    row("resources/subscribe", OLD, Form::Request, Target::Resource),
    row("resources/templates/list", BOTH, Form::Request, Target::List(ListKind::Templates)),
    row("resources/unsubscribe", OLD, Form::Request, Target::Resource),
    row("server/discover", NEW, Form::Request, Target::Server),
    row("subscriptions/listen", NEW, Form::Request, Target::Listen),
    row("tasks/cancel", BOTH, Form::Request, Target::Unsupported),
    row("tasks/get", BOTH, Form::Request, Target::Unsupported),
    row("tasks/list", OLD, Form::Request, Target::Unsupported),
    row("tasks/result", OLD, Form::Request, Target::Unsupported),
    row("tasks/update", NEW, Form::Request, Target::Unsupported),
    row("tools/call", BOTH, Form::Request, Target::Tool),
    row("tools/list", BOTH, Form::Request, Target::List(ListKind::Tools)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_listed_by_name_and_once() {
        let names: Vec<_> = METHODS.iter().map(|method| method.name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn a_method_is_found_only_in_the_generation_that_has_it() {
        let found = |name: &str, generation| Method::find(name, generation).map(|found| found.name);
        for (name, sessions, stateless) in [
            ("tools/call", true, true),
            ("initialize", true, false),
            ("server/discover", false, true),
            ("Tools/call", false, false),
            ("tools/call ", false, false),
            ("", false, false),
        ] {
            let expected = |has: bool| has.then_some(name);
            assert_eq!(found(name, Generation::Sessions), expected(sessions), "{name}");
            assert_eq!(found(name, Generation::Stateless), expected(stateless), "{name}");
        }
    }

    #[test]
    fn notifications_are_the_methods_that_are_called_so() {
        for method in METHODS {
            let called = method.name.starts_with("notifications/");
            assert_eq!(method.form == Form::Notification, called, "{}", method.name);
        }
    }

    /// The table in the documentation, row by row, is this one.
    #[test]
    fn the_documentation_shows_this_table() {
        let shown = |method: &Method| {
            let has = |has: bool| if has { "yes" } else { "no" };
            let form = match method.form {
                Form::Notification => "notification",
                Form::Request => "request",
            };
            let target = match method.target {
                Target::Completion => "completion: the prompt or resource of `params.ref`",
                Target::List(_) => "list",
                Target::Listen => {
                    "the resources in `params.notifications.resourceSubscriptions`; server without"
                }
                Target::Prompt => "prompt `params.name`",
                Target::Resource => "resource `params.uri`",
                Target::Server => "server",
                Target::Session => "session",
                Target::Tool => "tool `params.name`",
                Target::Unsupported => "not supported",
            };
            let (old, new) = (has(method.sessions), has(method.stateless));
            format!("| `{}` | {old} | {new} | {form} | {target} |", method.name)
        };
        let documentation = include_str!("../../../../docs/mcp.md");
        let rows: Vec<_> = documentation
            .lines()
            .skip_while(|line| !line.starts_with("| method |"))
            .skip(2)
            .collect();
        let rows: Vec<_> = rows.into_iter().take_while(|line| line.starts_with('|')).collect();
        assert_eq!(rows, METHODS.iter().map(shown).collect::<Vec<_>>());
    }
}
