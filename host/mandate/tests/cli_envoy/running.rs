//! Programs that a test starts: Envoy, and the feed before it.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::cli::skip;
use super::set_up::SetUp;

/// A program that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder of snapshots that is served.
pub(crate) struct Feed {
    pub(crate) folder: String,
    pub(crate) url: String,
    _process: Running,
}

impl Feed {
    /// Serves a snapshot of these facts, at an address as `snapshot serve` takes it.
    pub(crate) fn begin(set_up: &SetUp, facts: &str, listen: &str) -> Self {
        let folder = set_up.folder().path("feed");
        std::fs::create_dir(&folder).unwrap();
        let built = set_up.world.build_into(&folder, facts, &[]);
        assert_eq!(built.code, 0, "{built:?}");
        let mut process = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["snapshot", "serve", &folder, "--key", &set_up.world.key, "--listen", listen])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.trim().strip_prefix("feed ").unwrap().to_owned();
        Self { folder, url, _process: Running(process) }
    }
}

/// Envoy and the module; says so, and counts it, where they are not.
pub(crate) fn programs(part: &str) -> Option<(PathBuf, PathBuf)> {
    let variable = |name: &str| {
        let value = std::env::var_os(name).map(PathBuf::from);
        if value.is_none() {
            skip(&format!("{part}: {name} is not set"));
        }
        value
    };
    let envoy = variable("MANDATE_ENVOY")?;
    let module = variable("MANDATE_GUESTS")?.join("mandate-envoy.wasm");
    if !module.exists() {
        skip(&format!("{part}: MANDATE_GUESTS has no mandate-envoy.wasm (cargo xtask guests)"));
        return None;
    }
    Some((envoy, module))
}

/// A port that is freed at once, for Envoy to take.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
