//! Bodies of snapshots, signed and loaded: hostile bytes are refused, or answer every question.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authz::delta::encode;
use mandate_authz::state::State;
use mandate_fuzz::mutate_from;
use mandate_fuzz::state::{BODY, answers, config, delta, rows, snapshot};

static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| vec![BODY.clone()]);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&SEEDS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let mut state = State::new(config());
    if state.load(&snapshot(data)).is_err() {
        assert_eq!(state.meta(), None);
        return;
    }
    answers(&state);
    let rows = encode(&rows()).expect("rows");
    // Whether they fit depends on what the body says; they never do harm.
    let _ = state.apply_delta(&delta(7, 8, &rows).expect("sealed"));
    answers(&state);
});
