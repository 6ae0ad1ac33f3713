//! Strict base64url (RFC 7515 section 2): no padding, no white space, canonical trailing bits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes strict base64url; `None` for anything else.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    // `URL_SAFE_NO_PAD` refuses padding, foreign characters and non-zero trailing bits.
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes base64url without padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_decodes() {
        assert_eq!(decode(b"_-8"), Some(vec![0xff, 0xef]));
        assert_eq!(decode(b""), Some(vec![]));
        for text in ["_-8=", "_-9", "/+8", "_-8 ", " _-8", "_-\n8", "_", "\u{e9}"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        assert_eq!(encode(&[0xff, 0xef]), "_-8");
    }
}
