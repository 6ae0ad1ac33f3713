//! Key sets, on a scripted host.

use mandate_authn::{Request, RingBackend};
use serde_json::{Value, json};

use crate::host::{Buffer, Host as _, Map};
use crate::scene::{LOGIN, NOW, Scene, WEB, scene, state_config};
use crate::scripted::Scripted;
use crate::worker::{Unconfigured, Worker};

const PATH: &str = "/keys.json";
const JSON: (&str, &str) = ("content-type", "application/json");

fn configured(host: &Scripted, members: &Value) -> Result<Worker, Unconfigured> {
    let mut configuration = json!({"emitter": "edge-1", "state": state_config()});
    for (name, value) in members.as_object().unwrap() {
        configuration[name] = value.clone();
    }
    Worker::configure(host, &configuration.to_string(), Box::new(RingBackend))
}

fn key_sets() -> Value {
    json!([{"issuer": LOGIN, "cluster": "login", "authority": "login.example", "path": PATH}])
}

fn feed() -> Value {
    json!({"cluster": "feed", "authority": "feed.example"})
}

fn singleton(host: &Scripted) -> Worker {
    let members = json!({"role": "sync", "feed": feed(), "key_sets": key_sets()});
    configured(host, &members).unwrap()
}

/// The contract, without keys.
fn trust() -> Value {
    json!({"contract": scene().contract, "key_sets": []})
}

fn filter(host: &Scripted) -> Worker {
    configured(host, &json!({"trust": trust()})).unwrap()
}

/// A filter that fetches for itself: no `vm_id` is its own.
fn alone(host: &Scripted) -> Worker {
    host.properties.borrow_mut().insert("plugin_vm_id".to_owned(), Vec::new());
    standby(host)
}

/// A filter that fetches for all where nobody else does.
fn standby(host: &Scripted) -> Worker {
    configured(host, &json!({"trust": trust(), "feed": feed(), "key_sets": key_sets()})).unwrap()
}

/// Who signs with another key, for long enough.
fn signer(kid: &'static str, seed: u8) -> Scene {
    let mut scene = scene();
    (scene.kid, scene.seed) = (kid, seed);
    scene.claims["exp"] = json!(NOW + 100_000);
    scene
}

fn first() -> Scene {
    signer("k1", 7)
}

fn second() -> Scene {
    signer("k2", 8)
}

fn set(scene: &Scene) -> Vec<u8> {
    scene.key_set().to_string().into_bytes()
}

/// What a worker says of a scene's token.
fn reason(host: &Scripted, worker: &mut Worker, scene: &Scene) -> &'static str {
    let now = crate::worker::seconds(host.now.get());
    let request = Request { audience: Some(WEB), now, certificate_sha256: None };
    let validator = worker.gate.authorizer_mut().validator();
    validator.validate(scene.token().as_bytes(), &request).reason().as_str()
}

/// How often the key set has been asked for.
fn asked(host: &Scripted) -> usize {
    host.gets.borrow().iter().filter(|get| get.path == PATH).count()
}

fn last_call(host: &Scripted) -> u32 {
    let position = host.gets.borrow().iter().rposition(|get| get.path == PATH).unwrap();
    u32::try_from(position + 1).unwrap()
}

/// Answers the last request for the key set.
fn answer(host: &Scripted, worker: &mut Worker, fields: &[(&str, &str)], body: &[u8]) {
    host.set_map(Map::CallResponse, fields);
    host.buffers.borrow_mut().insert(Buffer::CallResponse, body.to_vec());
    let count = u32::try_from(fields.len()).unwrap();
    worker.on_call_response(host, last_call(host), count, body.len());
}

fn good(host: &Scripted, worker: &mut Worker, scene: &Scene) {
    answer(host, worker, &[(":status", "200"), JSON, ("etag", "\"a\"")], &set(scene));
}

/// Lets a worker tick until it asks again; the seconds that took.
fn until_asked(host: &Scripted, worker: &mut Worker) -> u64 {
    let (begun, before) = (host.now.get(), asked(host));
    while asked(host) == before {
        host.now.set(host.now.get() + 1_000_000_000);
        worker.on_tick(host);
    }
    (host.now.get() - begun) / 1_000_000_000
}

