//! The first administrator of a tenant: made once, by who is on this machine with its credential.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::cli::{Folder, mandate};
use crate::world::{World, act, authorization, deploy, gateway, listen_on_a_socket, token, tuple};

const PATH: &str = "/admin/v1/bootstrap";

/// What the command makes for globex, of which gina is and nobody is administrator.
fn make(folder: &Folder) -> String {
    let config = folder.path("acme/mandate.yaml");
    let command = ["registry", "bootstrap", "--tenant", "globex", "--confirm", "--json"];
    let ran = mandate(&[&command[..], &["--config", &config]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.json()["secret"].as_str().unwrap().to_owned()
}

fn gina() -> String {
    token("u-gina", "board-web")
}

/// Presents it, with one more header field perhaps.
fn redeem(world: &World, token: &str, secret: &str, more: Option<&str>) -> (u16, Value) {
    let mut fields = authorization(Some(token));
    fields.push(("mandate-bootstrap".to_owned(), secret.to_owned()));
    fields.extend(more.map(|name| (name.to_owned(), "a".to_owned())));
    let mut request = crate::world::agent().post(format!("{}{PATH}", world.address));
    for (name, value) in fields {
        request = request.header(name, value);
    }
    let mut answer = request.send_empty().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
}

fn refusal() -> (u16, Value) {
    let message = "this is no bootstrap credential that is good here and now";
    (403, json!({ "error": { "code": "caller", "message": message } }))
}

#[test]
fn whoever_redeems_the_credential_administers_the_tenant() {
    let world = World::start("bootstrap", &json!({}));
    // There is none yet, and that looks as what is wrong does.
    assert_eq!(redeem(&world, &gina(), "mnd_a_b", None), refusal());
    let old = make(&world.folder);
    let secret = make(&world.folder);
    assert_eq!(world.get("/admin/v1/state", Some(&gina())).0, 403);
    for wrong in [&old, "", "mnd_a_b", &format!("{secret}a")] {
        assert_eq!(redeem(&world, &gina(), wrong, None), refusal(), "{wrong}");
    }
    for name in ["forwarded", "via", "x-forwarded-for"] {
        assert_eq!(redeem(&world, &gina(), &secret, Some(name)), refusal(), "{name}");
    }
    // It is a person's, of that tenant, and nobody's without a token.
    assert_eq!(redeem(&world, &token("u-olga", "board-web"), &secret, None), refusal());
    assert_eq!(redeem(&world, &token("u-anne", "board-web"), &secret, None), refusal());
    for token in [token("u-anne", "helper"), gateway()] {
        assert_eq!(redeem(&world, &token, &secret, None).0, 403);
    }
    assert_eq!(redeem(&world, "abc", &secret, None).0, 401);
    let (status, made) = redeem(&world, &gina(), &secret, None);
    let expected = json!({
        "tenant": "globex", "administrator": "user:gina", "confirmed": true,
        "position": made["position"],
    });
    assert_eq!((status, &made), (200, &expected));
    assert!(made["position"]["epoch"].as_u64().is_some(), "{made}");
    assert_eq!(world.get("/admin/v1/state", Some(&gina())).0, 200);
    assert_eq!(redeem(&world, &gina(), &secret, None), refusal());
    let (_, audit) = world.get("/admin/v1/audit", Some(&gina()));
    let audit: Value = serde_json::from_str(&audit).unwrap();
    let records = audit["records"].as_array().unwrap();
    let changes: Vec<&str> = records
        .iter()
        .filter_map(|entry| entry["record"]["change"].as_str())
        .filter(|change| change.starts_with("bootstrap"))
        .collect();
    let mut expected = ["bootstrap-make", "bootstrap-make"].to_vec();
    expected.extend(["bootstrap-refuse"; 4]);
    expected.push("bootstrap-redeem");
    assert_eq!(changes, expected);
    let (code, log) = world.stop();
    assert_eq!(code, Some(0));
    for secret in [&old, &secret] {
        let (_, word) = mandate_registry::secret::split(secret).unwrap();
        assert!(!log.contains(word) && !audit.to_string().contains(word));
    }
}

#[test]
fn the_credential_ends_with_an_administrator_who_was_made_otherwise() {
    let world = World::start("bootstrap-end", &json!({}));
    let secret = make(&world.folder);
    let administrator = tuple("organization:globex#admin@user:gina");
    world.registry().write_relationships(&act(), std::slice::from_ref(&administrator)).unwrap();
    assert_eq!(redeem(&world, &gina(), &secret, None), refusal());
    let config = world.folder.path("acme/mandate.yaml");
    let command = ["registry", "bootstrap", "--tenant", "globex", "--config", &config];
    assert_eq!(
        mandate(&command).one_line(),
        "`organization:globex` has an administrator: who is one makes the next"
    );
}

#[test]
fn the_credential_is_good_on_a_unix_socket() {
    let folder = deploy("bootstrap-socket", &json!({}));
    let path = listen_on_a_socket(&folder, "bootstrap");
    let secret = make(&folder);
    let world = World::serve(folder);
    let mut stream = UnixStream::connect(&path).unwrap();
    let request = format!(
        "POST {PATH} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 0\r\n\
        authorization: Bearer {}\r\nmandate-bootstrap: {secret}\r\n\r\n",
        gina()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(r#""administrator":"user:gina""#), "{answer}");
    assert_eq!(world.stop().0, Some(0));
}
