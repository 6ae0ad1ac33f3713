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

impl Request {
    /// The request as the plugin takes it, with the fields of its head and its trailers.
    pub(crate) fn lend<'r>(
        &'r self,
        headers: &'r [gate::Field<'r>],
        trailers: &'r [gate::Field<'r>],
    ) -> gate::Incoming<'r> {
        gate::Incoming {
            head: self.head.lend(headers),
            body: &self.body,
            trailers,
            certificate_sha256: self.certificate_sha256.as_ref().map(<[u8; 32]>::as_slice),
            peer_address: self.peer_address.as_deref(),
            extra: &[],
        }
    }
}

impl Head {
    /// The head as the plugin takes it, with its fields.
    pub(crate) fn lend<'r>(&'r self, headers: &'r [gate::Field<'r>]) -> gate::Head<'r> {
        gate::Head {
            route: self.route.as_deref(),
            method: &self.method,
            target: &self.target,
            headers,
        }
    }
}

impl Field {
    /// Fields as the plugin takes them.
    pub(crate) fn lend_all(fields: &[Self]) -> Vec<gate::Field<'_>> {
        fields.iter().map(|field| gate::Field { name: &field.name, value: &field.value }).collect()
    }
}

impl<'r> From<&'r Emission> for gate::Emission<'r> {
    fn from(emission: &'r Emission) -> Self {
        Self {
            decision_id: &emission.decision_id,
            source: &emission.source,
            sequence: emission.sequence,
        }
    }
}
