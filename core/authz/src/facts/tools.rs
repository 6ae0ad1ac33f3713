//! MCP servers and tools.

use std::collections::BTreeMap;

use super::FactsError;
use super::assembly::Assembly;
use super::file::List;
use super::names::{self, relation};
use super::place::{Place, entries};
use crate::name::{ObjectName, Subject};
use crate::object_id;
use crate::tuple::Tuple;

/// Servers with their registered tools.
pub(super) fn servers(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("servers".to_owned(), &assembly.file.servers) {
        let server_type = server_type(assembly, &place)?;
        check_server(&entry.id, &place)?;
        let server = assembly.introduce(server_type, &entry.id, &place)?;
        for (place, tool) in place.each("tools", &entry.tools) {
            let tool = tool_of(assembly, &entry.id, tool, &place)?;
            let tool = assembly.introduce_object(tool, &place)?;
            offer(assembly, &server, tool, &place)?;
        }
        let every = tool_of(assembly, &entry.id, "*", &place)?;
        for called in [server, every] {
            let callers = place.each("callers", &entry.callers);
            let user = assembly.types().user.as_str();
            assembly.relationships.write_each(&called, relation::CAN_CALL, user, callers)?;
        }
    }
    Ok(())
}

/// Tools one by one: of servers, and what stands for a tool on an HTTP route.
pub(super) fn tools(assembly: &mut Assembly<'_>) -> Result<(), FactsError> {
    for (place, entry) in entries("tools".to_owned(), &assembly.file.tools) {
        let id = names::tool_id(&entry.id).map_err(|message| place.error(message))?;
        let tool = ObjectName::new(tool_type(assembly, &place)?, id);
        // A server's list registers a tool, and an entry here says who may call it.
        if !assembly.has_entry(&tool) {
            assembly.introduce_object(tool.clone(), &place)?;
        }
        let callers = place.each("callers", &entry.callers);
        let user = assembly.types().user.as_str();
        assembly.relationships.write_each(&tool, relation::CAN_CALL, user, callers)?;
    }
    Ok(())
}

/// What an agent may call. `"*"` stands for every registered tool of the server.
pub(super) fn allow(
    assembly: &mut Assembly<'_>,
    agent: &ObjectName,
    allowed: &BTreeMap<String, List<String>>,
    place: &Place,
) -> Result<(), FactsError> {
    for (server_id, tools) in allowed {
        let member = format!("allowed_tools.{server_id}");
        let server_place = place.member(&member);
        let server = ObjectName::new(server_type(assembly, &server_place)?, server_id.as_str());
        check_server(server_id, &server_place)?;
        let mut called = Vec::new();
        for (place, tool) in place.each(&member, tools) {
            called.push((tool_of(assembly, server_id, tool, &place)?, place));
        }
        if called.is_empty() {
            let message = "is empty and allows nothing; every tool is `[\"*\"]`";
            assembly.notes.push(server_place.note(message));
            continue;
        }
        if assembly.has_entry(&server) {
            require_registered(assembly, &called, server_id)?;
        }
        for (tool, place) in &called {
            let stated = tool.id.ends_with("/*") || assembly.has_entry(&server);
            if !stated {
                offer(assembly, &server, tool.clone(), place)?;
            }
        }
        // Without the server itself the agent could not even open a session with it.
        called.push((server, server_place));
        for (object, place) in called {
            let can_call = Tuple::new(object, relation::CAN_CALL, Subject::Object(agent.clone()));
            assembly.relationships.write(can_call, &place)?;
        }
    }
    Ok(())
}

/// The server offers the tool: what is granted for all of its tools covers it.
fn offer(
    assembly: &mut Assembly<'_>,
    server: &ObjectName,
    tool: ObjectName,
    place: &Place,
) -> Result<(), FactsError> {
    let offered = Tuple::new(tool, relation::SERVER, Subject::Object(server.clone()));
    assembly.relationships.write(offered, place)
}

/// A server that lists its tools has no others: a name that it lacks is a slip of the pen.
fn require_registered(
    assembly: &Assembly<'_>,
    called: &[(ObjectName, Place)],
    server: &str,
) -> Result<(), FactsError> {
    for (tool, place) in called {
        if !tool.id.ends_with("/*") && !assembly.has_entry(tool) {
            return Err(place.error(format!("server `{server}` has no tool of this name")));
        }
    }
    Ok(())
}

fn tool_of(
    assembly: &Assembly<'_>,
    server: &str,
    tool: &str,
    place: &Place,
) -> Result<ObjectName, FactsError> {
    if tool != "*" && !object_id::is_bare(tool) {
        return Err(place.error(format!("`{tool}` is no name of a tool, nor `\"*\"`")));
    }
    Ok(ObjectName::new(tool_type(assembly, place)?, format!("{server}/{tool}")))
}

fn check_server(id: &str, place: &Place) -> Result<(), FactsError> {
    if object_id::is_bare(id) && !id.contains('/') {
        Ok(())
    } else {
        Err(place.error(format!("`{id}` is no id of a server: one has no `/`")))
    }
}

fn tool_type<'a>(assembly: &Assembly<'a>, place: &Place) -> Result<&'a str, FactsError> {
    let named = assembly.types().tool.as_deref();
    named.ok_or_else(|| place.error("the contract has no type `tool`"))
}

fn server_type<'a>(assembly: &Assembly<'a>, place: &Place) -> Result<&'a str, FactsError> {
    let named = assembly.types().server.as_deref();
    named.ok_or_else(|| place.error("the contract has no type `server`"))
}
