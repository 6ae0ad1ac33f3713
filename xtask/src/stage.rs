//! Builds what the demo runs on, then runs it.

use crate::checkout::Checkout;
use crate::demo::{self, Proxy, Stage};
use crate::setup::{find_keycloak, need_envoy, need_node, need_python};
use crate::{guests, workspace};

/// Guests, then the command with the plugin and the development issuer inside, then the demo.
///
/// # Errors
/// When something does not build, the demo shows another decision than expected, or Keycloak is
/// asked for and not here.
pub(crate) fn run(checkout: &Checkout, keycloak: bool) -> anyhow::Result<()> {
    let keycloak = keycloak.then(|| find_keycloak(checkout)).transpose()?;
    guests::run(checkout)?;
    let mandate = workspace::build_mandate(checkout)?;
    let node = need_node(checkout).map_err(|reason| format!("{reason:#}"));
    let node = node.as_ref().map_err(String::as_str);
    let issuer_script = checkout.path("tests/oidc-provider/issuer.mjs");
    let keycloak = keycloak.as_deref();
    let proxy = need_proxy(checkout).map_err(|reason| format!("{reason:#}"));
    let proxy = proxy.as_ref().map_err(String::as_str);
    demo::run(&Stage { mandate: &mandate, node, issuer_script: &issuer_script, keycloak, proxy })
}

/// What the part behind Envoy runs on, installed now if need be.
fn need_proxy(checkout: &Checkout) -> anyhow::Result<Proxy> {
    let python = need_python(checkout)?.interpreter;
    let envoy = need_envoy(checkout)?;
    let filter = checkout.path("target/guests/mandate-envoy.wasm");
    Ok(Proxy { envoy, filter, python, scripts: checkout.path("tests/mcp") })
}
