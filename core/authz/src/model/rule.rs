//! OpenFGA's rules for names.

/// Whether an id may stand in a store file: letters, digits and `_ | * @ . + / -`, of which `*` does
/// not stand first.
///
/// The first character is anything but `#`, `:`, `*` and white space. OpenFGA's server takes more;
/// this is the rule of its tools.
#[must_use]
pub fn is_store_object_id(id: &str) -> bool {
    let mut characters = id.chars();
    let first = characters.next();
    let rest =
        |character: char| character.is_ascii_alphanumeric() || "_|*@.+/-".contains(character);
    first.is_some_and(|first| !"#:*".contains(first) && !is_space(first)) && characters.all(rest)
}

/// White space of ECMAScript's `\s`, in which the official rules are written.
pub(super) fn is_space(character: char) -> bool {
    (character.is_whitespace() && character != '\u{85}') || character == '\u{feff}'
}
