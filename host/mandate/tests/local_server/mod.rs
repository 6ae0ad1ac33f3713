//! A real HTTP server on 127.0.0.1 that answers as a test wants it to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Answers nothing until the client gives up.
    Hang,
    /// Sends the body one byte every 50 ms.
    Drip(String),
    /// Answers with status, extra header lines and body.
    Reply(u16, String, String),
}

impl Behaviour {
    pub(crate) fn json(body: impl Into<String>) -> Self {
        Self::Reply(200, "Content-Type: application/json\r\n".to_owned(), body.into())
    }
}

/// What was posted: the lines before the body, and the body.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) head: String,
    pub(crate) body: String,
}

type Script = dyn Fn(&str) -> Behaviour + Send + Sync;

/// The server; it lives as long as the test program.
pub(crate) struct LocalServer {
    pub(crate) url: String,
    hits: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<Posted>>>,
    script: Arc<Mutex<Arc<Script>>>,
}

impl LocalServer {
    /// Starts a server that asks `script` what to do for each path. The script gets its own URL.
    pub(crate) fn start<F>(script: impl FnOnce(String) -> F) -> Self
    where
        F: Fn(&str) -> Behaviour + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script: Arc<Script> = Arc::new(script(url.clone()));
        let script = Arc::new(Mutex::new(script));
        let hits = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (shared_script, shared_hits) = (Arc::clone(&script), Arc::clone(&hits));
        let shared_requests = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                shared_hits.fetch_add(1, Ordering::SeqCst);
                let script = Arc::clone(&*shared_script.lock().unwrap());
                let requests = Arc::clone(&shared_requests);
                std::thread::spawn(move || serve(stream.unwrap(), &*script, &requests));
            }
        });
        Self { url, hits, requests, script }
    }

    /// An issuer with a discovery document and these keys at `/jwks`.
    pub(crate) fn issuer(jwks: Behaviour) -> Self {
        Self::start(|url| issuer_script(&url, jwks))
    }

    /// From now on `/jwks` behaves like this.
    pub(crate) fn set_jwks(&self, jwks: Behaviour) {
        *self.script.lock().unwrap() = Arc::new(issuer_script(&self.url, jwks));
    }

    /// The bodies that were posted so far.
    pub(crate) fn posted(&self) -> Vec<String> {
        self.requests().into_iter().map(|posted| posted.body).collect()
    }

    /// What was posted so far.
    pub(crate) fn requests(&self) -> Vec<Posted> {
        self.requests.lock().unwrap().clone()
    }

    /// From now on every path behaves like this.
    pub(crate) fn set_all(&self, behaviour: Behaviour) {
        *self.script.lock().unwrap() = Arc::new(move |_: &str| behaviour.clone());
    }

    /// Connections so far.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

fn issuer_script(url: &str, jwks: Behaviour) -> impl Fn(&str) -> Behaviour + Send + Sync + use<> {
    let discovery =
        format!(r#"{{"issuer":"{url}","jwks_uri":"{url}/jwks","token_endpoint":"{url}/token"}}"#);
    move |path| match path {
        "/.well-known/openid-configuration" => Behaviour::json(discovery.clone()),
        "/jwks" => jwks.clone(),
        _ => Behaviour::Reply(404, String::new(), "nothing here".to_owned()),
    }
}

fn serve(mut stream: TcpStream, script: &Script, requests: &Mutex<Vec<Posted>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    let _ = reader.read_line(&mut first);
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut head) = (0, first.clone());
    loop {
        let mut line = String::new();
        let read = reader.read_line(&mut line).unwrap_or(0);
        if read == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    let _ = std::io::Read::read_exact(&mut reader, &mut body);
    if first.starts_with("POST ") {
        let body = String::from_utf8(body).unwrap();
        requests.lock().unwrap().push(Posted { head, body });
    }
    match script(&path) {
        Behaviour::Hang => std::thread::sleep(Duration::from_secs(8)),
        Behaviour::Drip(body) => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes());
            for byte in body.bytes() {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Behaviour::Reply(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n",
                body.len()
            );
            let _ =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    }
}
