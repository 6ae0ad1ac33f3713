//! Untrusted text in messages.

/// The text in backticks, at most 64 characters, control characters escaped: a message stays one
/// line, and a token never fits in it.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST_NAME).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_NAME).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A path of members, `a.b[0]`, on one line: 64 characters of each name, 256 of all.
///
/// What was shown already stays as it is, so that paths can be put together.
pub(crate) fn path(text: &str) -> String {
    let text = one_line(text);
    let names = text.split('.').map(|name| cut(name, LONGEST_NAME));
    cut(&names.collect::<Vec<_>>().join("."), 256)
}

/// A message on one line: 64 characters of what stands in backticks, 512 of all.
pub(crate) fn message(text: &str) -> String {
    let text = one_line(text);
    // Of an unpaired backtick only the bound of the whole remains.
    let limits = [usize::MAX, LONGEST_NAME].into_iter().cycle();
    let parts = text.split('`').zip(limits).map(|(part, limit)| cut(part, limit));
    cut(&parts.collect::<Vec<_>>().join("`"), 512)
}

/// The first `limit` characters, and a mark where there are more.
fn cut(text: &str, limit: usize) -> String {
    let mut shown: String = text.chars().take(limit).collect();
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters as escapes, all others as they are.
fn one_line(text: &str) -> String {
    let escaped = |character: char| {
        let escape = character.is_control().then(|| character.escape_default());
        let plain = escape.is_none().then_some(character);
        escape.into_iter().flatten().chain(plain)
    };
    text.chars().flat_map(escaped).collect()
}

/// Longer names are not read, but looked up.
const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_bounded_and_on_one_line() {
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(64)), format!("`{}`", "x".repeat(64)));
        assert_eq!(quoted(&"x".repeat(65)), format!("`{}…`", "x".repeat(64)));
    }

    #[test]
    fn a_path_is_bounded_and_stays_as_it_is_when_shown_again() {
        let long = "x".repeat(65);
        let shown = path(&format!("a\n.{long}[3].b"));
        assert_eq!(shown, format!("a\\n.{}….b", "x".repeat(64)));
        assert_eq!(path(&shown), shown);
        let many = path(&"ab.".repeat(100));
        assert_eq!(many.chars().count(), 257);
        assert_eq!(path(&many), many);
    }

    #[test]
    fn a_message_keeps_its_own_words_and_bounds_what_it_quotes() {
        let own = "must have no query, fragment, white space or character beyond ASCII";
        assert_eq!(message(own), own);
        let found = message(&format!("`{}` is\tunknown", "x".repeat(100)));
        assert_eq!(found, format!("`{}…` is\\tunknown", "x".repeat(64)));
        assert_eq!(message(&"`x".repeat(1000)).chars().count(), 513);
    }
}
