//! Containers: as they come, and with a header that the key's holder has signed.
//!
//! Input that starts with the magic is a container as it is: nobody but the seeds' key has signed,
//! so only a seed may load. Any other input is signed as a header, and stands before a body.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authz::container::{Header, open, seal, split_first};
use mandate_authz::state::State;
use mandate_fuzz::mutate_from;
use mandate_fuzz::state::{BODY, config, containers, pinned, sign_header, signing_key};

/// Each container as it is, and its header without magic.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let header = |container: &Vec<u8>| {
        let total = Header::total_bytes(container).expect("a seed");
        container[MAGIC.len()..total - 64].to_vec()
    };
    containers().iter().map(header).chain(containers().iter().cloned()).collect()
});

const MAGIC: &[u8] = b"MANDATE\0";

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    if data.starts_with(MAGIC) {
        as_it_is(data);
    } else {
        signed([MAGIC, data].concat());
    }
});

fn as_it_is(data: &[u8]) {
    if let Ok((first, rest)) = split_first(data) {
        assert_eq!([first, rest].concat(), data);
    }
    let known = containers().iter().any(|seed| seed == data);
    assert_eq!(open(data, &[pinned()]).is_ok(), known, "opened, and nobody signed it");
    let mut state = State::new(config());
    let loaded = state.load(data).is_ok();
    assert!(known || !loaded, "loaded, and nobody signed it");
    assert_eq!(state.meta().is_some(), loaded);
    assert_eq!(state.floor().is_some(), loaded);
}

fn signed(header: Vec<u8>) {
    for body in [&[][..], BODY.as_slice()] {
        let container = sign_header(&header, body);
        let Ok((verified, opened)) = open(&container, &[pinned()]) else { continue };
        // What is read is what was signed: another form of the same statement would be another
        // file with the same meaning.
        assert_eq!(opened, body);
        let again = seal(&verified.header().statement, body, &signing_key());
        assert_eq!(again.as_ref(), Ok(&container));
    }
}
