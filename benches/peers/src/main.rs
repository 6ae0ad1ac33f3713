//! The delegation workload with other engines beside ours: `cargo xtask bench authz --peers`.
//!
//! Each is given the encoding that suits it best, and every one of its answers is checked.

#[cfg(feature = "casbin")]
mod casbin;
mod cedar;
mod facts;
mod rego;

use mandate_benches::delegation::bench::{in_webassembly, native};
use mandate_benches::delegation::targets::{CEDAR, CEDAR_SLICES, REGORUS};
use mandate_benches::delegation::{Contestant, Form, command};

fn main() -> anyhow::Result<()> {
    let ours = native().into_iter().chain(in_webassembly());
    let contestants: Vec<_> = ours.chain(peers()).collect();
    command::run(&contestants)
}

fn peers() -> Vec<Contestant> {
    let million = 1_000_000;
    let peer = |name, most, load| Contestant { name, form: Form::Ids, most, load };
    vec![
        peer(CEDAR, million, cedar::load),
        peer(CEDAR_SLICES, million, cedar::load_slices),
        peer(REGORUS, million, rego::load),
        #[cfg(feature = "casbin")]
        peer("casbin", 100_000, casbin::load),
    ]
}
