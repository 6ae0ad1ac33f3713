//! Records of decisions that were made elsewhere, and the contract by which they were.

use serde_json::{Value, json};

use crate::world::{SHARED, World, contract, gateway, now, token};

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
fn each_start_of_an_emitter_is_a_source_of_its_own() {
    let starts = ["gate-1.18ea8638d72a1590.6", "gate-1.18ea8638d72a1591.6"];
    let batch = starts.map(|start| record(start, "acme", 1));
    assert_eq!(send(&batch), (200, json!({ "new": 2, "passed_over": 0, "conflicts": [] })));
}

#[test]
fn a_record_of_somebody_else_is_refused_with_its_batch() {
    let good = record("gate-1", "acme", 11);
    let mut borrowed = record("gate-1", "acme", 12);
    borrowed["decision_id"] = json!("serve/1");
    // `gate-10` is another emitter, and its ids are not those of `gate-1`.
    let mut longer = record("gate-1", "acme", 13);
    longer["decision_id"] = json!("gate-10/1");
    for wrong in [
        record("gate-2", "acme", 1),
        record("gate-10", "acme", 1),
        record("gate-1", "globex", 1),
        borrowed,
        longer,
    ] {
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

#[test]
fn chains_are_verified_one_after_the_other() {
    let limits = json!({ "limits": { "registry_connections": 1 } });
    let world = World::start("verifications", &limits);
    for batch in 0..2 {
        let records: Vec<String> =
            (1..=500).map(|at| record("gate-1", "acme", batch * 500 + at).to_string()).collect();
        assert_eq!(world.records(Some(&gateway()), &records.join("\n")).0, 200);
    }
    // More than may wait for the connection: each waits for its turn before it does.
    let administrator = token("u-olga", "board-web");
    let ask = || world.get("/admin/v1/audit/verification", Some(&administrator)).0;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..24).map(|_| scope.spawn(ask)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 24]);
}
