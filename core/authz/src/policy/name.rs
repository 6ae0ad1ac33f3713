//! Forms of names: types, relations, object ids.

use mandate_authn::LoadError;

/// Requires the name of a type, a relation or an action: what OpenFGA's DSL can write.
pub(super) fn check(path: &str, name: &str) -> Result<(), LoadError> {
    let plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '/')
    };
    if name.is_empty() || name.len() > 254 || !name.chars().all(plain) {
        return Err(LoadError::new(path, "must be letters, digits, `_`, `-`, `.` or `/`"));
    }
    Ok(())
}

/// Requires an object id that needs no encoding.
pub(super) fn check_id(path: &str, id: &str) -> Result<(), LoadError> {
    if crate::object_id::is_bare(id) {
        Ok(())
    } else {
        Err(LoadError::new(path, "must be an id without `%`, `:`, `#`, `*` and white space"))
    }
}

/// Requires a list of distinct names.
pub(super) fn check_distinct(path: &str, names: &[String]) -> Result<(), LoadError> {
    for (position, name) in names.iter().enumerate() {
        if names.iter().take(position).any(|earlier| earlier == name) {
            return Err(LoadError::new(&format!("{path}[{position}]"), "is listed twice"));
        }
    }
    Ok(())
}

/// Requires at least one element.
pub(super) fn require_some<T>(path: &str, list: &[T]) -> Result<(), LoadError> {
    if list.is_empty() { Err(LoadError::new(path, "must not be empty")) } else { Ok(()) }
}
