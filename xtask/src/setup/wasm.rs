//! The toolchain that builds the guests for wasm32-unknown-unknown.
//!
//! Two ways lead there: a Rust toolchain that has the target (rustup adds it), or Debian's packages,
//! whose std is built from source. Both need a clang that targets wasm, for ring's C parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::apt;
use super::wasm_tools::{Archiver, Clang, find_archiver, find_clang, find_linker, find_wasm_opt};
use crate::process;
use crate::unavailable::Unavailable;

/// The target of every guest.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where the Rust part comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    /// A toolchain with the target's std; rustup's, or a distribution's.
    Target,
    /// Debian's rustc with std built from its source package.
    Debian,
}

/// Everything a guest build runs on.
#[derive(Clone, Debug)]
pub(crate) struct WasmToolchain {
    origin: Origin,
    rustc: PathBuf,
    cargo: PathBuf,
    linker: Option<PathBuf>,
    clang: Clang,
    archiver: Archiver,
    /// `wasm-opt`, which makes the guests a quarter smaller; optional.
    pub(crate) wasm_opt: Option<PathBuf>,
}

/// Finds the toolchain, or installs what is missing of it.
///
/// `MANDATE_WASM_TOOLCHAIN=rustup` or `=debian` takes that way alone.
///
/// # Errors
/// [`Unavailable`] says what to install by hand.
pub(crate) fn need_wasm() -> anyhow::Result<WasmToolchain> {
    let wanted = std::env::var("MANDATE_WASM_TOOLCHAIN").unwrap_or_default();
    let rust = match wanted.as_str() {
        "" => with_target().or_else(debian),
        "rustup" => with_target(),
        "debian" => debian(),
        other => {
            let what = format!("a wasm toolchain named `{other}`");
            let remedy = "MANDATE_WASM_TOOLCHAIN takes `rustup` or `debian`";
            return Err(Unavailable::new(what, remedy).into());
        }
    };
    let Some((origin, rustc, cargo, linker)) = rust else {
        return Err(Unavailable::new(
            format!("the Rust target {TARGET}"),
            "run `rustup target add wasm32-unknown-unknown`, or as root `apt-get install rustc-web \
             cargo-web rust-web-src lld-22 clang-19 llvm-19 binaryen`",
        )
        .into());
    };
    let remedy = "install clang and llvm (Debian: clang-19 llvm-19; macOS: brew install llvm)";
    let clang = find_clang()
        .or_else(|| apt::install(&["clang-19", "llvm-19"]).then(find_clang).flatten())
        .or_else(|| apt::install(&["clang", "llvm"]).then(find_clang).flatten())
        .ok_or_else(|| Unavailable::new("a clang that targets wasm32", remedy))?;
    let archiver = find_archiver(&clang)
        .or_else(|| apt::install(&["llvm"]).then(|| find_archiver(&clang)).flatten())
        .ok_or_else(|| Unavailable::new("llvm-ar", remedy))?;
    let wasm_opt =
        find_wasm_opt().or_else(|| apt::install(&["binaryen"]).then(find_wasm_opt).flatten());
    Ok(WasmToolchain { origin, rustc, cargo, linker, clang, archiver, wasm_opt })
}

