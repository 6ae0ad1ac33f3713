//! What the gate costs in Envoy, beside Envoy's own filters: `cargo xtask bench envoy`.
//!
//! Asked for by its name alone (`-- envoy`): it needs an Envoy, two cores and some quiet minutes.
//! `--json` prints the figures for a program, `--docs FOLDER` writes them into performance.md there,
//! `--rounds N` and `--requests N` say how much is done, `--only TEXT` who takes part. Without `--bench`
//! (as under `cargo test`) everybody takes one short turn, which checks that the bench works.

fn main() -> anyhow::Result<()> {
    if std::env::args().any(|argument| argument == "envoy") {
        return mandate_benches::envoy::command::run_command();
    }
    Ok(())
}
