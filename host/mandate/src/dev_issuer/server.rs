//! The HTTP side: a few threads that take requests until they are told to stop.

use std::io::{Cursor, Read as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tiny_http::{Header, Response, Server};

use crate::dev_issuer::issuer::Issuer;
use crate::dev_issuer::routes::{Reply, Request, answer, refusal};

/// A server that answers until it is dropped.
pub(super) struct Running {
    server: Arc<Server>,
    workers: Vec<JoinHandle<()>>,
    // Dropped first: the rotating thread ends when its channel closes.
    rotation: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Running {
    pub(super) fn start(
        listener: TcpListener,
        issuer: &Arc<Issuer>,
        rotate_every: Option<Duration>,
    ) -> Result<Self, String> {
        let server = Server::from_listener(listener, None).map_err(|error| error.to_string())?;
        let server = Arc::new(server);
        let workers = (0..WORKERS)
            .map(|_| {
                let (server, issuer) = (Arc::clone(&server), Arc::clone(issuer));
                std::thread::spawn(move || work(&server, &issuer))
            })
            .collect();
        let rotation = rotate_every.map(|period| {
            let (stop, stopped) = channel();
            let issuer = Arc::clone(issuer);
            (stop, std::thread::spawn(move || rotate(&issuer, period, &stopped)))
        });
        Ok(Self { server, workers, rotation })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some((stop, rotating)) = self.rotation.take() {
            drop(stop);
            let _ = rotating.join();
        }
        for _ in &self.workers {
            self.server.unblock();
        }
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

fn rotate(issuer: &Issuer, period: Duration, stopped: &Receiver<()>) {
    while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
        // A rotation that fails leaves the keys that are there; the next one tries again.
        let _ = issuer.rotate(false);
    }
}

fn work(server: &Server, issuer: &Issuer) {
    while let Ok(mut request) = server.recv() {
        let reply = read_and_answer(issuer, &mut request);
        let _ = request.respond(response(&reply));
    }
}

fn read_and_answer(issuer: &Issuer, request: &mut tiny_http::Request) -> Reply {
    let mut body = Vec::new();
    let read = request.as_reader().take(LONGEST_BODY.saturating_add(1)).read_to_end(&mut body);
    if read.is_err() {
        return refusal(400, "invalid_request", "the body cannot be read");
    }
    if u64::try_from(body.len()).is_ok_and(|length| length > LONGEST_BODY) {
        return refusal(413, "invalid_request", "the body is longer than 64 KiB");
    }
    let header = |name: &'static str| {
        let mut found = request.headers().iter().filter(move |header| header.field.equiv(name));
        // A header that comes twice is no header: nobody can say which one was meant.
        found.next().filter(|_| found.next().is_none()).map(|header| header.value.as_str())
    };
    let path = request.url();
    let request = Request {
        method: request.method().as_str(),
        path: path.split('?').next().unwrap_or(path),
        host: header("Host"),
        authorization: header("Authorization"),
        content_type: header("Content-Type"),
        body: &body,
    };
    answer(issuer, &request)
}

fn response(reply: &Reply) -> Response<Cursor<Vec<u8>>> {
    let mut response =
        Response::from_data(reply.body.to_string().into_bytes()).with_status_code(reply.status);
    let mut headers = vec![("Content-Type", "application/json")];
    if !reply.public {
        headers.extend([("Cache-Control", "no-store"), ("Pragma", "no-cache")]);
    }
    if reply.challenge {
        headers.push(("WWW-Authenticate", "Basic realm=\"mandate dev-issuer\""));
    }
    for (name, value) in headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    response
}

const WORKERS: usize = 4;
const LONGEST_BODY: u64 = 64 * 1024;
