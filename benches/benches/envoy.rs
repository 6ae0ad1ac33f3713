//! What the gate costs in Envoy, beside Envoy's own filters: `cargo xtask bench envoy`.
//!
//! `--json` prints the figures for a program, `--docs FOLDER` writes them into performance.md there,
//! `--rounds N` and `--requests N` say how much is done. Without `--bench` (as under `cargo test
//! --benches`) everybody takes one short turn, which checks that the bench works.

fn main() -> anyhow::Result<()> {
    mandate_benches::envoy::command::run_command()
}
