//! `audit`.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use mandate_registry::database::{self, Access};
use serde_json::{Value, json};

use crate::running::{Running, until};
use crate::workplace::{NOW, Workplace};

/// A line of Envoy's access log about a decision.
fn line(number: u64, verdict: &str) -> String {
    let reason = if verdict == "allow" { "ok" } else { "no-relation" };
    let details = if verdict == "allow" { "via_upstream" } else { "mandate_denied{no-relation}" };
    let record = json!({
        "decision_id": format!("envoy-1:boot:{number}"), "source": "envoy-1:boot",
        "source_sequence": number, "time": NOW + number, "tenant": "acme", "user": "user:anne",
        "machine_identity_id": "agent:helper", "credential_id": "helper-1", "action": "view",
        "resource": ["/board=roadmap"], "tool": "get_board", "server": "tasks",
        "verdict": verdict, "enforced": true, "reason": reason,
        "relation_path": ["user:anne#delegate_of@agent:helper", "board:roadmap#editor@user:anne"],
        "era": 1, "epoch": 1, "contract_version": "1.0.0",
    });
    format!("2026-01-01T00:00:0{number}.000Z 200 {details} {record}\n")
}

fn sequences(value: &Value) -> Vec<u64> {
    let records = value["records"].as_array().unwrap();
    records.iter().map(|record| record["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn audit_ingest_takes_an_access_log_in_once() {
    let workplace = Workplace::of_boards("audit-ingest");
    let log = workplace.path("access.log");
    let position = workplace.path("position.json");
    fs::write(&log, [line(1, "allow"), "t 200 via_upstream -\n".to_owned()].concat()).unwrap();
    let ingest = ["audit", "ingest", &log, "--position", &position];
    let counts = |lines, new, passed_over| json!({"lines": lines, "new": new, "passed_over": passed_over, "conflicts": 0, "refused": 0});
    assert_eq!(workplace.json(&ingest), counts(2, 1, 0));
    assert_eq!(workplace.json(&ingest), counts(0, 0, 0));
    // Half a line is waited for.
    let second = line(2, "deny");
    let (half, rest) = second.split_at(60);
    let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    assert_eq!(workplace.json(&ingest), counts(0, 0, 0));
    file.write_all(rest.as_bytes()).unwrap();
    assert_eq!(workplace.json(&ingest), counts(1, 1, 0));
    // Without the position everything is read again, and nothing comes in twice.
    assert_eq!(workplace.json(&["audit", "ingest", &log]), counts(3, 0, 2));
    // The log is rotated.
    fs::rename(&log, workplace.path("access.log.1")).unwrap();
    fs::write(&log, line(3, "allow")).unwrap();
    assert_eq!(workplace.json(&ingest), counts(1, 1, 0));
    let helper = workplace.json(&["identity", "show", "agent:helper"]);
    assert_eq!(helper["last_used_at"], NOW + 3);
    let credentials = workplace.json(&["credential", "list", "agent:helper"]);
    assert_eq!(credentials["credentials"][1]["last_used_at"], NOW + 3);
}

#[test]
fn audit_ingest_follow_goes_on_as_the_log_grows_and_is_rotated() {
    let workplace = Workplace::of_boards("audit-follow");
    let log = workplace.path("access.log");
    let position = workplace.path("position.json");
    fs::write(&log, line(1, "allow")).unwrap();
    let mut following = Running::start(
        Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["audit", "ingest", &log, "--follow", "--position", &position, "--json"])
            .args(["--config", &workplace.path("mandate.yaml")])
            .stdout(Stdio::piped()),
    );
    let comes = |number: u64| {
        let id = format!("envoy-1:boot:{number}");
        let query = ["audit", "query", "--decision", &id];
        until("a record", || (!sequences(&workplace.json(&query)).is_empty()).then_some(()));
    };
    comes(1);
    let second = line(2, "deny");
    let (half, rest) = second.split_at(60);
    let mut file = fs::OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(half.as_bytes()).unwrap();
    file.write_all([rest, &line(3, "allow")].concat().as_bytes()).unwrap();
    comes(3);
    // The log is rotated once what was in it has been read.
    fs::rename(&log, workplace.path("access.log.1")).unwrap();
    fs::write(&log, line(4, "allow")).unwrap();
    comes(4);
    assert_eq!(following.stop(), 0);
    let counts = json!({"lines": 4, "new": 4, "passed_over": 0, "conflicts": 0, "refused": 0});
    assert_eq!(following.next(), counts);
    // Where it stopped, the next one goes on.
    let ingest = ["audit", "ingest", &log, "--position", &position];
    assert_eq!(workplace.json(&ingest)["lines"], 0);
}

#[test]
fn audit_ingest_reads_batches_on_stdin_and_names_what_is_no_record() {
    let workplace = Workplace::of_boards("audit-stdin");
    let text = [line(1, "allow").as_str(), "{\"a\":\"planted\"}\n"].concat();
    let ran = workplace.run_with(&["audit", "ingest", "-", "--json"], text.as_bytes());
    assert_eq!((ran.code, &ran.json()["new"], &ran.json()["refused"]), (1, &json!(1), &json!(1)));
    assert_eq!(ran.stderr, "warning: line 2: the audit record has the unknown member `a`\n");
}

#[test]
fn audit_query_finds_by_each_question() {
    let workplace = Workplace::of_boards("audit-query");
    let lines: String = [line(1, "allow"), line(2, "deny"), line(3, "allow")].concat();
    workplace.run_with(&["audit", "ingest", "-"], lines.as_bytes());
    let first = {
        let found = workplace.json(&["audit", "query", "--decision", "envoy-1:boot:1"]);
        sequences(&found)[0]
    };
    let after = |number: u64| (NOW + number).to_string();
    let (second, third) = (after(2), after(3));
    let table: [(&[&str], &[u64]); 7] = [
        (&["--credential", "helper-1", "--tool", "get_board"], &[0, 1, 2]),
        (&["--identity", "agent:helper", "--verdict", "deny"], &[1]),
        (&["--user", "user:anne", "--reason", "ok"], &[0, 2]),
        (&["--tool", "get_board", "--from", &second, "--until", &third], &[1]),
        (&["--tool", "get_board", "--limit", "1"], &[0]),
        (&["--tool", "get_board", "--tenant", "globex"], &[]),
        (&["--tool", "draw_board"], &[]),
    ];
    for (question, expected) in table {
        let found = workplace.json(&[&["audit", "query"], question].concat());
        let expected: Vec<u64> = expected.iter().map(|number| first + number).collect();
        assert_eq!(sequences(&found), expected, "{question:?}");
    }
    let csv = workplace.page(&["audit", "query", "--verdict", "deny", "--format", "csv"]);
    let rows: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(
        rows[1],
        format!(
            "\"acme\",\"{}\",\"2026-01-01T00:00:02Z\",\"user:anne\",\"agent:helper\",\
             \"helper-1\",\"view\",\"get_board\",\"/board=roadmap\",\"deny\",\"no-relation\",\
             \"user:anne#delegate_of@agent:helper board:roadmap#editor@user:anne\",\"\"",
            first + 1
        )
    );
    let page = workplace.page(&["audit", "query", "--verdict", "deny"]);
    assert_eq!(page.lines().count(), 2, "{page}");
}

#[test]
fn audit_verify_checkpoint_and_export() {
    let workplace = Workplace::of_boards("audit-verify");
    let checkpoint = workplace.path("checkpoint.json");
    workplace.page(&["audit", "checkpoint", "--output", &checkpoint]);
    workplace.json(&["identity", "suspend", "agent:helper"]);
    let plain = workplace.json(&["audit", "verify"]);
    assert_eq!(plain["intact"], true);
    assert!(plain["chains"].as_array().unwrap().iter().all(|chain| chain["vouched"].is_null()));
    let verify = ["audit", "verify", "--checkpoint", &checkpoint];
    let vouched = workplace.json(&verify);
    let acme = |value: &Value| {
        let chains = value["chains"].as_array().unwrap().clone();
        chains.into_iter().find(|chain| chain["tenant"] == "acme").unwrap()
    };
    let chain = acme(&vouched);
    let records = chain["records"].as_u64().unwrap();
    assert_eq!(chain["vouched"], records - 1);
    // The export is enough for the verifier of docs/audit.md: each hash follows from the one before.
    let export = workplace.page(&["audit", "export", "--tenant", "acme"]);
    assert_eq!(u64::try_from(export.lines().count()).unwrap(), records);
    let after = (records - 1).to_string();
    let last = workplace.page(&["audit", "export", "--tenant", "acme", "--after", &after]);
    assert_eq!(last.lines().collect::<Vec<_>>(), [export.lines().last().unwrap()]);
    // Somebody's key is nobody's word.
    let other = workplace.path("other.jwk");
    let public = workplace.path("other.public.jwk");
    let made = crate::cli::mandate(&["snapshot", "keygen", "-o", &other, "--public", &public]);
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(
        workplace.refused(&[&verify[..], &["--key", &public]].concat()),
        format!("checkpoint `{checkpoint}`: line 1: none of the keys signed this checkpoint")
    );
    // A registry of before the checkpoint lacks what the checkpoint saw.
    let fresh = Workplace::new("audit-verify-fresh");
    let empty = fresh.run(&[
        "audit",
        "verify",
        "--checkpoint",
        &checkpoint,
        "--key",
        &workplace.path("keys/feed.public.json"),
    ]);
    assert_eq!(empty.code, 1, "{empty:?}");
    assert!(
        empty.stdout.contains("acme: BROKEN: the chain was cut off: record 1 is gone"),
        "{empty:?}"
    );
}

/// The chain of acme, as `audit verify` sees it.
fn chain(verified: &Value) -> Value {
    let chains = verified["chains"].as_array().unwrap();
    chains.iter().find(|chain| chain["tenant"] == "acme").unwrap().clone()
}

#[test]
fn audit_seal_moves_the_oldest_records_into_a_file_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let workplace = Workplace::of_boards("audit-seal");
    let lines = [line(1, "allow"), line(2, "deny")].concat();
    workplace.run_with(&["audit", "ingest", "-"], lines.as_bytes());
    let verify = ["audit", "verify"];
    let records = chain(&workplace.json(&verify))["records"].as_u64().unwrap();
    let file = workplace.path("acme-1.segment");
    let seal = ["audit", "seal", &file, "--tenant", "acme", "--before", "+1h"];
    let confirmed = [&seal[..], &["--confirm"]].concat();
    let segment = json!({"first": 1, "last": records - 1, "records": records - 1});
    let older = ["audit", "seal", &file, "--tenant", "acme", "--before", "12", "--confirm"];
    assert_eq!(workplace.json(&older)["segment"], Value::Null);
    let planned = workplace.json(&seal);
    assert_eq!((&planned["segment"], &planned["confirmed"]), (&segment, &json!(false)));
    assert!(!fs::exists(&file).unwrap());
    assert_eq!(chain(&workplace.json(&verify))["records"], records);
    // The power goes when the file is there, and before the database has heard of it.
    let database = workplace.path("registry.db");
    let before = fs::read(&database).unwrap();
    assert_eq!(workplace.json(&confirmed)["segment"], segment);
    fs::write(&database, before).unwrap();
    let written = fs::read(&file).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let unsealed = workplace.run(&["audit", "verify", "--segment", &file]);
    let told = format!(
        "segment {file}: BROKEN: the registry has not sealed records 1 to {} of `acme` as they are here",
        records - 1
    );
    assert_eq!((unsealed.code, unsealed.stdout.lines().next()), (1, Some(told.as_str())));
    workplace.run_with(&["audit", "ingest", "-"], line(3, "allow").as_bytes());
    // The same call goes on, whatever has come in since; once more it finds nothing left to do.
    for said in ["sealed", "were sealed before"] {
        let page = workplace.page(&confirmed);
        let told = format!("acme: records 1 to {} {said}: {file}", records - 1);
        assert_eq!(page.lines().next(), Some(told.as_str()));
        assert_eq!(fs::read(&file).unwrap(), written);
    }
    let intact = json!({"tenant": "acme", "intact": true, "records": records + 2, "sealed": records - 1, "vouched": null});
    assert_eq!(chain(&workplace.json(&verify)), intact);
    let export = workplace.page(&["audit", "export", "--tenant", "acme"]);
    assert_eq!(export.lines().count(), 3);
    // What was sealed comes in once, still.
    let again = workplace.run_with(&["audit", "ingest", "-", "--json"], lines.as_bytes());
    assert_eq!((&again.json()["new"], &again.json()["passed_over"]), (&json!(0), &json!(2)));
    let anne = workplace.path("acme-2.segment");
    let anne = ["audit", "seal", &anne, "--tenant", "acme", "--before", "+1h", "--confirm"];
    let anne = [&anne[..], &["--as", "user:anne"]].concat();
    assert_eq!(workplace.refused(&anne), "`user:anne` may not seal audit records");
}