#[test]
fn a_fetched_set_reaches_every_worker_and_every_vm_that_is_loaded_anew() {
    let host = Scripted::at_seconds(NOW);
    let (mut sync, mut one) = (singleton(&host), filter(&host));
    assert_eq!(reason(&host, &mut one, &first()), "keys-missing");
    good(&host, &mut sync, &first());
    one.on_tick(&host);
    assert_eq!(reason(&host, &mut one, &first()), "ok");
    assert_eq!(host.metric("mandate.keys.loaded"), 1);
    one.on_tick(&host);
    assert_eq!(host.metric("mandate.keys.loaded"), 1);

    // FAIL_RELOAD: nothing is asked, and the keys are there before the first request.
    let before = asked(&host);
    assert_eq!(reason(&host, &mut filter(&host), &first()), "ok");
    // The singleton too: it asks at its first tick only if the last answer is old enough.
    let mut again = singleton(&host);
    again.on_tick(&host);
    assert_eq!(asked(&host), before);
    until_asked(&host, &mut again);
    // A new set replaces the one before whole.
    good(&host, &mut again, &second());
    one.on_tick(&host);
    let reasons = [first(), second()].map(|scene| reason(&host, &mut one, &scene));
    assert_eq!(reasons, ["token-key-unknown", "ok"]);
}

#[test]
fn a_filter_without_a_vm_id_of_its_own_fetches_for_itself_and_shares_nothing() {
    let host = Scripted::at_seconds(NOW);
    let mut one = alone(&host);
    assert_eq!(reason(&host, &mut one, &first()), "keys-missing");
    good(&host, &mut one, &first());
    assert_eq!(reason(&host, &mut one, &first()), "ok");
    let mut other = alone(&host);
    assert_eq!((reason(&host, &mut other, &first()), asked(&host)), ("keys-missing", 2));
    good(&host, &mut other, &first());
    assert_eq!(reason(&host, &mut other, &first()), "ok");
    assert_eq!(host.shared.borrow().keys().collect::<Vec<_>>(), ["mandate/vms"]);
}

#[test]
fn of_filters_without_a_singleton_one_fetches_for_all() {
    let host = Scripted::at_seconds(NOW);
    let (mut one, mut other) = (standby(&host), standby(&host));
    assert_eq!(reason(&host, &mut one, &first()), "keys-missing");
    good(&host, &mut one, &first());
    for worker in [&mut one, &mut other] {
        worker.on_tick(&host);
    }
    assert_eq!(reason(&host, &mut one, &first()), "ok");
    assert_eq!((reason(&host, &mut other, &first()), asked(&host)), ("ok", 1));
    assert_eq!(until_asked(&host, &mut one) / 30, 10);
    good(&host, &mut one, &second());
    // The one is gone. The other does not ask sooner than the one could have.
    drop(one);
    other.on_tick(&host);
    assert_eq!(reason(&host, &mut other, &second()), "ok");
    assert_eq!(until_asked(&host, &mut other) / 30, 1);
    good(&host, &mut other, &first());
    other.on_tick(&host);
    assert_eq!(reason(&host, &mut other, &first()), "ok");
}

/// Who fetches, and who verifies: the singleton and a worker, or one VM for itself.
struct Pair {
    fetcher: Worker,
    worker: Option<Worker>,
}

impl Pair {
    fn with_first_set(host: &Scripted, with_singleton: bool) -> Self {
        let mut fetcher = if with_singleton { singleton(host) } else { alone(host) };
        good(host, &mut fetcher, &first());
        let worker = with_singleton.then(|| filter(host));
        Self { fetcher, worker }
    }

    fn reason(&mut self, host: &Scripted, scene: &Scene) -> &'static str {
        if let Some(worker) = &mut self.worker {
            worker.on_tick(host);
        }
        reason(host, self.worker.as_mut().unwrap_or(&mut self.fetcher), scene)
    }
}

