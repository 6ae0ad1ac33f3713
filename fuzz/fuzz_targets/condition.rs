//! Bytecode of conditions with a stored context: refused, or evaluated without reading wrongly.
//!
//! Input is the length of the code in two bytes, little-endian, then the code, then the context.

#![no_main]

#[path = "../../core/authz/tests/condition/checks.rs"]
mod checks;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authz::condition::{compile, encode_context};
use mandate_authz::model::Model;
use mandate_fuzz::mutate_from;
use serde_json::{Map, Value, json};

/// Between them every operator, function and type.
const EXPRESSIONS: [&str; 14] = [
    "i + 1 == 2 && i * 2 > i - 1 || i / 2 != i % 3",
    "-i < 3 && !(b || i >= 2) && i <= 4",
    "u + 1u == 2u && uint(i) in [1u, 2u] && d > -1.5 && double(u) < d / 2.0",
    "s.startsWith('a') && s.endsWith(s + 'z') && s.contains('b') && s.size() < 9",
    "s.matches('^[a-z]+(x|yz){2,3}$') && string(i) == s",
    "t > timestamp('2024-02-29T23:59:59Z') && t - r < t + r && r > duration('1h30m')",
    "t.getFullYear() == 2024 && t.getDayOfWeek() == 3 && r.getHours() > 1",
    "a.in_cidr('192.0.2.0/24') && a == ipaddress('192.0.2.1')",
    "l.exists(x, x > 1) && l.all(x, x < 9) && l.exists_one(x, x == 2)",
    "l.map(x, x + 1).filter(x, x > 2).size() == l[0] && l + [i] == [1, 2, 3]",
    "has(m.k) && m.k == 'v' && m['k'] != s && 'k' in m && {'x': i}.x == 1",
    "b ? l[1] == 2 : m.other == 'w'",
    "[[1, 2], l].exists(x, x.exists(y, y == i))",
    "int(s) == 3 && int(t) > 0 && bool(s) && int(d) == i",
];

const PARAMETERS: &str = "i: int, u: uint, d: double, b: bool, s: string, t: timestamp, \
    r: duration, a: ipaddress, l: list<int>, m: map<string>";

static REQUEST: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let values = json!({"i": 1, "u": 2, "d": 1.5, "b": true, "s": "abc", "r": "1h",
        "t": "2024-05-01T00:00:00Z", "a": "192.0.2.1", "l": [1, 2, 3], "m": {"k": "v"}});
    values.as_object().expect("an object").clone()
});

/// Each expression with its parameters in the request, and in the stored context.
static SEEDS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| EXPRESSIONS.iter().flat_map(|text| seeds(text)).collect());

fn seeds(expression: &str) -> [Vec<u8>; 2] {
    let text = format!("model\n  schema 1.1\n\ncondition c({PARAMETERS}) {{}}\n");
    let mut model = Model::parse_dsl(&text).expect("parameters are declared");
    // A map's brace would end the condition in that language.
    model.conditions[0].expression = expression.to_owned();
    let code = compile(&model.conditions[0]).expect("a seed compiles");
    let stored = encode_context(&code, &REQUEST).expect("the values have their types");
    let length = u16::try_from(code.len()).expect("a seed is short").to_le_bytes();
    [&[][..], &stored].map(|stored| [&length, code.as_slice(), stored].concat())
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Some((length, rest)) = data.split_first_chunk() else { return };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (code, stored) = rest.split_at(length);
    checks::survives(code, stored, &REQUEST);
});
