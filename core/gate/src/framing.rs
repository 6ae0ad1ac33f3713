//! The head of a request: what two programs could read as two requests is refused.

use mandate_authn::{Malformation, ReasonCode, Refusal};

use crate::refused::Refused;
use crate::view::{Head, Headers};

/// Fields that ask a server to take another method or target than the one that was decided.
const OVERRIDES: [&str; 8] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-rewrite-uri",
    "x-rewrite-url",
];

/// Requires a head that has one reading.
pub(crate) fn check(head: &Head<'_>) -> Result<(), Refused> {
    if !is_token(head.method) {
        return Err(Refused::malformed("the method is no token"));
    }
    if head.method == b"CONNECT" {
        return Err(Refused::malformed("CONNECT never passes"));
    }
    check_names(head.headers)?;
    for (name, _) in head.headers.0 {
        if OVERRIDES.iter().any(|known| is_spelling_of(name, known)) {
            return Err(Refused::malformed("a header asks for another method or target"));
        }
    }
    Ok(())
}

/// Requires names that are tokens (RFC 9110 section 5.1). Others have no one spelling: what removes
/// a field by its name would miss it.
pub(crate) fn check_names(fields: Headers<'_>) -> Result<(), Refused> {
    if fields.0.iter().all(|(name, _)| is_token(name)) {
        return Ok(());
    }
    Err(Refused::malformed("the name of a field is no token"))
}

fn is_token(text: &[u8]) -> bool {
    // RFC 9110 section 5.6.2: letters, digits and !#$%&'*+-.^_`|~
    let part = |byte: &u8| {
        matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z'
                | b'^'..=b'z' | b'|' | b'~'
        )
    };
    !text.is_empty() && text.iter().all(part)
}

/// Refuses to become another protocol's connection (RFC 9110 section 7.8).
pub(crate) fn refuse_upgrade(headers: Headers<'_>) -> Result<(), Refused> {
    if headers.has("upgrade") {
        return Err(Refused::malformed("the request asks for an upgrade"));
    }
    Ok(())
}

/// The bearer token. Spec: RFC 6750 section 2.1; nowhere else in a request is it looked for.
///
/// # Errors
/// [`Refusal::TokenMissing`] without an `Authorization` field of the scheme `Bearer`;
/// [`Refusal::Malformed`] where it comes twice, in one field or two, or is no token.
pub(crate) fn bearer<'r>(headers: Headers<'r>) -> Result<&'r [u8], Refusal> {
    let malformed = || Refusal::Malformed(Malformation::Parts);
    let field = headers.one("authorization").map_err(|_| malformed())?;
    let field = field.ok_or(Refusal::TokenMissing)?;
    let (scheme, token) = field.split_at_checked(7).ok_or(Refusal::TokenMissing)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return Err(Refusal::TokenMissing);
    }
    // What is no b64token, such as a second value that a proxy joined to the first by a comma, is no
    // JWS either, and is never among those that are remembered.
    if token.is_empty() { Err(malformed()) } else { Ok(token) }
}

/// Whether a name is another in some spelling: letter case, and `_` for `-`, which CGI and many
/// frameworks read alike.
pub(crate) fn is_spelling_of(name: &[u8], canonical: &str) -> bool {
    name.len() == canonical.len() && starts_as(name, canonical)
}

/// Whether a name begins with a prefix in some spelling.
pub(crate) fn starts_as(name: &[u8], prefix: &str) -> bool {
    let alike = |(byte, wanted): (&u8, u8)| {
        byte.to_ascii_lowercase() == wanted || (*byte == b'_' && wanted == b'-')
    };
    name.len() >= prefix.len() && name.iter().zip(prefix.bytes()).all(alike)
}

