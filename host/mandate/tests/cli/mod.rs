//! What the end-to-end tests share: the real binary, tokens of a real key, files, an issuer.

#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::indexing_slicing,
    reason = "each test file uses its part"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mandate::mint::{KeyRing, TestKey, TokenRecipe, mint};
use serde_json::{Value, json};

/// The moment of every test that does not fetch.
pub(crate) const NOW: u64 = 1_767_225_600; // 2026-01-01T00:00:00Z
pub(crate) const ISSUER: &str = "https://idp.example/realms/acme";
pub(crate) const AUDIENCE: &str = "https://board.example";
const KEY: &str = "ed25519-cli";

/// A run of the binary that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Asserts exit code 2 and exactly one line; that line.
    pub(crate) fn one_line(&self) -> &str {
        assert_eq!(self.code, 2, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        self.stderr.strip_prefix("error: ").unwrap().trim_end()
    }
}

/// A folder of one test, with the files that it writes.
#[derive(Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{test}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// The usual contract, the usual keys, and the token, as arguments of `validate`.
    pub(crate) fn usual(&self, token: &str) -> Vec<String> {
        let contract = self.write("contract.json", contract().to_string());
        let keys = self.write("jwks.json", jwks().to_string());
        let token = self.write("token.txt", format!("{token}\n"));
        let now = NOW.to_string();
        let keys = format!("{ISSUER}={keys}");
        ["--contract", &contract, "--keys", &keys, "--token-file", &token, "--now", &now]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Runs the binary with nothing on stdin.
pub(crate) fn mandate<S: AsRef<str>>(arguments: &[S]) -> Ran {
    mandate_with(arguments, b"")
}

/// Runs the binary.
pub(crate) fn mandate_with<S: AsRef<str>>(arguments: &[S], stdin: &[u8]) -> Ran {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-cache");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .args(arguments.iter().map(AsRef::as_ref))
        .env("MANDATE_CACHE", cache)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A run that fails before it reads closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn contract() -> Value {
    json!({
        "contract": "mandate", "version": "1.0.0", "status": "frozen", "skew_seconds": 5,
        "issuers": [{
            "issuer": ISSUER, "algorithms": ["EdDSA"], "tenants": ["acme"],
            "tenant_claim": "/tenant", "maximum_lifetime_seconds": 3600,
        }],
        "apps": [{ "name": "board", "audience": AUDIENCE }],
    })
}

/// The contract of an issuer on loopback whose keys are at `jwks_uri`, else found by discovery.
pub(crate) fn contract_of(issuer: &str, jwks_uri: Option<&str>) -> Value {
    let mut contract = contract();
    let entry = contract.pointer_mut("/issuers/0").and_then(Value::as_object_mut).unwrap();
    entry.insert("issuer".to_owned(), json!(issuer));
    entry.extend(jwks_uri.map(|uri| ("jwks_uri".to_owned(), json!(uri))));
    contract
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "tenant": "acme", "client_id": "board-web",
        "scope": "board:read board:write", "iat": NOW - 60, "exp": NOW + 240,
        "act": { "sub": "agent-1" },
    })
}

/// The usual claims, changed as a merge patch says.
pub(crate) fn claims_with(patch: &Value) -> Value {
    mandate::mint::merge_patch(&claims(), patch)
}

pub(crate) fn token(claims: &Value) -> String {
    token_with(&json!({}), claims)
}

/// A token with changes to its header.
pub(crate) fn token_with(header: &Value, claims: &Value) -> String {
    let usual = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": KEY });
    let recipe: TokenRecipe = serde_json::from_value(json!({
        "sign": { "key": { "name": KEY } },
        "header": mandate::mint::merge_patch(&usual, header),
        "claims": claims,
    }))
    .unwrap();
    mint(&recipe, &KeyRing::with_keys([KEY]).unwrap()).unwrap()
}

pub(crate) fn jwks() -> Value {
    json!({ "keys": [TestKey::derive(KEY).unwrap().jwk()] })
}

/// Whether the plugin is inside; says so aloud, and counts it, where it is not.
pub(crate) fn has_plugin(test: &str) -> bool {
    let has = mandate::plugin::embedded().is_some();
    if !has {
        skip(&format!("{test}: the plugin was not built (cargo xtask guests)"));
    }
    has
}

/// The outside suites; says so aloud, and counts it, where they are not.
pub(crate) fn suites(test: &str) -> Option<PathBuf> {
    let suites = std::env::var_os("MANDATE_SUITES").map(PathBuf::from);
    if suites.is_none() {
        skip(&format!("{test}: MANDATE_SUITES is not set"));
    }
    suites
}

pub(crate) fn skip(why: &str) {
    let line = format!("skipped: {why}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("MANDATE_SKIPS") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// What a server on loopback answers to a path.
pub(crate) type Answers = fn(url: &str, path: &str) -> Option<(u16, String)>;

/// A server on loopback; `None` from its answers hangs.
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let (served_url, counter) = (url.clone(), Arc::clone(&asked));
        // Ends with the process; each connection in its own thread, so that one may hang.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                counter.fetch_add(1, Ordering::Relaxed);
                let url = served_url.clone();
                std::thread::spawn(move || serve(stream, &url, answers));
            }
        });
        Self { url, asked }
    }

    pub(crate) fn requests(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn serve(mut stream: TcpStream, url: &str, answers: Answers) {
    let mut request = Vec::new();
    let mut byte = [0_u8];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.extend_from_slice(&byte);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    match answers(url, path) {
        Some((status, body)) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(body.as_bytes());
        }
        None => {
            // Until the client gives up.
            let _ = stream.read(&mut byte);
        }
    }
}

/// An issuer with discovery and keys.
pub(crate) fn healthy(url: &str, path: &str) -> Option<(u16, String)> {
    Some(match path {
        "/.well-known/openid-configuration" => {
            (200, json!({ "issuer": url, "jwks_uri": format!("{url}/jwks") }).to_string())
        }
        "/jwks" => (200, jwks().to_string()),
        _ => (404, String::new()),
    })
}
