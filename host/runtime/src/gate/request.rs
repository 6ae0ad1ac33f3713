//! Requests as the host saw them.

use crate::bindings::gate;

/// A header field as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name, in any case. No pseudo-headers.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// The part of a request that comes first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The name of the route in the contract's `gate`: the host's configuration, never read out of
    /// the request. Without one, the path chooses among all routes.
    pub route: Option<String>,
    /// The method, `GET`.
    pub method: Vec<u8>,
    /// The request target, path and query, as it came.
    pub target: Vec<u8>,
    /// The headers, in the order in which they came.
    pub headers: Vec<Field>,
}

/// A request, as the host saw it.
///
/// # Example
/// ```
/// use mandate_host::gate::{Field, Head, Request};
///
/// let head = Head {
///     method: b"GET".to_vec(),
///     target: b"/boards/roadmap".to_vec(),
///     headers: vec![Field::new("authorization", "Bearer eyJ…")],
///     ..Head::default()
/// };
/// assert_eq!(Request::new(head).body, b"");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Method, target and headers.
    pub head: Head,
    /// The body as far as [`Policy::body_limit`](crate::Policy::body_limit) asked for it.
    pub body: Vec<u8>,
    /// What came after the body.
    pub trailers: Vec<Field>,
    /// SHA-256 of the client certificate that was verified on this connection. Never filled from a
    /// header.
    pub certificate_sha256: Option<[u8; 32]>,
    /// The peer's address, from the connection. Never filled from a header.
    pub peer_address: Option<String>,
}

/// What the host says of the audit record: it counts, the plugin does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emission {
    /// Authenticated emitter, boot nonce and sequence in one word; never from a request.
    pub decision_id: String,
    /// The emitter.
    pub source: String,
    /// Its own count, without gaps.
    pub sequence: u64,
}

impl Field {
    /// A field.
    #[must_use]
    pub fn new(name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self { head, ..Self::default() }
    }

    /// Adds the body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }
}

impl From<&Request> for gate::Incoming {
    fn from(request: &Request) -> Self {
        Self {
            head: (&request.head).into(),
            body: request.body.clone(),
            trailers: request.trailers.iter().map(gate::Field::from).collect(),
            certificate_sha256: request.certificate_sha256.map(Vec::from),
            peer_address: request.peer_address.clone(),
            extra: Vec::new(),
        }
    }
}

impl From<&Head> for gate::Head {
    fn from(head: &Head) -> Self {
        Self {
            route: head.route.clone(),
            method: head.method.clone(),
            target: head.target.clone(),
            headers: head.headers.iter().map(gate::Field::from).collect(),
        }
    }
}

impl From<&Field> for gate::Field {
    fn from(field: &Field) -> Self {
        Self { name: field.name.clone(), value: field.value.clone() }
    }
}

impl From<&Emission> for gate::Emission {
    fn from(emission: &Emission) -> Self {
        Self {
            decision_id: emission.decision_id.clone(),
            source: emission.source.clone(),
            sequence: emission.sequence,
        }
    }
}
