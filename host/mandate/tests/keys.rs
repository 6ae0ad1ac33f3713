//! The conduct of key fetching, sentence by sentence, against real servers on loopback.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[expect(dead_code, reason = "shared: each test program uses a part")]
mod local_server;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use local_server::{Behaviour, LocalServer};
use mandate::keys::{
    ClientOptions, FetchError, KeySources, Refresh, TrustDocument, refresh, trust_document,
};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000;

/// The public Ed25519 key of RFC 8037 appendix A.2.
fn key(kid: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "alg": "EdDSA",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn key_set(kids: &[&str]) -> Value {
    json!({ "keys": kids.iter().map(|kid| key(kid)).collect::<Vec<_>>() })
}

fn served(keys: &Value) -> Behaviour {
    Behaviour::json(keys.to_string())
}

fn contract(issuers: &[&str]) -> Value {
    json!({ "issuers": issuers.iter().map(|issuer| json!({"issuer": issuer})).collect::<Vec<_>>() })
}

fn quick() -> ClientOptions {
    ClientOptions { total_timeout: Duration::from_millis(400), ..ClientOptions::default() }
}

fn sources(contract: &Value) -> KeySources {
    KeySources::new(contract, &[], &ClientOptions::default()).unwrap()
}

/// Builds the document for one issuer and expects that its fetch fails.
fn failure_of(issuer: &str) -> FetchError {
    let contract = contract(&[issuer]);
    let TrustDocument { trust, failures } = trust_document(&contract, &mut sources(&contract), NOW);
    assert_eq!(trust["key_sets"], json!([]));
    let [(failed, error)] = <[_; 1]>::try_from(failures).unwrap();
    assert_eq!(failed, issuer);
    error
}

fn jwks_failure(jwks: Behaviour) -> String {
    let server = LocalServer::issuer(jwks);
    failure_of(&server.url).to_string().replace(&server.url, "URL")
}

#[test]
fn keys_are_found_by_discovery_and_recorded_with_their_time() {
    let keys = key_set(&["a"]);
    let server = LocalServer::issuer(served(&keys));
    let contract = contract(&[&server.url]);
    let document = trust_document(&contract, &mut sources(&contract), NOW);
    let key_sets = json!([{"issuer": server.url, "keys": keys, "fetched_at": NOW}]);
    let trust = json!({"contract": contract, "key_sets": key_sets});
    assert_eq!(document, TrustDocument { trust, failures: Vec::new() });
    assert_eq!(server.hits(), 2);
}

#[test]
fn a_jwks_uri_of_the_contract_is_asked_without_discovery() {
    let keys = key_set(&["a"]);
    let server = LocalServer::issuer(served(&keys));
    let jwks_uri = format!("{}/jwks", server.url);
    let contract = json!({"issuers": [{"issuer": "https://idp.example", "jwks_uri": jwks_uri}]});
    let document = trust_document(&contract, &mut sources(&contract), NOW);
    assert_eq!(document.trust["key_sets"][0]["keys"], keys);
    assert_eq!(server.hits(), 1);
}

#[test]
fn discovery_that_speaks_for_another_issuer_is_refused() {
    for stated in [r#""https://idp.example""#, "7"] {
        let body = format!(r#"{{"issuer":{stated},"jwks_uri":"https://idp.example/jwks"}}"#);
        let server = LocalServer::start(|_| move |_: &str| Behaviour::json(body.clone()));
        let configured = server.url.clone();
        let stated = (stated != "7").then(|| "https://idp.example".to_owned());
        assert_eq!(failure_of(&server.url), FetchError::Issuer { configured, stated });
    }
}

#[test]
fn a_trailing_slash_makes_another_issuer() {
    let server = LocalServer::issuer(served(&key_set(&["a"])));
    let configured = format!("{}/", server.url);
    let error = failure_of(&configured);
    assert_eq!(error, FetchError::Issuer { configured, stated: Some(server.url) });
}

#[test]
fn discovery_without_jwks_uri_is_refused() {
    let server = LocalServer::start(|url| {
        let body = json!({ "issuer": url }).to_string();
        move |_: &str| Behaviour::json(body.clone())
    });
    let url = format!("{}/.well-known/openid-configuration", server.url);
    assert_eq!(failure_of(&server.url), FetchError::Member { url, member: "jwks_uri" });
}

#[test]
fn plain_http_elsewhere_is_refused_unasked() {
    assert_eq!(
        failure_of("http://idp.example").to_string(),
        "`http://idp.example` is plain http, which only loopback may use"
    );
}

#[test]
fn a_redirect_is_refused_and_not_followed() {
    let target = LocalServer::issuer(served(&key_set(&["a"])));
    let location = format!("Location: {}/jwks\r\n", target.url);
    for status in [301, 302, 303, 307, 308] {
        let jwks = Behaviour::Reply(status, location.clone(), String::new());
        assert_eq!(
            jwks_failure(jwks),
            format!("`URL/jwks` answered {status}; redirects are refused, configure the final URL")
        );
    }
    assert_eq!(target.hits(), 0);
}

#[test]
fn only_status_200_counts() {
    for status in [201, 204, 404, 500] {
        let body = if status == 204 { String::new() } else { key_set(&["a"]).to_string() };
        assert_eq!(
            jwks_failure(Behaviour::Reply(status, String::new(), body)),
            format!("`URL/jwks` answered {status}, expected 200")
        );
    }
}

#[test]
fn a_web_page_is_named_as_one() {
    let page = "\n<!DOCTYPE html><title>Sign in</title>".to_owned();
    assert_eq!(
        jwks_failure(Behaviour::Reply(200, "Content-Type: text/html\r\n".to_owned(), page)),
        "`URL/jwks` is HTML, not JSON"
    );
    assert_eq!(jwks_failure(Behaviour::json("{")), "`URL/jwks` is not JSON");
}

#[test]
fn an_empty_or_ambiguous_set_is_a_failed_fetch() {
    let failed = |keys: &Value| jwks_failure(served(keys));
    assert_eq!(
        failed(&json!({"keys": []})),
        "`URL/jwks` is not a usable key set: `keys`: the set is empty"
    );
    let twice = failed(&key_set(&["a", "a"]));
    assert!(twice.starts_with("`URL/jwks` is not a usable key set: `keys[1]`"), "{twice}");
    let none = failed(&json!({"error": "maintenance"}));
    assert!(
        none.starts_with("`URL/jwks` is not a usable key set: `keys`: not a JWK set"),
        "{none}"
    );
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let body = format!("{}{}", key_set(&["a"]), " ".repeat(256 * 1024));
    assert_eq!(jwks_failure(Behaviour::json(body)), "`URL/jwks` is longer than 262144 bytes");
}

#[test]
fn an_issuer_that_hangs_or_drips_is_given_up() {
    for jwks in [Behaviour::Hang, Behaviour::Drip(key_set(&["a"]).to_string())] {
        let server = LocalServer::issuer(jwks);
        let contract = contract(&[&server.url]);
        let mut sources = KeySources::new(&contract, &[], &quick()).unwrap();
        let started = Instant::now();
        let document = trust_document(&contract, &mut sources, NOW);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
        let url = format!("{}/jwks", server.url);
        let error = FetchError::Timeout { url, waited: Duration::from_millis(400) };
        assert_eq!(document.failures, [(server.url.clone(), error)]);
    }
}

#[test]
fn a_server_that_is_gone_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let message = failure_of(&issuer).to_string();
    assert!(message.contains("cannot be reached: "), "{message}");
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn a_failed_fetch_leaves_the_set_and_its_age_as_they_were() {
    let server = LocalServer::issuer(served(&key_set(&["a"])));
    let contract = contract(&[&server.url]);
    let mut sources = sources(&contract);
    let before = trust_document(&contract, &mut sources, NOW);
    server.set_jwks(Behaviour::Reply(200, String::new(), "<html>".to_owned()));
    let from = format!("{}/jwks", server.url);
    let failed = FetchError::NotJson { from, html: true };
    assert_eq!(refresh(&mut sources, &server.url, NOW + 60), Some(Refresh::Failed(failed.clone())));
    let after = trust_document(&contract, &mut sources, NOW + 300);
    assert_eq!(after.trust, before.trust);
    assert_eq!(after.failures, [(server.url.clone(), failed)]);
}

#[test]
fn a_valid_set_replaces_the_old_one_whole() {
    let server = LocalServer::issuer(served(&key_set(&["a", "b"])));
    let contract = contract(&[&server.url]);
    let mut sources = sources(&contract);
    trust_document(&contract, &mut sources, NOW);
    server.set_jwks(served(&key_set(&["c"])));
    assert_eq!(refresh(&mut sources, &server.url, NOW + 30), Some(Refresh::Fetched));
    let document = trust_document(&contract, &mut sources, NOW + 31);
    let expected = json!([{"issuer": server.url, "keys": key_set(&["c"]), "fetched_at": NOW + 30}]);
    assert_eq!(document.trust["key_sets"], expected);
}

#[test]
fn an_issuer_is_asked_at_most_every_thirty_seconds() {
    let server = LocalServer::issuer(served(&key_set(&["a"])));
    let contract = contract(&[&server.url]);
    let mut sources = sources(&contract);
    trust_document(&contract, &mut sources, NOW);
    let asked = server.hits();
    let mut at = |now| refresh(&mut sources, &server.url, now);
    assert_eq!(at(NOW), Some(Refresh::TooSoon { retry_after: 30 }));
    assert_eq!(at(NOW + 29), Some(Refresh::TooSoon { retry_after: 1 }));
    assert_eq!(at(NOW - 5), Some(Refresh::TooSoon { retry_after: 25 }));
    assert_eq!(server.hits(), asked);
    assert_eq!(at(NOW + 30), Some(Refresh::Fetched));
    assert_eq!(server.hits(), asked + 2);
}

#[test]
fn failed_attempts_count_too() {
    let server = LocalServer::issuer(Behaviour::Reply(500, String::new(), String::new()));
    let contract = contract(&[&server.url]);
    let mut sources = sources(&contract);
    trust_document(&contract, &mut sources, NOW);
    let asked = server.hits();
    assert_eq!(
        refresh(&mut sources, &server.url, NOW + 10),
        Some(Refresh::TooSoon { retry_after: 20 })
    );
    let document = trust_document(&contract, &mut sources, NOW + 20);
    assert_eq!((document.failures, server.hits()), (Vec::new(), asked));
}

#[test]
fn a_set_is_fetched_again_after_five_minutes() {
    let server = LocalServer::issuer(served(&key_set(&["a"])));
    let contract = contract(&[&server.url]);
    let mut sources = sources(&contract);
    let mut fetched_at = |now| {
        trust_document(&contract, &mut sources, now).trust["key_sets"][0]["fetched_at"].clone()
    };
    assert_eq!(fetched_at(NOW), json!(NOW));
    assert_eq!(fetched_at(NOW + 299), json!(NOW));
    assert_eq!(fetched_at(NOW + 300), json!(NOW + 300));
}

#[test]
fn an_unknown_issuer_is_never_asked() {
    let server = LocalServer::issuer(served(&key_set(&["a"])));
    let contract = contract(&["https://idp.example"]);
    assert_eq!(refresh(&mut sources(&contract), &server.url, NOW), None);
    assert_eq!(server.hits(), 0);
}

#[test]
fn one_issuer_that_fails_does_not_touch_the_other() {
    let good = LocalServer::issuer(served(&key_set(&["a"])));
    let bad = LocalServer::issuer(Behaviour::Reply(500, String::new(), String::new()));
    let contract = contract(&[&bad.url, &good.url]);
    let document = trust_document(&contract, &mut sources(&contract), NOW);
    assert_eq!(document.trust["key_sets"][0]["issuer"], json!(good.url));
    assert_eq!(document.failures.len(), 1);
}

/// A folder of this test program, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mandate-keys-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_key_file_is_read_once_and_has_no_age() {
    let folder = Folder::new("file");
    let issuer = "https://idp.example".to_owned();
    let file = folder.write("keys.json", &key_set(&["a"]).to_string());
    let contract = contract(&[&issuer]);
    let files = [(issuer.clone(), file)];
    let mut sources = KeySources::new(&contract, &files, &ClientOptions::default()).unwrap();
    let document = trust_document(&contract, &mut sources, NOW);
    assert_eq!(document.trust["key_sets"], json!([{"issuer": issuer, "keys": key_set(&["a"])}]));
}

#[test]
fn a_key_file_that_cannot_be_used_is_named() {
    let folder = Folder::new("bad");
    let issuer = "https://idp.example".to_owned();
    let contract = contract(&[&issuer]);
    let message = |file: PathBuf| {
        let files = [(issuer.clone(), file.clone())];
        let mut sources = KeySources::new(&contract, &files, &ClientOptions::default()).unwrap();
        let failures = trust_document(&contract, &mut sources, NOW).failures;
        failures[0].1.to_string().replace(&file.display().to_string(), "FILE")
    };
    assert_eq!(
        message(folder.0.join("none.json")),
        "`FILE` cannot be read: No such file or directory (os error 2)"
    );
    assert_eq!(message(folder.write("page.json", "<html>")), "`FILE` is HTML, not JSON");
    let long = folder.write("long.json", &" ".repeat(256 * 1024 + 1));
    assert_eq!(message(long), "`FILE` is longer than 262144 bytes");
}

#[test]
fn a_key_file_for_an_issuer_that_is_not_listed_is_a_mistake() {
    let contract = contract(&["https://idp.example"]);
    let files = [("https://idp.example/".to_owned(), PathBuf::from("keys.json"))];
    let error = KeySources::new(&contract, &files, &ClientOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "keys were given for `https://idp.example/`, which is no issuer of the contract"
    );
}

mod https {
    //! The same over TLS, with a certificate authority made for the test.

    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    use super::*;

    /// Serves one issuer over TLS until the test program ends; returns its URL and its authority.
    fn start(keys: &Value) -> (String, String) {
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &authority).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], private)
                .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/jwks")}).to_string();
        let keys = keys.to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap_or(0);
                let asked = String::from_utf8_lossy(&request[..length]);
                let body = if asked.starts_with("GET /jwks ") { &keys } else { &discovery };
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        (url, authority.pem())
    }

    #[test]
    fn a_private_authority_is_trusted_only_when_it_is_named() {
        let folder = Folder::new("ca");
        let keys = key_set(&["a"]);
        let (url, authority) = start(&keys);
        let contract = contract(&[&url]);
        let failure = failure_of(&url).to_string();
        assert!(
            failure.contains("cannot be reached: ") && failure.contains("UnknownIssuer"),
            "{failure}"
        );

        let authorities = Some(folder.write("ca.pem", &authority));
        let options = ClientOptions { authorities, ..ClientOptions::default() };
        let mut sources = KeySources::new(&contract, &[], &options).unwrap();
        let document = trust_document(&contract, &mut sources, NOW);
        assert_eq!(document.failures, []);
        assert_eq!(document.trust["key_sets"][0]["keys"], keys);
    }

    #[test]
    fn a_certificate_for_another_name_is_refused() {
        let folder = Folder::new("name");
        let (url, authority) = start(&key_set(&["a"]));
        let contract = contract(&[&url.replace("localhost", "127.0.0.1")]);
        let authorities = Some(folder.write("ca.pem", &authority));
        let options = ClientOptions { authorities, ..ClientOptions::default() };
        let mut sources = KeySources::new(&contract, &[], &options).unwrap();
        let failure = trust_document(&contract, &mut sources, NOW).failures[0].1.to_string();
        assert!(failure.contains("certificate not valid for name"), "{failure}");
    }

    #[test]
    fn a_file_without_a_certificate_is_named() {
        let folder = Folder::new("pem");
        let contract = contract(&[]);
        let message = |file: &PathBuf| {
            let options =
                ClientOptions { authorities: Some(file.clone()), ..ClientOptions::default() };
            let error = KeySources::new(&contract, &[], &options).unwrap_err().to_string();
            error.replace(&file.display().to_string(), "FILE")
        };
        assert_eq!(
            message(&folder.write("ca.pem", "certificate")),
            "`FILE` holds no usable certificate: no `BEGIN CERTIFICATE` in it"
        );
        assert_eq!(
            message(&folder.0.join("none.pem")),
            "`FILE` holds no usable certificate: No such file or directory (os error 2)"
        );
    }
}
