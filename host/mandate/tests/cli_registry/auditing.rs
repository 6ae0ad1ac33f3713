//! `audit`.

use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};

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