impl WasmToolchain {
    /// A cargo command for the guests' target; `build` and `clippy` alike.
    ///
    /// Flags of the caller's environment are taken away: they would change the guests' bytes.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let changes_bytes = [
                "CARGO_PROFILE_",
                "CARGO_BUILD_RUSTFLAGS",
                "CARGO_BUILD_TARGET",
                "CARGO_TARGET_WASM32",
                "CFLAGS",
            ];
            if changes_bytes.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.env("CC_wasm32_unknown_unknown", &self.clang.program);
        command.env("AR_wasm32_unknown_unknown", &self.archiver.program);
        if let Some(linker) = &self.linker {
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        if self.origin == Origin::Debian {
            // build-std is a nightly option; Debian's cargo-web is made to be used with it.
            command.env("RUSTC", &self.rustc).env("RUSTC_BOOTSTRAP", "1");
            command.env_remove("RUSTUP_TOOLCHAIN").env("PATH", system_path());
        }
        command
    }

    /// What `build` needs beside the target: std from source where there is none built.
    pub(crate) fn build_arguments(&self) -> Vec<&'static str> {
        match self.origin {
            Origin::Target => vec!["--target", TARGET],
            Origin::Debian => vec!["--target", TARGET, "-Z", "build-std=std,panic_abort"],
        }
    }

    /// Whether lints can run for the target: Debian packages no clippy for it.
    pub(crate) fn has_clippy(&self) -> bool {
        self.origin == Origin::Target
    }

    /// Folders whose names must not reach the guests' bytes, with what stands for them.
    pub(crate) fn remapped(&self) -> Vec<(PathBuf, &'static str)> {
        let sysroot = process::probe(&self.rustc, &["--print", "sysroot"]).unwrap_or_default();
        let source = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        let mut folders: Vec<_> =
            source.canonicalize().into_iter().map(|path| (path, "/rust")).collect();
        folders.push((source, "/rust"));
        if self.origin == Origin::Target {
            folders.push((PathBuf::from(sysroot.trim()), "/rust"));
        }
        folders
    }

    /// Name and version of every program that has a part in the guests' bytes.
    pub(crate) fn versions(&self) -> BTreeMap<&'static str, String> {
        let first_line = |program: &Path, arguments: &[&str]| {
            let text = process::probe(program, arguments).unwrap_or_default();
            text.lines().next().unwrap_or_default().trim().to_owned()
        };
        let std = match self.origin {
            Origin::Target => "prebuilt",
            Origin::Debian => "built from source",
        };
        let linker = match &self.linker {
            Some(linker) => first_line(linker, &["--version"]),
            None => "rust-lld of this rustc".to_owned(),
        };
        let wasm_opt = match &self.wasm_opt {
            Some(program) => first_line(program, &["--version"]),
            None => "none".to_owned(),
        };
        BTreeMap::from([
            ("rustc", first_line(&self.rustc, &["--version"])),
            ("std", std.to_owned()),
            ("linker", linker),
            ("clang", self.clang.version.clone()),
            ("wasm-opt", wasm_opt),
        ])
    }

    /// One line a part, for `setup`.
    pub(crate) fn describe(&self) -> Vec<String> {
        let way = match self.origin {
            Origin::Target => format!("installed target {TARGET}"),
            Origin::Debian => "Debian's rustc-web, std built from source".to_owned(),
        };
        let mut lines = vec![format!("wasm toolchain: {way}")];
        lines.extend(
            self.versions().into_iter().map(|(name, version)| format!("{name}: {version}")),
        );
        if self.wasm_opt.is_none() {
            lines
                .push("wasm-opt not found (Debian: binaryen): guests are larger without it".into());
        }
        lines
    }
}

type Rust = (Origin, PathBuf, PathBuf, Option<PathBuf>);

/// The Rust that runs this, when it has the target or rustup can add it.
fn with_target() -> Option<Rust> {
    let rustc = PathBuf::from(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let cargo = PathBuf::from(process::cargo().get_program());
    if !has_std(&rustc) {
        crate::say!("setup: trying `rustup target add {TARGET}`");
        let mut rustup = Command::new("rustup");
        let added = process::output(rustup.args(["target", "add", TARGET])).is_ok();
        if !added || !has_std(&rustc) {
            crate::say!("setup: rustup could not add {TARGET}");
            return None;
        }
    }
    Some((Origin::Target, rustc, cargo, None))
}

/// Whether the target's std is there, built.
fn has_std(rustc: &Path) -> bool {
    let folder = process::probe(rustc, &["--print", "target-libdir", "--target", TARGET]);
    let files = folder.and_then(|folder| std::fs::read_dir(folder.trim()).ok());
    files.into_iter().flatten().flatten().any(|file| {
        let name = file.file_name();
        name.to_string_lossy().starts_with("libstd-")
    })
}

/// Debian's packages, installed or installed now.
fn debian() -> Option<Rust> {
    find_debian().or_else(|| {
        let packages = ["rustc-web", "cargo-web", "rust-web-src", "lld-22", "clang-19", "llvm-19"];
        apt::install(&packages).then(find_debian).flatten()
    })
}

fn find_debian() -> Option<Rust> {
    let (rustc, cargo) = (PathBuf::from("/usr/bin/rustc"), PathBuf::from("/usr/bin/cargo"));
    let has_source = Path::new("/usr/lib/rustlib/src/rust/library/std").is_dir();
    let linker = find_linker()?;
    process::probe(&cargo, &["--version"])?;
    (has_source && is_recent(&process::probe(&rustc, &["--version"])?)).then_some((
        Origin::Debian,
        rustc,
        cargo,
        Some(linker),
    ))
}

/// Whether `rustc --version` is at least the workspace's `rust-version`.
fn is_recent(version: &str) -> bool {
    let numbers = |text: &str| -> Option<(u32, u32)> {
        let mut parts = text.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    let present = version.split_whitespace().nth(1).and_then(numbers);
    present >= numbers(env!("CARGO_PKG_RUST_VERSION")) && present.is_some()
}

/// `PATH` with the system's programs first: rustup's proxies must not shadow them.
fn system_path() -> std::ffi::OsString {
    let mut path = std::ffi::OsString::from("/usr/bin:");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rustc_older_than_the_workspace_is_not_recent() {
        assert_eq!(
            [
                is_recent("rustc 1.96.0 (ac68faa20 2026-05-25)"),
                is_recent("rustc 1.63.0 (4b91a6ea7 2022-08-08)"),
                is_recent(""),
            ],
            [true, false, false]
        );
    }
}
