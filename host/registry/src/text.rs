//! What names and texts may be.

use mandate_authz::name::ObjectName;
use mandate_authz::object_id;

use crate::error::RegistryError;
use crate::limits::{LARGEST_TIME, TEXT_BYTES};

/// Requires a text that is not empty, not long, and stays one line.
pub(crate) fn check(what: &str, text: &str) -> Result<(), RegistryError> {
    if text.is_empty() || text.len() > TEXT_BYTES || text.chars().any(char::is_control) {
        let message = format!("{what} must be 1 to {TEXT_BYTES} bytes without control characters");
        return Err(RegistryError::Invalid(message));
    }
    Ok(())
}

/// Requires an object of a type whose id nobody has to encode.
pub(crate) fn check_object(object: &ObjectName, type_name: &str) -> Result<(), RegistryError> {
    check("the name of an object", &object.to_string())?;
    if object.type_name != type_name || !object_id::is_bare(&object.id) {
        let message = format!("`{object}` is no `{type_name}:ID`");
        return Err(RegistryError::Invalid(message));
    }
    Ok(())
}

/// Requires a time that every reader can hold.
pub(crate) fn check_time(time: u64) -> Result<(), RegistryError> {
    if time > LARGEST_TIME {
        return Err(RegistryError::Invalid("a time is above 2^53 - 1".to_owned()));
    }
    Ok(())
}

/// The name of an object as this program wrote it.
pub(crate) fn object(text: &str) -> Result<ObjectName, RegistryError> {
    ObjectName::parse(text).ok_or_else(crate::database::unreadable)
}
