//! What an issuer says about itself.
//!
//! Spec: OpenID Connect Discovery 1.0 sections 3 and 4.3.

use serde_json::Value;

use crate::keys::client::Client;
use crate::keys::endpoint::Endpoint;
use crate::keys::fetch_error::FetchError;

/// A discovery document whose `issuer` is exactly the configured one.
#[derive(Clone, Debug, PartialEq)]
pub struct Discovery {
    issuer: Endpoint,
    url: String,
    document: Value,
}

impl Discovery {
    /// Fetches `<issuer>/.well-known/openid-configuration`.
    ///
    /// # Errors
    /// [`FetchError::Issuer`] when the document speaks for another issuer (the mix-up of section
    /// 4.3: its keys would verify tokens in this issuer's name), and every failure to fetch.
    pub fn fetch(client: &Client, issuer: &str) -> Result<Self, FetchError> {
        let endpoint = Endpoint::parse(issuer)?;
        let location = endpoint.discovery()?;
        let text = client.get_json(&location)?;
        let url = location.as_str().to_owned();
        let document: Value = serde_json::from_str(&text)
            .map_err(|_| FetchError::NotJson { from: url.clone(), html: false })?;
        let stated = document.get("issuer").and_then(Value::as_str);
        if stated != Some(issuer) {
            let stated = stated.map(str::to_owned);
            return Err(FetchError::Issuer { configured: issuer.to_owned(), stated });
        }
        Ok(Self { issuer: endpoint, url, document })
    }

    /// The URL in a member such as `jwks_uri` or `token_endpoint`.
    ///
    /// # Errors
    /// [`FetchError::Member`] when it is missing, [`FetchError::Endpoint`] when it may not be asked.
    pub fn endpoint(&self, member: &'static str) -> Result<Endpoint, FetchError> {
        let text = self.document.get(member).and_then(Value::as_str);
        let text = text.ok_or_else(|| FetchError::Member { url: self.url.clone(), member })?;
        Ok(self.issuer.named(text)?)
    }

    /// The document as it came.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }
}
