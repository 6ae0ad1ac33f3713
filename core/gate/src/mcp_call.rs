//! The door of an MCP server: one message, from its bytes to its verdict.

use mandate_authn::ReasonCode;
use mandate_authz::authorize::Resource;
use mandate_authz::policy::{Form, Policy};

use crate::audit::Draft;
use crate::framing;
use crate::gate::{Asking, Passage, Stopped, Verified, Walk};
use crate::limits;
use crate::mcp::message::{Id, Message};
use crate::mcp::method::operation::{self, Mapped, Operation};
use crate::mcp::session;
use crate::mcp::version::{Generation, Unspoken, Version};
use crate::mcp::{SealingKey, arguments, headers, list, message, reply as error_body, version};
use crate::parties::Parties;
use crate::policy::{McpRoute, MethodRule};
use crate::refused::Refused;
use crate::reply::Call;
use crate::response::{Asker, ListTicket, SessionDuty, SessionScope, StreamTicket};
use crate::verdict::{Answer, Verdict};
use crate::view::{Headers, Request};

/// One request at the door.
pub(crate) struct McpDoor<'g> {
    pub(crate) name: &'g str,
    pub(crate) mcp: &'g McpRoute,
    pub(crate) secret: Option<&'g SealingKey>,
}

/// Why a message does not pass, and what its answer needs to say so.
#[derive(Default)]
struct Turned {
    id: Option<Id>,
    is_tool: bool,
    /// The body that the transport asks for, where it is not the usual one.
    body: Option<String>,
}

impl McpDoor<'_> {
    /// Decides.
    pub(crate) fn decide(
        &self,
        walk: Walk<'_>,
        request: &Request<'_>,
        now: u64,
        mut draft: Draft<'_>,
    ) -> Answer {
        let route = walk.route;
        draft.called(&self.mcp.server, None);
        let mut turned = Turned::default();
        let passage = match request.head.method {
            b"POST" => self.post(walk, request, now, &mut draft, &mut turned),
            _ => self.stream(walk, request, now, &mut draft),
        };
        let stopped = match passage {
            Ok(passage) => return passage.answer(draft),
            Err(stopped) => stopped,
        };
        let call = Call { id: turned.id.as_ref().map(Id::as_json), is_tool: turned.is_tool };
        let mut answer = stopped.answer(draft, Some(route), Some(call));
        if let (Some(body), Verdict::Reply(reply)) = (turned.body, &mut answer.verdict) {
            reply.body = body;
        }
        answer
    }

    /// A message.
    fn post(
        &self,
        mut walk: Walk<'_>,
        request: &Request<'_>,
        now: u64,
        draft: &mut Draft<'_>,
        turned: &mut Turned,
    ) -> Result<Passage, Stopped> {
        let fields = request.head.headers;
        framing::refuse_upgrade(fields)?;
        require_json(fields)?;
        if request.body.len() > self.mcp.body_bytes {
            return Err(
                Refused::new(ReasonCode::TooLarge, "the body is longer than the limit").into()
            );
        }
        let verified = walk.verify(request, now, draft)?;
        let message = message::parse(request.body, self.mcp.body_bytes).map_err(|unread| {
            turned.id = unread.id;
            unread.refused
        })?;
        turned.id = match &message {
            Message::Request { id, .. } => Some(id.clone()),
            // Neither has an answer.
            Message::Notification { .. } | Message::Response { .. } => None,
        };
        let version = version::read(&fields).map_err(|unspoken| {
            turned.body = spoken(turned.id.as_ref(), &unspoken);
            Refused::from(unspoken)
        })?;
        headers::check(version, &fields, &message)?;
        turned.is_tool = message.method() == Some("tools/call");
        let mapped = operation::map(version.generation, &message)?;
        let asking = self.asking(&mapped, walk.authorizer.policy())?;
        draft.called(&self.mcp.server, asking.tool);
        let mut passage = walk.ask(&verified, &asking, draft)?;
        self.sessions(&mut passage, version, fields)?;
        passage.pass.response.ends_at = Some(ends_at(&verified));
        if let (Operation::List(list), Some(id)) = (&mapped.operation, &turned.id) {
            // What is compressed could not be filtered.
            passage.pass.remove.push("accept-encoding".to_owned());
            let (asker, list, id) = (self.asker(&verified), *list, id.clone());
            passage.pass.response.list = Some(ListTicket { asker, list, id });
        }
        Ok(passage)
    }

    /// The stream of a session (`GET`), or its end (`DELETE`): MCP 2025-11-25, transports.
    fn stream(
        &self,
        mut walk: Walk<'_>,
        request: &Request<'_>,
        now: u64,
        draft: &mut Draft<'_>,
    ) -> Result<Passage, Stopped> {
        let fields = request.head.headers;
        framing::refuse_upgrade(fields)?;
        let verified = walk.verify(request, now, draft)?;
        let version = version::read(&fields).map_err(Refused::from)?;
        headers::check_without_message(&fields)?;
        if version.generation != Generation::Sessions || !fields.has(SESSION) {
            return Err(Refused::unmapped("only a session has a stream or an end").into());
        }
        let mapped = Mapped { method: None, operation: Operation::Server };
        let asking = self.asking(&mapped, walk.authorizer.policy())?;
        let mut passage = walk.ask(&verified, &asking, draft)?;
        self.sessions(&mut passage, version, fields)?;
        passage.pass.response.ends_at = Some(ends_at(&verified));
        // A stream that goes on where another stopped repeats lists as the server sent them.
        passage.pass.remove.push("accept-encoding".to_owned());
        passage.pass.response.stream = Some(StreamTicket { asker: self.asker(&verified) });
        Ok(passage)
    }

    fn asker(&self, verified: &Verified<'_>) -> Asker {
        let connection = verified.request.connection;
        Asker {
            route: self.name.to_owned(),
            token: verified.token_text.to_vec(),
            agent_contexts: verified.agent_contexts.iter().map(|it| (*it).to_owned()).collect(),
            certificate_sha256: connection.certificate_sha256,
            peer_address: connection.peer_address.map(str::to_owned),
        }
    }

    /// What the operator's tables say of a message.
    fn asking<'m>(
        &'m self,
        mapped: &Mapped<'m>,
        policy: Option<&'m Policy>,
    ) -> Result<Asking<'m>, Refused> {
        let methods = &self.mcp.methods;
        let unmapped = || Refused::unmapped("the gate's table has no action for this method");
        match &mapped.operation {
            Operation::List(_) | Operation::Server => methods.server.as_deref().map(Asking::of),
            Operation::Prompt(name) => methods.prompt.as_ref().map(|rule| named(rule, &[name])),
            Operation::Resources(uris) => methods.resource.as_ref().map(|rule| named(rule, uris)),
            Operation::Session => methods.session.as_deref().map(Asking::of),
            Operation::Tool { name, arguments } => {
                let tools = policy.and_then(|policy| policy.server(&self.mcp.server));
                let tool = tools.and_then(|server| server.tools.get(*name));
                let unlisted = || Refused::unmapped("the tool is not in the contract's table");
                let tool = tool.ok_or_else(unlisted)?;
                let resources = arguments::resources(tool, *arguments)?;
                Some(Asking { action: &tool.action, tool: Some(name), resources })
            }
        }
        .ok_or_else(unmapped)
    }

    /// Opens the seal of the session that is named, and says what happens to one that is given.
    fn sessions(
        &self,
        passage: &mut Passage,
        version: Version,
        fields: Headers<'_>,
    ) -> Result<(), Refused> {
        let stated = fields.one(SESSION);
        let stated = stated.map_err(|_| Refused::malformed("`mcp-session-id` is there twice"))?;
        let secret =
            self.secret.filter(|_| self.mcp.sessions && version.generation == Generation::Sessions);
        let Some(secret) = secret else {
            passage.pass.response.session = SessionDuty::Remove;
            return match stated {
                None => Ok(()),
                Some(_) => Err(Refused::unmapped("there are no sessions here")),
            };
        };
        let scope = scope(&passage.parties, &self.mcp.server);
        if let Some(sealed) = stated {
            let id = session::open(secret, &scope.borrowed(), sealed)?;
            passage.pass.set.push((SESSION, id));
        }
        passage.pass.response.session = SessionDuty::Seal(scope);
        Ok(())
    }
}

