//! Changes that the signature does not cover: what anybody on the way could do.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::random::Random;

/// Makes one change to a token's parts, and says which.
pub(super) fn change(parts: &mut Vec<String>, random: &mut Random) -> String {
    let place = random.below(parts.len());
    match random.below(15) {
        0..3 => flip(parts, place, random),
        3 => trailing_bits(parts, place),
        4 => append(parts, place, random),
        5 => insert(parts, place, random),
        6 => standard_alphabet(parts, place),
        7 => whole(parts, random),
        8 => {
            parts.remove(place);
            format!("part {place} removed")
        }
        9 => {
            let copy = parts[place].clone();
            parts.push(copy);
            format!("part {place} again at the end")
        }
        10 => {
            let last = parts.len() - 1;
            parts.swap(place, last);
            format!("parts {place} and {last} exchanged")
        }
        11 => {
            parts[place].clear();
            format!("part {place} emptied")
        }
        12 => serialise(parts),
        _ => signature(parts, random),
    }
}

fn flip(parts: &mut [String], place: usize, random: &mut Random) -> String {
    let Ok(mut bytes) = BASE64_URL_SAFE_NO_PAD.decode(&parts[place]) else {
        return "nothing flipped".to_owned();
    };
    if bytes.is_empty() {
        return "nothing flipped".to_owned();
    }
    let byte = random.below(bytes.len());
    let bit = random.below(8);
    bytes[byte] ^= 1 << bit;
    parts[place] = BASE64_URL_SAFE_NO_PAD.encode(bytes);
    format!("part {place}: bit {bit} of byte {byte} flipped")
}

/// Another spelling of the same bytes.
fn trailing_bits(parts: &mut [String], place: usize) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let part = &mut parts[place];
    let last = part.pop();
    let value = last.and_then(|last| ALPHABET.find(last));
    let next = value.and_then(|value| ALPHABET.chars().nth(value ^ 1));
    let (Some(last), Some(next)) = (last, next) else {
        part.extend(last);
        return "no trailing bits".to_owned();
    };
    part.push(if part.len() % 4 == 3 { last } else { next });
    format!("part {place}: trailing bits")
}

fn append(parts: &mut [String], place: usize, random: &mut Random) -> String {
    let text = random.pick(&["=", "==", "A", "AA", "\n", " ", "\u{0}", "\u{e4}", "%3D", "~"]);
    parts[place].push_str(text);
    format!("part {place}: {text:?} appended")
}

fn insert(parts: &mut [String], place: usize, random: &mut Random) -> String {
    let text = random.pick(&["\n", " ", "\r\n", "=", ".", "A", "\t", "-", "\u{feff}", "\u{200b}"]);
    let part = &mut parts[place];
    let at = random.below(part.len() + 1);
    if !part.is_char_boundary(at) {
        return "nothing inserted".to_owned();
    }
    part.insert_str(at, text);
    format!("part {place}: {text:?} inserted at {at}")
}

fn standard_alphabet(parts: &mut [String], place: usize) -> String {
    parts[place] = parts[place].replace('-', "+").replace('_', "/");
    format!("part {place}: the alphabet of plain base64")
}

fn whole(parts: &mut [String], random: &mut Random) -> String {
    let (before, after) = random.pick(&[
        ("", "\n"),
        (" ", ""),
        ("", " "),
        ("Bearer ", ""),
        ("", "\u{0}"),
        ("\u{feff}", ""),
        ("\"", "\""),
        ("", ","),
        ("", ";x=1"),
    ]);
    if let Some(first) = parts.first_mut() {
        first.insert_str(0, before);
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(after);
    }
    format!("{before:?} before and {after:?} after the whole")
}

/// RFC 7515 section 7.2.2.
fn serialise(parts: &mut Vec<String>) -> String {
    let part = |place: usize| parts.get(place).cloned().unwrap_or_default();
    let json = serde_json::json!({
        "protected": part(0), "payload": part(1), "signature": part(2),
    });
    *parts = vec![json.to_string()];
    "flattened JSON serialisation".to_owned()
}

fn signature(parts: &mut [String], random: &mut Random) -> String {
    let Some(Ok(bytes)) = parts.get(2).map(|part| BASE64_URL_SAFE_NO_PAD.decode(part)) else {
        return "no signature".to_owned();
    };
    let half = bytes.len() / 2;
    let (what, changed) = match random.below(8) {
        0 => ("zeros", vec![0; bytes.len()]),
        1 => ("ones", vec![0xff; bytes.len()]),
        2 => ("a zero byte before", [&[0], bytes.as_slice()].concat()),
        3 => ("a zero byte after", [bytes.as_slice(), &[0]].concat()),
        4 => ("cut by a byte", bytes[..bytes.len().saturating_sub(1)].to_vec()),
        5 => ("its halves exchanged", [&bytes[half..], &bytes[..half]].concat()),
        6 => ("twice", [bytes.as_slice(), bytes.as_slice()].concat()),
        _ => ("its second half zero", [&bytes[..half], &vec![0; bytes.len() - half]].concat()),
    };
    parts[2] = BASE64_URL_SAFE_NO_PAD.encode(changed);
    format!("signature: {what}")
}
