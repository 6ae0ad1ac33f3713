//! Changes that the signature covers: what a careless or hostile issuer could sign.

use super::draft::{Draft, object, quoted};
use super::world::{AUDIENCE, FOREIGN_KEYS, Key, NOW};
use crate::random::Random;

/// Makes one change.
pub(super) fn change(draft: &mut Draft<'_>, random: &mut Random) {
    let change = match random.below(20) {
        0 => algorithm(draft, random),
        1 => key_id(draft, random),
        2 => header_member(draft, random),
        3..5 => times(draft, random),
        5 => audience(draft, random),
        6 => issuer(draft, random),
        7 => claim(draft, random),
        8 => remove(draft, random),
        9..12 => duplicate(draft, random),
        12..15 => text(draft, random),
        15 => foreign_key(draft, random),
        16 => other_algorithm(draft, random),
        17 => actor(draft, random),
        18 => typ(draft, random),
        _ => any_value(draft, random),
    };
    draft.changes.push(change);
}

const ODD_VALUES: [&str; 26] = [
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1.5",
    "1e3",
    "1E400",
    "-0",
    "[]",
    "{}",
    "\"\"",
    "\" \"",
    "[\"a\"]",
    "[1]",
    "[null]",
    "{\"a\":1}",
    "9007199254740993",
    "18446744073709551616",
    "NaN",
    "Infinity",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "01",
    "\"a\\u0062c\"",
    "[[[]]]",
];

fn algorithm(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let names = [
        "none", "None", "NONE", "", "HS256", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384",
        "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448", "rs256",
        "RS256 ", "RSA-OAEP",
    ];
    let text = if random.percent(80) {
        quoted(random.pick(&names))
    } else {
        random.pick(&ODD_VALUES).to_owned()
    };
    Draft::set(&mut draft.header, "alg", &text);
    format!("header alg = {text}")
}

/// Signs with another algorithm of the key, stated in the header.
fn other_algorithm(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    if draft.key.name.starts_with("rsa") {
        draft.algorithm = random.pick(&rsa);
        if random.percent(70) {
            Draft::set(&mut draft.header, "alg", &quoted(draft.algorithm));
        }
    }
    format!("signed with {}", draft.algorithm)
}

fn key_id(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let kids = ["one", "two", "three", "four", "five", "", "One", "one ", "../one", "one\u{0}"];
    let text = if random.percent(75) {
        quoted(random.pick(&kids))
    } else {
        random.pick(&ODD_VALUES).to_owned()
    };
    Draft::set(&mut draft.header, "kid", &text);
    format!("header kid = {text}")
}

fn typ(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let types = [
        "\"JWT\"",
        "\"jwt\"",
        "\"at+jwt\"",
        "\"AT+JWT\"",
        "\"application/at+jwt\"",
        "\"application/jwt\"",
        "\"at+JWT\"",
        "\"JOSE\"",
        "\"\"",
        "null",
        "1",
        "[\"at+jwt\"]",
        "\"logout+jwt\"",
        "\"dpop+jwt\"",
        "\"at+jwt \"",
    ];
    let text = random.pick(&types);
    Draft::set(&mut draft.header, "typ", text);
    format!("header typ = {text}")
}

/// Parameters that must not choose a key or change what is signed.
fn header_member(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let foreign = draft.world.key(random.pick(&FOREIGN_KEYS)).jwk().to_string();
    let members = [
        ("jwk", foreign.as_str()),
        ("jku", "\"https://evil.example/jwks\""),
        ("x5u", "\"https://evil.example/chain.pem\""),
        ("x5c", "[\"MIIB\"]"),
        ("x5t", "\"AAAA\""),
        ("x5t#S256", "\"AAAA\""),
        ("crit", "[]"),
        ("crit", "[\"exp\"]"),
        ("crit", "[\"b64\"]"),
        ("crit", "\"b64\""),
        ("crit", "null"),
        ("crit", "[\"alg\"]"),
        ("b64", "true"),
        ("b64", "false"),
        ("b64", "null"),
        ("cty", "\"JWT\""),
        ("zip", "\"DEF\""),
        ("enc", "\"A256GCM\""),
        ("epk", "{}"),
        ("unknown", "1"),
        ("unknown", "1e400"),
        ("url", "\"https://a.example\""),
        ("nonce", "\"n\""),
        ("__proto__", "{\"alg\":\"none\"}"),
    ];
    let (name, text) = random.pick(&members);
    Draft::set(&mut draft.header, name, text);
    format!("header {name} = {text}")
}

