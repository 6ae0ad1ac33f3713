//! Snapshots that follow on each other: epochs, differences, deltas, eras.

use serde_json::json;

use super::authz_world::{FACTS, MODEL, World};
use super::cli::{NOW, mandate};

/// Alice leaves the team, carol is suspended, the helper's credential is revoked, a board is new.
fn later() -> String {
    FACTS
        .replace("members: [alice, carol]", "members: [carol]")
        .replace("{id: carol}", "{id: carol, status: suspended}")
        .replace("subject: \"agent-1\"}", "subject: \"agent-1\", revoked_at: 1767225000}")
        .replace("  - {id: diary", "  - {id: plans, workspace: planning}\n  - {id: diary")
}

/// Two snapshots in a folder, as `build` names them.
fn two(test: &str) -> (World, String, String) {
    let world = World::new(test);
    for facts in [FACTS.to_owned(), later()] {
        let built = world.build_into(&world.folder.path(""), &facts, &[]);
        assert_eq!(built.code, 0, "{built:?}");
    }
    let files =
        ["snapshot-1.1.mandate", "snapshot-1.2.mandate"].map(|name| world.folder.path(name));
    let [one, two] = files;
    (world, one, two)
}

#[test]
fn a_folder_numbers_its_snapshots() {
    let (world, _, second) = two("snapshot-epochs");
    let inspected = mandate(&["snapshot", "inspect", &second, "--json"]).json();
    assert_eq!(
        (&inspected["header"]["era"], &inspected["header"]["epoch"]),
        (&json!(1), &json!(2))
    );
    let (folder, facts) = (world.folder.path(""), later());
    let build = |more: &[&str]| world.build_into(&folder, &facts, &[&["--json"], more].concat());
    let at = |more: &[&str]| {
        let header = build(more).json()["header"].clone();
        (header["era"].clone(), header["epoch"].clone())
    };
    // Another slice has a history of its own.
    assert_eq!(at(&["--slice", "other"]), (json!(1), json!(1)));
    assert_eq!(at(&["--epoch", "10"]), (json!(1), json!(10)));
    assert_eq!(at(&["--era", "3"]), (json!(3), json!(1)));
    assert_eq!(at(&[]), (json!(3), json!(2)));
    assert_eq!(
        build(&["--era", "2"]).one_line(),
        format!("`--era` 2: there is a snapshot of era 3 in `{folder}`")
    );
}

#[test]
fn what_changed_is_shown_and_told_by_a_delta() {
    let (world, one, two) = two("snapshot-diff");
    let shown = mandate(&["snapshot", "diff", &one, &two]);
    assert_eq!(
        (shown.code, shown.stdout.as_str()),
        (
            0,
            "relationships: 2\n  - team:platform#member@user:alice\n  + \
             board:plans#workspace@workspace:planning\nobjects: 1\n  + board:plans of \
             acme\nidentities: 1\n  ~ user:carol (user, suspended)\ncredentials: 1\n  ~ helper-1 \
             of agent:helper (revoked)\n"
        )
    );
    assert_eq!(mandate(&["snapshot", "diff", &one, &one]).stdout, "no difference\n");
    let folder = world.folder.path("");
    let now = NOW.to_string();
    let told = mandate(&[
        "snapshot", "diff", &one, &two, "-o", &folder, "--key", &world.key, "--now", &now, "--json",
    ]);
    let delta = world.folder.path("delta-1.1-2.mandate");
    assert_eq!(told.json()["delta"], json!(delta));
    let inspected =
        mandate(&["snapshot", "inspect", &delta, "--key", &world.public, "--json"]).json();
    assert_eq!(
        inspected["rows"],
        json!([
            "- team:platform#member@user:alice",
            "+ object board:plans of acme",
            "+ identity user:carol (user, suspended)",
            "+ credential helper-1 of agent:helper (revoked)",
            "+ board:plans#workspace@workspace:planning",
        ])
    );
    assert_eq!(
        (&inspected["verified"], &inspected["header"]["from"], &inspected["header"]["epoch"]),
        (&json!(true), &json!(1), &json!(2))
    );
}

#[test]
fn a_delta_that_could_not_be_applied_is_not_written() {
    let (world, one, two) = two("snapshot-diff-refused");
    let output = world.folder.path("delta.mandate");
    let diff = |earlier: &str, later: &str, key: &str| {
        let arguments = ["snapshot", "diff", earlier, later, "-o", &output, "--key", key];
        let line = mandate(&arguments).one_line().to_owned();
        assert!(!std::path::Path::new(&output).exists());
        line.replace(&world.folder.path(""), "")
    };
    assert_eq!(diff(&two, &one, &world.key), "B is of epoch 1, not after A's 2");
    let stranger = world.folder.path("stranger.jwk");
    mandate(&["snapshot", "keygen", "-o", &stranger]);
    assert_eq!(
        diff(&one, &two, &stranger),
        format!(
            "snapshot `snapshot-1.1.mandate`: the signing key `{}` is not pinned",
            super::key_id(&world)
        )
    );
    world.folder.write("model.fga", MODEL.replace("editor or viewer", "viewer or editor"));
    let other = world.snapshot("other.mandate", FACTS);
    assert_eq!(
        mandate(&["snapshot", "diff", &one, &other]).one_line(),
        "the snapshots have different models, or different types in the contract"
    );
    let delta = world.folder.path("delta-1.1-2.mandate");
    mandate(&["snapshot", "diff", &one, &two, "-o", &world.folder.path(""), "--key", &world.key]);
    assert_eq!(
        mandate(&["snapshot", "diff", &one, &delta]).one_line(),
        format!("snapshot `{delta}`: it is a delta")
    );
}

#[test]
fn a_new_era_begins_only_when_it_is_confirmed() {
    let (world, _, two) = two("snapshot-new-era");
    let before = std::fs::read(&two).unwrap();
    let begin = |more: &[&str]| {
        let usual = ["snapshot", "new-era", &two, "--key", &world.key];
        mandate(&[&usual, more].concat())
    };
    assert_eq!(
        begin(&[]).one_line(),
        "after this, consumers forget everything that came after epoch 2 of era 1, revocations \
         too: give `--confirm`"
    );
    assert_eq!(std::fs::read(&two).unwrap(), before);
    assert_eq!(
        begin(&["--confirm", "--era", "1"]).one_line(),
        "`--era` 1 is not after the snapshot's era 1"
    );
    let begun = begin(&["--confirm"]);
    assert_eq!((begun.code, begun.stdout), (0, format!("era 2 begins with epoch 2: {two}\n")));
    let verified = mandate(&["snapshot", "verify", &two, "--key", &world.public, "--json"]).json();
    assert_eq!((&verified["header"]["era"], &verified["header"]["epoch"]), (&json!(2), &json!(2)));
    // The body is the same: only the header and its signature are new.
    let after = std::fs::read(&two).unwrap();
    let body = usize::try_from(super::body_bytes(&two)).unwrap();
    assert_eq!(after[after.len() - body..], before[before.len() - body..]);
    // Bytes that nobody vouched for do not become ours.
    let mut altered = before;
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let file = world.folder.write("altered.mandate", altered);
    assert_eq!(
        mandate(&["snapshot", "new-era", &file, "--key", &world.key, "--confirm"]).one_line(),
        format!("snapshot `{file}`: chunk 0 is not the one that was signed")
    );
}