#[test]
fn a_failed_fetch_changes_nothing_until_the_set_is_an_hour_old() {
    let many = [set(&second()), vec![b' '; 256 * 1024]].concat();
    let key = second().key_set()["keys"][0].clone();
    let twice = json!({"keys": [key, key]}).to_string().into_bytes();
    let whole = set(&second());
    let ok = [(":status", "200"), JSON];
    let status = |status| vec![(":status", status), JSON];
    let zipped = [ok.as_slice(), &[("content-encoding", "gzip")]].concat();
    for (fields, body, why) in [
        (ok.to_vec(), &b"<html>sign in</html>"[..], "unusable"),
        (ok.to_vec(), b"", "unusable"),
        (ok.to_vec(), b"{\"keys\":[]}", "unusable"),
        (ok.to_vec(), twice.as_slice(), "unusable"),
        (ok.to_vec(), whole.get(..whole.len() - 1).unwrap(), "unusable"),
        (ok.to_vec(), b"\xff\xfe", "malformed"),
        (ok.to_vec(), many.as_slice(), "too-large"),
        (zipped, whole.as_slice(), "malformed"),
        (status("500"), whole.as_slice(), "refused"),
        (status("302"), whole.as_slice(), "refused"),
        (status("201"), whole.as_slice(), "refused"),
        (vec![JSON], whole.as_slice(), "malformed"),
        (Vec::new(), b"", "broken"),
    ] {
        for with_singleton in [true, false] {
            let host = Scripted::at_seconds(NOW);
            let mut pair = Pair::with_first_set(&host, with_singleton);
            until_asked(&host, &mut pair.fetcher);
            answer(&host, &mut pair.fetcher, &fields, body);
            assert_eq!(host.metric(&format!("mandate.keys.{why}")), 1, "{fields:?}");
            let mut reason = |scene: &Scene| pair.reason(&host, scene);
            assert_eq!([reason(&first()), reason(&second())], ["ok", "keys-missing"], "{fields:?}");
            host.set_seconds(NOW + 3600);
            assert_eq!(reason(&first()), "ok", "{fields:?}");
            host.set_seconds(NOW + 3601);
            assert_eq!(reason(&first()), "keys-missing", "{fields:?}");
        }
    }
}

#[test]
fn an_issuer_that_is_away_is_asked_after_ever_longer_waits() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    for seconds in [30, 60, 120, 120, 120] {
        answer(&host, &mut sync, &[], b"");
        let took = until_asked(&host, &mut sync);
        assert!((seconds..=seconds + seconds / 10 + 1).contains(&took), "{took} of {seconds}");
    }
    // A cluster that is unknown is no reason to stop either.
    host.broken.borrow_mut().insert("get");
    answer(&host, &mut sync, &[], b"");
    host.set_seconds(NOW + 10_000);
    sync.on_tick(&host);
    host.broken.borrow_mut().clear();
    assert!(until_asked(&host, &mut sync) >= 30);
    assert_eq!(host.metric("mandate.keys.broken"), 6);
    assert_eq!(host.metric("mandate.keys.host"), 1);
}

#[test]
fn a_set_that_is_confirmed_stays_and_is_young_again() {
    for with_singleton in [true, false] {
        let host = Scripted::at_seconds(NOW);
        let mut pair = Pair::with_first_set(&host, with_singleton);
        let tag = || host.gets.borrow().last().and_then(|get| get.if_none_match.clone());
        assert_eq!(tag(), None);
        for _ in 0..20 {
            until_asked(&host, &mut pair.fetcher);
            assert_eq!(tag().as_deref(), Some("\"a\""));
            answer(&host, &mut pair.fetcher, &[(":status", "304")], b"");
            assert_eq!(pair.reason(&host, &first()), "ok");
        }
        assert!(host.now.get() > (NOW + 3600) * 1_000_000_000);
        assert_eq!(host.metric("mandate.keys.unchanged"), 20);
    }
}

#[test]
fn what_nobody_asked_to_be_confirmed_is_not() {
    let host = Scripted::at_seconds(NOW);
    let mut one = alone(&host);
    answer(&host, &mut one, &[(":status", "304")], b"");
    assert_eq!(reason(&host, &mut one, &first()), "keys-missing");
    assert_eq!(host.metric("mandate.keys.refused"), 1);
}

#[test]
fn the_server_says_when_to_ask_again_within_bounds() {
    for (stated, seconds) in [
        ("max-age=60", 60),
        ("public, Max-Age=100, must-revalidate", 100),
        ("max-age=1", 30),
        ("max-age=86400", 300),
        ("max-age=0", 300),
        ("no-cache", 300),
        ("max-age=-1", 300),
        ("max-age=99999999999999999999", 300),
        ("", 300),
    ] {
        let host = Scripted::at_seconds(NOW);
        let mut sync = singleton(&host);
        let fields = [(":status", "200"), ("cache-control", stated)];
        answer(&host, &mut sync, &fields, &set(&first()));
        let took = until_asked(&host, &mut sync);
        assert!((seconds..=seconds + seconds / 10 + 1).contains(&took), "{stated}: {took}");
    }
}

