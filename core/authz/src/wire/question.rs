//! Questions as they are written.

use mandate_authn::{LoadError, limits};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::authorize::{Request, Resource};
use crate::container::Position;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorizeQuestion {
    pub(super) now: u64,
    pub(super) token: String,
    #[serde(default)]
    pub(super) agent_contexts: Vec<String>,
    pub(super) certificate_sha256: Option<String>,
    pub(super) request: RequestQuestion,
    #[serde(default)]
    pub(super) explain: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideQuestion {
    pub(super) now: u64,
    pub(super) assertion: AssertionQuestion,
    pub(super) request: RequestQuestion,
    #[serde(default)]
    pub(super) explain: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AssertionQuestion {
    /// The object of who asserts, or `offline`.
    pub(super) asserter: String,
    pub(super) subject: String,
    pub(super) agent: Option<String>,
    pub(super) credential: Option<String>,
    pub(super) tenant: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestQuestion {
    audience: String,
    action: String,
    tool: Option<String>,
    #[serde(default)]
    resources: Vec<ResourceQuestion>,
    on_behalf_of: Option<String>,
    caller: Option<Map<String, Value>>,
    peer_address: Option<String>,
    minimum_epoch: Option<String>,
}

/// Exactly one form.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`argument` and `value`, `type` and `id`, or `type` and `text`")]
enum ResourceQuestion {
    Argument(ArgumentQuestion),
    Id(IdQuestion),
    Text(TextQuestion),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArgumentQuestion {
    argument: String,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdQuestion {
    #[serde(rename = "type")]
    type_name: String,
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextQuestion {
    #[serde(rename = "type")]
    type_name: String,
    text: String,
}

/// What a request borrows from.
pub(super) struct RequestParts<'q> {
    resources: Vec<Resource<'q>>,
    minimum_epoch: Option<Position>,
}

impl<'q> RequestParts<'q> {
    pub(super) fn of(question: &'q RequestQuestion) -> Result<Self, LoadError> {
        let resource = |question: &'q ResourceQuestion| match question {
            ResourceQuestion::Argument(ArgumentQuestion { argument, value }) => {
                Resource::Argument { pointer: argument, value }
            }
            ResourceQuestion::Id(IdQuestion { type_name, id }) => Resource::Id { type_name, id },
            ResourceQuestion::Text(TextQuestion { type_name, text }) => {
                Resource::Text { type_name, text }
            }
        };
        let position = |text: &str| {
            Position::parse(text)
                .ok_or_else(|| LoadError::new("request.minimum_epoch", "must be `era.epoch`"))
        };
        Ok(Self {
            resources: question.resources.iter().map(resource).collect(),
            minimum_epoch: question.minimum_epoch.as_deref().map(position).transpose()?,
        })
    }

    pub(super) fn request(&'q self, question: &'q RequestQuestion) -> Request<'q> {
        Request {
            audience: &question.audience,
            action: &question.action,
            tool: question.tool.as_deref(),
            resources: &self.resources,
            on_behalf_of: question.on_behalf_of.as_deref(),
            caller: question.caller.as_ref(),
            peer_address: question.peer_address.as_deref(),
            minimum_epoch: self.minimum_epoch,
        }
    }
}

/// Seconds since the epoch that every JSON reader agrees on.
pub(super) fn moment(now: u64) -> Result<u64, LoadError> {
    let exact = i64::try_from(now).is_ok_and(|now| now <= limits::LARGEST_INTEGER);
    if exact { Ok(now) } else { Err(LoadError::new("now", "is above 2^53 - 1")) }
}
