//! Which generation of the protocol a request speaks.
//!
//! Two transports share one path. From 2025-03-26 to 2025-11-25 a session is opened by
//! `initialize`; since 2026-07-28 every request stands alone. The header tells which; that the body
//! says the same is proven in [`super::headers`].

use crate::refused::Refused;
use crate::view::Headers;

/// The header, in lower case.
pub(crate) const HEADER: &str = "mcp-protocol-version";

/// The member of `params._meta` that says the same since 2026-07-28.
pub(crate) const META: &str = "io.modelcontextprotocol/protocolVersion";

/// Every version that is spoken here, newest first.
pub(crate) const SUPPORTED: [&str; 4] = ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];

/// How requests belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// By a session that `initialize` opened: 2025-03-26, 2025-06-18, 2025-11-25.
    Sessions,
    /// Not at all: 2026-07-28.
    Stateless,
}

/// The version that a request says it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The header's text; `None` where there was no header.
    pub(crate) stated: Option<&'static str>,
    /// What follows from it.
    pub(crate) generation: Generation,
}

/// Why a version is not spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unspoken<'h> {
    /// The header came twice.
    Repeated,
    /// No version of ours: the header's bytes.
    Unsupported(&'h [u8]),
}

/// Reads `MCP-Protocol-Version`.
///
/// Without one it is a session: "the server SHOULD assume protocol version 2025-03-26"
/// (MCP 2025-11-25, transports, protocol version header), and `initialize` comes without one.
/// 2024-11-05 is not spoken: its transport (HTTP+SSE) is another.
///
/// # Errors
/// [`Unspoken`]. Both generations want 400 for it. As a [`Refused`] it is `malformed`, not
/// `header-mismatch`: -32020 may be used "only with its specified meaning", which is a
/// disagreement with the body, and a client that meets a 400 without a modern code falls back to
/// `initialize`, which is spoken here. [`super::reply::unsupported_version`] is the body that
/// 2026-07-28 wants.
pub(crate) fn read<'h>(headers: &Headers<'h>) -> Result<Version, Unspoken<'h>> {
    let Some(value) = headers.one(HEADER).map_err(|_| Unspoken::Repeated)? else {
        return Ok(Version { stated: None, generation: Generation::Sessions });
    };
    let known = SUPPORTED.iter().find(|version| version.as_bytes() == value);
    let stated = known.copied().ok_or(Unspoken::Unsupported(value))?;
    let generation = if stated == STATELESS { Generation::Stateless } else { Generation::Sessions };
    Ok(Version { stated: Some(stated), generation })
}

impl Unspoken<'_> {
    /// The text of the version that was asked for, where it can be shown again: short, and of
    /// visible ASCII.
    pub(crate) fn requested(&self) -> Option<&str> {
        match self {
            Self::Repeated => None,
            Self::Unsupported(value) => std::str::from_utf8(value).ok().filter(|text| {
                text.len() <= SHOWN_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic())
            }),
        }
    }
}

impl From<Unspoken<'_>> for Refused {
    fn from(unspoken: Unspoken<'_>) -> Self {
        match unspoken {
            Unspoken::Repeated => super::headers::mismatch("`MCP-Protocol-Version` comes twice"),
            Unspoken::Unsupported(_) => {
                Self::malformed("`MCP-Protocol-Version` is no version that is spoken here")
            }
        }
    }
}

/// The version without sessions.
const STATELESS: &str = "2026-07-28";

/// Bytes of a version's text that are repeated to the caller; a version has ten.
const SHOWN_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use mandate_authn::ReasonCode;

    use super::*;

    fn of(values: &[&'static str]) -> Result<Version, Unspoken<'static>> {
        let fields: Vec<(&[u8], &[u8])> =
            values.iter().map(|value| (&b"MCP-Protocol-Version"[..], value.as_bytes())).collect();
        read(&Headers(&fields)).map_err(|unspoken| match unspoken {
            Unspoken::Repeated => Unspoken::Repeated,
            Unspoken::Unsupported(_) => Unspoken::Unsupported(values[0].as_bytes()),
        })
    }

    #[test]
    fn the_header_tells_the_generation() {
        for (text, generation) in [
            ("2025-03-26", Generation::Sessions),
            ("2025-06-18", Generation::Sessions),
            ("2025-11-25", Generation::Sessions),
            ("2026-07-28", Generation::Stateless),
        ] {
            assert_eq!(of(&[text]), Ok(Version { stated: Some(text), generation }));
        }
    }

    #[test]
    fn without_a_header_it_is_a_session() {
        assert_eq!(of(&[]), Ok(Version { stated: None, generation: Generation::Sessions }));
    }

    #[test]
    fn other_versions_are_not_spoken() {
        for text in
            ["2024-11-05", "2026-07-29", "2026-07-28 ", " 2026-07-28", "", "2025-11-25,2025-11-25"]
        {
            assert_eq!(of(&[text]), Err(Unspoken::Unsupported(text.as_bytes())), "{text}");
        }
        let refused = Refused::from(Unspoken::Unsupported(b"x"));
        assert_eq!(refused.reason(), ReasonCode::Malformed);
    }

    #[test]
    fn a_version_that_comes_twice_is_none_even_if_both_agree() {
        assert_eq!(of(&["2026-07-28", "2026-07-28"]), Err(Unspoken::Repeated));
        assert_eq!(Refused::from(Unspoken::Repeated).reason(), ReasonCode::HeaderMismatch);
    }

    #[test]
    fn only_a_short_visible_version_is_shown_again() {
        let shown =
            |value: &'static [u8]| Unspoken::Unsupported(value).requested().map(str::to_owned);
        assert_eq!(shown(b"2030-01-01"), Some("2030-01-01".to_owned()));
        assert_eq!(shown(b"2030 01"), None);
        assert_eq!(shown(b"\xff"), None);
        assert_eq!(shown(&[b'1'; SHOWN_BYTES]), Some("1".repeat(SHOWN_BYTES)));
        assert_eq!(shown(&[b'1'; SHOWN_BYTES + 1]), None);
    }
}
