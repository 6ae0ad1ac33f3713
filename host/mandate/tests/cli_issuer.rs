//! `mandate dev-issuer` and `mandate token`, end to end: the real binary, real HTTP on loopback.
#![cfg(all(feature = "dev", unix))]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[expect(dead_code, reason = "shared: each test program uses a part")]
mod local_server;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_server::{Behaviour, LocalServer};
use serde_json::{Value, json};

const BOARD: &str = "https://board.example";

fn mandate() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mandate"))
}

/// Runs the binary to its end, with nothing to read.
fn run(arguments: &[&str]) -> Output {
    mandate().args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The exit code and the one line that a failure must consist of.
fn failure(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments);
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    let message = String::from_utf8(output.stderr).unwrap();
    let line = message.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "more than one line: {message}");
    (output.status.code(), line.to_owned())
}

fn success(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(0), "")
    );
    String::from_utf8(output.stdout).unwrap()
}

fn claims(token: &str) -> Value {
    let payload = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn kid(token: &str) -> String {
    let header = token.trim().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A folder of one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mandate-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `mandate dev-issuer`.
struct Issuer {
    child: Child,
    ready: Value,
}

impl Issuer {
    fn start(arguments: &[&str]) -> Self {
        let mut child = mandate()
            .arg("dev-issuer")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    fn url(&self) -> &str {
        self.ready["issuer"].as_str().unwrap()
    }

    fn secrets(&self) -> PathBuf {
        PathBuf::from(self.ready["secrets_dir"].as_str().unwrap())
    }

    fn secret_file(&self, client: &str) -> String {
        self.secrets().join(format!("{client}.secret")).to_str().unwrap().to_owned()
    }

    fn admin_secret(&self) -> String {
        std::fs::read_to_string(self.secret_file("admin")).unwrap().trim().to_owned()
    }

    /// One raw exchange: status, head, body.
    fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, Value) {
        let address = self.url().strip_prefix("http://").unwrap();
        let host =
            if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\n{host}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap())
    }

    fn jwks_kids(&self) -> Vec<String> {
        let (status, _, body) = self.http("GET", "/jwks", "", "");
        assert_eq!(status, 200);
        let keys = body["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    fn administer(&self, path: &str, body: &Value) -> Value {
        let headers = format!(
            "Authorization: Bearer {}\r\nContent-Type: application/json\r\n",
            self.admin_secret()
        );
        let (status, _, answer) = self.http("POST", path, &headers, &body.to_string());
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn mint(&self, claims: &Value) -> String {
        let answer = self.administer("/dev/mint", &json!({ "claims": claims }));
        answer["token"].as_str().unwrap().to_owned()
    }

    fn token(&self, more: &[&str]) -> String {
        let secret = self.secret_file("dev-client");
        let mut arguments = vec!["token", "client-credentials", "--issuer", self.url()];
        arguments.extend(["--client-id", "dev-client", "--client-secret-file", &secret]);
        arguments.extend(more);
        success(&arguments)
    }

    fn terminate(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(self.secrets());
    }
}

#[test]
fn dev_issuer() {
    let mut issuer = Issuer::start(&["--audience", BOARD]);
    let url = issuer.url().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let secrets = issuer.secrets();
    assert_eq!(
        issuer.ready,
        json!({"issuer": url, "token_endpoint": format!("{url}/token"), "jwks_uri": format!("{url}/jwks"),
            "clients": ["dev-client"], "secrets_dir": secrets})
    );
    assert_eq!(mode(&secrets), 0o700);
    for name in ["admin.secret", "dev-client.secret"] {
        assert_eq!(mode(&secrets.join(name)), 0o600);
    }

    let (status, _, discovery) = issuer.http("GET", "/.well-known/openid-configuration", "", "");
    assert_eq!((status, &discovery["issuer"]), (200, &json!(url)));
    assert_eq!(issuer.jwks_kids().len(), 3);

    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let (status, head, answer) = issuer.http(
        "POST",
        "/token",
        form,
        "grant_type=client_credentials&client_id=dev-client&client_secret=x",
    );
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    assert!(head.contains("cache-control: no-store"), "{head}");

    assert_eq!(issuer.terminate(), Some(0));
    assert!(!secrets.exists(), "the secrets go when the issuer goes");
    let refused = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn dev_issuer_stops_when_standard_input_closes() {
    let mut issuer = Issuer::start(&["--stop-with-stdin"]);
    drop(issuer.child.stdin.take());
    assert_eq!(issuer.child.wait().unwrap().code(), Some(0));
    assert!(!issuer.secrets().exists());
}

#[test]
fn dev_issuer_serves_this_machine_only() {
    assert_eq!(
        failure(&["dev-issuer", "--listen", "0.0.0.0:0"]),
        (
            Some(2),
            "error: 0.0.0.0:0 is not a loopback address: the development issuer serves this machine only"
                .to_owned()
        )
    );
    let issuer = Issuer::start(&[]);
    let (status, _, answer) = issuer.http("GET", "/jwks", "Host: rebound.example\r\n", "");
    assert_eq!((status, &answer["error"]), (421, &json!("invalid_request")));
}

#[test]
fn dev_issuer_names_what_keeps_it_from_starting() {
    let folder = Folder::new("start");
    let message = |arguments: &[&str]| {
        let (code, message) = failure(&[&["dev-issuer"], arguments].concat());
        assert_eq!(code, Some(2));
        message.replace(folder.0.to_str().unwrap(), "DIR")
    };
    assert_eq!(
        message(&["--clients", &folder.path("none.json")]),
        "error: --clients: `DIR/none.json` cannot be read: No such file or directory (os error 2)"
    );
    let empty = folder.write("empty.json", r#"{"clients":[]}"#);
    assert_eq!(
        message(&["--clients", &empty]),
        "error: --clients: `DIR/empty.json` cannot be used: `clients` is empty"
    );
    let client = r#"{"client_id":"a","audiences":["b"]}"#;
    let twice = folder.write("twice.json", &format!(r#"{{"clients":[{client},{client}]}}"#));
    assert_eq!(message(&["--clients", &twice]), "error: client `a` is listed twice");
    assert!(message(&["--listen", "localhost"]).contains("invalid socket address"));
    assert!(message(&["--algorithm", "HS256"]).contains("invalid value 'HS256'"));

    let issuer = Issuer::start(&[]);
    let taken = issuer.url().strip_prefix("http://").unwrap();
    assert!(message(&["--listen", taken]).contains(&format!("cannot listen on {taken}: ")));
    let secrets = issuer.secrets();
    let secrets = secrets.to_str().unwrap();
    assert!(message(&["--secrets-dir", secrets]).contains("cannot be made: File exists"));
}

#[test]
fn dev_issuer_rotates_only_for_who_knows_the_admin_secret() {
    let issuer = Issuer::start(&["--audience", BOARD]);
    let before = issuer.jwks_kids();
    for headers in ["", "Authorization: Bearer wrong\r\n"] {
        for path in ["/dev/rotate", "/dev/mint"] {
            let (status, _, answer) = issuer.http("POST", path, headers, "{}");
            assert_eq!((status, &answer["error"]), (401, &json!("invalid_token")));
        }
    }
    assert_eq!(issuer.jwks_kids(), before);

    issuer.administer("/dev/rotate", &json!({}));
    let overlapping = issuer.jwks_kids();
    assert_eq!((overlapping.len(), &overlapping[3..]), (6, before.as_slice()));
    assert!(overlapping[..3].contains(&kid(&issuer.token(&[]))));

    issuer.administer("/dev/rotate", &json!({"drop_old": true}));
    let fresh = issuer.jwks_kids();
    assert_eq!(fresh.len(), 3);
    assert!(!fresh.iter().any(|kid| overlapping.contains(kid)));
}

#[test]
fn dev_issuer_rotates_by_itself() {
    let issuer = Issuer::start(&["--rotate-every", "1", "--drop-old"]);
    let before = issuer.jwks_kids();
    let deadline = Instant::now() + Duration::from_secs(60);
    while issuer.jwks_kids().iter().any(|kid| before.contains(kid)) {
        assert!(Instant::now() < deadline, "no rotation");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn token_client_credentials() {
    let folder = Folder::new("credentials");
    let issuer = Issuer::start(&[
        "--audience",
        BOARD,
        "--scope",
        "board:read board:write",
        "--tenant",
        "acme",
    ]);
    let token = issuer.token(&["--scope", "board:read"]);
    let mut claims = claims(&token);
    for generated in ["iat", "exp", "jti"] {
        assert!(claims.as_object_mut().unwrap().remove(generated).is_some());
    }
    let expected = json!({"iss": issuer.url(), "sub": "dev-client", "client_id": "dev-client",
        "aud": BOARD, "scope": "board:read", "tenant": "acme"});
    assert_eq!(claims, expected);

    let answer: Value = serde_json::from_str(&issuer.token(&["--json", "--auth", "post"])).unwrap();
    let members: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["access_token", "expires_at", "expires_in", "scope", "token_type"]);
    assert_eq!(answer["scope"], "board:read board:write");

    let file = folder.path("token");
    assert_eq!(issuer.token(&["--output", &file]), "");
    assert_eq!(mode(Path::new(&file)), 0o600);
    assert_eq!(std::fs::read_to_string(&file).unwrap().split('.').count(), 3);
}

/// What `token exchange` needs: an issuer, a user's token and the agent's own, in files.
struct Exchange {
    folder: Folder,
    issuer: Issuer,
}

impl Exchange {
    fn start(name: &str) -> Self {
        let scope = ["--scope", "board:read board:write", "--tenant", "acme"];
        let issuer = Issuer::start(&[&["--audience", BOARD], scope.as_slice()].concat());
        let folder = Folder::new(name);
        folder.write("actor", &issuer.token(&[]));
        Self { folder, issuer }
    }

    /// The user's token, with these claims over the ordinary ones.
    fn sign_in(&self, claims: &Value) {
        let mut all = json!({"sub": "alice", "aud": BOARD, "client_id": "board-web", "tenant": "acme",
            "scope": "board:read"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        self.folder.write("subject", &self.issuer.mint(&all));
    }

    fn run(&self, more: &[&str]) -> (Option<i32>, String, String) {
        let secret = self.issuer.secret_file("dev-client");
        let (subject, actor) = (self.folder.path("subject"), self.folder.path("actor"));
        let output = mandate()
            .args(["token", "exchange", "--issuer", self.issuer.url(), "--client-id", "dev-client"])
            .args(["--client-secret-file", &secret, "--subject-token-file", &subject])
            .args(["--actor-token-file", &actor])
            .args(more)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// The refusal's OAuth code and description.
    fn refusal(&self, more: &[&str]) -> String {
        let (code, token, message) = self.run(more);
        assert_eq!((code, token.as_str()), (Some(1), ""), "{message}");
        message.strip_prefix("error: the provider refused: ").unwrap().trim_end().to_owned()
    }
}

#[test]
fn token_exchange() {
    let exchange = Exchange::start("exchange");
    exchange.sign_in(&json!({"act": {"sub": "planner"}}));
    let (code, token, message) = exchange.run(&["--audience", BOARD]);
    assert_eq!((code, message.as_str()), (Some(0), ""));
    let claims = claims(&token);
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!("alice"), &json!("board:read")));
    assert_eq!(
        claims["act"],
        json!({"sub": "dev-client", "client_id": "dev-client", "act": {"sub": "planner"}})
    );
    assert_eq!(
        exchange.refusal(&["--scope", "board:write"]),
        "invalid_scope (the scope is wider than what may be granted)"
    );
}

#[test]
fn token_exchange_refuses_a_subject_token_that_does_not_hold() {
    let exchange = Exchange::start("subject");
    let refused = "invalid_request (subject_token or its type is missing, invalid or not for us)";
    for claims in [
        json!({"exp": 1_000}),
        json!({"nbf": 9_000_000_000_u64}),
        json!({"aud": "https://files.example"}),
        json!({"iss": "https://other.example"}),
    ] {
        exchange.sign_in(&claims);
        assert_eq!(exchange.refusal(&[]), refused, "{claims}");
    }
    exchange.sign_in(&json!({}));
    assert_eq!(exchange.run(&[]).0, Some(0));
    exchange.issuer.administer("/dev/rotate", &json!({"drop_old": true}));
    assert_eq!(exchange.refusal(&[]), refused, "its key is gone");
}

#[test]
fn token_refusals_are_one_line_with_the_oauth_code() {
    let folder = Folder::new("refusals");
    let issuer = Issuer::start(&["--audience", BOARD]);
    let wrong = folder.write("wrong", "not-the-secret-of-this-client\n");
    let right = issuer.secret_file("dev-client");
    let refused = |client: &str, secret: &str, more: &[&str]| {
        let fixed =
            ["token", "client-credentials", "--issuer", issuer.url(), "--client-id", client];
        let (code, message) =
            failure(&[fixed.as_slice(), &["--client-secret-file", secret], more].concat());
        assert_eq!(code, Some(1), "{message}");
        message.strip_prefix("error: the provider refused: ").unwrap().to_owned()
    };
    for (client, secret) in [("dev-client", &wrong), ("nobody", &right)] {
        assert_eq!(refused(client, secret, &[]), "invalid_client (client authentication failed)");
    }
    assert_eq!(
        refused("dev-client", &right, &["--audience", "https://files.example"]),
        "invalid_target (the client is not registered for this audience)"
    );
    assert_eq!(
        refused("dev-client", &right, &["--scope", "admin"]),
        "invalid_scope (the scope is wider than what may be granted)"
    );
}

#[test]
fn token_needs_its_secret_from_a_file_or_a_terminal() {
    let folder = Folder::new("secret");
    let message = |more: &[&str]| {
        let fixed =
            ["token", "client-credentials", "--issuer", "http://127.0.0.1:1", "--client-id", "a"];
        let (code, message) = failure(&[fixed.as_slice(), more].concat());
        assert_eq!(code, Some(2));
        message.replace(folder.0.to_str().unwrap(), "DIR")
    };
    assert_eq!(
        message(&[]),
        "error: no client secret: give --client-secret-file FILE (`-` reads standard input), or run on a terminal"
    );
    assert!(message(&["--client-secret", "x"]).contains("unexpected argument '--client-secret'"));
    assert_eq!(
        message(&["--client-secret-file", &folder.path("none")]),
        "error: --client-secret-file: `DIR/none` cannot be used: No such file or directory (os error 2)"
    );
    assert_eq!(
        message(&["--client-secret-file", &folder.write("empty", "\n")]),
        "error: --client-secret-file: `DIR/empty` cannot be used: it is empty"
    );
    assert_eq!(
        message(&["--client-secret-file", &folder.write("two", "a\nb\n")]),
        "error: --client-secret-file: `DIR/two` cannot be used: it holds more than one line"
    );
    let help = run(&["token"]);
    assert_eq!((help.status.code(), help.stdout.as_slice()), (Some(2), b"".as_slice()));
}

#[test]
fn token_gives_up_on_a_provider_that_hangs_or_is_gone() {
    let folder = Folder::new("hang");
    let secret = folder.write("secret", "a-secret-of-some-length");
    let message = |url: &str| {
        let fixed = ["token", "client-credentials", "--issuer", url, "--client-id", "a"];
        let (code, message) = failure(
            &[fixed.as_slice(), &["--client-secret-file", &secret, "--timeout", "1"]].concat(),
        );
        assert_eq!(code, Some(2));
        assert!(!message.contains("a-secret-of-some-length"));
        message.replace(url, "URL")
    };
    let hanging = LocalServer::start(|_| |_: &str| Behaviour::Hang);
    let started = Instant::now();
    assert_eq!(
        message(&hanging.url),
        "error: `URL/.well-known/openid-configuration` did not answer within 1s"
    );
    assert!(started.elapsed() < Duration::from_secs(5));

    let mut issuer = Issuer::start(&[]);
    let url = issuer.url().to_owned();
    issuer.child.kill().unwrap();
    issuer.child.wait().unwrap();
    let gone = message(&url);
    assert!(
        gone.starts_with("error: `URL/.well-known/openid-configuration` cannot be reached: "),
        "{gone}"
    );

    let page =
        LocalServer::start(|_| |_: &str| Behaviour::Reply(200, String::new(), "<html>".to_owned()));
    assert_eq!(
        message(&page.url),
        "error: `URL/.well-known/openid-configuration` is HTML, not JSON"
    );
}

/// A provider whose token endpoint answers with this body.
fn provider(status: u16, body: &str) -> LocalServer {
    let body = body.to_owned();
    LocalServer::start(|url| {
        let discovery =
            json!({"issuer": url, "token_endpoint": format!("{url}/token")}).to_string();
        move |path: &str| match path {
            "/token" => Behaviour::Reply(status, String::new(), body.clone()),
            _ => Behaviour::json(discovery.clone()),
        }
    })
}

#[test]
fn token_never_shows_a_secret_that_a_provider_repeats() {
    let folder = Folder::new("echo");
    let secret = folder.write("secret", "a-secret-of-some-length");
    let server = provider(
        401,
        r#"{"error":"invalid_client","error_description":"bad secret a-secret-of-some-length"}"#,
    );
    let fixed = ["token", "client-credentials", "--issuer", &server.url, "--client-id", "a"];
    assert_eq!(
        failure(&[fixed.as_slice(), &["--client-secret-file", &secret]].concat()),
        (Some(1), "error: the provider refused: invalid_client (bad secret [secret])".to_owned())
    );
}

#[test]
fn token_speaks_authentiks_service_account_form() {
    let folder = Folder::new("authentik");
    let password = folder.write("password", "app password+1\n");
    let server =
        provider(200, r#"{"access_token":"a.b.c","token_type":"Bearer","expires_in":300}"#);
    let token = success(&[
        "token",
        "client-credentials",
        "--issuer",
        &server.url,
        "--client-id",
        "board",
        "--username",
        "agent-7",
        "--password-file",
        &password,
        "--scope",
        "openid profile",
    ]);
    assert_eq!(token, "a.b.c\n");
    assert_eq!(
        server.posted(),
        [
            "grant_type=client_credentials&username=agent-7&password=app+password%2B1&scope=openid+profile&client_id=board"
        ]
    );
}
