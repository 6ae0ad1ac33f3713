//! JSON Pointers (RFC 6901) into claims.

use crate::json::{Json, Object};

/// A pointer to one claim: `/realm_access/roles`. In role claims a `*` stands for every member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer {
    text: String,
    segments: Vec<String>,
}

impl Pointer {
    /// Parses a pointer to a member, not to the whole document.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let segments =
            text.strip_prefix('/')?.split('/').map(unescape).collect::<Option<Vec<_>>>()?;
        if segments.iter().any(String::is_empty) {
            return None;
        }
        Some(Self { text: text.to_owned(), segments })
    }

    /// The pointer as configured.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a segment is `*`.
    pub(crate) fn has_wildcard(&self) -> bool {
        self.segments.iter().any(|segment| segment == "*")
    }

    /// Whether another pointer is one of those that this one stands for.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let same = |(own, other): (&String, &String)| own == "*" || own == other;
        self.segments.len() == other.segments.len()
            && self.segments.iter().zip(&other.segments).all(same)
    }

    /// The value that it points to, through objects only.
    pub(crate) fn find<'j>(&self, claims: &'j Object) -> Option<&'j Json> {
        let (first, rest) = self.segments.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, segment| value.as_object()?.get(segment))
    }

    /// Every value that it points to with its own pointer, `*` taken as every member, in the order
    /// of the members' names.
    pub(crate) fn find_all<'j>(&self, claims: &'j Object) -> Vec<(String, &'j Json)> {
        let mut found: Vec<(String, &Json)> = Vec::new();
        let Some((first, rest)) = self.segments.split_first() else { return found };
        step(claims, first, "", &mut found);
        for segment in rest {
            let mut next = Vec::new();
            for (path, value) in &found {
                if let Some(members) = value.as_object() {
                    step(members, segment, path, &mut next);
                }
            }
            found = next;
        }
        found
    }
}

fn step<'j>(members: &'j Object, segment: &str, path: &str, found: &mut Vec<(String, &'j Json)>) {
    for (name, value) in members {
        if segment == "*" || segment == name {
            found.push((format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), value));
        }
    }
}

fn unescape(segment: &str) -> Option<String> {
    let mut pieces = segment.split('~');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        text.push_str(&match piece.chars().next()? {
            '0' => piece.replacen('0', "~", 1),
            '1' => piece.replacen('1', "/", 1),
            _ => return None,
        });
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Object {
        let text = br#"{"a":{"b":{"roles":["x"]},"c":{"roles":["y"]},"d":1},"e/f":{"~":2},"*":3}"#;
        Json::parse(text, 9).unwrap().as_object().unwrap().clone()
    }

    #[test]
    fn a_pointer_finds_through_objects_only() {
        let found = |text: &str| Pointer::parse(text).unwrap().find(&claims()).cloned();
        assert_eq!(found("/a/d"), Some(Json::Integer(1)));
        assert_eq!(found("/e~1f/~0"), Some(Json::Integer(2)));
        assert_eq!(found("/a/b/roles/0"), None);
        assert_eq!(found("/a/d/x"), None);
        assert_eq!(found("/z"), None);
    }

    #[test]
    fn a_wildcard_finds_every_member_with_its_own_path() {
        let claims = claims();
        let pointer = Pointer::parse("/a/*/roles").unwrap();
        assert!(pointer.has_wildcard());
        let paths: Vec<_> = pointer.find_all(&claims).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["/a/b/roles", "/a/c/roles"]);
        let paths = |text: &str| -> Vec<_> {
            Pointer::parse(text)
                .unwrap()
                .find_all(&claims)
                .into_iter()
                .map(|(path, _)| path)
                .collect()
        };
        assert_eq!(paths("/e~1f/~0"), ["/e~1f/~0"]);
        assert_eq!(paths("/a/d/roles"), Vec::<String>::new());
    }

    #[test]
    fn a_wildcard_covers_one_segment() {
        let covers = |pattern: &str, other: &str| {
            Pointer::parse(pattern).unwrap().covers(&Pointer::parse(other).unwrap())
        };
        assert!(covers("/a/*/roles", "/a/b/roles"));
        assert!(covers("/a~1b", "/a~1b"));
        assert!(!covers("/a/*/roles", "/a/b/c/roles"));
        assert!(!covers("/a/*/roles", "/a/b/scopes"));
        assert!(!covers("/a/b", "/a/*"));
    }

    #[test]
    fn malformed_pointers_do_not_parse() {
        for text in ["", "a", "/", "/a//b", "/a/", "/~", "/~2", "/a~"] {
            assert_eq!(Pointer::parse(text), None, "{text}");
        }
        assert!(!Pointer::parse("/a/b").unwrap().has_wildcard());
    }
}
