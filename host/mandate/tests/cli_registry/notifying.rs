//! `contract freeze|deploy|status` and `outbox`: who asked is told, and a version means one content.

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::cli::mandate;
use crate::local_server::{Behaviour, LocalServer, Posted};
use crate::workplace::{NOW, Workplace};

/// A working folder with two hooks: `anne` wants to know everything, `bob` of deployments alone.
fn workplace(test: &str, receiver: &LocalServer) -> Workplace {
    let workplace = Workplace::new(test);
    for name in ["anne", "bob"] {
        let ran =
            mandate(&["outbox", "new-secret", &workplace.path(&format!("keys/{name}.webhook"))]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let configuration = workplace.path("mandate.yaml");
    let mut text = std::fs::read_to_string(&configuration).unwrap();
    text.push_str(&format!(
        "notify:\n\
        - {{name: anne, url: \"{0}/anne\", secret_file: keys/anne.webhook}}\n\
        - {{name: bob, url: \"{0}/bob\", secret_file: keys/bob.webhook, events: [contract.deployed]}}\n",
        receiver.url
    ));
    std::fs::write(configuration, text).unwrap();
    workplace
}

fn receiver() -> LocalServer {
    LocalServer::start(|_| |_: &str| Behaviour::json("{}"))
}

fn field<'p>(posted: &'p Posted, name: &str) -> &'p str {
    let found = posted.head.lines().find_map(|line| {
        let (field, value) = line.split_once(": ")?;
        field.eq_ignore_ascii_case(name).then_some(value)
    });
    found.unwrap_or_else(|| panic!("no `{name}` in {posted:?}"))
}

