//! Literals that expressions are made of: edges of every type, and what no type takes.

pub(crate) const INTS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "7",
    "-1",
    "-7",
    "100",
    "1672531200",
    "9223372036854775807",
    "-9223372036854775808",
    "9007199254740993",
];
pub(crate) const UINTS: &[&str] =
    &["0u", "1u", "2u", "7u", "18446744073709551615u", "9223372036854775808u"];
pub(crate) const DOUBLES: &[&str] =
    &["0.0", "1.0", "-1.0", "0.5", "2.25", "1e300", "-7.5", "9223372036854775808.0", "1e-7", "3.0"];
pub(crate) const STRINGS: &[&str] = &[
    "",
    "a",
    "ab",
    "abc",
    "b",
    "key",
    "1",
    "-7",
    "2.25",
    "true",
    "a1",
    "é",
    "aéb",
    "1h",
    "2023-01-01T00:00:00Z",
    "x y",
];
pub(crate) const KEYS: &[&str] = &["a", "b", "key", "é"];
pub(crate) const TIMES: &[&str] = &[
    "2023-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z",
    "2024-02-29T23:59:59.5+02:00",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2023-06-30T12:34:56.789-08:00",
    "1969-12-31T23:59:59.999999999Z",
    "2000-12-31T00:30:00+14:00",
    "2023-01-01T00:00:00+00:00",
];
pub(crate) const DURATIONS: &[&str] =
    &["0s", "1h", "-1.5h", "300ms", "1h30m", "24h", "2562047h47m16.854775807s", "1ns", "-7us"];
pub(crate) const ADDRESSES: &[&str] = &[
    "192.168.1.1",
    "10.0.0.1",
    "::ffff:192.168.1.1",
    "2001:db8::1",
    "::1",
    "255.255.255.255",
    "::ffff:0:0",
];
pub(crate) const NETWORKS: &[&str] = &[
    "192.168.1.0/24",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::ffff:192.168.0.0/112",
    "2001:db8::/32",
    "::/0",
    "::1/128",
    "192.168.1.1",
    "::ffff:0.0.0.0/90",
];
pub(crate) const TYPE_NAMES: &[&str] = &[
    "bool",
    "double",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "type",
    "uint",
];
pub(crate) const PATTERNS: &[&str] = &[
    "a",
    "^a",
    "b$",
    "^ab*c?$",
    "[0-9]+",
    "a|b",
    "(ab)+",
    r"\\d",
    r"\\w+\\s",
    "^.$",
    "é",
    "(?i)A",
    r"\\bab\\b",
    "[^a]",
    "^$",
    r"a{2,3}",
    "(?s).b",
    r"^\\S*$",
];
