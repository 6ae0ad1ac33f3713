//! Names in facts, and the types and relations that the sections write.

use crate::name::{ObjectName, Subject};
use crate::object_id;

/// The type that `teams` fills. The contract's parts of the rule know no teams: only models do.
pub(super) const TEAM: &str = "team";

/// Relations of the shared model (contract/model/core.fga) that sections write.
pub(super) mod relation {
    pub(crate) const ADMIN: &str = "admin";
    pub(crate) const AGENT_ADMIN: &str = "agent_admin";
    pub(crate) const AGENT_USER: &str = "agent_user";
    pub(crate) const CAN_ASSERT: &str = "can_assert";
    pub(crate) const CAN_CALL: &str = "can_call";
    pub(crate) const CAN_CALL_ALL: &str = "can_call_all";
    pub(crate) const CAN_USE: &str = "can_use";
    pub(crate) const DELEGATE_OF: &str = "delegate_of";
    pub(crate) const DENIED: &str = "denied";
    pub(crate) const EVALUATOR: &str = "evaluator";
    pub(crate) const MEMBER: &str = "member";
    pub(crate) const ORGANIZATION: &str = "organization";
    pub(crate) const OWNER: &str = "owner";
    pub(crate) const SERVER: &str = "server";
    pub(crate) const SHARED_WITH_TEAMS: &str = "shared_with_teams";
    pub(crate) const VISIBLE_TO: &str = "visible_to";
    pub(crate) const WORKSPACE: &str = "workspace";
}

/// An object by the id of an entry.
pub(super) fn object(type_name: &str, id: &str) -> Result<ObjectName, String> {
    if object_id::is_bare(id) {
        Ok(ObjectName::new(type_name, id))
    } else {
        Err(format!("`{id}` is no id: one has no `%`, `:`, `#`, `*` and white space"))
    }
}

/// A subject: `type:id`, `type:id#relation`, `type:*`, or the id alone of the usual type.
pub(super) fn subject(usual: &str, text: &str) -> Result<Subject, String> {
    if text.contains(':') { full_subject(text) } else { object(usual, text).map(Subject::Object) }
}

/// An object: `type:id`, or the id alone of the usual type.
pub(super) fn object_or_id(usual: &str, text: &str) -> Result<ObjectName, String> {
    if text.contains(':') { full_object(text) } else { object(usual, text) }
}

/// `type:id`, whose id may have been encoded.
pub(super) fn full_object(text: &str) -> Result<ObjectName, String> {
    let object = ObjectName::parse(text).filter(|object| is_id(&object.id));
    object.filter(|object| object.id != "*").ok_or_else(|| format!("`{text}` is no `type:id`"))
}

/// `type:id`, `type:id#relation` or `type:*`.
pub(super) fn full_subject(text: &str) -> Result<Subject, String> {
    let subject = Subject::parse(text).filter(|subject| match subject {
        Subject::Object(object) | Subject::Userset(object, _) => is_id(&object.id),
        Subject::Wildcard(_) => true,
    });
    subject.ok_or_else(|| format!("`{text}` is no `type:id`, `type:id#relation` or `type:*`"))
}

/// `server/tool`, or `server/*`: every registered tool of the server.
pub(super) fn tool_id(id: &str) -> Result<&str, String> {
    let (every, stem) = id.strip_suffix("/*").map_or((false, id), |server| (true, server));
    if object_id::is_bare(stem) && !(every && stem.contains('/')) {
        Ok(id)
    } else {
        Err(format!("`{id}` is no id of a tool, such as `server/tool`, `server/*` or `tool`"))
    }
}

/// An id as it is stored: what requests cannot name stands in no fact.
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && !id
            .contains(|character: char| matches!(character, ':' | '#') || character.is_whitespace())
}
