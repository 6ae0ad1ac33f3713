//! The first administrator of a tenant.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use mandate_registry::confirm::Confirm;
use mandate_registry::secret::Secret;
use serde_json::json;

use super::notation::read_nothing;
use super::{Answered, Manager, change, written};
use crate::server::caller::forbidden;
use crate::server::connection::Peer;
use crate::server::endpoint::BOOTSTRAP;
use crate::server::shared::Shared;

/// Makes the caller the administrator of the tenant of their token, by its one-time credential.
///
/// Whatever is wrong with the credential or with the way it came, the refusal is the same.
pub(super) async fn redeem(State(shared): State<Arc<Shared>>, request: Request) -> Answered {
    let manager = Manager::of(&shared, &request).await?;
    let credential = credential(request.headers());
    let credential = credential.filter(|_| is_from_here(&request));
    read_nothing(&shared, request).await?;
    let refused = || forbidden("this is no bootstrap credential that is good here and now");
    let credential = credential.ok_or_else(refused)?;
    let act = manager.act(Confirm::Confirmed);
    let redeemed =
        change(&shared, move |registry| registry.redeem_bootstrap(&act, credential.reveal()))
            .await?
            .ok_or_else(refused)?;
    let value = json!({ "tenant": manager.tenant, "administrator": manager.principal.to_string() });
    Ok(written(Confirm::Confirmed, &redeemed, value))
}

/// The one that the request presents.
fn credential(headers: &HeaderMap) -> Option<Secret> {
    let mut fields = headers.get_all(BOOTSTRAP).iter();
    let field = fields.next().filter(|_| fields.next().is_none())?;
    field.to_str().ok().map(|text| Secret::new(text.to_owned()))
}

/// Whether a request comes from this machine: over loopback or a Unix socket, by no proxy that says
/// so.
fn is_from_here(request: &Request) -> bool {
    const OF_PROXIES: [&str; 5] =
        ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];
    let near = request.extensions().get::<Peer>().is_some_and(|peer| match &peer.address {
        None => true,
        Some(text) => {
            text.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
        }
    });
    near && !OF_PROXIES.iter().any(|name| request.headers().contains_key(*name))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;

    use super::*;

    fn from(peer: Option<Option<&str>>, header: Option<&'static str>) -> bool {
        let mut request = Request::new(Body::empty());
        if let Some(address) = peer {
            let peer = Peer { address: address.map(str::to_owned), ..Peer::default() };
            request.extensions_mut().insert(peer);
        }
        if let Some(name) = header {
            request.headers_mut().insert(name, HeaderValue::from_static(""));
        }
        is_from_here(&request)
    }

    #[test]
    fn this_machine_is_loopback_or_a_unix_socket_without_a_proxy() {
        for here in
            [None, Some("127.0.0.1"), Some("127.9.9.9"), Some("::1"), Some("::ffff:127.0.0.1")]
        {
            assert!(from(Some(here), None), "{here:?}");
            for name in ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"] {
                assert!(!from(Some(here), Some(name)), "{here:?} {name}");
            }
        }
        for elsewhere in
            ["10.0.0.1", "0.0.0.0", "::", "fe80::1", "::ffff:10.0.0.1", "", "localhost"]
        {
            assert!(!from(Some(Some(elsewhere)), None), "{elsewhere}");
        }
        assert!(!from(None, None));
    }

    #[test]
    fn one_credential_is_taken_and_nothing_else() {
        let read = |fields: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(BOOTSTRAP, HeaderValue::from_bytes(field).unwrap());
            }
            credential(&headers).map(|secret| secret.reveal().to_owned())
        };
        let (one, other): (&[u8], &[u8]) = (b"mnd_a_b", b"\xff");
        assert_eq!(read(&[one]), Some("mnd_a_b".to_owned()));
        for fields in [&[][..], &[one, one], &[other]] {
            assert_eq!(read(fields), None, "{fields:?}");
        }
    }
}
