//! Untrusted text in messages.

/// The text in backticks, at most 64 characters, control characters escaped: a message stays one
/// line, and a token never fits in it.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 64;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_bounded_and_on_one_line() {
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(64)), format!("`{}`", "x".repeat(64)));
        assert_eq!(quoted(&"x".repeat(65)), format!("`{}…`", "x".repeat(64)));
    }
}
