//! Rows of deltas, signed and applied to a small snapshot: all or nothing, and one form only.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authz::delta::{decode, encode};
use mandate_fuzz::mutate_from;
use mandate_fuzz::state::{answers, delta, loaded, rows};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let rows = rows();
    let one = rows.iter().map(|row| encode(std::slice::from_ref(row)).expect("a row"));
    one.chain([encode(&rows).expect("rows")]).collect()
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let read = decode(data);
    if let Ok(rows) = &read {
        assert_eq!(encode(rows).as_deref(), Ok(data));
    }
    let Some(container) = delta(7, 8, data) else { return };
    let mut state = loaded();
    let before = (state.meta().cloned(), answers(&state));
    match state.apply_delta(&container) {
        Ok(meta) => {
            assert_eq!(meta.position.epoch, 8);
            assert!(read.is_ok());
            // What is stored now can be asked and changed again. Whether the same rows fit a second
            // time is another matter: an object may meanwhile belong to another tenant.
            answers(&state);
            let _ = state.apply_delta(&delta(8, 9, data).expect("sealed before"));
            answers(&state);
        }
        Err(_) => assert_eq!((state.meta().cloned(), answers(&state)), before),
    }
});
