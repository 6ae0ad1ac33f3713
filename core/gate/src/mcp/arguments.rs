//! The arguments of a call that name resources, by the contract's table.

use std::borrow::Cow;

use mandate_authz::authorize::Resource;
use mandate_authz::policy::Tool;

use super::value::{Object, Value};
use crate::refused::Refused;

/// The value of each argument that the table has for this tool.
///
/// A pointer goes through objects only: `/0` is the member `0`, never an element, so that a list
/// cannot stand where the table has one resource.
///
/// # Errors
/// `malformed`, at the line `mapping`, for a value that is missing or no string.
pub(crate) fn resources<'m>(
    tool: &'m Tool,
    arguments: Option<&'m Object<'m>>,
) -> Result<Vec<Resource<'m>>, Refused> {
    let named = tool.arguments.iter().map(|argument| {
        let pointer = argument.pointer.as_str();
        let value = arguments.and_then(|arguments| find(arguments, pointer));
        match value {
            Some(Value::Text(value)) => Ok(Resource::Argument { pointer, value }),
            Some(
                Value::Array(_)
                | Value::Bool(_)
                | Value::Null
                | Value::Number(_)
                | Value::Object(_),
            ) => Err(Refused::malformed_mapping(format!("the argument `{pointer}` is no string"))),
            None => Err(Refused::malformed_mapping(format!("the argument `{pointer}` is missing"))),
        }
    });
    named.collect()
}

/// The value that a JSON Pointer (RFC 6901) points to, through objects only.
fn find<'m>(arguments: &'m Object<'m>, pointer: &str) -> Option<&'m Value<'m>> {
    let mut segments = pointer.strip_prefix('/')?.split('/').map(unescaped);
    let first = arguments.get(&segments.next()?)?;
    segments.try_fold(first, |value, segment| value.as_object()?.get(&segment))
}

/// RFC 6901 section 4: `~1` first, so that `~01` is `~1`. A policy with another `~` does not load.
fn unescaped(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') {
        Cow::Owned(segment.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(segment)
    }
}

#[cfg(test)]
mod tests {
    use mandate_authn::{FailingLine, ReasonCode};
    use mandate_authz::policy::{Argument, Form};

    use super::*;

    fn tool(pointers: &[&str]) -> Tool {
        let argument = |pointer: &&str| Argument {
            pointer: (*pointer).to_owned(),
            type_name: "board".to_owned(),
            form: Form::Id,
        };
        Tool { action: "view".to_owned(), arguments: pointers.iter().map(argument).collect() }
    }

    /// The values found, or the refusal.
    fn found(pointers: &[&str], arguments: &str) -> Result<Vec<String>, (ReasonCode, FailingLine)> {
        let value = Value::parse(arguments.as_bytes()).unwrap();
        let tool = tool(pointers);
        let found = resources(&tool, value.as_object());
        let found = found.map_err(|refused| (refused.reason(), refused.line))?;
        let shown = found.iter().zip(pointers).map(|(resource, expected)| match resource {
            Resource::Argument { pointer, value } => {
                assert_eq!(pointer, expected);
                (*value).to_owned()
            }
            Resource::Id { .. } | Resource::Text { .. } => panic!("{resource:?}"),
        });
        Ok(shown.collect())
    }

    const MALFORMED: Result<Vec<String>, (ReasonCode, FailingLine)> =
        Err((ReasonCode::Malformed, FailingLine::Mapping));

    #[test]
    fn each_argument_of_the_table_is_found() {
        let arguments = r#"{"card":"c1","to":{"list":"l1","x":1},"more":[1]}"#;
        assert_eq!(
            found(&["/card", "/to/list"], arguments),
            Ok(vec!["c1".to_owned(), "l1".to_owned()])
        );
        assert_eq!(found(&[], arguments), Ok(vec![]));
    }

    #[test]
    fn a_value_that_is_not_one_string_is_malformed() {
        assert_eq!(found(&["/a"], r#"{"a":"x"}"#), Ok(vec!["x".to_owned()]));
        for value in ["null", "1", "1.5", "true", "[]", r#"["x"]"#, "{}", r#"{"a":"x"}"#] {
            assert_eq!(found(&["/a"], &format!(r#"{{"a":{value}}}"#)), MALFORMED, "{value}");
        }
    }

    #[test]
    fn a_value_that_is_missing_is_malformed() {
        for arguments in ["{}", r#"{"A":"x"}"#, r#"{"a ":"x"}"#, r#"{"b":{"a":"x"}}"#] {
            assert_eq!(found(&["/a"], arguments), MALFORMED, "{arguments}");
        }
        let refused = resources(&tool(&["/a"]), None).unwrap_err();
        assert_eq!(refused.reason(), ReasonCode::Malformed);
    }

    #[test]
    fn a_pointer_goes_through_objects_only() {
        assert_eq!(found(&["/a/0"], r#"{"a":{"0":"x"}}"#), Ok(vec!["x".to_owned()]));
        assert_eq!(found(&["/a/0"], r#"{"a":["x"]}"#), MALFORMED);
        assert_eq!(found(&["/a/b"], r#"{"a":"b"}"#), MALFORMED);
    }

    #[test]
    fn escapes_are_read_once() {
        let arguments = r#"{"a/b":"slash","a~b":"tilde","~1":"both"}"#;
        assert_eq!(
            found(&["/a~1b", "/a~0b", "/~01"], arguments),
            Ok(["slash", "tilde", "both"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn a_value_is_what_its_escapes_mean() {
        assert_eq!(found(&["/a"], r#"{"\u0061":"\u0078"}"#), Ok(vec!["x".to_owned()]));
    }
}
