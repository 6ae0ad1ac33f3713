//! Where key sets may be fetched from.

/// Checks an issuer or key-set URL: `https`, or `http` on loopback for development; no user, query
/// or fragment (OpenID Connect Discovery section 3).
pub(super) fn check(url: &str) -> Result<(), &'static str> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("must be an `https` URL"),
    };
    let graphic = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\');
    if !rest.bytes().all(graphic) {
        return Err("must have no query, fragment, white space or character beyond ASCII");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must name no user");
    }
    let host = host(authority).ok_or("must name a host")?;
    if secure || matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
        Ok(())
    } else {
        Err("must be `https`; `http` is for loopback only")
    }
}

/// The host of `host[:port]` or `[address][:port]` (RFC 3986 section 3.2.2: a colon or bracket
/// stands in no other host, and two readers would find two hosts in `a:b:80`).
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let numeric =
        port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let fits = match address {
        Some(address) => {
            address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => !host.contains([':', '[', ']']),
    };
    let empty = address.unwrap_or(host).is_empty();
    (fits && numeric && !empty).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_http_pass() {
        for url in [
            "https://a",
            "https://a.example/realms/x/",
            "https://a:8443/x",
            "https://[2001:db8::1.2.3.4]:8443/x",
            "https://[2001:db8::1]",
            "http://localhost:1",
            "http://127.0.0.1/x",
            "http://[::1]:80/",
            "http://[::1]",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "a",
            "ftp://a",
            "HTTPS://a",
            "https://",
            "https://:80",
            "https://a:",
            "https://a:x",
            "https://a:b:80",
            "https://::1",
            "https://[::1",
            "https://[]",
            "https://[a]b",
            "https://[x]:80",
            "https://a[::1]",
            "https://u@a",
            "https://a?b",
            "https://a#b",
            "https://a b",
            "https://\u{e4}",
            "https://a\\b",
            "http://a",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1@evil.example",
        ] {
            check(url).expect_err(url);
        }
    }
}
