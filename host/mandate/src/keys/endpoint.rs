//! Where keys and tokens may be asked for: HTTPS, or plain HTTP on this machine.

use std::fmt;

use ureq::http::Uri;

use crate::keys::quoted::quoted;

/// A URL that may be asked: `https://…`, or `http://…` on a loopback host.
///
/// Plain HTTP is for the development issuer and tests alone: over a network, whoever is on the path
/// would choose the keys that tokens are verified with.
/// Spec: OpenID Connect Discovery 1.0 section 7.1, RFC 8414 section 6.1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    url: String,
    loopback: bool,
    secure: bool,
}

impl Endpoint {
    /// Reads a URL and refuses any that may not be asked.
    ///
    /// # Errors
    /// [`EndpointError`] names the URL and what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let refuse = |problem| EndpointError { url: quoted(url), problem };
        let uri: Uri = url.parse().map_err(|_| refuse("is not a URL"))?;
        let authority = uri.authority().ok_or_else(|| refuse("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("carries a user name or password"));
        }
        if url.contains('#') {
            return Err(refuse("has a fragment"));
        }
        let loopback = LOOPBACK_HOSTS.contains(&authority.host());
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if loopback => false,
            Some("http") => return Err(refuse("is plain http, which only loopback may use")),
            Some(_) | None => return Err(refuse("is not https")),
        };
        Ok(Self { url: url.to_owned(), loopback, secure })
    }

    /// Reads an endpoint that `self` named, for example `jwks_uri` of a discovery document.
    ///
    /// # Errors
    /// [`EndpointError`] as for [`Endpoint::parse`], and when an https provider names a plain http
    /// endpoint: a document from elsewhere must not lead a client to this machine's own ports.
    pub fn named(&self, url: &str) -> Result<Self, EndpointError> {
        let endpoint = Self::parse(url)?;
        if self.secure && !endpoint.secure {
            let problem = "is plain http, named by an https provider";
            return Err(EndpointError { url: quoted(url), problem });
        }
        Ok(endpoint)
    }

    /// The URL of this issuer's discovery document.
    ///
    /// A trailing slash is dropped first; the issuer's own text stays as it is.
    /// Spec: OpenID Connect Discovery 1.0 section 4.
    ///
    /// # Errors
    /// [`EndpointError`] when the issuer has a query, which no issuer may have (section 3).
    pub fn discovery(&self) -> Result<Self, EndpointError> {
        if self.url.contains('?') {
            return Err(EndpointError { url: quoted(&self.url), problem: "has a query" });
        }
        let issuer = self.url.strip_suffix('/').unwrap_or(&self.url);
        Ok(Self { url: format!("{issuer}/.well-known/openid-configuration"), ..self.clone() })
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Whether the host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&quoted(&self.url))
    }
}

/// Why a URL may not be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    url: String,
    problem: &'static str,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.url, self.problem)
    }
}

impl std::error::Error for EndpointError {}

const LOOPBACK_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str) -> String {
        Endpoint::parse(url).map(|endpoint| endpoint.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn https_anywhere_and_http_on_loopback_may_be_asked() {
        for url in [
            "https://idp.example/realms/acme",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/a",
            "http://localhost:1/",
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().as_str(), url);
        }
    }

    #[test]
    fn every_other_url_is_refused_with_its_reason() {
        assert_eq!(
            problem("http://idp.example"),
            "`http://idp.example` is plain http, which only loopback may use"
        );
        assert_eq!(
            problem("http://127.0.0.1.example/"),
            "`http://127.0.0.1.example/` is plain http, which only loopback may use"
        );
        assert_eq!(
            problem("http://localhost@idp.example"),
            "`http://localhost@idp.example` carries a user name or password"
        );
        assert_eq!(problem("https://idp.example/#a"), "`https://idp.example/#a` has a fragment");
        assert_eq!(problem("ftp://idp.example"), "`ftp://idp.example` is not https");
        assert_eq!(problem("/realms/acme"), "`/realms/acme` has no host");
        assert_eq!(problem("https://a b"), "`https://a b` is not a URL");
    }

    #[test]
    fn the_discovery_document_lies_below_the_issuer() {
        let discovery = |url| Endpoint::parse(url).unwrap().discovery().unwrap().url;
        let expected = "https://idp.example/a/.well-known/openid-configuration";
        assert_eq!(discovery("https://idp.example/a"), expected);
        assert_eq!(discovery("https://idp.example/a/"), expected);
    }

    #[test]
    fn an_https_provider_may_not_name_a_plain_http_endpoint() {
        let issuer = Endpoint::parse("https://idp.example").unwrap();
        assert_eq!(
            issuer.named("http://127.0.0.1:9/keys").unwrap_err().to_string(),
            "`http://127.0.0.1:9/keys` is plain http, named by an https provider"
        );
        let local = Endpoint::parse("http://127.0.0.1:9").unwrap();
        assert_eq!(
            local.named("http://127.0.0.1:9/keys").unwrap().as_str(),
            "http://127.0.0.1:9/keys"
        );
    }
}
