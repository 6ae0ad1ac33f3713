//! No randomness: verification draws none, and the plugin imports nothing to draw it from.

#[cfg(target_arch = "wasm32")]
fn refuse(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}

#[cfg(target_arch = "wasm32")]
getrandom::register_custom_getrandom!(refuse);
