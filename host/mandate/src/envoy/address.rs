//! Where a cluster leads to: a URL of HTTP or HTTPS, or a Unix socket.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};
use ureq::http::Uri;

use crate::keys::quoted;

/// `http://HOST[:PORT][/PATH]`, `https://…`, or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    place: Place,
    /// The `Host` of requests.
    authority: String,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host { name: String, port: u16, secure: bool },
    Socket(String),
}

impl Address {
    /// The `Host` of requests to it.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The URL's path and query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path as what stands before others: without a slash at its end, empty for `/` alone.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.path.strip_suffix('/').unwrap_or(&self.path)
    }

    /// The host that its certificate has to name, if it has one.
    #[must_use]
    pub fn secure_host(&self) -> Option<&str> {
        match &self.place {
            Place::Host { name, secure: true, .. } => Some(name),
            Place::Host { .. } | Place::Socket(_) => None,
        }
    }

    /// As Envoy writes an address.
    #[must_use]
    pub(super) fn to_json(&self) -> Value {
        match &self.place {
            Place::Host { name, port, .. } => {
                json!({"socket_address": {"address": name, "port_value": port}})
            }
            Place::Socket(path) => json!({"pipe": {"path": path}}),
        }
    }

    /// Envoy looks up names itself, and takes addresses as they are.
    #[must_use]
    pub(super) fn discovery(&self) -> &'static str {
        match &self.place {
            Place::Host { name, .. } if name.parse::<std::net::IpAddr>().is_err() => "STRICT_DNS",
            Place::Host { .. } | Place::Socket(_) => "STATIC",
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let refuse = |problem| AddressError { url: quoted(text), problem };
        if let Some(path) = text.strip_prefix("unix:") {
            let absolute = path.starts_with('/');
            let place = absolute.then(|| Place::Socket(path.to_owned()));
            let place = place.ok_or_else(|| refuse("must name the socket by its whole path"))?;
            return Ok(Self { place, authority: "localhost".to_owned(), path: "/".to_owned() });
        }
        let uri: Uri = text.parse().map_err(|_| refuse("is no URL"))?;
        let (secure, port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            Some(_) | None => return Err(refuse("must be http://…, https://… or unix:/…")),
        };
        let authority = uri.authority().ok_or_else(|| refuse("has no host"))?;
        if authority.as_str().contains('@') || text.contains('#') {
            return Err(refuse("has a user, a password or a fragment"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(port);
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        Ok(Self {
            place: Place::Host { name: host.to_owned(), port, secure },
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
        })
    }
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    url: String,
    problem: &'static str,
}

impl fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.url, self.problem)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Value, String, String, Option<String>) {
        let address: Address = text.parse().unwrap();
        let host = address.secure_host().map(str::to_owned);
        (address.to_json(), address.authority.clone(), address.prefix().to_owned(), host)
    }

    #[test]
    fn a_url_and_a_socket_lead_somewhere() {
        let at = |address: &str, port: u16| json!({"socket_address": {"address": address, "port_value": port}});
        assert_eq!(
            parsed("https://a.example/feeds/all/"),
            (
                at("a.example", 443),
                "a.example".into(),
                "/feeds/all".into(),
                Some("a.example".into())
            )
        );
        assert_eq!(
            parsed("http://[::1]:8080"),
            (at("::1", 8080), "[::1]:8080".into(), String::new(), None)
        );
        assert_eq!(
            parsed("unix:/run/feed.sock"),
            (json!({"pipe": {"path": "/run/feed.sock"}}), "localhost".into(), String::new(), None)
        );
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let problem = |text: &str| text.parse::<Address>().unwrap_err().to_string();
        assert_eq!(
            problem("unix:feed.sock"),
            "`unix:feed.sock` must name the socket by its whole path"
        );
        assert_eq!(problem("ftp://a"), "`ftp://a` must be http://…, https://… or unix:/…");
        assert_eq!(
            problem("a.example:80"),
            "`a.example:80` must be http://…, https://… or unix:/…"
        );
        assert_eq!(problem("https://u@a"), "`https://u@a` has a user, a password or a fragment");
    }
}
