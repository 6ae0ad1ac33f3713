//! Foreign text in messages: one line, printable, short.

/// Puts text that somebody else wrote in backticks: control characters become `?`, and what is
/// longer than 120 characters is cut, so that a message stays one line that a terminal can show.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("`{}`", plain(text))
}

/// The same without backticks.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters
        .by_ref()
        .take(LONGEST)
        .map(|character| if character.is_control() { '?' } else { character })
        .collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

const LONGEST: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_becomes_one_short_printable_line() {
        assert_eq!(quoted("a\r\nb\u{1b}[31m"), "`a??b?[31m`");
        assert_eq!(plain(&"x".repeat(121)), format!("{}…", "x".repeat(120)));
        assert_eq!(plain(&"x".repeat(120)), "x".repeat(120));
    }
}
