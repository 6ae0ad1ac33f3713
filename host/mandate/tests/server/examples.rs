//! The services of docs/examples, as they are printed, before the real server.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::world::{DECISIONS, SHARED, agent, gateway, token_for};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples");

/// A service, until it is dropped.
struct Service {
    process: Child,
    url: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start(mut command: Command, port: u16, mandate: &str) -> Self {
        let mut process = command
            .env("MANDATE_URL", mandate)
            .env("MANDATE_TOKEN", gateway())
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert_eq!(process.try_wait().unwrap(), None, "the example ended");
            assert!(started.elapsed() < Duration::from_secs(60), "it listens within 60 s");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { process, url: format!("http://127.0.0.1:{port}/boards") }
    }

    /// The status of one question.
    fn ask(&self, board: &str, token: &str, subject: &str) -> u16 {
        let request = agent().get(format!("{}/{board}", self.url)).header("subject", subject);
        let request = request.header("authorization", format!("Bearer {token}"));
        request.call().unwrap().status().as_u16()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn is_guarded(name: &str, command: impl Fn(u16) -> Option<Command>) {
    let port = free_port();
    let Some(first) = command(port) else {
        crate::cli::skip(&format!("{name} is not installed: `cargo xtask setup`"));
        return;
    };
    let service = Service::start(first, port, &SHARED.address);
    let annes = token_for(DECISIONS, "u-anne", "board-web");
    assert_eq!(service.ask("roadmap", &annes, "user:anne"), 200, "{name}");
    assert_eq!(service.ask("plan", &annes, "user:anne"), 403, "{name}: another board");
    assert_eq!(service.ask("roadmap", &annes, "user:bob"), 403, "{name}: somebody else's name");
    assert_eq!(service.ask("roadmap", "garbage", "user:anne"), 403, "{name}: no token");
    let refused = agent().get(format!("{}/roadmap", service.url)).header("subject", "user:anne");
    let refused = refused.header("authorization", "Basic eDp5").call().unwrap().status().as_u16();
    assert_eq!(refused, 401, "{name}: another scheme");
    drop(service);
    // Nobody to ask: nobody is let through.
    let port = free_port();
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let service = Service::start(command(port).unwrap(), port, &nowhere);
    assert_eq!(service.ask("roadmap", &annes, "user:anne"), 503, "{name}: Mandate is away");
}

#[test]
fn the_fastapi_service_lets_through_who_may() {
    is_guarded("PyPI fastapi", |port| {
        let interpreter = std::env::var_os("MANDATE_PYTHON")?;
        let has =
            Command::new(&interpreter).args(["-c", "import fastapi, uvicorn"]).output().ok()?;
        let mut command = Command::new(interpreter);
        command.args(["-B", "-m", "uvicorn", "--port", &port.to_string(), "app:app"]);
        command.current_dir(Path::new(EXAMPLES).join("fastapi"));
        has.status.success().then_some(command)
    });
}

#[test]
fn the_express_service_lets_through_who_may() {
    is_guarded("npm express", |_| {
        let modules = std::env::var_os("MANDATE_NODE_MODULES")?;
        if !Path::new(&modules).join("express").is_dir() {
            return None;
        }
        // Node finds packages from where a module lies.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("express-example");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::os::unix::fs::symlink(&modules, folder.join("node_modules")).unwrap();
        std::fs::copy(Path::new(EXAMPLES).join("express/app.mjs"), folder.join("app.mjs")).unwrap();
        let mut command = Command::new("node");
        command.arg(folder.join("app.mjs"));
        Some(command)
    });
}
