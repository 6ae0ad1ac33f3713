//! What Envoy says of a request, as the gate takes it.

use mandate_authn::ReasonCode;
use mandate_host::Sha256Digest;
use mandate_host::gate::{Field, Head, Request};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::message::{AttributeContext, HttpRequest, Peer};
use super::settings::ExtAuthzSettings;
use crate::form::unescape;

/// Reads the attributes. The route is what Envoy's configuration says, never what the request does.
///
/// # Errors
/// The reason, where two readers could see two requests, or the gate would see a part of it.
pub(super) fn read(
    attributes: AttributeContext,
    settings: &ExtAuthzSettings,
) -> Result<Request, ReasonCode> {
    let AttributeContext { source, request, mut context_extensions } = attributes;
    let route = context_extensions.remove(ROUTE).filter(|route| !route.is_empty());
    // Without one the gate would let the path choose.
    let route = route.ok_or(ReasonCode::Unmapped)?;
    let http = request.and_then(|request| request.http).ok_or(ReasonCode::Malformed)?;
    // Not packed as bytes: what is no UTF-8 in it has been replaced.
    if !http.body.is_empty() {
        return Err(ReasonCode::Malformed);
    }
    let headers = whole(headers(&http)?)?;
    let HttpRequest { method, path, raw_body, .. } = http;
    let head = Head { route: Some(route), method: method.into(), target: path.into(), headers };
    let mut request = Request::new(head).with_body(raw_body);
    let source = source.unwrap_or_default();
    if settings.client_certificate {
        request.certificate_sha256 = certificate(&source)?;
    }
    if settings.peer_address {
        let address = source.address.and_then(|address| address.socket_address);
        request.peer_address = address.map(|socket| socket.address);
    }
    Ok(request)
}

/// The fields as they came, without pseudo-headers.
fn headers(http: &HttpRequest) -> Result<Vec<Field>, ReasonCode> {
    let mut fields = Vec::new();
    match &http.header_map {
        Some(map) if http.headers.is_empty() => {
            for field in &map.headers {
                // Both is ambiguous; Envoy writes the bytes alone.
                let ((value, []) | ([], value)) =
                    (field.value.as_bytes(), field.raw_value.as_slice())
                else {
                    return Err(ReasonCode::Malformed);
                };
                fields.push(Field::new(field.key.as_str(), value));
            }
        }
        Some(_) => return Err(ReasonCode::Malformed),
        None => {
            for (name, value) in &http.headers {
                if is_single(name) && value.contains(',') {
                    return Err(ReasonCode::Malformed);
                }
                fields.push(Field::new(name.as_str(), value.as_str()));
            }
        }
    }
    let agrees = |field: &Field| match field.name.as_slice() {
        b":method" => field.value == http.method.as_bytes(),
        b":path" => field.value == http.path.as_bytes(),
        _ => true,
    };
    if !fields.iter().all(agrees) {
        return Err(ReasonCode::Malformed);
    }
    fields.retain(|field| !field.name.starts_with(b":"));
    Ok(fields)
}

/// Refuses a body of which Envoy has sent the beginning. The field is Envoy's, and goes nowhere.
fn whole(mut fields: Vec<Field>) -> Result<Vec<Field>, ReasonCode> {
    let says = |field: &Field| field.name.eq_ignore_ascii_case(PARTIAL);
    if fields.iter().any(|field| says(field) && field.value != b"false") {
        return Err(ReasonCode::TooLarge);
    }
    fields.retain(|field| !says(field));
    Ok(fields)
}

/// What the gate wants once at most. Envoy's map has joined what came twice, so that a comma may be
/// one of the value or two fields. `authorization` is refused by the gate.
fn is_single(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    name.starts_with("mcp-")
        || name.starts_with("mandate-")
        || matches!(name.as_str(), "content-type" | "content-encoding" | "content-length")
}

/// The digest of the client certificate, where there is one.
fn certificate(source: &Peer) -> Result<Option<[u8; 32]>, ReasonCode> {
    if source.certificate.is_empty() {
        return Ok(None);
    }
    let pem = unescape(source.certificate.as_bytes(), b'+').ok_or(ReasonCode::Malformed)?;
    let certificate = CertificateDer::from_pem_slice(&pem).map_err(|_| ReasonCode::Malformed)?;
    Ok(Some(*Sha256Digest::of(certificate.as_ref()).as_bytes()))
}

/// The entry of `context_extensions` that names the gate's route.
const ROUTE: &str = "mandate_route";
/// Envoy adds it where it has been told to send bodies.
const PARTIAL: &[u8] = b"x-envoy-auth-partial-body";

#[cfg(test)]
mod tests;
