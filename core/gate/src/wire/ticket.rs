//! What a host keeps between a request and its response, written out: one word to the host.
//!
//! A ticket proves nothing. Whoever asked is asked again with the same evidence, so that a ticket
//! that was made up shows no more than a request with that token would.

use mandate_authn::{Json, base64url, json_object, read_document};
use serde::Deserialize;

use crate::mcp::ListKind;
use crate::mcp::message::Id;
use crate::response::{Asker, ListTicket, SessionScope, StreamTicket};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListText {
    asker: AskerText,
    list: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamText {
    asker: AskerText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskerText {
    route: String,
    token: String,
    agent_contexts: Vec<String>,
    certificate_sha256: Option<String>,
    peer_address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeText {
    tenant: String,
    user: Option<String>,
    agent: Option<String>,
    server: String,
}

impl ListTicket {
    /// The ticket as a text that a host keeps until the response comes. It has the token in it:
    /// keep it in memory, write it nowhere.
    #[must_use]
    pub fn to_text(&self) -> String {
        json_object([
            ("asker", Some(self.asker.to_json())),
            ("list", Some(Json::from(name(self.list)))),
            ("id", Some(Json::from(self.id.as_json()))),
        ])
        .to_canonical()
    }

    /// Reads what [`ListTicket::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let ListText { asker, list, id } = read_document(text).ok()?;
        let list = LISTS.into_iter().find(|kind| name(*kind) == list)?;
        Some(Self { asker: asker.read()?, list, id: Id::parse(&id)? })
    }
}

impl StreamTicket {
    /// As [`ListTicket::to_text`].
    #[must_use]
    pub fn to_text(&self) -> String {
        json_object([("asker", Some(self.asker.to_json()))]).to_canonical()
    }

    /// Reads what [`StreamTicket::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let StreamText { asker } = read_document(text).ok()?;
        Some(Self { asker: asker.read()? })
    }
}

impl SessionScope {
    /// The scope as a text that a host keeps until the response comes. It has no secret in it.
    #[must_use]
    pub fn to_text(&self) -> String {
        json_object([
            ("tenant", Some(Json::from(self.tenant.as_str()))),
            ("user", self.user.as_deref().map(Json::from)),
            ("agent", self.agent.as_deref().map(Json::from)),
            ("server", Some(Json::from(self.server.as_str()))),
        ])
        .to_canonical()
    }

    /// Reads what [`SessionScope::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let ScopeText { tenant, user, agent, server } = read_document(text).ok()?;
        Some(Self { tenant, user, agent, server })
    }
}

impl Asker {
    fn to_json(&self) -> Json {
        let contexts = self.agent_contexts.iter().map(|it| Json::from(it.as_str())).collect();
        let certificate = self.certificate_sha256.map(|digest| base64url::encode(&digest));
        json_object([
            ("route", Some(Json::from(self.route.as_str()))),
            // INVARIANT: a bearer token is ASCII, or `framing::bearer` had refused it.
            ("token", Some(Json::from(String::from_utf8_lossy(&self.token).into_owned()))),
            ("agent_contexts", Some(Json::Array(contexts))),
            ("certificate_sha256", certificate.map(Json::from)),
            ("peer_address", self.peer_address.as_deref().map(Json::from)),
        ])
    }
}

impl AskerText {
    fn read(self) -> Option<Asker> {
        let Self { route, token, agent_contexts, certificate_sha256, peer_address } = self;
        let digest = |text: &String| base64url::decode(text.as_bytes())?.try_into().ok();
        let certificate_sha256 = match &certificate_sha256 {
            None => None,
            Some(text) => Some(digest(text)?),
        };
        let token = token.into_bytes();
        Some(Asker { route, token, agent_contexts, certificate_sha256, peer_address })
    }
}

const fn name(list: ListKind) -> &'static str {
    match list {
        ListKind::Prompts => "prompts",
        ListKind::Resources => "resources",
        ListKind::Templates => "templates",
        ListKind::Tools => "tools",
    }
}

const LISTS: [ListKind; 4] =
    [ListKind::Prompts, ListKind::Resources, ListKind::Templates, ListKind::Tools];
