//! A request as the host saw it: bytes, and nothing that it guessed.

/// What a host gives for a decision.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// Method, target and headers.
    pub head: Head<'r>,
    /// The whole body; empty where the request has none, or where
    /// [`Gate::body_limit`](crate::Gate::body_limit) asks for none.
    pub body: &'r [u8],
    /// What came after the body.
    pub trailers: Headers<'r>,
    /// What the host knows of the connection.
    pub connection: Connection<'r>,
}

/// The part of a request that comes first.
#[derive(Clone, Copy, Debug)]
pub struct Head<'r> {
    /// The name of the route in `contract.json#gate`: the host's configuration, never read out of
    /// the request. Without one, the path chooses among all routes.
    pub route: Option<&'r str>,
    /// The method, `GET`.
    pub method: &'r [u8],
    /// The request target: path and query (HTTP/2 `:path`).
    pub target: &'r [u8],
    /// The headers, in the order in which they came, without pseudo-headers.
    pub headers: Headers<'r>,
}

/// What the host verified itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Connection<'r> {
    /// SHA-256 of the client certificate that was verified on this connection. Never filled from a
    /// header.
    pub certificate_sha256: Option<[u8; 32]>,
    /// The peer's address. Never filled from a header.
    pub peer_address: Option<&'r str>,
}

/// Header fields: names in any case, values as bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'r>(pub &'r [(&'r [u8], &'r [u8])]);

impl<'r> Headers<'r> {
    /// Every value of a field. `name` is in lower case.
    pub fn all(&self, name: &'static str) -> impl Iterator<Item = &'r [u8]> {
        let named = move |(field, _): &&(&[u8], &[u8])| field.eq_ignore_ascii_case(name.as_bytes());
        self.0.iter().filter(named).map(|(_, value)| *value)
    }

    /// The value of a field that may come once.
    ///
    /// # Errors
    /// [`Repeated`] where it comes twice: two readers could take one each.
    pub fn one(&self, name: &'static str) -> Result<Option<&'r [u8]>, Repeated> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(Repeated),
        }
    }

    /// Whether a field comes at all.
    #[must_use]
    pub fn has(&self, name: &'static str) -> bool {
        self.all(name).next().is_some()
    }
}

/// A field came twice that may come once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated;
