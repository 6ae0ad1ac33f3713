//! Every operator, function and macro: its values, its errors.

use super::support::{failed, plain};

fn all_hold(expressions: &[&str]) {
    for expression in expressions {
        assert_eq!(plain(expression), Ok(true), "{expression}");
    }
}

fn all_fail(cases: &[(&str, &'static str)]) {
    for (expression, problem) in cases {
        assert_eq!(plain(expression), failed(problem), "{expression}");
    }
}

#[test]
fn integers_are_computed_exactly() {
    all_hold(&[
        "1 + 2 == 3",
        "5 - 7 == -2",
        "6 * 7 == 42",
        "7 / 2 == 3",
        "-7 / 2 == -3",
        "7 % 3 == 1",
        "-7 % 3 == -1",
        "-(3) == -3",
        "--3 == 3",
        "9223372036854775807 - 1 == 9223372036854775806",
        "-9223372036854775808 < 0",
        "0x1f == 31",
        "1u + 2u == 3u",
        "7u / 2u == 3u",
        "7u % 2u == 1u",
        "18446744073709551615u > 0u",
    ]);
    all_fail(&[
        ("9223372036854775807 + 1 > 0", "overflow"),
        ("-9223372036854775808 - 1 < 0", "overflow"),
        ("9223372036854775807 * 2 > 0", "overflow"),
        ("-9223372036854775808 / -1 > 0", "overflow"),
        ("-9223372036854775808 % -1 == 0", "overflow"),
        ("-(-9223372036854775808) > 0", "overflow"),
        ("1 / 0 == 1", "division by zero"),
        ("1 % 0 == 1", "division by zero"),
        ("1u - 2u == 0u", "overflow"),
        ("18446744073709551615u + 1u > 0u", "overflow"),
        ("1u / 0u == 1u", "division by zero"),
        ("1u % 0u == 1u", "division by zero"),
    ]);
}
