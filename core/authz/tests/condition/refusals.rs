//! What does not compile, why, and where.

use mandate_authz::condition::Place;

use super::support::{compiled, refused};

#[test]
fn an_error_names_its_place() {
    let cases = [
        ("", "x ==", 1, 5, "Syntax error: mismatched input '<EOF>' expecting"),
        ("", "true &&\n  missing", 2, 3, "undeclared reference to `missing`"),
        ("", "'é' == 'é' && missing", 1, 15, "undeclared reference to `missing`"),
        ("", "'é' == == 1", 1, 8, "Syntax error: extraneous input '=='"),
        (
            "x: int",
            "x == 'a'",
            1,
            3,
            "found no matching overload for `_==_` applied to (int, string)",
        ),
        ("x: int", "x.size() == 1", 1, 7, "found no matching overload for `size` applied to (int)"),
        ("", "1 < 2.0", 1, 3, "found no matching overload for `_<_` applied to (int, double)"),
        ("", "unknown(1)", 1, 8, "undeclared reference to `unknown`"),
        ("", "'a'.unknown()", 1, 12, "undeclared reference to `unknown`"),
        ("x: int", "x", 1, 1, "the expression is of type int, not bool"),
        ("x: any", "x", 1, 1, "the expression is of type dyn, not bool"),
        ("x: string", "x.field == 1", 1, 2, "type string does not support field selection"),
        ("x: int", "x.all(y, true)", 1, 1, "type int is no range: a list, map or dyn is needed"),
        ("x: list<int>", "x.all(y.z, true)", 1, 8, "argument must be a simple name"),
        ("x: map<int>", "has(x)", 1, 5, "invalid argument to has() macro"),
        (
            "",
            "[1].map(x, 'a') == [1]",
            1,
            17,
            "found no matching overload for `_==_` applied to (list(string), list(int))",
        ),
        (
            "",
            "timestamp('yesterday') == timestamp(0)",
            1,
            10,
            "`timestamp(…)`: a text is no timestamp",
        ),
        ("", "int('a') == 1", 1, 4, "`int(…)`: a text is no int"),
        ("", "if == 1", 1, 1, "reserved identifier: if"),
    ];
    for (parameters, expression, line, column, message) in cases {
        let error = refused(parameters, expression);
        assert_eq!(error.place, Some(Place { line, column }), "{expression}: {error}");
        assert!(error.message.starts_with(message), "{expression}: {error}");
    }
}

#[test]
fn what_a_guest_does_not_evaluate_is_refused_by_name() {
    let cases = [
        ("", "b'a' == b'a'", "bytes are not supported"),
        ("", "bytes('a') == bytes('a')", "bytes are not supported"),
        ("", "type(1) == bytes", "bytes are not supported"),
        ("", "Message{field: 1} == null", "messages are not supported"),
        ("", "{1.5: 1}.size() == 1", "a key of a map cannot be of type double"),
        ("", "{'a': 1}[dyn(null)] == 1", "a constant of this type is neither a key nor an index"),
        ("x: string", "'a'.matches(x)", "the pattern of `matches` must be a constant"),
        (
            "x: timestamp",
            "x.getHours('Europe/Berlin') == 1",
            "a time zone must be a constant: `UTC` or an offset such as `+02:00`",
        ),
        (
            "x: timestamp, y: string",
            "x.getHours(y) == 1",
            "a time zone must be a constant: `UTC` or an offset such as `+02:00`",
        ),
        (
            "x: timestamp",
            "x.getHours('+24:00') == 1",
            "a time zone must be a constant: `UTC` or an offset such as `+02:00`",
        ),
        ("x: int", ".x == 1", "names with a leading `.` are not supported"),
        ("x: list<int>", "x.all(i, v, v > 0)", "undeclared reference to `i`"),
    ];
    for (parameters, expression, message) in cases {
        assert_eq!(refused(parameters, expression).message, message, "{expression}");
    }
}

#[test]
fn a_definition_that_cannot_be_is_refused() {
    let twice = refused("x: int, x: string", "true");
    assert_eq!(twice.to_string(), "parameter `x` is declared twice");
    let deep = refused("x: list<list<list<list<list<list<list<list<int>>>>>>>>", "true");
    assert_eq!(deep.to_string(), "the type of parameter `x` is nested too deep");
    let long = refused("", &format!("true || {}", "true".repeat(10_000)));
    assert_eq!(long.to_string(), "the expression is longer than 32768 bytes");
    let padded = |bytes: usize| format!("{:bytes$}", "x > 1");
    compiled("x: int", &padded(32_768));
    let long = refused("x: int", &padded(32_769));
    assert_eq!(long.to_string(), "the expression is longer than 32768 bytes");
    let nested = refused("", &format!("{}true{}", "(".repeat(200), ")".repeat(200)));
    assert_eq!(nested.to_string(), "1:98: the expression is nested too deep");
}

#[test]
fn wide_expressions_compile() {
    let list = (0..2_000).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    compiled("x: int", &format!("x in [{list}]"));
    let computed = (0..300).map(|number| format!("x + {number}")).collect::<Vec<_>>().join(", ");
    compiled("x: int", &format!("x in [{computed}]"));
    let chain = (0..200).map(|number| format!("x != {number}")).collect::<Vec<_>>().join(" && ");
    compiled("x: int", &chain);
}
