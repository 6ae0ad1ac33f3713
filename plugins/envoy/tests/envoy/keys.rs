//! Key sets that Envoy fetches, from a server that does what a test says.

use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use serde_json::json;

use crate::scene::Scene;
use crate::server::{self, Sent, answer};
use crate::stage::{Plan, Stage, Supply, scene_of_now};

/// Where an issuer publishes its keys.
#[derive(Clone, Debug)]
pub(crate) struct KeyServer {
    sent: Arc<Mutex<Sent>>,
    asked: Arc<Mutex<usize>>,
    pub(crate) port: u16,
}

impl KeyServer {
    pub(crate) fn begin(sent: Sent) -> Self {
        Self::over(None, sent)
    }

    /// Over TLS, where it has a certificate.
    pub(crate) fn over(tls: Option<Arc<ServerConfig>>, sent: Sent) -> Self {
        let (sent, asked) = (Arc::new(Mutex::new(sent)), Arc::new(Mutex::new(0)));
        let (told, counted) = (Arc::clone(&sent), Arc::clone(&asked));
        let port = server::serve(tls, move |_| {
            *counted.lock().expect("not poisoned") += 1;
            told.lock().expect("not poisoned").clone()
        });
        Self { sent, asked, port }
    }

    pub(crate) fn becomes(&self, sent: Sent) {
        *self.sent.lock().expect("not poisoned") = sent;
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().expect("not poisoned")
    }
}

/// What the issuer of a scene publishes.
pub(crate) fn set(scene: &Scene) -> Sent {
    let set = scene.key_set().to_string();
    answer("200 OK", &[("content-type", "application/json")], set.as_bytes())
}

pub(crate) fn html() -> Sent {
    answer("200 OK", &[("content-type", "text/html")], b"<html>sign in</html>")
}

/// The scene of an issuer that signs with its next key.
pub(crate) fn rotated(scene: &Scene) -> Scene {
    let mut next = scene.clone();
    (next.kid, next.seed) = ("k2", 8);
    next.claims["jti"] = json!("t-2");
    next
}

#[test]
fn keys_come_once_their_server_is_up_stay_while_it_fails_and_change_when_it_rotates() {
    let scene = scene_of_now();
    let next = rotated(&scene);
    let server = KeyServer::begin(Sent::Cut);
    let plan = Plan { keys: Some(server.port), ..Plan::new("envoy: key sets", &scene) };
    let Some(stage) = plan.begin() else { return };
    passes_nothing_without_keys(&stage, &scene);

    server.becomes(set(&scene));
    stage.wait_for_state(&scene);

    // A key that is unknown makes the singleton ask: what it gets is no set, and changes nothing.
    server.becomes(html());
    let before = server.asked();
    stage.wait_until("the server is asked", || {
        assert_ne!(stage.asks(&next, "roadmap"), 200);
        assert_eq!(stage.asks(&scene, "roadmap"), 200);
        server.asked() > before && stage.metric("keys.unusable") == Some(1)
    });
    server.becomes(set(&next));
    stage.wait_until("the new key is known", || stage.asks(&next, "roadmap") == 200);
    stage.wait_until("the old key is not", || {
        (0..8).all(|_| stage.asks(&next, "roadmap") == 200 && stage.asks(&scene, "roadmap") == 401)
    });
    // Over all, every fetch but the first was asked for, at most once in half a minute.
    assert_eq!(stage.metric("keys.fetched"), Some(2));
    passes_only_what_may(&stage, &next);
}

#[test]
fn of_the_filters_without_a_singleton_one_asks_for_all() {
    let scene = scene_of_now();
    let server = KeyServer::begin(html());
    let keys = Some(server.port);
    let plan = Plan { keys, supply: Supply::Filters, ..Plan::new("envoy: no singleton", &scene) };
    let Some(stage) = plan.begin() else { return };
    passes_nothing_without_keys(&stage, &scene);
    server.becomes(set(&scene));
    stage.wait_for_state(&scene);
    passes_only_what_may(&stage, &scene);
    // Once for a page that is no set, once for the set.
    assert_eq!(server.asked(), 2);
}

/// The state is there, but no key: nobody is known, and nothing reaches the upstream.
fn passes_nothing_without_keys(stage: &Stage, scene: &Scene) {
    stage.wait_until("the state is there", || stage.metric("state.epoch") == Some(7));
    assert!((0..8).all(|_| stage.asks(scene, "roadmap") == 503));
    assert_eq!(stage.received().len(), 0);
}

/// The allowed request passes, and the forbidden one does not reach the upstream.
pub(crate) fn passes_only_what_may(stage: &Stage, scene: &Scene) {
    stage.received();
    for _ in 0..8 {
        assert_eq!((stage.asks(scene, "roadmap"), stage.asks(scene, "budget")), (200, 403));
    }
    let targets: Vec<_> = stage.received().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/boards/roadmap"; 8]);
}
