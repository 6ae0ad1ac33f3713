//! The request to the token endpoint.
//!
//! Spec: RFC 6749 sections 2.3.1 and 4.4.2, RFC 8693 section 2.1, RFC 8707 section 2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A form, and the client's authentication beside it.
#[derive(Debug, Default)]
pub(in crate::commands) struct TokenRequest<'request> {
    fields: Vec<(&'request str, &'request str)>,
    authorization: Option<String>,
}

impl<'request> TokenRequest<'request> {
    pub(in crate::commands) fn add(&mut self, name: &'request str, value: &'request str) {
        self.fields.push((name, value));
    }

    pub(in crate::commands) fn add_all(&mut self, name: &'request str, values: &'request [String]) {
        self.fields.extend(values.iter().map(|value| (name, value.as_str())));
    }

    /// `client_secret_basic`: both parts are form-encoded before they are joined.
    pub(in crate::commands) fn authenticate_basic(&mut self, id: &str, secret: &str) {
        let joined = format!("{}:{}", form_encoded(id), form_encoded(secret));
        self.authorization = Some(format!("Basic {}", STANDARD.encode(joined)));
    }

    pub(super) fn fields(&self) -> &[(&'request str, &'request str)] {
        &self.fields
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

/// RFC 6749 appendix B. Space as `%20`, which every decoder reads alike.
fn form_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded_before_they_are_joined() {
        let mut request = TokenRequest::default();
        request.authenticate_basic("a:b", "c d%\u{fc}");
        let expected = STANDARD.encode("a%3Ab:c%20d%25%C3%BC");
        assert_eq!(request.authorization(), Some(format!("Basic {expected}").as_str()));
    }
}
