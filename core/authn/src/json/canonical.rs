//! Canonical JSON: RFC 8785.

use super::{Json, Object};

pub(super) fn render(value: &Json) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

/// Writes an object whose members its caller names in their order: nothing is gathered and sorted.
#[derive(Debug)]
pub struct CanonicalObject {
    text: String,
    last: &'static str,
}

impl CanonicalObject {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        let mut text = String::with_capacity(USUAL_BYTES);
        text.push('{');
        Self { text, last: "" }
    }

    /// A text, if there is one.
    pub fn text(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.begin(name);
            write_string(&mut self.text, value);
        }
    }

    /// An integer of at most 2^53 - 1, if there is one; `null` for a greater one.
    pub fn integer(&mut self, name: &'static str, value: Option<u64>) {
        if let Some(value) = value {
            self.value(name, &Json::from(value));
        }
    }

    /// Texts, if there are any.
    pub fn texts(&mut self, name: &'static str, values: &[String]) {
        if !values.is_empty() {
            self.begin(name);
            write_list(&mut self.text, ['[', ']'], values, |text, value| write_string(text, value));
        }
    }

    /// Any value.
    pub fn value(&mut self, name: &'static str, value: &Json) {
        self.begin(name);
        write_value(&mut self.text, value);
    }

    /// The text of the object.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    fn begin(&mut self, name: &'static str) {
        debug_assert!(self.last < name, "`{name}` is written after `{}`", self.last);
        if !self.last.is_empty() {
            self.text.push(',');
        }
        self.last = name;
        debug_assert!(!name.contains(is_escaped), "`{name}` is no plain name");
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }
}

/// Bytes of the objects that are written member by member.
const USUAL_BYTES: usize = 1024;

impl Default for CanonicalObject {
    fn default() -> Self {
        Self::new()
    }
}

fn write_value(text: &mut String, value: &Json) {
    match value {
        Json::Array(elements) => write_list(text, ['[', ']'], elements, write_value),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Integer(integer) => text.push_str(&integer.to_string()),
        Json::Null | Json::OtherNumber => text.push_str("null"),
        Json::Object(members) => write_object(text, members),
        Json::String(string) => write_string(text, string),
    }
}

fn write_object(text: &mut String, members: &Object) {
    let mut sorted: Vec<_> = members.iter().collect();
    // RFC 8785 section 3.2.3: by UTF-16 code units, which differs from code points, and so from the
    // order of the map, only where a surrogate stands before a unit from U+E000 on.
    if members.keys().any(|name| name.bytes().any(|byte| byte >= FIRST_OF_U_E000)) {
        sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    }
    write_list(text, ['{', '}'], &sorted, |text, (name, value)| {
        write_string(text, name);
        text.push(':');
        write_value(text, value);
    });
}

fn write_list<T>(
    text: &mut String,
    [open, close]: [char; 2],
    items: &[T],
    write: impl Fn(&mut String, &T),
) {
    text.push(open);
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    let mut rest = string;
    // Most texts have nothing to escape: what stands in between is copied at once.
    while let Some(at) = rest.bytes().position(|byte| is_escaped(char::from(byte)))
        && let Some((plain, found)) = rest.split_at_checked(at)
    {
        text.push_str(plain);
        let mut found = found.chars();
        found.next().into_iter().for_each(|character| write_escaped(text, character));
        rest = found.as_str();
    }
    text.push_str(rest);
    text.push('"');
}

/// RFC 8785 section 3.2.2.2. All of them are ASCII, so that bytes can be asked as well.
const fn is_escaped(character: char) -> bool {
    matches!(character, '\0'..='\u{1f}' | '"' | '\\')
}

fn write_escaped(text: &mut String, character: char) {
    match character {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\u{8}' => text.push_str("\\b"),
        '\t' => text.push_str("\\t"),
        '\n' => text.push_str("\\n"),
        '\u{c}' => text.push_str("\\f"),
        '\r' => text.push_str("\\r"),
        _ => text.push_str(&format!("\\u{:04x}", u32::from(character))),
    }
}

/// The first byte of U+E000 in UTF-8: nothing below it has greater units.
const FIRST_OF_U_E000: u8 = 0xee;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_that_is_written_is_the_one_that_is_rendered() {
        let mut object = CanonicalObject::new();
        object.text("a", Some("\u{e9}\n\"b\"\\"));
        object.text("b", None);
        object.integer("c", Some(0));
        object.integer("d", Some(u64::MAX));
        object.texts("e", &[]);
        object.texts("f", &["g".to_owned(), String::new()]);
        object.value("h", &Json::Bool(true));
        let text = object.finish();
        assert_eq!(
            text,
            "{\"a\":\"\u{e9}\\n\\\"b\\\"\\\\\",\"c\":0,\"d\":null,\"f\":[\"g\",\"\"],\"h\":true}"
        );
        assert_eq!(Json::parse(text.as_bytes(), 4).unwrap().to_canonical(), text);
        assert_eq!(CanonicalObject::new().finish(), "{}");
    }

    #[test]
    fn strings_and_order_follow_rfc_8785() {
        let parsed = Json::parse("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\\r\":3,\"1\":[true,false,null],\"b\":\"\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\t\u{20ac}\"}".as_bytes(), 4);
        assert_eq!(
            parsed.unwrap().to_canonical(),
            "{\"\\r\":3,\"1\":[true,false,null],\"b\":\"\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\t\u{20ac}\",\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }
}