fn times(draft: &mut Draft<'_>, random: &mut Random) -> String {
    const SKEW: u64 = 30;
    let name = random.pick(&["exp", "exp", "nbf", "iat"]);
    let moments = [
        NOW - 1,
        NOW,
        NOW + 1,
        NOW - SKEW - 1,
        NOW - SKEW,
        NOW - SKEW + 1,
        NOW + SKEW - 1,
        NOW + SKEW,
        NOW + SKEW + 1,
        0,
        NOW * 1000,
        9_007_199_254_740_991,
        9_007_199_254_740_992,
        u64::MAX,
    ];
    let text = match random.below(10) {
        0..6 => random.pick(&moments).to_string(),
        6 => format!("{}.0", NOW + 60),
        7 => format!("\"{}\"", NOW + 60),
        8 => format!("{}e1", (NOW + 60) / 10),
        _ => random.pick(&ODD_VALUES).to_owned(),
    };
    Draft::set(&mut draft.claims, name, &text);
    format!("{name} = {text}")
}

fn audience(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let own = quoted(AUDIENCE);
    let texts = [
        format!("[{own},\"https://other.example\"]"),
        format!("[\"https://other.example\",{own}]"),
        format!("[{own},1]"),
        format!("[{own},null]"),
        format!("[{own},\"\"]"),
        format!("[{own},{own}]"),
        format!("[[{own}]]"),
        format!("{{{own}:1}}"),
        "\"https://board.example/\"".to_owned(),
        "\"https://board.example/admin\"".to_owned(),
        "\"https://BOARD.example\"".to_owned(),
        "\"https://board.example \"".to_owned(),
        "\"https://board.example,https://other.example\"".to_owned(),
        "[]".to_owned(),
        "\"https:\\/\\/board.example\"".to_owned(),
        "\"*\"".to_owned(),
    ];
    let text = random.pick(&texts);
    Draft::set(&mut draft.claims, "aud", &text);
    format!("aud = {text}")
}

fn issuer(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let texts = [
        "\"https://idp.example/realms/acme\"",
        "\"https://idp.example/realms/beta\"",
        "\"https://login.example\"",
        "\"https://login.example/\"",
        "\"https://idp.example/realms/acme/\"",
        "\"https://IDP.example/realms/acme\"",
        "\"https://idp.example/realms/acme#\"",
        "\"https://idp.example/realms/\\u0061cme\"",
        "[\"https://idp.example/realms/acme\"]",
        "\"https://evil.example\"",
        "\"\"",
        "null",
        "1",
    ];
    let text = random.pick(&texts);
    Draft::set(&mut draft.claims, "iss", text);
    format!("iss = {text}")
}

