//! What of a list its reader may see, and the sessions that a server gives.

use mandate_authz::authorize::{self, Candidate, Evidence, Resource};
use mandate_authz::authorizer::Authorizer;
use mandate_authz::policy::Policy;

use crate::gate::Gate;
use crate::mcp::list::{self, Entry, Framing, Stream};
use crate::mcp::session;
use crate::mcp_call::resource;
use crate::policy::{Enforcement, McpRoute, MethodRule, Route, RouteKind};
use crate::response::{Asker, ListTicket, SessionScope, StreamTicket};

/// The body of a list, as its reader may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReply {
    /// The body.
    pub body: Vec<u8>,
    /// Its content type.
    pub content_type: &'static str,
    /// How many entries are not shown.
    pub removed: usize,
    /// Why the body is a JSON-RPC error instead of the list: one line for the operator.
    pub failure: Option<&'static str>,
}

impl Gate {
    /// Filters the answer to a request for a list: an entry is shown if its reader could use it
    /// now. What cannot be read strictly, is longer than
    /// [`LIST_BYTES`](crate::limits::LIST_BYTES), or answers something else becomes a JSON-RPC
    /// error.
    pub fn filter_list(
        &mut self,
        ticket: &ListTicket,
        content_type: Option<&str>,
        body: &[u8],
        now: u64,
    ) -> ListReply {
        let framing = list::framing(content_type.map(str::as_bytes));
        let filtered = match framing {
            None => list::failed(&ticket.id, Framing::Json, "is neither JSON nor events"),
            Some(framing) => {
                let mut keep = |entries: &[Entry<'_>]| self.shown(&ticket.asker, now, entries);
                list::filter(ticket.list, &ticket.id, framing, body, &mut keep)
            }
        };
        let content_type = match framing {
            Some(Framing::Events) => "text/event-stream",
            Some(Framing::Json) | None => "application/json",
        };
        let body = filtered.body.into_owned();
        ListReply { body, content_type, removed: filtered.removed, failure: filtered.failure }
    }

    /// Takes what came of a stream, and returns what may go on; `last` is where it ends. At most one
    /// event is held.
    ///
    /// # Errors
    /// One line for the operator: the stream has to be ended here.
    pub fn filter_stream(
        &mut self,
        stream: &mut EventStream,
        ticket: &StreamTicket,
        chunk: &[u8],
        last: bool,
        now: u64,
    ) -> Result<Vec<u8>, &'static str> {
        let mut keep = |entries: &[Entry<'_>]| self.shown(&ticket.asker, now, entries);
        stream.0.push(chunk, last, &mut keep)
    }

    /// Whether each entry is shown to whoever asked.
    fn shown(
        &mut self,
        asker: &Asker,
        now: u64,
        entries: &[Entry<'_>],
    ) -> Result<Vec<bool>, &'static str> {
        let Self { authorizer, policy, .. } = self;
        let route = policy.as_ref().and_then(|policy| policy.route(&asker.route));
        match route {
            Some((_, Route { audience, kind: RouteKind::Mcp(mcp), enforcement, .. })) => {
                let enforcement = *enforcement;
                Reader { asker, audience, mcp, enforcement, now }.shown(authorizer, entries)
            }
            Some(_) | None => Err("has no route any more"),
        }
    }

    /// What goes to the client in place of the session id that the server gave; `None` where it is
    /// no session id, or the secret is gone: then the response has to be replaced by a 502.
    #[must_use]
    pub fn seal_session(&self, scope: &SessionScope, id: &[u8]) -> Option<String> {
        session::seal(self.sealing.as_ref()?, &scope.borrowed(), id).ok()
    }
}

/// A stream of events on its way to a client: what of it is not yet a whole event.
#[derive(Clone, Debug, Default)]
pub struct EventStream(Stream);

impl EventStream {
    /// A stream of which this was held after the last chunk: for a host that keeps the bytes
    /// itself.
    #[must_use]
    pub fn of_held(held: &[u8]) -> Self {
        Self(Stream::of_held(held))
    }

    /// What is not yet a whole event.
    #[must_use]
    pub fn into_held(self) -> Vec<u8> {
        self.0.into_held()
    }
}

/// Who reads a list.
struct Reader<'r> {
    asker: &'r Asker,
    audience: &'r str,
    mcp: &'r McpRoute,
    enforcement: Enforcement,
    now: u64,
}

/// What an entry stands for: its action, its tool, and what it names.
type Use<'e> = (&'e str, Option<&'e str>, Option<Resource<'e>>);

impl Reader<'_> {
    /// Whether each entry is shown, by the evidence with which the list was asked for.
    fn shown(
        &self,
        authorizer: &mut Authorizer,
        entries: &[Entry<'_>],
    ) -> Result<Vec<bool>, &'static str> {
        let Self { asker, audience, now, .. } = *self;
        let wanted = mandate_authn::Request {
            audience: Some(audience),
            now,
            certificate_sha256: asker.certificate_sha256,
        };
        let token = authorizer.validator().validate(&asker.token, &wanted).into_outcome();
        let token = token.map_err(|_| "is for a token that is no longer valid")?;
        let contexts: Vec<&str> = asker.agent_contexts.iter().map(String::as_str).collect();
        let evidence = Evidence {
            token: &token,
            token_text: &asker.token,
            agent_contexts: &contexts,
            certificate_sha256: asker.certificate_sha256,
        };
        let list = authorize::Request {
            audience,
            action: self.mcp.methods.server.as_deref().ok_or("has no action any more")?,
            tool: None,
            resources: &[],
            on_behalf_of: None,
            caller: None,
            peer_address: asker.peer_address.as_deref(),
            minimum_epoch: None,
        };
        let policy = authorizer.policy();
        let uses: Vec<Option<Use<'_>>> =
            entries.iter().map(|entry| self.means(entry, policy)).collect();
        let candidates: Vec<Candidate<'_>> = uses.iter().flatten().map(candidate).collect();
        let state = authorizer.state();
        // What would pass, though only observed, is shown: else its use could not be observed.
        let passes = |line| self.enforcement.lets_pass(line, now);
        let offered =
            authorize::offered(&evidence, &list, &candidates, now, policy, state, &passes)
                .map_err(|_| "is for somebody who may no longer have it")?;
        let mut offered = offered.into_iter();
        let shown = uses.iter().map(|used| used.is_some() && offered.next().unwrap_or(false));
        Ok(shown.collect())
    }

    /// What using an entry would be; `None` where the operator's tables say nothing of it.
    fn means<'e>(&'e self, entry: &Entry<'e>, policy: Option<&'e Policy>) -> Option<Use<'e>> {
        let methods = &self.mcp.methods;
        match *entry {
            Entry::Prompt(name) => named(methods.prompt.as_ref()?, name),
            Entry::Resource(uri) => named(methods.resource.as_ref()?, uri),
            // Which resource it would be is not known before it is asked for.
            Entry::Template(_) => Some((&methods.resource.as_ref()?.action, None, None)),
            Entry::Tool(name) => {
                let tool = policy?.server(&self.mcp.server)?.tools.get(name)?;
                Some((&tool.action, Some(name), None))
            }
        }
    }
}

fn named<'e>(rule: &'e MethodRule, name: &'e str) -> Option<Use<'e>> {
    let target = rule.target.as_ref();
    Some((&rule.action, None, target.map(|(type_name, form)| resource(type_name, *form, name))))
}

fn candidate<'u>((action, tool, resource): &'u Use<'u>) -> Candidate<'u> {
    Candidate { action, tool: *tool, resources: resource.as_ref().map(std::slice::from_ref) }
}
