//! Paths and queries of requests: strict, one line of text each.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use mandate_authz::name::ObjectName;
use mandate_registry::limits::LARGEST_TIME;

use super::answer::{Answer, problem};
use super::endpoint::{LARGEST_PAGE, Parameter};
use crate::form::fields;

/// The one variable of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Answer> {
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let text = path.ok().map(|Path(text)| text).filter(|text| is_line(text));
        text.map(Self).ok_or_else(|| refuse("`path`: is no text of one line"))
    }
}

impl Named {
    /// `type:id`.
    pub(super) fn object(&self) -> Result<ObjectName, Answer> {
        object(&self.0).ok_or_else(|| refuse("`path`: is no `type:id`"))
    }
}

/// The parameters of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads them: each comes once, and is one of these.
    pub(super) fn read(request: &Request, known: &[Parameter]) -> Result<Self, Answer> {
        let text = request.uri().query().unwrap_or_default();
        let fields = fields(text.as_bytes(), &[])
            .map_err(|_| refuse("the query has a parameter twice, or is malformed"))?;
        for (name, value) in &fields {
            if !known.iter().any(|parameter| parameter.name == name) {
                let names: Vec<_> = known.iter().map(|parameter| parameter.name).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                return Err(refuse(&format!("the parameters are {names}")));
            }
            if !is_line(value) {
                return Err(refuse(&format!("`{name}`: is no text of one line")));
            }
        }
        Ok(Self(fields))
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// `type:id`.
    pub(super) fn object(&self, name: &str) -> Result<Option<ObjectName>, Answer> {
        let read = |text: String| {
            object(&text).ok_or_else(|| refuse(&format!("`{name}`: is no `type:id`")))
        };
        self.text(name).map(read).transpose()
    }

    /// An integer that every reader can hold.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, Answer> {
        let read = |text: String| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|number| digits && *number <= LARGEST_TIME);
            number.ok_or_else(|| refuse(&format!("`{name}`: is no integer of at most 2^53 - 1")))
        };
        self.text(name).map(read).transpose()
    }

    /// How many items a page has.
    pub(super) fn limit(&self) -> Result<usize, Answer> {
        let limit = self.number("limit")?.unwrap_or(DEFAULT);
        let limit = usize::try_from(limit).ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        limit.ok_or_else(|| refuse(&format!("`limit`: must be 1 to {LARGEST_PAGE}")))
    }
}

/// One more than a page has: whether there is a next one.
pub(super) fn and_one(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1)
}

/// `type:id`.
pub(super) fn object(text: &str) -> Option<ObjectName> {
    ObjectName::parse(text).filter(ObjectName::is_well_formed)
}

fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn refuse(message: &str) -> Answer {
    problem(StatusCode::BAD_REQUEST, "query", message)
}

/// Items of a page, where the query does not say.
const DEFAULT: u64 = 100;
