//! schemathesis (PyPI) against the real server: nothing fails, and every answer is as the document says.

use std::process::Command;

use serde_json::json;

use crate::world::{ISSUER, SERVER, World, act, now, sign, tuple};

/// What is looked at: no 5xx, and status, content type and body as documented. Whether a body that
/// the schema takes is taken is not: the registry knows more than a schema can say.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

#[test]
fn schemathesis_finds_no_failure_and_no_other_answer_than_documented() {
    let Some(python) = std::env::var_os("MANDATE_PYTHON") else {
        crate::cli::skip("PyPI schemathesis is not installed: `cargo xtask setup`");
        return;
    };
    let has = Command::new(&python).args(["-c", "import schemathesis"]).output().unwrap();
    if !has.status.success() {
        crate::cli::skip("PyPI schemathesis is not installed: `cargo xtask setup`");
        return;
    }
    // `cargo xtask campaign schemathesis` sets it; the short form is a look at each endpoint.
    let examples = std::env::var("MANDATE_SCHEMATHESIS").ok();
    let phases = if examples.is_some() { "examples,coverage,fuzzing" } else { "fuzzing" };
    let examples = examples.unwrap_or_else(|| "2".to_owned());
    let world = World::start(
        "schemathesis",
        &json!({
            "operators": ["user:olga"],
            "feed_readers": { "default": ["user:olga"] },
            "introspection": { "user:olga": ["https://pdp.example/decisions"] },
            "audit_sources": { "user:olga": ["gate-1"] },
        }),
    );
    // She may all that a person may, so that bodies are read, and not refused before.
    let everything = tuple("organization:acme#evaluator@user:olga");
    world.registry().write_relationships(&act(), &[everything]).unwrap();
    let token = sign(&json!({
        "iss": ISSUER, "sub": "u-olga", "aud": SERVER, "client_id": "board-web", "iat": now(),
        "exp": now() + 36_000,
    }));
    let report = world.folder.path("schemathesis.txt");
    let status = Command::new(&python)
        .args(["-m", "schemathesis.cli", "run"])
        .arg(format!("{}/openapi.json", world.address))
        .args(["--url", &world.address, "--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", CHECKS, "--max-examples", &examples, "--seed", "1"])
        .args(["--phases", phases, "--generation-database", "none"])
        // Lines of JSON are a form that it cannot write.
        .args(["--exclude-path", "/audit/v1/records"])
        .args(["--suppress-health-check", "all", "--no-color", "--continue-on-failure"])
        .current_dir(world.folder.path(""))
        .stdout(std::fs::File::create(&report).unwrap())
        .stderr(std::process::Stdio::inherit())
        .status()
        .unwrap();
    let text = std::fs::read_to_string(&report).unwrap().replace(&token, "TOKEN");
    assert!(status.success(), "{text}");
    let (code, log) = world.stop();
    assert_eq!(code, Some(0));
    assert!(!log.contains("panicked"), "{log}");
}