#[test]
fn a_key_that_is_unknown_asks_once_in_half_a_minute_whoever_wants_it() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    let mut workers = [filter(&host), filter(&host)];
    good(&host, &mut sync, &first());
    let mut times = Vec::new();
    for second in 0..100 {
        host.set_seconds(NOW + second);
        for worker in &mut workers {
            worker.on_tick(&host);
            worker.keys.want(LOGIN);
            worker.keys.want("https://elsewhere.example");
        }
        let before = asked(&host);
        sync.on_tick(&host);
        if asked(&host) > before {
            times.push(second);
            answer(&host, &mut sync, &[], b"");
        }
    }
    assert_eq!(times, [30, 60, 90]);
}

#[test]
fn a_request_with_a_key_that_is_unknown_leads_to_the_newer_set() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    good(&host, &mut sync, &first());
    let mut one = filter(&host);
    host.set_seconds(NOW + 31);
    assert_eq!(decided(&host, &mut one, &second()), "keys-missing");
    one.on_tick(&host);
    sync.on_tick(&host);
    good(&host, &mut sync, &second());
    one.on_tick(&host);
    assert_eq!(reason(&host, &mut one, &second()), "ok");
    // The newest set is young: who makes keys up is told so, and asks nobody.
    let before = asked(&host);
    host.set_seconds(NOW + 61);
    assert_eq!(decided(&host, &mut one, &signer("made-up", 9)), "token-key-unknown");
    one.on_tick(&host);
    sync.on_tick(&host);
    assert_eq!(asked(&host), before);
}

/// Decides a scene's request.
fn decided(host: &Scripted, worker: &mut Worker, scene: &Scene) -> &'static str {
    use mandate_gate::{Connection, Head, Headers, Request};
    let bearer = format!("Bearer {}", scene.token());
    let headers = [(&b"authorization"[..], bearer.as_bytes())];
    let head = Head { route: None, method: b"GET", target: b"/boards", headers: Headers(&headers) };
    let connection = Connection::default();
    let request = Request { head, body: b"", trailers: Headers::default(), connection };
    worker.decide(host, &request).unwrap().reason.as_str()
}

#[test]
fn what_is_shared_and_is_no_set_is_not_taken_and_renews_nothing() {
    let host = Scripted::at_seconds(NOW);
    let mut sync = singleton(&host);
    good(&host, &mut sync, &first());
    let mut one = filter(&host);
    let place = |what: &str| format!("mandate/boards\0all\0keys\0{LOGIN}\0{what}");
    host.share(&place("set"), b"{\"keys\":[]}", 0).unwrap();
    for second in [1, 2, 3500] {
        host.set_seconds(NOW + second);
        let version = [2, NOW + second].map(u64::to_le_bytes).concat();
        host.share(&place("version"), &version, 0).unwrap();
        one.on_tick(&host);
        one.on_tick(&host);
        assert_eq!(reason(&host, &mut one, &first()), "ok");
    }
    assert_eq!(host.metric("mandate.keys.not-loaded"), 3);
    host.set_seconds(NOW + 3601);
    assert_eq!(reason(&host, &mut one, &first()), "keys-missing");
    // From the future: it ages from now.
    host.share(&place("set"), &set(&first()), 0).unwrap();
    let version = [3, NOW + 999_999].map(u64::to_le_bytes).concat();
    host.share(&place("version"), &version, 0).unwrap();
    one.on_tick(&host);
    assert_eq!(reason(&host, &mut one, &first()), "ok");
    host.set_seconds(NOW + 3601 + 3601);
    assert_eq!(reason(&host, &mut one, &first()), "keys-missing");
}

#[test]
fn a_line_that_nobody_uses_is_refused() {
    let host = Scripted::at_seconds(NOW);
    let refused = |members: Value| configured(&host, &members).map(drop).unwrap_err().0;
    let with_keys = scene().trust();
    let problem = "the configuration is refused: `key_sets[0].issuer`: is no issuer of the \
        contract, or has a key set in `trust`";
    assert_eq!(
        refused(json!({"trust": with_keys, "feed": feed(), "key_sets": key_sets()})),
        problem
    );
    let other = json!([{"issuer": "https://a", "cluster": "b", "authority": "c", "path": "/d"}]);
    assert_eq!(refused(json!({"trust": trust(), "feed": feed(), "key_sets": other})), problem);
}
