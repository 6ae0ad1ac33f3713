//! `cargo xtask guests`: the guests as files that any host loads, the same bytes everywhere.

mod compile;
mod component;
mod recipe;
mod sources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use crate::checkout::Checkout;
use crate::digest;
use crate::setup::{WasmToolchain, need_wasm};
pub(crate) use compile::cargo;
use recipe::Recipe;

/// One guest of the workspace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    /// The package, and the stem of the file.
    pub(crate) package: &'static str,
    /// Whether it must come out as a component; a test guest may be a core module alone.
    is_component: bool,
    /// What the name of every import begins with: `module.name`. Without one, it imports nothing.
    imports: Option<&'static str>,
    /// Exports of the core module that hosts without the component model call.
    exports: &'static [&'static str],
}

/// Every guest that is built for wasm32.
pub(crate) const GUESTS: &[Guest] = &[
    Guest {
        package: "mandate-policy",
        is_component: true,
        imports: None,
        exports: &[
            "memory",
            "mandate_abi_version",
            "mandate_alloc",
            "mandate_free",
            "mandate_describe",
            "mandate_load_trust",
            "mandate_validate",
            "mandate_verify_jws",
            "mandate_configure_state",
            "mandate_load_begin",
            "mandate_load_chunk",
            "mandate_load_validate",
            "mandate_load_commit",
            "mandate_load",
            "mandate_apply_delta",
            "mandate_state",
            "mandate_authorize",
            "mandate_decide_for",
            "mandate_relation_holds",
            "mandate_list_objects",
            "mandate_configure_sealing",
            "mandate_body_limit",
            "mandate_gate_decide",
            "mandate_filter_list",
            "mandate_filter_stream",
            "mandate_seal_session",
        ],
    },
    Guest {
        package: "mandate-envoy",
        is_component: false,
        // The host calls of proxy-wasm, which is all that Envoy has.
        imports: Some("env.proxy_"),
        exports: &[
            "memory",
            "malloc",
            "_initialize",
            "proxy_abi_version_0_2_1",
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_done",
            "proxy_on_http_call_response",
            "proxy_on_log",
            "proxy_on_request_body",
            "proxy_on_request_headers",
            "proxy_on_request_trailers",
            "proxy_on_response_body",
            "proxy_on_response_headers",
            "proxy_on_response_trailers",
            "proxy_on_tick",
            "proxy_on_vm_start",
        ],
    },
    Guest {
        package: "mandate-test-signature",
        is_component: false,
        imports: None,
        exports: &["memory"],
    },
];

/// Builds what changed and returns the folder of finished guests.
///
/// # Errors
/// When the toolchain is missing, a guest does not build, or what came out has an import.
pub(crate) fn run(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    build(checkout, &need_wasm()?)
}

/// Builds with a toolchain that is there already.
///
/// # Errors
/// As [`run`].
pub(crate) fn build(checkout: &Checkout, toolchain: &WasmToolchain) -> anyhow::Result<PathBuf> {
    let folder = checkout.path("target/guests");
    std::fs::create_dir_all(&folder).context("cannot make target/guests")?;
    let recipe = Recipe::of(checkout, toolchain)?;
    if recipe.is_finished(&folder) {
        crate::say!("guests: up to date in {}", folder.display());
        return Ok(folder);
    }
    recipe.begin(&folder)?;
    let mut sums = BTreeMap::new();
    for guest in GUESTS {
        let start = Instant::now();
        let built = compile::core_module(checkout, toolchain, guest, &recipe)?;
        let finished = component::finish(guest, &built, checkout)?;
        for (name, bytes) in finished {
            replace(&folder.join(&name), &bytes)?;
            let imports = guest
                .imports
                .map_or_else(|| "no imports".to_owned(), |all| format!("imports {all}*"));
            crate::say!("guests: {name} {} bytes, {imports}", bytes.len());
            sums.insert(name, digest::bytes(&bytes));
        }
        crate::say!("guests: {} done in {:.1} s", guest.package, start.elapsed().as_secs_f64());
    }
    recipe.finish(&folder, &sums)?;
    for (name, sum) in &sums {
        crate::say!("{sum}  {name}");
    }
    Ok(folder)
}

/// Builds a guest that only benches run, into `target/bench-guests`, and returns that folder. It is
/// made like the others, but it is no part of what is delivered.
///
/// # Errors
/// When the toolchain is missing, or it does not build.
pub(crate) fn bench(checkout: &Checkout, package: &str) -> anyhow::Result<PathBuf> {
    let folder = checkout.path("target/bench-guests");
    std::fs::create_dir_all(&folder).context("cannot make target/bench-guests")?;
    let bytes = compile::bench_module(checkout, &need_wasm()?, package)?;
    replace(&folder.join(format!("{package}.wasm")), &bytes)?;
    Ok(folder)
}

/// Puts the bytes in place whole: a host that reads at the same time sees the old or the new file.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    std::fs::write(&draft, bytes)
        .and_then(|()| std::fs::rename(&draft, path))
        .with_context(|| format!("cannot write `{}`", path.display()))
}
