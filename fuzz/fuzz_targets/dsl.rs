//! Models in OpenFGA's language: what is read can be written, what is sound can be built and loaded.

#![no_main]

#[path = "../../core/authz/tests/model/checks.rs"]
#[expect(dead_code, reason = "JSON and manifests are not read here")]
mod checks;

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use mandate_authz::model::Model;
use mandate_fuzz::model::{SEEDS, build};
use mandate_fuzz::mutate_from;

static TEXTS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| SEEDS.iter().map(|text| text.as_bytes().to_vec()).collect());

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_from(&TEXTS, data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    checks::check_dsl(text);
    if let Ok(model) = Model::parse_dsl(text) {
        build(&model);
    }
});
