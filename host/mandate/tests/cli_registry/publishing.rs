//! `snapshot publish` and `registry new-era`.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::cli::{Ran, mandate};
use crate::running::{Running, until};
use crate::workplace::{NOW, Workplace};

/// A folder to publish into.
fn folder(workplace: &Workplace) -> String {
    let folder = workplace.path("published");
    fs::create_dir(&folder).unwrap();
    folder
}

/// Whether the helper may see the roadmap for anne, by the newest snapshot with its deltas.
fn may(workplace: &Workplace, folder: &str) -> Ran {
    let applied = files(folder).into_iter().rfind(|name| name.starts_with("snapshot")).unwrap();
    mandate(&[
        "check",
        "--snapshot",
        &format!("{folder}/{applied}"),
        "--pin",
        &workplace.path("keys/feed.public.json"),
        "--contract",
        &workplace.path("contract.json"),
        "--app",
        "board",
        "--as",
        "user:anne",
        "--agent",
        "agent:helper",
        "--action",
        "view",
        "--tool",
        "get_board",
        "--argument",
        "/board=roadmap",
        "--credential",
        "helper-1",
        "--now",
        &NOW.to_string(),
        "--json",
    ])
}

fn files(folder: &str) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn snapshot_publish_writes_a_snapshot_then_deltas_and_heartbeats() {
    let workplace = Workplace::of_boards("publish");
    let folder = folder(&workplace);
    let now = NOW.to_string();
    let publish = ["snapshot", "publish", &folder, "--now", &now];
    let told = |kind: &str, file: &str, epoch: u64| json!({"kind": kind, "file": format!("{folder}/{file}"), "era": 1, "epoch": epoch});
    let snapshot = told("snapshot", "snapshot-1.1.mandate", 1);
    assert_eq!(workplace.json(&publish), snapshot);
    assert_eq!(may(&workplace, &folder).code, 0);
    assert_eq!(workplace.json(&publish), told("heartbeat", "heartbeat.mandate", 1));
    workplace.json(&["credential", "revoke", "helper-1", "--now", &now]);
    workplace.json(&["identity", "suspend", "agent:trainee"]);
    assert_eq!(workplace.json(&publish), told("delta", "delta-1.1-3.mandate", 3));
    let whole = [&publish[..], &["--snapshot"]].concat();
    assert_eq!(workplace.json(&whole), told("snapshot", "snapshot-1.3.mandate", 3));
    let denied = may(&workplace, &folder);
    assert_eq!((denied.code, &denied.json()["reason"]), (1, &json!("credential-revoked")));
    let other = workplace.run(&["snapshot", "publish", &folder, "--slice", "none"]);
    assert_eq!(other.one_line(), "`feed.slices` has no `none`");
}

#[test]
fn registry_new_era_begins_with_a_snapshot() {
    let workplace = Workplace::of_boards("new-era");
    let folder = folder(&workplace);
    let publish = ["snapshot", "publish", &folder];
    workplace.json(&publish);
    assert_eq!(workplace.json(&["registry", "new-era"])["confirmed"], false);
    assert_eq!(workplace.json(&publish)["kind"], "heartbeat");
    let began = workplace.json(&["registry", "new-era", "--confirm"]);
    assert_eq!(began["position"], json!({"era": 2, "epoch": 2}));
    let published = workplace.json(&publish);
    assert_eq!((&published["kind"], &published["era"]), (&json!("snapshot"), &json!(2)));
    assert_eq!(
        workplace.refused(&["registry", "new-era", "--as", "user:olga", "--confirm"]),
        "`user:olga` may not begin an era"
    );
}

/// `snapshot publish --watch`.
fn watch(workplace: &Workplace, folder: &str) -> Running {
    Running::start(
        Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["snapshot", "publish", folder, "--watch", "--json", "--config"])
            .arg(workplace.path("mandate.yaml"))
            .stdout(Stdio::piped()),
    )
}

/// Kind and epoch of what it published next.
fn next(publisher: &Running) -> (String, u64) {
    let line = publisher.next();
    (line["kind"].as_str().unwrap().to_owned(), line["epoch"].as_u64().unwrap())
}

#[test]
fn snapshot_publish_watch_follows_every_write() {
    let workplace = Workplace::of_boards("publish-watch");
    let folder = folder(&workplace);
    let publisher = watch(&workplace, &folder);
    assert_eq!(next(&publisher), ("snapshot".to_owned(), 1));
    workplace.json(&["identity", "suspend", "agent:helper"]);
    assert_eq!(next(&publisher), ("delta".to_owned(), 2));
    workplace.json(&["identity", "resume", "agent:helper"]);
    assert_eq!(next(&publisher), ("delta".to_owned(), 3));
}

#[test]
fn snapshot_publish_watch_signs_heartbeats_while_nothing_changes() {
    let workplace = Workplace::of_boards("publish-heartbeat");
    let folder = folder(&workplace);
    let mut publisher = watch(&workplace, &folder);
    assert_eq!(next(&publisher), ("snapshot".to_owned(), 1));
    let path = format!("{folder}/heartbeat.mandate");
    until("a heartbeat", || fs::exists(&path).unwrap().then_some(()));
    let public = workplace.path("keys/feed.public.json");
    let verified = mandate(&["snapshot", "verify", &path, "--key", &public]);
    assert_eq!(verified.code, 0, "{verified:?}");
    assert_eq!(files(&folder), ["heartbeat.mandate", "snapshot-1.1.mandate"]);
    // They are no news, and no write is lost behind one.
    assert_eq!(publisher.rest(), [""; 0]);
    workplace.json(&["identity", "suspend", "agent:helper"]);
    assert_eq!(next(&publisher), ("delta".to_owned(), 2));
    assert_eq!(publisher.stop(), 0);
}
