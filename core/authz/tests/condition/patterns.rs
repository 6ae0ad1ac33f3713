//! `matches`: RE2's meaning, or a refusal.

use super::support::{answer, compiled, failed, plain, refused};
use serde_json::{Value, json};

#[test]
fn patterns_are_found_anywhere_in_the_text() {
    let cases = [
        ("a", "bab", true),
        ("a", "bbb", false),
        ("^a", "ba", false),
        ("a$", "ab", false),
        ("^$", "", true),
        ("^a.c$", "abc", true),
        ("^a.c$", "a\nc", false),
        ("(?s)^a.c$", "a\nc", true),
        ("^b", "a\nb", false),
        ("(?m)^b$", "a\nb\nc", true),
        (r"\Aa\z", "a", true),
        ("[0-9]+x", "12x", true),
        ("[^0-9]", "123", false),
        ("a{2,3}b", "aab", true),
        ("^a{2}$", "aaa", false),
        ("^(ab|cd)*$", "abcdab", true),
        ("^a*?b+$", "aabb", true),
        (r"^\d+\s\w+\S$", "12 ab!", true),
        (r"\s", "\u{b}", false),
        ("[[:space:]]", "\u{b}", true),
        ("[[:^alpha:]]", "abc", false),
        (r"\bcat\b", "a cat.", true),
        (r"\bcat\b", "concat", false),
        (r"\B", "aéa", false),
        ("^.$", "é", true),
        ("^..$", "é", false),
        ("[é-ü]", "ö", true),
        ("(?i)straSSe", "STRASSE", true),
        ("(?i)^[k-s]$", "\u{212a}", true),
        ("(?i)s", "\u{17f}", true),
        (r"(?i)^\w$", "\u{17f}", true),
        (r"^\w$", "\u{17f}", false),
        ("(?i:a)b", "AB", false),
        ("(?P<name>a)(?:b)", "ab", true),
        (r"\.\*\[", ".*[", true),
        (r"\x41\x{e9}\t", "Aé\t", true),
        ("", "anything", true),
        ("a||b", "zzz", true),
    ];
    for (pattern, text, expected) in cases {
        let expression = format!("x.matches({})", json!(pattern));
        let said = answer("x: string", &expression, Value::Null, json!({"x": text}));
        assert_eq!(said, Ok(expected), "{pattern} in {text:?}");
    }
    assert_eq!(plain("matches('abc', 'b')"), Ok(true));
    assert_eq!(plain("dyn(1).matches('b')"), failed("no such overload"));
}

#[test]
fn what_re2_reads_otherwise_is_refused() {
    let cases = [
        (r"\pL", "in a pattern, a class of Unicode properties is not supported"),
        (r"[\p{Greek}]", "in a pattern, a class of Unicode properties is not supported"),
        ("[a&&b]", "in a pattern, a set within a set is not supported"),
        ("[a[b]]", "in a pattern, a set within a set is not supported"),
        (r"\<a", "in a pattern, one side of a word boundary is not supported"),
        ("\\u0041", "in a pattern, `\\u` is not supported"),
        ("(?x)a b", "in a pattern, a flag other than `i`, `m`, `s` and `U` is not supported"),
        ("(?-u)a", "in a pattern, a flag other than `i`, `m`, `s` and `U` is not supported"),
        ("a**", "in a pattern, a repetition of a repetition is not supported"),
        ("a{ 2 }", "in a pattern, white space in a repetition is not supported"),
        ("a{1001}", "in a pattern, a repetition of more than 1000 is not supported"),
        ("(?i)é", "in a pattern, ignoring the case of what is not ASCII is not supported"),
        ("(a", "the pattern cannot be read: unclosed group"),
        (
            "a(?=b)",
            "the pattern cannot be read: look-around, including look-ahead and look-behind, is not supported",
        ),
        ("(a)\\1", "the pattern cannot be read: backreferences are not supported"),
        (".*x.{40}", "the pattern's table is too large"),
    ];
    for (pattern, message) in cases {
        let expression = format!("x.matches({})", json!(pattern));
        let error = refused("x: string", &expression);
        assert_eq!(error.message, message, "{pattern}");
        assert_eq!(error.place.map(|place| place.column), Some(11), "{pattern}");
    }
    let error = refused("x: string", "x.matches(x)");
    assert_eq!(error.to_string(), "1:11: the pattern of `matches` must be a constant");
}

#[test]
fn a_long_text_costs_steps() {
    let code = compiled("x: string", "x.matches('b')");
    let request = super::support::object(json!({"x": "a".repeat(64_000)}));
    let mut steps = 1_000;
    let said = mandate_authz::condition::evaluate(&code, &[], &request, &mut steps);
    assert_eq!((said, steps), (Err(mandate_authz::condition::ConditionFailure::Steps), 0));
}
