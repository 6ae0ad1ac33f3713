//! Envoy's program, and what the files of the lint need beside them.

use std::path::PathBuf;
use std::process::Command;

use mandate_host::Sha256Digest;
use rcgen::{CertificateParams, KeyPair};

use super::cli::{Folder, skip};

/// Envoy, where it is.
pub(crate) struct Envoy(PathBuf);

impl Envoy {
    /// The program that `MANDATE_ENVOY` names; says so, and counts it, where there is none.
    pub(crate) fn named(part: &str) -> Option<Self> {
        let program = std::env::var_os("MANDATE_ENVOY").map(PathBuf::from);
        if program.is_none() {
            skip(&format!("{part}: MANDATE_ENVOY is not set"));
        }
        program.map(Self)
    }

    /// Whether it would start with a configuration; what it says where it would not.
    pub(crate) fn validate(&self, path: &str) -> Result<(), String> {
        let arguments = ["--mode", "validate", "-l", "error", "-c", path];
        let ran = Command::new(&self.0).args(arguments).output().unwrap();
        if ran.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&ran.stderr).into_owned())
    }
}

/// The filter itself; says so, and counts it, where it is not.
pub(crate) fn filter(part: &str) -> Option<String> {
    let folder = std::env::var_os("MANDATE_GUESTS").map(PathBuf::from);
    let filter =
        folder.map(|folder| folder.join("mandate-envoy.wasm")).filter(|path| path.exists());
    if filter.is_none() {
        skip(&format!("{part}: MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)"));
    }
    filter.map(|path| path.to_str().unwrap().to_owned())
}

/// A module that Envoy loads, and that does nothing: one page of memory, the version of the ABI, and
/// an allocator. The lint's files are about Envoy, which takes seconds to compile the filter.
const MODULE: [u8; 105] = *b"\0asm\x01\0\0\0\
    \x01\x09\x02\x60\0\0\x60\x01\x7f\x01\x7f\
    \x03\x03\x02\0\x01\
    \x05\x03\x01\0\x01\
    \x07\x3f\x03\
    \x06memory\x02\0\
    \x17proxy_abi_version_0_2_1\0\0\
    \x18proxy_on_memory_allocate\0\x01\
    \x0a\x09\x02\x02\0\x0b\x04\0\x41\0\x0b";

/// The module's file.
pub(crate) fn module(files: &Folder) -> String {
    files.write("module.wasm", MODULE)
}

/// A file of the lint with everything in its place.
pub(crate) fn placed(text: &str, files: &Folder, module: &str) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    files.write("server.pem", certificate.pem());
    files.write("ca.pem", certificate.pem());
    files.write("server.key", key.serialize_pem());
    for nothing in ["routes.yaml", "listeners.yaml"] {
        files.write(nothing, "resources: []\n");
    }
    let digest = Sha256Digest::of(&std::fs::read(module).unwrap()).to_string();
    text.replace("@MODULE@", module)
        .replace("@SHA256@", &digest)
        .replace("@FOLDER@", &files.path(""))
}
