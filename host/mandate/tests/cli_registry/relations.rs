//! `relationship`, and who may write one.

use serde_json::json;

use crate::workplace::Workplace;

const DELEGATES: &str = "user:bob#delegate_of@agent:helper";

#[test]
fn relationship_write_delete_and_list() {
    let workplace = Workplace::of_boards("relationship-write");
    let write = ["relationship", "write", "board:roadmap#viewer@user:bob", DELEGATES];
    let written = workplace.json(&write);
    assert_eq!((&written["changed"], &written["given"]), (&json!(2), &json!(2)));
    assert_eq!(workplace.json(&write)["changed"], 0);
    let of_bob = ["relationship", "list", "--object", "board:roadmap", "--subject", "user:bob"];
    assert_eq!(workplace.page(&of_bob), "board:roadmap#viewer@user:bob\n");
    let value = json!({"relationships": [{"object": "board:roadmap", "relation": "viewer",
        "subject": "user:bob", "condition": null}]});
    assert_eq!(workplace.json(&of_bob), value);
    let delete = ["relationship", "delete", "board:roadmap#viewer@user:bob"];
    assert_eq!(workplace.json(&delete)["changed"], 1);
    assert_eq!(workplace.page(&of_bob), "");
    let table = [
        ("board:roadmap#viewer", "`board:roadmap#viewer` is no `OBJECT#RELATION@SUBJECT`"),
        ("board:roadmap#viewer@user:gina", "`board:roadmap#viewer@user:gina` joins two tenants"),
        ("board:roadmap#viewer@user:ghost", "there is no person `user:ghost`"),
    ];
    for (relationship, line) in table {
        assert_eq!(workplace.refused(&["relationship", "write", relationship]), line);
    }
}

#[test]
fn relationship_write_asks_who_writes() {
    let workplace = Workplace::of_boards("relationship-as");
    let write = |actor: &str| workplace.run(&["relationship", "write", DELEGATES, "--as", actor]);
    for actor in ["user:anne", "agent:helper"] {
        let line = format!("`{actor}` may not change who acts for this user");
        assert_eq!(write(actor).one_line(), line);
    }
    assert_eq!(write("user:bob").code, 0);
    let record = workplace.json(&["audit", "query", "--user", "user:bob", "--limit", "100"]);
    let records = record["records"].as_array().unwrap();
    let last = &records.last().unwrap()["record"];
    assert_eq!((&last["actor"], &last["item"]), (&json!("user:bob"), &json!(DELEGATES)));
}

#[test]
fn relationship_watch_tells_what_was_written_since() {
    let workplace = Workplace::of_boards("relationship-watch");
    workplace.json(&["relationship", "write", DELEGATES]);
    workplace.json(&["identity", "suspend", "agent:trainee"]);
    workplace.json(&["relationship", "delete", DELEGATES]);
    let watch = ["relationship", "watch", "--from", "1.1", "--once"];
    assert_eq!(workplace.page(&watch), format!("1.2 + {DELEGATES}\n1.4 - {DELEGATES}\n"));
    let ahead = workplace.refused(&["relationship", "watch", "--from", "1.9", "--once"]);
    assert_eq!(ahead, "`--from` 1.9 is after the registry's 1.4");
}
