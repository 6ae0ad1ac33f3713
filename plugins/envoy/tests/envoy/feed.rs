//! A feed that does what a test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use mandate_authz::container::Kind;
use rustls::ServerConfig;

use crate::scene::Scene;
use crate::server::{self, Received, Sent, answer};
use crate::stage::now;

/// How the feed answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// As docs/feed.md says, with a heartbeat of now.
    Good,
    /// It has this snapshot, and nothing that follows any other.
    Back(Vec<u8>),
    /// It cuts every connection.
    Cut,
    /// It answers with this to everything: status, content type, body.
    Says(&'static str, &'static str, Vec<u8>),
}

/// A feed of a scene.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    conduct: Arc<Mutex<Conduct>>,
    asked: Arc<AtomicUsize>,
    pub(crate) port: u16,
}

impl Feed {
    /// The scene's snapshot, and heartbeats of now where the feed is good.
    pub(crate) fn begin(scene: &Scene, conduct: Conduct, tls: Option<Arc<ServerConfig>>) -> Self {
        let conduct = Arc::new(Mutex::new(conduct));
        let (snapshot, scene) = (scene.sealed(7), scene.clone());
        let told = Arc::clone(&conduct);
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let port = server::serve(tls, move |received| {
            counted.fetch_add(1, Ordering::Relaxed);
            let conduct = told.lock().expect("not poisoned").clone();
            match conduct {
                Conduct::Back(snapshot) if received.target == "/v1/snapshot" => {
                    answer("200 OK", &[("content-type", KIND), ("etag", "\"b\"")], &snapshot)
                }
                Conduct::Back(_) => answer("410 Gone", &[], b""),
                Conduct::Cut => Sent::Cut,
                Conduct::Says(status, kind, body) => {
                    answer(status, &[("content-type", kind)], &body)
                }
                Conduct::Good => good(&received, &snapshot, scene.clone()),
            }
        });
        Self { conduct, asked, port }
    }

    /// How often it has been asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(crate) fn becomes(&self, conduct: Conduct) {
        *self.conduct.lock().expect("not poisoned") = conduct;
    }
}

fn good(received: &Received, snapshot: &[u8], mut scene: Scene) -> Sent {
    if received.target == "/v1/snapshot" {
        return answer("200 OK", &[("content-type", KIND), ("etag", "\"a\"")], snapshot);
    }
    // A long poll that nothing ends.
    thread::sleep(Duration::from_secs(2));
    scene.issued_at = now();
    let beat = scene.container(Kind::Delta { base: 7, from: 7 }, 7, b"");
    answer("200 OK", &[("content-type", "application/vnd.mandate.containers")], &beat)
}

const KIND: &str = "application/vnd.mandate.container";