/// What a receiver does: Standard Webhooks 1.0.0, "verifying webhook authenticity".
fn verify(workplace: &Workplace, hook: &str, posted: &Posted) -> Value {
    let secret = std::fs::read_to_string(workplace.path(&format!("keys/{hook}.webhook"))).unwrap();
    let secret = STANDARD.decode(secret.trim().strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    let (id, time) = (field(posted, "webhook-id"), field(posted, "webhook-timestamp"));
    mac.update(format!("{id}.{time}.{}", posted.body).as_bytes());
    let signature = field(posted, "webhook-signature").strip_prefix("v1,").unwrap();
    mac.verify_slice(&STANDARD.decode(signature).unwrap()).unwrap();
    assert_eq!(field(posted, "content-type"), "application/json");
    serde_json::from_str(&posted.body).unwrap()
}

fn contract(workplace: &Workplace) -> String {
    std::fs::read_to_string(workplace.path("contract.json")).unwrap()
}

#[test]
fn who_asked_is_told_at_freeze_and_at_deployment() {
    let receiver = receiver();
    let workplace = workplace("notifying", &receiver);
    let before = contract(&workplace);
    let now = NOW.to_string();
    let plan = workplace.page(&["contract", "freeze", "--now", &now]);
    assert!(plan.contains("dry run: nothing was changed"), "{plan}");
    assert_eq!((contract(&workplace), receiver.hits()), (before.clone(), 0));
    assert!(
        workplace
            .page(&["contract", "status"])
            .starts_with("contract 1.0.0 of the configuration is draft")
    );
    let refused = workplace.refused(&["contract", "deploy", "--confirm"]);
    assert_eq!(refused, "contract 1.0.0 is not frozen yet");

    let frozen = workplace.json(&["contract", "freeze", "--confirm", "--now", &now]);
    assert_eq!((&frozen["changed"], &frozen["status"]), (&json!(true), &json!("frozen")));
    // The file says so, and is otherwise as it was.
    assert_eq!(contract(&workplace), before.replacen("\"draft\"", "\"frozen\"", 1));
    let told = receiver.requests();
    let [to_anne] = told.as_slice() else { panic!("{told:?}") };
    assert!(to_anne.head.starts_with("POST /anne "), "{to_anne:?}");
    let data = json!({
        "deployment": "acme", "version": "1.0.0", "digest": frozen["digest"], "status": "frozen",
    });
    let expected =
        json!({"type": "contract.frozen", "timestamp": "2026-01-01T00:00:00Z", "data": data});
    assert_eq!(verify(&workplace, "anne", to_anne), expected);

    // A second time is no news.
    let again = workplace.json(&["contract", "freeze", "--confirm", "--now", &now]);
    assert_eq!((&again["changed"], &again["told"]), (&json!(false), &json!([])));
    assert_eq!(receiver.hits(), 1);

    let deployed = workplace.json(&["contract", "deploy", "--confirm", "--now", &now]);
    assert_eq!(deployed["digest"], frozen["digest"], "the status is not of the content");
    let told = receiver.requests();
    let [_, to_anne, to_bob] = told.as_slice() else { panic!("{told:?}") };
    for (hook, posted) in [("anne", to_anne), ("bob", to_bob)] {
        assert!(posted.head.starts_with(&format!("POST /{hook} ")), "{posted:?}");
        assert_eq!(verify(&workplace, hook, posted)["type"], "contract.deployed");
    }
    assert_eq!(field(to_anne, "webhook-id"), field(to_bob, "webhook-id"));
    let status = workplace.json(&["contract", "status"]);
    assert_eq!(
        (&status["status"], &status["file_status"]),
        (&json!("deployed"), &json!("deployed"))
    );
    assert_eq!(status["versions"][0]["in_force"], true);
    let changes = workplace.page(&["audit", "export"]);
    for change in ["contract-freeze", "contract-deploy"] {
        assert_eq!(changes.matches(change).count(), 1, "{changes}");
    }
}

#[test]
fn a_version_that_was_frozen_means_one_content() {
    let receiver = receiver();
    let workplace = workplace("frozen", &receiver);
    workplace.json(&["contract", "freeze", "--confirm"]);
    let file = workplace.path("contract.json");
    let mut other: Value = serde_json::from_str(&contract(&workplace)).unwrap();
    other["skew_seconds"] = json!(17);
    std::fs::write(&file, other.to_string()).unwrap();
    let refused = "`contract`: contract 1.0.0 was frozen with another content: \
        give this one a new version";
    for words in [
        &["identity", "list"][..],
        &["config", "check"],
        &["serve"],
        &["contract", "freeze", "--confirm"],
        &["contract", "deploy", "--confirm"],
        &["contract", "status"],
    ] {
        let line = workplace.refused(words);
        assert_eq!(line, refused, "{words:?}");
    }
    assert_eq!(contract(&workplace), other.to_string(), "nothing was written");
    other["version"] = json!("1.1.0");
    std::fs::write(&file, other.to_string()).unwrap();
    workplace.json(&["contract", "freeze", "--confirm"]);
    workplace.json(&["identity", "list"]);
}

#[test]
fn a_receiver_that_is_down_is_told_later() {
    let receiver = receiver();
    let workplace = workplace("later", &receiver);
    receiver.set_all(Behaviour::Reply(500, String::new(), "planted-answer".to_owned()));
    let frozen = workplace.json(&["contract", "freeze", "--confirm"]);
    let told = json!([{
        "hook": "anne", "message": frozen["told"][0]["message"], "delivered": false,
        "problem": "status 500",
    }]);
    assert_eq!(frozen["told"], told);
    let listed = workplace.page(&["outbox", "list"]);
    assert!(listed.contains("status 500"), "{listed}");
    assert!(!listed.contains("planted-answer") && !listed.contains(&receiver.url), "{listed}");
    assert_eq!(workplace.page(&["outbox", "deliver"]), "nothing is due\n");
    let failed = workplace.run(&["outbox", "deliver", "--retry"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, "`anne` was not told: status 500\n"));
    // A redirect is not followed.
    let elsewhere = format!("Location: {}/elsewhere\r\n", receiver.url);
    receiver.set_all(Behaviour::Reply(307, elsewhere, String::new()));
    let failed = workplace.run(&["outbox", "deliver", "--retry"]);
    assert_eq!((failed.code, failed.stdout.as_str()), (1, "`anne` was not told: status 307\n"));
    receiver.set_all(Behaviour::json("{}"));
    assert_eq!(workplace.page(&["outbox", "deliver", "--retry"]), "told `anne`\n");
    let ids: Vec<_> =
        receiver.requests().iter().map(|posted| field(posted, "webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn the_server_tells_who_is_still_to_be_told() {
    let receiver = receiver();
    let workplace = workplace("served", &receiver);
    receiver.set_all(Behaviour::Reply(503, String::new(), String::new()));
    workplace.json(&["contract", "freeze", "--confirm"]);
    receiver.set_all(Behaviour::json("{}"));
    let hits = receiver.hits();
    let config = workplace.path("mandate.yaml");
    let words = ["serve", "--config", &config, "--listen", "127.0.0.1:0", "--stop-with-stdin"];
    let mut server = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Five seconds after the first failure it is due.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while receiver.hits() == hits && std::time::Instant::now() < deadline {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    drop(server.stdin.take());
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success());
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains(r#""event":"notification","hook":"anne""#), "{log}");
    assert!(!log.contains(&receiver.url), "{log}");
    let message = &workplace.json(&["outbox", "list"])["messages"][0];
    assert_ne!(message["delivered_at"], Value::Null, "{message}");
    assert_eq!(message["attempts"], 2);
    // One who is gone is not asked again.
    receiver.set_all(Behaviour::Reply(410, String::new(), String::new()));
    workplace.json(&["contract", "deploy", "--confirm"]);
    let listed = workplace.json(&["outbox", "list"]);
    let mut messages = listed["messages"].as_array().unwrap().iter();
    let gone = messages.find(|message| message["delivered_at"].is_null()).unwrap();
    assert_eq!((&gone["next_at"], &gone["problem"]), (&Value::Null, &json!("status 410")));
}

#[test]
fn a_hook_that_cannot_work_is_named_before_anything_changes() {
    let receiver = receiver();
    let workplace = workplace("hooks", &receiver);
    let configuration = workplace.path("mandate.yaml");
    let text = std::fs::read_to_string(&configuration).unwrap();
    let secret = workplace.path("keys/anne.webhook");
    let refused = |text: &str| {
        std::fs::write(&configuration, text).unwrap();
        workplace.refused(&["contract", "freeze", "--confirm"])
    };
    let plain = text.replacen(&receiver.url, "http://hooks.example", 1);
    let problem = "`notify`: `anne`: `url`: `http://hooks.example/anne` is plain http, which \
        only loopback may use";
    assert_eq!(refused(&plain), problem);
    let twice = text.replacen("name: bob", "name: anne", 1);
    assert!(refused(&twice).ends_with("`notify`: there are two hooks `anne`"));
    let unknown = text.replacen("contract.deployed", "contract.thawed", 1);
    assert!(refused(&unknown).contains("`notify[1].events[0]`: unknown variant `contract.thawed`"));
    std::fs::write(&secret, "whsec_planted\n").unwrap();
    let problem = refused(&text);
    assert!(problem.contains("holds no `whsec_` with base64"), "{problem}");
    assert!(!problem.contains("planted"), "{problem}");
    std::fs::write(&secret, "whsec_c2hvcnQ=\n").unwrap();
    assert!(refused(&text).ends_with("the secret must have 24 to 64 bytes"));
    assert_eq!(receiver.hits(), 0);
    assert!(contract(&workplace).contains("\"draft\""));
}