/// The text of a field that may come once.
///
/// # Errors
/// [`ReasonCode::Malformed`] where it comes twice, or is not ASCII.
pub(crate) fn text<'r>(
    headers: Headers<'r>,
    name: &'static str,
) -> Result<Option<&'r str>, Refused> {
    let refused =
        |problem: &str| Refused::new(ReasonCode::Malformed, format!("`{name}` {problem}"));
    let Some(value) = headers.one(name).map_err(|_| refused("is there twice"))? else {
        return Ok(None);
    };
    let visible = value.iter().all(|byte| matches!(byte, 0x20..=0x7e));
    let text = std::str::from_utf8(value).ok().filter(|_| visible);
    text.map(Some).ok_or_else(|| refused("is not ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(headers: &[(&[u8], &[u8])]) -> Result<Vec<u8>, ReasonCode> {
        bearer(Headers(headers)).map(<[u8]>::to_vec).map_err(|refusal| refusal.code())
    }

    #[test]
    fn one_bearer_token_is_found_in_any_letter_case() {
        for name in [&b"authorization"[..], b"Authorization"] {
            for value in [&b"Bearer a.b.c"[..], b"bearer a.b.c", b"BEARER a.b.c"] {
                assert_eq!(token(&[(name, value)]), Ok(b"a.b.c".to_vec()));
            }
        }
    }

    #[test]
    fn what_is_no_single_bearer_token_is_refused() {
        let name: &[u8] = b"authorization";
        assert_eq!(token(&[]), Err(ReasonCode::TokenMissing));
        for value in [&b""[..], b"Basic YTpi", b"Bearer", b"Bearera.b.c", b"Token a.b.c"] {
            assert_eq!(token(&[(name, value)]), Err(ReasonCode::TokenMissing), "{value:?}");
        }
        assert_eq!(token(&[(name, b"Bearer ")]), Err(ReasonCode::TokenMalformed));
        let twice: [(&[u8], &[u8]); 2] =
            [(name, b"Bearer a.b.c"), (b"Authorization", b"Bearer a.b.c")];
        assert_eq!(token(&twice), Err(ReasonCode::TokenMalformed));
    }

    #[test]
    fn a_field_that_overrides_the_request_is_refused_in_every_spelling() {
        for name in
            [&b"x-http-method-override"[..], b"X-Original-URL", b"x_rewrite_url", b"X-HTTP_Method"]
        {
            let headers: [(&[u8], &[u8]); 1] = [(name, b"GET")];
            let head =
                Head { route: None, method: b"GET", target: b"/", headers: Headers(&headers) };
            assert_eq!(check(&head).unwrap_err().reason(), ReasonCode::Malformed, "{name:?}");
        }
        let headers: [(&[u8], &[u8]); 1] = [(b"x-original-urls", b"GET")];
        let head = Head { route: None, method: b"GET", target: b"/", headers: Headers(&headers) };
        assert_eq!(check(&head), Ok(()));
    }

    // `x-mandate-\xff` was to be removed under a name in which the byte is another.
    #[test]
    fn a_field_whose_name_is_no_token_is_refused() {
        for name in [&b""[..], b"x-mandate-\xff", b":path", b"a b", b"x-mandate-user "] {
            let headers: [(&[u8], &[u8]); 1] = [(name, b"1")];
            let refused = check_names(Headers(&headers)).unwrap_err();
            assert_eq!(refused.reason(), ReasonCode::Malformed, "{name:?}");
            let head =
                Head { route: None, method: b"GET", target: b"/", headers: Headers(&headers) };
            assert_eq!(check(&head), Err(refused));
        }
        assert_eq!(check_names(Headers(&[(b"x_mandate~user", b"\xff")])), Ok(()));
    }

    #[test]
    fn a_method_is_a_token_and_never_connect() {
        for method in [&b""[..], b"GE T", b"GET\r", b"CONNECT", b"\xff"] {
            let head = Head { route: None, method, target: b"/", headers: Headers(&[]) };
            assert_eq!(check(&head).unwrap_err().reason(), ReasonCode::Malformed, "{method:?}");
        }
    }
}