/// Claims that others ignore and we read.
fn claim(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let claims = [
        ("sub", "\"\""),
        ("sub", "\" \""),
        ("sub", "7"),
        ("sub", "null"),
        ("tenant", "\"acme\""),
        ("tenant", "\"other\""),
        ("tenant", "[\"acme\"]"),
        ("scope", "\"read write\""),
        ("scope", "[\"read\"]"),
        ("client_id", "\"app\""),
        ("client_id", "\"\""),
        ("azp", "1"),
        ("jti", "1"),
        ("jti", "\"\""),
        ("cnf", "{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}"),
        ("cnf", "{\"x5t#S256\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
        ("cnf", "{}"),
        ("cnf", "null"),
        ("realm_access", "{\"roles\":[\"admin\"]}"),
        ("realm_access", "{\"roles\":\"admin\"}"),
        ("realm_access", "{\"roles\":[1]}"),
        ("typ", "\"ID\""),
        ("typ", "\"Bearer\""),
        ("typ", "[\"Bearer\"]"),
        ("nonce", "\"n\""),
        ("may_act", "{\"sub\":\"agent-3\"}"),
        ("may_act", "{}"),
        ("nbf", "1779999000"),
    ];
    let (name, text) = random.pick(&claims);
    Draft::set(&mut draft.claims, name, text);
    format!("{name} = {text}")
}

fn actor(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let depth = 1 + random.below(13);
    let innermost = random.pick(&[
        "{\"sub\":\"agent\"}",
        "{\"sub\":\"agent\",\"iss\":\"https://evil.example\"}",
        "{\"sub\":\"\"}",
        "{}",
        "{\"sub\":1}",
        "\"agent\"",
        "null",
        "{\"sub\":\"agent\",\"client_id\":\"app\"}",
    ]);
    let text = (1..depth)
        .fold(innermost.to_owned(), |inner, _| format!("{{\"sub\":\"agent\",\"act\":{inner}}}"));
    Draft::set(&mut draft.claims, "act", &text);
    format!("act {depth} deep, innermost {innermost}")
}

fn remove(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let header = random.percent(30);
    let members = if header { &mut draft.header } else { &mut draft.claims };
    if members.is_empty() {
        return "nothing to remove".to_owned();
    }
    let place = random.below(members.len());
    let (name, _) = members.remove(place);
    format!("{} {name} removed", if header { "header" } else { "claim" })
}

fn any_value(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let header = random.percent(30);
    let members = if header { &mut draft.header } else { &mut draft.claims };
    if members.is_empty() {
        return "nothing to set".to_owned();
    }
    let place = random.below(members.len());
    let text = random.pick(&ODD_VALUES);
    text.clone_into(&mut members[place].1);
    format!("{} = {text}", members[place].0)
}

/// A member twice, the second value before or after the first.
fn duplicate(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let members = if random.percent(40) { &mut draft.header } else { &mut draft.claims };
    if members.is_empty() {
        return "nothing to repeat".to_owned();
    }
    let (name, text) = random.pick(members);
    let other = match random.below(4) {
        0 => text,
        1 => random.pick(&ODD_VALUES).to_owned(),
        2 => "\"https://evil.example\"".to_owned(),
        _ => (NOW + 900).to_string(),
    };
    let change = format!("{name} twice, also {other}");
    let place = if random.percent(50) { 0 } else { members.len() };
    members.insert(place, (name, other));
    change
}

/// JSON that not everybody reads alike.
fn text(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let header = random.percent(40);
    let plain = object(if header { &draft.header } else { &draft.claims });
    let inner = &plain[1..plain.len() - 1];
    let (what, bytes): (&str, Vec<u8>) = match random.below(16) {
        0 => ("a byte-order mark", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        1 => ("white space around", format!(" \t\r\n{plain}\n ").into()),
        2 => ("a form feed before", format!("\u{c}{plain}").into()),
        3 => ("text after", format!("{plain}x").into()),
        4 => ("a second object after", format!("{plain}{{}}").into()),
        5 => ("a trailing comma", format!("{{{inner},}}").into()),
        6 => ("a comment", format!("{{/**/{inner}}}").into()),
        7 => ("an array around", format!("[{plain}]").into()),
        8 => ("a string instead", quoted(&plain).into()),
        9 => ("bytes that are not UTF-8", {
            let mut bytes = format!("{{{inner},\"x\":\"").into_bytes();
            let wrong: [&[u8]; 4] = [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8"];
            bytes.extend(random.pick(&wrong));
            bytes.extend(b"\"}");
            bytes
        }),
        10 => ("UTF-16", plain.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        11 => ("nothing", Vec::new()),
        12 => ("null", b"null".to_vec()),
        13 => ("a raw control character", format!("{{{inner},\"x\":\"\n\"}}").into()),
        14 => ("an escaped name", plain.replacen("\"a", "\"\\u0061", 1).into()),
        _ => ("deep nesting", {
            let depth = random.pick(&[10, 14, 15, 16, 40, 130, 1200]);
            format!("{{{inner},\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into()
        }),
    };
    let part = if header { "header" } else { "claims" };
    *(if header { &mut draft.header_bytes } else { &mut draft.claims_bytes }) = Some(bytes);
    format!("{part}: {what}")
}

/// The right header, signed by somebody else's key of the same kind.
fn foreign_key(draft: &mut Draft<'_>, random: &mut Random) -> String {
    let kind = draft.key.name.split('-').next().unwrap_or_default();
    let published = draft.world.issuers().iter().flat_map(|issuer| issuer.keys);
    let others: Vec<&'static str> = published
        .map(|key| key.name)
        .chain(FOREIGN_KEYS)
        .filter(|name| name.starts_with(kind) && *name != draft.key.name)
        .collect();
    draft.key = Key { name: random.pick(&others), ..draft.key };
    format!("signed by {}", draft.key.name)
}
