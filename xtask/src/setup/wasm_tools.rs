//! The C compiler, archiver, linker and optimiser of a guest build.

use std::path::PathBuf;

use crate::process;

/// A clang that can compile for wasm32.
#[derive(Clone, Debug)]
pub(crate) struct Clang {
    pub(crate) program: PathBuf,
    pub(crate) version: String,
}

/// An archiver that understands wasm objects.
#[derive(Clone, Debug)]
pub(crate) struct Archiver {
    pub(crate) program: PathBuf,
}

/// The first clang that lists wasm32 among its targets: Apple's does not.
pub(crate) fn find_clang() -> Option<Clang> {
    let named = std::env::var("CC_wasm32_unknown_unknown").ok();
    let candidates = named.into_iter().chain(versions_of("clang")).chain(in_homebrew("clang"));
    candidates.map(PathBuf::from).find_map(|program| {
        process::probe(&program, &["--print-targets"]).filter(|text| text.contains("wasm32"))?;
        let version = process::probe(&program, &["--version"])?;
        let version = version.lines().next()?.trim().to_owned();
        Some(Clang { program, version })
    })
}

/// The archiver beside the clang, else any.
pub(crate) fn find_archiver(clang: &Clang) -> Option<Archiver> {
    let beside = clang.program.to_string_lossy().replace("clang", "llvm-ar");
    let named = std::env::var("AR_wasm32_unknown_unknown").ok();
    named
        .into_iter()
        .chain([beside])
        .chain(versions_of("llvm-ar"))
        .chain(in_homebrew("llvm-ar"))
        .find(|program| process::probe(program, &["--version"]).is_some())
        .map(|program| Archiver { program: program.into() })
}

/// LLVM's linker for wasm; a Rust toolchain with the target brings its own.
pub(crate) fn find_linker() -> Option<PathBuf> {
    versions_of("wasm-ld")
        .find(|program| process::probe(program, &["--version"]).is_some())
        .map(PathBuf::from)
}

/// Binaryen's optimiser.
pub(crate) fn find_wasm_opt() -> Option<PathBuf> {
    process::probe("wasm-opt", &["--version"]).map(|_| PathBuf::from("wasm-opt"))
}

/// `clang-19` before the unversioned name: the packages that setup installs carry their version.
fn versions_of(name: &'static str) -> impl Iterator<Item = String> {
    let versions = [19, 22, 21, 20, 18, 17, 16, 15];
    let versioned = versions.into_iter().map(move |version| format!("{name}-{version}"));
    versioned.chain([name.to_owned()])
}

/// Where Homebrew keeps the LLVM that macOS lacks.
fn in_homebrew(name: &'static str) -> impl Iterator<Item = String> {
    ["/opt/homebrew/opt/llvm/bin", "/usr/local/opt/llvm/bin"]
        .into_iter()
        .map(move |folder| format!("{folder}/{name}"))
}
