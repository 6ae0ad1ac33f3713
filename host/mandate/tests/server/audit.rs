//! Records of decisions that were made elsewhere, and the contract by which they were.

use serde_json::{Value, json};

use crate::world::{SHARED, contract, gateway, now};

fn record(source: &str, tenant: &str, sequence: u64) -> Value {
    json!({
        "decision_id": format!("{source}/{sequence}"), "source": source,
        "source_sequence": sequence, "tenant": tenant, "time": now(), "verdict": "deny",
        "reason": "no-relation", "enforced": true,
    })
}

fn send(records: &[Value]) -> (u16, Value) {
    let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
    SHARED.records(Some(&gateway()), &lines.join("\n"))
}

#[test]
fn a_batch_comes_in_once_however_often_it_is_sent() {
    let batch = [record("gate-1", "acme", 1), record("gate-1", "acme", 2)];
    assert_eq!(send(&batch), (200, json!({ "new": 2, "passed_over": 0, "conflicts": [] })));
    assert_eq!(send(&batch), (200, json!({ "new": 0, "passed_over": 2, "conflicts": [] })));
    let mut other = batch[0].clone();
    other["reason"] = json!("agent-use");
    let conflict = json!({ "new": 0, "passed_over": 0, "conflicts": ["gate-1/1"] });
    assert_eq!(send(&[other]), (200, conflict));
}

#[test]
fn a_record_of_somebody_else_is_refused_with_its_batch() {
    let good = record("gate-1", "acme", 11);
    let mut borrowed = record("gate-1", "acme", 12);
    borrowed["decision_id"] = json!("serve/1");
    for wrong in [record("gate-2", "acme", 1), record("gate-1", "globex", 1), borrowed] {
        let (status, body) = send(&[good.clone(), wrong.clone()]);
        assert_eq!((status, &body["error"]["code"]), (403, &json!("caller")), "{wrong}");
    }
    let (status, body) = send(&[good.clone(), json!({ "token": "x" })]);
    assert_eq!((status, &body["error"]["code"]), (400, &json!("malformed")));
    // None of them came in with what was wrong.
    assert_eq!(send(&[good]).1["new"], json!(1));
}

#[test]
fn the_contract_in_force_is_published() {
    let (status, text) = SHARED.get("/contract", Some(&gateway()));
    assert_eq!((status, serde_json::from_str::<Value>(&text).unwrap()), (200, contract()));
}