#[test]
fn audit_verify_reads_the_files_of_segments() {
    let workplace = Workplace::of_boards("audit-segments");
    let checkpoint = workplace.path("checkpoint.json");
    workplace.page(&["audit", "checkpoint", "--tenant", "acme", "--output", &checkpoint]);
    let files = ["acme-1.segment", "acme-2.segment"].map(|name| workplace.path(name));
    for file in &files {
        workplace.json(&["identity", "suspend", "agent:helper"]);
        workplace.json(&["identity", "resume", "agent:helper"]);
        let seal = ["audit", "seal", file, "--tenant", "acme", "--before", "+1h", "--confirm"];
        workplace.json(&seal);
    }
    let vouching = ["audit", "verify", "--tenant", "acme", "--checkpoint", &checkpoint];
    let page = workplace.page(&vouching);
    assert!(page.contains("of the checkpoint is sealed: give its `--segment`"), "{page}");
    let verify = [&vouching[..], &["--segment", &files[0], &files[1]]].concat();
    let verified = workplace.json(&verify);
    let vouched = chain(&verified)["vouched"].as_u64().unwrap();
    assert!(vouched < verified["segments"][0]["last"].as_u64().unwrap(), "{verified}");
    assert_eq!(verified["segments"][1]["last"], chain(&verified)["sealed"]);
    // Somebody's hand in a file.
    let text = fs::read_to_string(&files[0]).unwrap();
    fs::write(&files[0], text.replacen("agent:helper", "agent:rascal", 1)).unwrap();
    let changed = workplace.run(&verify);
    assert_eq!(changed.code, 1, "{changed:?}");
    assert!(changed.stdout.contains("BROKEN: record "), "{changed:?}");
    fs::write(&files[0], text).unwrap();
    // And in the table: a segment that is forgotten is records that were deleted.
    let mut database = database::open(&workplace.path("registry.db")).unwrap();
    let mut transaction = database.begin(Access::Write).unwrap();
    let sql = "delete from audit_segment where first_sequence = 1";
    assert_eq!(transaction.execute(sql, &[]), Ok(1));
    transaction.commit().unwrap();
    let forgotten = workplace.run(&["audit", "verify", "--tenant", "acme", "--json"]);
    let broken = json!({"tenant": "acme", "intact": false, "problem": "record 1 was deleted"});
    assert_eq!((forgotten.code, chain(&forgotten.json())), (1, broken));
    let next = workplace.path("acme-3.segment");
    let seal = ["audit", "seal", &next, "--tenant", "acme", "--before", "+1h", "--confirm"];
    assert_eq!(
        workplace.refused(&seal),
        "the audit chain of `acme` is not intact: record 1 was deleted"
    );
    assert!(!fs::exists(next).unwrap());
}
