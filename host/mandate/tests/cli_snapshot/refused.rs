//! What cannot be built, verified or read is one clear line, and nothing is written.

use std::path::Path;

use super::authz_world::{FACTS, MODEL, World};
use super::cli::{NOW, mandate};

/// The line of a build that is refused; nothing is left behind.
fn refused(world: &World, facts: &str) -> String {
    let built = world.build("refused.mandate", facts);
    let line = built.one_line().to_owned();
    assert!(!Path::new(&world.folder.path("refused.mandate")).exists());
    line.replace(&world.folder.path(""), "")
}

#[test]
fn a_fact_that_does_not_fit_is_named_with_its_line() {
    let world = World::new("snapshot-facts");
    // Relative to what the usual facts end with.
    let end = FACTS.lines().count();
    let with = |more: &str| {
        let line = refused(&world, &format!("{FACTS}{more}"));
        [1, 2].into_iter().fold(line, |line, at| {
            line.replace(&format!("line {}:", end + at), &format!("line end+{at}:"))
        })
    };
    assert_eq!(
        with("  - spaceship:x#viewer@user:anne\n"),
        "facts `refused.mandate.yaml`: line end+1: `relationships[2]`: the model has no type \
         `spaceship`, only `organization`, `user`, `service`, `team`, `agent`, `mcp_server`, \
         `tool`, `workspace`, `board`"
    );
    assert_eq!(
        with(
            "objects:\n  - {object: \"board:b\", relations: {viewer: [bob], workspace: [\"workspace:planning\"]}}\n"
        ),
        "facts `refused.mandate.yaml`: line end+2: `objects[0].relations.viewer[0]`: \
         `board:b#viewer@user:bob` joins two tenants"
    );
    assert_eq!(
        with(
            "  - {user: \"agent:helper\", relation: delegate_of, object: \
             \"user:carol\", condition: {name: before, context: {until: 7}}}\n"
        ),
        "facts `refused.mandate.yaml`: line end+1: `relationships[2]`: condition `before`: the \
         value of parameter `until` is no timestamp"
    );
    assert_eq!(
        with("wizards: []\n"),
        "facts `refused.mandate.yaml`: line end+1: `wizards`: is not known here"
    );
}

#[test]
fn a_model_or_contract_that_does_not_fit_is_named() {
    let world = World::new("snapshot-model");
    let model = |text: String| {
        world.folder.write("model.fga", text);
        refused(&world, FACTS)
    };
    assert_eq!(
        model(MODEL.replace(
            "define member: [user]\n    define organization",
            "define member [user]\n    define organization"
        )),
        "model `model.fga`: 16:19: found `[`, expected `:`"
    );
    assert_eq!(
        model(MODEL.replace("editor or viewer", "editor or reader")),
        "model `model.fga`: 44:32: the relation `reader` does not exist"
    );
    world.folder.write("model.fga", MODEL);
    world.folder.write("contract.json", super::cli::contract().to_string());
    assert_eq!(refused(&world, FACTS), "contract `contract.json`: `authz`: is missing");
}

#[test]
fn bad_arguments_of_build_are_one_clear_line() {
    let world = World::new("snapshot-arguments");
    let with = |more: &[&str]| {
        let built = world.build_with("refused.mandate", FACTS, more);
        built.one_line().replace(&world.folder.path(""), "")
    };
    assert_eq!(
        with(&["--deploymnt", "x"]),
        "unexpected argument '--deploymnt' found; see `--help`"
    );
    assert_eq!(with(&["--slice", ""]), "`--slice` must be 1 to 128 bytes of text");
    assert_eq!(
        with(&["--raw"]),
        "the argument '--contract <FILE>' cannot be used with '--raw'; see `--help`"
    );
    std::fs::write(&world.key, std::fs::read(&world.public).unwrap()).unwrap();
    assert_eq!(with(&[]), "key `key.jwk`: is no Ed25519 signing key as a private JWK or PKCS#8");
    std::fs::remove_file(&world.key).unwrap();
    assert_eq!(with(&[]), "key `key.jwk` cannot be read: No such file or directory (os error 2)");
}

#[test]
fn a_truncated_or_altered_snapshot_is_refused() {
    let world = World::new("snapshot-altered");
    let file = world.snapshot("one.mandate", FACTS);
    let good = std::fs::read(&file).unwrap();
    let said = |bytes: &[u8], verb: &str| {
        let altered = world.folder.write("altered.mandate", bytes);
        let now = NOW.to_string();
        let ran = mandate(&["snapshot", verb, &altered, "--key", &world.public, "--now", &now]);
        let line = format!("{}{}", ran.stdout, ran.stderr);
        (ran.code, line.lines().next().unwrap_or_default().replace(&altered, "FILE"))
    };
    for length in [0, 15, 100, 250, good.len() - 1] {
        let expected = "error: snapshot `FILE`: the bytes end too early".to_owned();
        for verb in ["verify", "inspect"] {
            assert_eq!(said(&good[..length], verb), (2, expected.clone()), "{length}");
        }
    }
    let long = [&good[..], b"\n"].concat();
    assert_eq!(
        said(&long, "verify"),
        (2, "error: snapshot `FILE`: bytes follow after the end".to_owned())
    );
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    assert_eq!(
        said(&flipped(0), "verify"),
        (2, "error: snapshot `FILE`: this is no snapshot or delta".to_owned())
    );
    let signature = "the signature does not verify";
    let body = "chunk 0 is not the one that was signed";
    // The issue time in the header, the signature, the body's first and last byte.
    for (at, problem) in [(50, signature), (160, signature), (250, body), (good.len() - 1, body)] {
        assert_eq!(
            said(&flipped(at), "verify"),
            (1, format!("not verified: snapshot `FILE`: {problem}")),
            "{at}"
        );
        let (code, line) = said(&flipped(at), "inspect");
        let expected = (1, format!("snapshot `FILE`: NOT VERIFIED: {problem}"));
        // A body that was altered may be no snapshot at all.
        assert!((code, line.clone()) == expected || code == 2, "{at}: {code} {line}");
    }
}

#[test]
fn only_a_pinned_key_vouches() {
    let world = World::new("snapshot-pins");
    let file = world.snapshot("one.mandate", FACTS);
    let stranger = world.folder.path("stranger.jwk");
    let public = world.folder.path("stranger.public.jwk");
    mandate(&["snapshot", "keygen", "-o", &stranger, "--public", &public]);
    let own = super::key_id(&world);
    let ran = mandate(&["snapshot", "verify", &file, "--key", &public]);
    assert_eq!(
        (ran.code, ran.stdout),
        (1, format!("not verified: snapshot `{file}`: the signing key `{own}` is not pinned\n"))
    );
    let both = ["snapshot", "verify", &file, "--key", &public, "--key", &world.public];
    assert_eq!(mandate(&both).code, 0);
    assert_eq!(
        mandate(&[&both[..], &["--key", &public]].concat()).one_line(),
        "`--key`: at most 2 keys are pinned"
    );
    assert_eq!(
        mandate(&["snapshot", "verify", &file, "--key", &world.key]).one_line(),
        format!("key `{}`: is a private key: pin the public one, without `d`", world.key)
    );
    let other =
        mandate(&["snapshot", "verify", &file, "--key", &world.public, "--deployment", "live"]);
    assert_eq!(
        (other.code, other.stdout),
        (1, format!("not verified: snapshot `{file}`: the deployment is `test`, not `live`\n"))
    );
    assert_eq!(
        mandate(&["snapshot", "verify", &file]).one_line(),
        "the following required arguments were not provided: --key <PUBLIC>; see `--help`"
    );
}