impl<'m> Asking<'m> {
    const fn of(action: &'m str) -> Self {
        Self { action, tool: None, resources: Vec::new() }
    }
}

/// The resources that a method names, or none where the table says so.
fn named<'m>(rule: &'m MethodRule, names: &[&'m str]) -> Asking<'m> {
    let resources = rule.target.iter().flat_map(|(type_name, form)| {
        names.iter().map(move |name| resource(type_name, *form, name))
    });
    Asking { action: &rule.action, tool: None, resources: resources.collect() }
}

pub(crate) const fn resource<'m>(type_name: &'m str, form: Form, name: &'m str) -> Resource<'m> {
    match form {
        Form::Id => Resource::Id { type_name, id: name },
        Form::Text => Resource::Text { type_name, text: name },
    }
}

/// Whose a session is. What is not known is nobody's, and opens nothing of anybody's.
fn scope(parties: &Parties, server: &str) -> SessionScope {
    SessionScope {
        tenant: parties.tenant.clone().unwrap_or_default(),
        user: parties.user.clone(),
        agent: parties.machine().map(str::to_owned),
        server: server.to_owned(),
    }
}

/// A stream outlives neither the token nor what is usual.
fn ends_at(verified: &Verified<'_>) -> u64 {
    verified.token.expires_at().min(verified.now.saturating_add(limits::STREAM_SECONDS))
}

/// The body is JSON in UTF-8, as it is. The route says that it is MCP; the client has to agree.
fn require_json(fields: Headers<'_>) -> Result<(), Refused> {
    let content_type = framing::text(fields, "content-type")?;
    if list::framing(content_type.map(str::as_bytes)) != Some(list::Framing::Json) {
        return Err(Refused::malformed("the content type is not JSON in UTF-8"));
    }
    match framing::text(fields, "content-encoding")? {
        None => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(_) => Err(Refused::malformed("the body is encoded")),
    }
}

/// What a client needs to come again with another version.
fn spoken(id: Option<&Id>, unspoken: &Unspoken<'_>) -> Option<String> {
    unspoken
        .requested()
        .map(|requested| error_body::unsupported_version(id.map(Id::as_json), requested))
}

/// MCP 2025-11-25, transports, session management.
pub(crate) const SESSION: &str = "mcp-session-id";
