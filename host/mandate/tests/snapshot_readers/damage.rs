//! Snapshots that somebody has changed: in the file, or before a pinned key has signed them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;
use sha2::{Digest as _, Sha512_256};

use crate::recipe::{Built, Damage};

/// The container with every change in turn.
pub(crate) fn apply(damage: &[Damage], snapshot: &Built) -> Vec<u8> {
    damage.iter().fold(snapshot.container.clone(), |container, change| match change.of.as_str() {
        "file" => changed(container, change),
        "header" => {
            let split = header_bytes(&container);
            let header = changed(container[..split].to_vec(), change);
            sealed(&header, &container[split + SIGNATURE..], &snapshot.key)
        }
        part => {
            let split = header_bytes(&container);
            let body = container[split + SIGNATURE..].to_vec();
            let body =
                if part == "body" { changed(body, change) } else { in_section(&body, change) };
            with_body(&container, &body, &snapshot.key)
        }
    })
}

/// The container with another body, signed anew.
pub(crate) fn with_body(container: &[u8], body: &[u8], key: &Value) -> Vec<u8> {
    sealed(&with_digests(&container[..header_bytes(container)], body), body, key)
}

/// Bytes of a container's header.
pub(crate) fn header_bytes(container: &[u8]) -> usize {
    number(word(&container[12..]))
}

/// The number that four bytes are.
pub(crate) fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().unwrap())
}

/// Changes a section, and with it the table of their lengths.
fn in_section(body: &[u8], change: &Damage) -> Vec<u8> {
    let mut lengths: Vec<_> =
        (0..SECTIONS.len()).map(|at| number(word(&body[12 + 4 * at..]))).collect();
    let mut at = 80;
    let mut sections = lengths.iter().map(|length| {
        let section = body[at..at + length].to_vec();
        at += length.next_multiple_of(4);
        section
    });
    let mut sections: Vec<_> = sections.by_ref().collect();
    let position = SECTIONS.iter().position(|name| *name == change.of);
    let position = position.unwrap_or_else(|| panic!("there is no section `{}`", change.of));
    sections[position] = changed(std::mem::take(&mut sections[position]), change);
    lengths[position] = sections[position].len();
    let mut rebuilt = body[..12].to_vec();
    for length in &lengths {
        rebuilt.extend(u32::try_from(*length).unwrap().to_le_bytes());
    }
    for section in sections {
        rebuilt.extend(section);
        rebuilt.resize(rebuilt.len().next_multiple_of(4), 0);
    }
    rebuilt
}

fn changed(mut bytes: Vec<u8>, change: &Damage) -> Vec<u8> {
    let at = place(&bytes, change);
    if let Some(insert) = &change.insert {
        bytes.splice(at..at, hexadecimal(insert));
    } else if let Some(count) = change.cut {
        bytes.drain(at..bytes.len().min(at + count));
    } else if let Some(set) = &change.set {
        let set = hexadecimal(set);
        bytes[at..at + set.len()].copy_from_slice(&set);
    } else if let Some(xor) = &change.xor {
        hexadecimal(xor).iter().zip(&mut bytes[at..]).for_each(|(bits, byte)| *byte ^= bits);
    } else if let Some(add) = change.add {
        let sum = i64::from(word(&bytes[at..])) + add;
        bytes[at..at + 4].copy_from_slice(&u32::try_from(sum).unwrap().to_le_bytes());
    } else {
        panic!("{change:?} changes nothing");
    }
    bytes
}

/// Where it is changed, in bytes.
fn place(bytes: &[u8], change: &Damage) -> usize {
    let from = |at: i64| match usize::try_from(at) {
        Ok(at) => at,
        Err(_) => bytes.len() - usize::try_from(-at).unwrap(),
    };
    let slot = |taken: bool, nth: usize| {
        let slots = (16..bytes.len()).step_by(4);
        slots.filter(|at| (word(&bytes[*at..]) != u32::MAX) == taken).nth(nth).unwrap()
    };
    match (change.at, change.word, change.taken, change.free) {
        (Some(at), None, None, None) => from(at),
        (None, Some(word), None, None) => from(4 * word),
        (None, None, Some(nth), None) => slot(true, nth),
        (None, None, None, Some(nth)) => slot(false, nth),
        _ => panic!("{change:?}: one place"),
    }
}

/// The header of another body.
fn with_digests(header: &[u8], body: &[u8]) -> Vec<u8> {
    let before = header.len() - 32 * number(word(&header[112..]));
    let mut header = header[..before].to_vec();
    header[100..108].copy_from_slice(&u64::try_from(body.len()).unwrap().to_le_bytes());
    let chunks = body.chunks(CHUNK);
    header[112..116].copy_from_slice(&u32::try_from(chunks.len()).unwrap().to_le_bytes());
    chunks.for_each(|chunk| header.extend(Sha512_256::digest(chunk)));
    let length = u32::try_from(header.len()).unwrap();
    header[12..16].copy_from_slice(&length.to_le_bytes());
    header
}

fn sealed(header: &[u8], body: &[u8], key: &Value) -> Vec<u8> {
    let secret = URL_SAFE_NO_PAD.decode(key["d"].as_str().unwrap()).unwrap();
    let key = SigningKey::from_bytes(&secret.try_into().unwrap());
    let signature = key.sign(&[CONTEXT, header].concat());
    [header, signature.to_bytes().as_slice(), body].concat()
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn number(word: u32) -> usize {
    usize::try_from(word).unwrap()
}

const CONTEXT: &[u8] = b"mandate container, version 1\0";
const SIGNATURE: usize = 64;
const CHUNK: usize = 1 << 20;
const SECTIONS: [&str; 17] = [
    "strings",
    "types",
    "relations",
    "restrictions",
    "plans",
    "conditions",
    "code",
    "parents",
    "runs",
    "offsets",
    "rows",
    "conditioned",
    "contexts",
    "name-offsets",
    "names",
    "slots",
    "records",
];
