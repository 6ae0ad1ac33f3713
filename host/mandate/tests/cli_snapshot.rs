//! `mandate snapshot`, end to end.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests"
)]

mod authz_world;
mod cli;
#[path = "cli_snapshot/history.rs"]
mod history;
#[path = "cli_snapshot/refused.rs"]
mod refused;
#[path = "cli_snapshot/serve.rs"]
mod serve;

use authz_world::{FACTS, World};
use cli::{Folder, NOW, mandate};
use serde_json::json;

#[test]
fn snapshot() {
    let world = World::new("snapshot");
    let built = world.build("one.mandate", FACTS);
    assert_eq!((built.code, built.stderr.as_str()), (0, ""), "{built:?}");
    let file = world.folder.path("one.mandate");
    assert!(built.stdout.starts_with(&format!("snapshot written to {file}\n")), "{}", built.stdout);
    let now = NOW.to_string();
    let verified = mandate(&["snapshot", "verify", &file, "--key", &world.public, "--now", &now]);
    let key = key_id(&world);
    assert_eq!(
        (verified.code, verified.stdout),
        (
            0,
            format!(
                "verified: snapshot `{file}`\n  deployment  test\n  slice       all\n  position    \
                 era 1, epoch 1\n  contract    1.0.0\n  issued      2026-01-01T00:00:00Z (now)\n  \
                 key         {key}\n  body        {} bytes\n  digests     1 of 1 MiB each\n",
                body_bytes(&file)
            )
        )
    );
    let inspected = mandate(&["snapshot", "inspect", &file, "--now", &now, "--json"]).json();
    assert_eq!((&inspected["verified"], &inspected["header"]["key"]), (&json!(false), &json!(key)));
    let content = &inspected["content"];
    let of_type = |name: &str| {
        let types = content["types"].as_array().unwrap();
        types.iter().find(|one| one["type"] == name).unwrap().clone()
    };
    assert_eq!(
        of_type("board"),
        json!({
            "type": "board", "objects": 4,
            "relationships": { "editor": 1, "viewer": 3, "workspace": 4 },
        })
    );
    assert_eq!(content["identities"], json!({ "agent": 1, "user": 4 }));
    assert_eq!((&content["credentials"], &content["void_credentials"]), (&json!(1), &json!(0)));
    let tenants: Vec<_> =
        content["tenants"].as_array().unwrap().iter().map(|of| &of["tenant"]).collect();
    assert_eq!(tenants, ["(shared)", "acme", "globex"]);
}

#[test]
fn a_key_pair_is_made_once_and_only_for_its_owner() {
    let folder = Folder::new("snapshot-keygen");
    let (key, public) = (folder.path("key.jwk"), folder.path("public.jwk"));
    let arguments = ["snapshot", "keygen", "-o", &key, "--public", &public, "--json"];
    let said = mandate(&arguments).json();
    assert_eq!(said["private_key"], json!(key));
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&public).unwrap()).unwrap();
    assert_eq!((&written, &said["key_id"]), (&said["public_key"], &said["public_key"]["kid"]));
    assert!(written.get("d").is_none());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = std::fs::read(&key).unwrap();
    assert_eq!(
        mandate(&arguments).one_line(),
        format!("key `{key}` cannot be written: File exists (os error 17)")
    );
    assert_eq!(std::fs::read(&key).unwrap(), before);
    // Without a public half there is no key.
    let (other, nowhere) = (folder.path("other.jwk"), folder.path("absent/public.jwk"));
    let failed = mandate(&["snapshot", "keygen", "-o", &other, "--public", &nowhere]);
    assert_eq!(
        failed.one_line(),
        format!("public key `{nowhere}` cannot be written: No such file or directory (os error 2)")
    );
    assert!(!std::path::Path::new(&other).exists());
}

#[test]
fn a_key_in_the_form_of_openssl_signs_as_well() {
    let mut world = World::new("snapshot-pkcs8");
    // RFC 8410, section 10.3, and its public half.
    world.key = world.folder.write(
        "key.pem",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
         -----END PRIVATE KEY-----\n",
    );
    world.public = world.folder.write(
        "rfc.jwk",
        r#"{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"}"#,
    );
    let built = world.build("one.mandate", FACTS);
    let warned = "can be read by others: `chmod 600` it\n";
    assert_eq!((built.code, built.stderr.ends_with(warned)), (0, true), "{built:?}");
    let file = world.folder.path("one.mandate");
    assert_eq!(mandate(&["snapshot", "verify", &file, "--key", &world.public]).code, 0);
}

#[test]
fn a_raw_snapshot_needs_no_contract() {
    let world = World::new("snapshot-raw");
    let facts = world.folder.write("raw.yaml", "relationships:\n  - board:b#viewer@user:anne\n");
    let output = world.folder.path("raw.mandate");
    let built = mandate(&[
        "snapshot",
        "build",
        "--raw",
        "--model",
        &world.model,
        "--facts",
        &facts,
        "--key",
        &world.key,
        "--deployment",
        "test",
        "-o",
        &output,
        "--json",
    ]);
    let said = built.json();
    assert_eq!(
        (&said["header"]["raw"], &said["header"]["contract_version"]),
        (&json!(true), &json!("0.0.0"))
    );
    assert_eq!(said["content"]["relationships"], json!(1));
}

fn key_id(world: &World) -> String {
    let public = std::fs::read(&world.public).unwrap();
    let jwk: serde_json::Value = serde_json::from_slice(&public).unwrap();
    jwk["kid"].as_str().unwrap().to_owned()
}

/// What the header of a snapshot with a name of four and one of three bytes leaves.
fn body_bytes(file: &str) -> u64 {
    let header = 116 + (2 + 4) + (2 + 3) + 32;
    std::fs::metadata(file).unwrap().len() - header - 64
}
