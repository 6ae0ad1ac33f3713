//! Ids of objects, as they come out of requests.

/// Whether a text can be an id as it stands: not empty, and without `%`, `:`, `#`, `*` and white
/// space, which have a meaning in names of objects or come from encoding.
#[must_use]
pub fn is_bare(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(needs_encoding)
}

/// The id of a free string, such as a URI: `%`, `:`, `#`, `*` and white space percent-encoded, once
/// (upper-case hexadecimal of their UTF-8). Two strings never become one id.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    let mut bytes = [0; 4];
    for character in text.chars() {
        if needs_encoding(character) {
            for byte in character.encode_utf8(&mut bytes).bytes() {
                id.push('%');
                id.extend([byte >> 4, byte & 15].map(hexadecimal));
            }
        } else {
            id.push(character);
        }
    }
    id
}

fn needs_encoding(character: char) -> bool {
    matches!(character, '%' | ':' | '#' | '*') || character.is_whitespace()
}

fn hexadecimal(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_names_is_no_bare_id() {
        for id in ["roadmap", "a/b", "é", "a@b", "."] {
            assert!(is_bare(id), "{id}");
        }
        for id in ["", "a b", "a:b", "a#b", "*", "a%20b", "a\u{a0}b", "a\n"] {
            assert!(!is_bare(id), "{id}");
        }
    }

    #[test]
    fn a_free_string_is_encoded_once() {
        assert_eq!(encode("https://a.example/x y#z"), "https%3A//a.example/x%20y%23z");
        assert_eq!(encode("100%"), "100%25");
        assert_eq!(encode("100%25"), "100%2525");
        assert_eq!(encode("a\u{a0}*"), "a%C2%A0%2A");
        assert_eq!(encode("plain"), "plain");
    }
}
