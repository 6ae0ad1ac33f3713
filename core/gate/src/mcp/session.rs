//! Session ids of 2025-11-25: they leave sealed, and come back whole or not at all.
//!
//! A server's session id is a bearer secret that opens somebody's session. Sealed it is worth
//! something only to the user, agent and tenant that it was given to, at the server that gave it
//! ("bind session IDs to user-specific information": MCP security best practices, session
//! hijacking). The seal proves, and does not hide: the id stays readable to whom it was given.

use mandate_authn::{LoadError, ReasonCode, base64url};
use ring::hmac;

use crate::limits;
use crate::refused::Refused;

/// The key of the seals: deployment configuration, the same at every gate that shares sessions.
#[derive(Clone)]
pub(crate) struct SealingKey(hmac::Key);

/// Whom a session belongs to, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope<'s> {
    /// The tenant of the request.
    pub(crate) tenant: &'s str,
    /// The user, if one.
    pub(crate) user: Option<&'s str>,
    /// The agent, if one.
    pub(crate) agent: Option<&'s str>,
    /// The MCP server's id.
    pub(crate) server: &'s str,
}

/// An id that is none: empty, too long, or not of visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoSessionId;

impl SealingKey {
    /// A secret of at least [`limits::SECRET_BYTES`].
    ///
    /// # Errors
    /// That it is shorter.
    pub(crate) fn new(secret: &[u8]) -> Result<Self, LoadError> {
        if secret.len() < limits::SECRET_BYTES {
            let message = format!("must have at least {} bytes", limits::SECRET_BYTES);
            return Err(LoadError::new("secret", message));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SealingKey")
    }
}

/// Seals the id that a server gave: what goes to the client in its place.
///
/// base64url of the tag and the id, so that a header of visible ASCII holds it.
///
/// # Errors
/// [`NoSessionId`]: the answer of the server is not to be passed on.
pub(crate) fn seal(key: &SealingKey, scope: &Scope<'_>, id: &[u8]) -> Result<String, NoSessionId> {
    let id = session_id(id).ok_or(NoSessionId)?;
    let tag = hmac::sign(&key.0, &statement(scope, id));
    Ok(base64url::encode(&[tag.as_ref(), id.as_bytes()].concat()))
}

/// Opens what a client sent: the id that the server gave.
///
/// # Errors
/// `no-relation` for anything that was not sealed with this secret for this scope. What is wrong
/// is not told: each is a session that this caller has no right to.
pub(crate) fn open(key: &SealingKey, scope: &Scope<'_>, sealed: &[u8]) -> Result<String, Refused> {
    opened(key, scope, sealed)
        .ok_or_else(|| Refused::new(ReasonCode::NoRelation, "the session is not this caller's"))
}

fn opened(key: &SealingKey, scope: &Scope<'_>, sealed: &[u8]) -> Option<String> {
    // Nothing longer was ever given out: it is not decoded.
    if sealed.len() > SEALED_BYTES {
        return None;
    }
    let bytes = base64url::decode(sealed)?;
    let (tag, id) = bytes.split_at_checked(TAG_BYTES)?;
    let id = session_id(id)?;
    // In constant time.
    hmac::verify(&key.0, &statement(scope, id), tag).ok()?;
    Some(id.to_owned())
}

/// "MUST only contain visible ASCII characters (ranging from 0x21 to 0x7E)": MCP 2025-11-25,
/// transports, session management 1.
fn session_id(id: &[u8]) -> Option<&str> {
    let length = (1..=limits::SESSION_BYTES).contains(&id.len());
    let text = std::str::from_utf8(id).ok()?;
    (length && id.iter().all(u8::is_ascii_graphic)).then_some(text)
}

/// What the tag is of. Every part has its length before it, so that no two scopes read the same;
/// an absent part differs from an empty one.
fn statement(scope: &Scope<'_>, id: &str) -> Vec<u8> {
    let parts = [Some(scope.tenant), scope.user, scope.agent, Some(scope.server), Some(id)];
    let mut bytes = DOMAIN.to_vec();
    for part in parts {
        bytes.push(u8::from(part.is_some()));
        if let Some(part) = part {
            // INVARIANT: `usize` fits in 64 bits on every target.
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    bytes
}

/// Sets these tags apart from any other use of the secret.
const DOMAIN: &[u8] = b"mandate/mcp-session/1\0";

/// HMAC-SHA256.
const TAG_BYTES: usize = 32;

/// The longest seal: four characters for three bytes of tag and id.
const SEALED_BYTES: usize = (TAG_BYTES + limits::SESSION_BYTES).div_ceil(3) * 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::new(&[byte; limits::SECRET_BYTES]).unwrap()
    }

    const SCOPE: Scope<'static> =
        Scope { tenant: "acme", user: Some("anne"), agent: Some("helper"), server: "tasks" };

    fn reason(key: &SealingKey, scope: &Scope<'_>, sealed: &str) -> Result<String, ReasonCode> {
        open(key, scope, sealed.as_bytes()).map_err(|refused| refused.reason())
    }

    const FOREIGN: Result<String, ReasonCode> = Err(ReasonCode::NoRelation);

    #[test]
    fn a_session_opens_for_whom_it_was_sealed() {
        let sealed = seal(&key(1), &SCOPE, b"1868a90c-x").unwrap();
        assert_eq!(reason(&key(1), &SCOPE, &sealed), Ok("1868a90c-x".to_owned()));
        assert!(sealed.bytes().all(|byte| byte.is_ascii_graphic()));
        assert_ne!(sealed, "1868a90c-x");
    }

    /// Gates of one deployment, whatever they are built from, open each other's seals.
    #[test]
    fn the_seal_is_the_same_everywhere() {
        let sealed = seal(&key(1), &SCOPE, b"a").unwrap();
        assert_eq!(sealed, SEAL);
        let service = Scope { user: None, agent: None, ..SCOPE };
        assert_eq!(seal(&key(1), &service, b"a").unwrap(), SEAL_OF_SERVICE);
    }

    /// Computed with Python's `hmac` from the words above `statement`.
    const SEAL: &str = "twn6OcfpgZNnxq7W1k5u0ydD4FMJIeDIaDolteLdLTth";
    const SEAL_OF_SERVICE: &str = "GwEHG4GVV4AqUMXpe2wIWnusWO8lwgEHTEgZZDoP_8Bh";

    #[test]
    fn a_session_of_somebody_else_is_no_relation() {
        let sealed = seal(&key(1), &SCOPE, b"a").unwrap();
        for scope in [
            Scope { tenant: "beta", ..SCOPE },
            Scope { user: Some("bob"), ..SCOPE },
            Scope { user: None, ..SCOPE },
            Scope { agent: Some("other"), ..SCOPE },
            Scope { agent: None, ..SCOPE },
            Scope { server: "broker", ..SCOPE },
            // The same letters, cut elsewhere.
            Scope { tenant: "acm", user: Some("eanne"), ..SCOPE },
            Scope { user: Some("annehelper"), agent: Some(""), ..SCOPE },
        ] {
            assert_eq!(reason(&key(1), &scope, &sealed), FOREIGN, "{scope:?}");
        }
        assert_eq!(reason(&key(2), &SCOPE, &sealed), FOREIGN);
    }

    #[test]
    fn an_absent_user_is_not_an_empty_one() {
        let nobody = Scope { user: None, ..SCOPE };
        let empty = Scope { user: Some(""), ..SCOPE };
        let sealed = seal(&key(1), &nobody, b"a").unwrap();
        assert_eq!(reason(&key(1), &nobody, &sealed), Ok("a".to_owned()));
        assert_eq!(reason(&key(1), &empty, &sealed), FOREIGN);
    }

    #[test]
    fn what_the_server_gave_does_not_open() {
        for raw in ["1868a90c", "", "a", "====", &"A".repeat(43), &"A".repeat(SEALED_BYTES + 4)] {
            assert_eq!(reason(&key(1), &SCOPE, raw), FOREIGN, "{raw}");
        }
    }

    #[test]
    fn an_id_is_visible_ascii_and_has_a_limit() {
        let longest = vec![b'~'; limits::SESSION_BYTES];
        let sealed = seal(&key(1), &SCOPE, &longest).unwrap();
        assert!(sealed.len() <= SEALED_BYTES);
        assert_eq!(reason(&key(1), &SCOPE, &sealed).map(|id| id.len()), Ok(longest.len()));
        let too_long = vec![b'~'; limits::SESSION_BYTES + 1];
        for id in [&too_long[..], b"", b" a", b"a\n", b"a\x7f", b"\xff", "é".as_bytes()] {
            assert_eq!(seal(&key(1), &SCOPE, id), Err(NoSessionId));
        }
        assert_eq!(seal(&key(1), &SCOPE, b"!~").map(|_| ()), Ok(()));
    }

    #[test]
    fn a_short_secret_is_none_and_none_is_shown() {
        let short = SealingKey::new(&[1; limits::SECRET_BYTES - 1]).unwrap_err();
        assert_eq!(short, LoadError::new("secret", "must have at least 32 bytes"));
        assert_eq!(format!("{:?}", key(1)), "SealingKey");
    }

    proptest! {
        #[test]
        fn no_altered_seal_opens(
            id in "[!-~]{1,40}",
            position in any::<prop::sample::Index>(),
            letter in "[A-Za-z0-9_-]",
        ) {
            let sealed = seal(&key(1), &SCOPE, id.as_bytes()).unwrap();
            prop_assert_eq!(reason(&key(1), &SCOPE, &sealed), Ok(id));
            let mut altered = sealed.clone();
            let at = position.index(sealed.len());
            altered.replace_range(at..=at, &letter);
            if altered != sealed {
                prop_assert_eq!(reason(&key(1), &SCOPE, &altered), FOREIGN);
            }
            prop_assert_eq!(reason(&key(1), &SCOPE, sealed.get(..at).unwrap()), FOREIGN);
        }

        #[test]
        fn nothing_makes_it_panic(sealed in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(&key(1), &SCOPE, &sealed).is_err());
        }
    }
}
