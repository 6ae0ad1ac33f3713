//! What the gate does to responses.

use crate::mcp::ListKind;
use crate::mcp::message::Id;
use crate::mcp::session::Scope;

/// What a host has to do with the response to a request that passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseDuty {
    /// Hold the body, at most [`LIST_BYTES`](crate::limits::LIST_BYTES), and ask
    /// [`Gate::filter_list`](crate::Gate::filter_list) what of it may be shown.
    pub list: Option<ListTicket>,
    /// Let the body, where it is a stream of events, go through
    /// [`Gate::filter_stream`](crate::Gate::filter_stream) chunk by chunk. It must not be
    /// compressed.
    pub stream: Option<StreamTicket>,
    /// What happens to the session id that the server issues.
    pub session: SessionDuty,
    /// The response ends at this moment, in seconds since the epoch, even if it is a stream.
    pub ends_at: Option<u64>,
}

/// What happens to `Mcp-Session-Id` in a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionDuty {
    /// It is removed: nobody could tell later whose it is.
    Remove,
    /// It is replaced by [`Gate::seal_session`](crate::Gate::seal_session).
    Seal(SessionScope),
    /// The route is no MCP route.
    #[default]
    Untouched,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionScope {
    pub(crate) tenant: String,
    pub(crate) user: Option<String>,
    /// The agent, or the service that acts for itself.
    pub(crate) agent: Option<String>,
    pub(crate) server: String,
}

impl SessionScope {
    pub(crate) fn borrowed(&self) -> Scope<'_> {
        let (user, agent) = (self.user.as_deref(), self.agent.as_deref());
        Scope { tenant: &self.tenant, user, agent, server: &self.server }
    }
}

/// A list that was asked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTicket {
    pub(crate) asker: Asker,
    pub(crate) list: ListKind,
    /// The JSON-RPC id of the request.
    pub(crate) id: Id,
}

/// A stream of a session, which may repeat any list, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamTicket {
    pub(crate) asker: Asker,
}

/// Who asked: the same evidence decides what of a response may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) route: String,
    pub(crate) token: Vec<u8>,
    pub(crate) agent_contexts: Vec<String>,
    pub(crate) certificate_sha256: Option<[u8; 32]>,
    pub(crate) peer_address: Option<String>,
}
