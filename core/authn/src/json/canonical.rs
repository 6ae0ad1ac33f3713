//! Canonical JSON: RFC 8785.

use super::{Json, Object};

pub(super) fn render(value: &Json) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
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
    // RFC 8785 section 3.2.3: by UTF-16 code units, which differs from code points beyond U+FFFF.
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
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
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\0'..='\u{1f}' => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_order_follow_rfc_8785() {
        let parsed = Json::parse("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\\r\":3,\"1\":[true,false,null],\"b\":\"\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\t\u{20ac}\"}".as_bytes(), 4);
        assert_eq!(
            parsed.unwrap().to_canonical(),
            "{\"\\r\":3,\"1\":[true,false,null],\"b\":\"\\u0000\\u001f\\\"\\\\/\\b\\f\\n\\t\u{20ac}\",\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }
}
