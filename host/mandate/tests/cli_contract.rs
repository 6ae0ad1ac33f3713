//! `mandate contract`, end to end.

#![allow(clippy::allow_attributes, clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod cli;

use cli::{Folder, Ran, contract, mandate};
use serde_json::{Value, json};

/// The contract that the repository shows.
fn example() -> Value {
    serde_json::from_str(include_str!("../../../contract/contract.json")).unwrap()
}

fn check(folder: &Folder, contract: &Value, more: &[&str]) -> Ran {
    let file = folder.write("contract.json", contract.to_string());
    let mut arguments = vec!["contract", "check", file.as_str()];
    arguments.extend(more);
    mandate(&arguments)
}

fn warned(folder: &Folder, contract: &Value) -> Vec<String> {
    let ran = check(folder, contract, &["--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    let warnings = report["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn contract_check() {
    let folder = Folder::new("contract-check");
    let ran = check(&folder, &example(), &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for line in [
        "contract 1.0.0 (draft) is valid",
        "  issuer                                    preset     algorithms   tenants             keys                                           longest token",
        "  https://login.example/realms/globex       keycloak   RS256 ES256  globex globex-labs  by discovery                                   900 s",
        "  board/admin  https://board.example/admin  2 of 3",
        "  status: a draft may still change: freeze it before services rely on it",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn a_gate_that_would_not_load_is_refused() {
    let folder = Folder::new("contract-gate");
    let mut contract = example();
    contract["gate"]["routes"]["board"]["rules"][1]["resources"] = json!([]);
    let ran = check(&folder, &contract, &[]);
    let problem = "`gate.routes.board.rules[1].resources`: the action needs some, or is on none";
    assert!(ran.code == 2 && ran.stderr.contains(problem), "{ran:?}");
}

#[test]
fn a_sound_contract_has_no_warnings() {
    let folder = Folder::new("contract-sound");
    assert_eq!(warned(&folder, &contract()), Vec::<String>::new());
}

#[test]
fn what_may_surprise_an_operator_is_a_warning() {
    let folder = Folder::new("contract-warnings");
    let changed = |change: fn(&mut Value)| {
        let mut contract = contract();
        change(&mut contract);
        warned(&folder, &contract)
    };
    assert_eq!(changed(|contract| contract["status"] = json!("draft")), ["status"]);
    assert_eq!(changed(|contract| contract["skew_seconds"] = json!(60)), ["skew_seconds"]);
    assert_eq!(
        changed(|contract| contract["issuers"][0]["issuer"] = json!("http://127.0.0.1:9000")),
        ["issuers[0].issuer"]
    );
    assert_eq!(
        changed(|contract| {
            contract["issuers"][0].as_object_mut().unwrap().remove("maximum_lifetime_seconds");
        }),
        ["issuers[0].maximum_lifetime_seconds"]
    );
    assert_eq!(
        changed(|contract| {
            contract["issuers"][0]["preset"] = json!("authentik");
            contract["issuers"][0]["client_id_names_agent"] = json!(true);
        }),
        ["issuers[0].subject_claim", "issuers[0].issuer", "issuers[0].client_id_names_agent"]
    );
    assert_eq!(
        changed(|contract| {
            contract["issuers"][0]["preset"] = json!("keycloak");
            contract["issuers"][0]["issuer"] = json!("https://idp.example");
            contract["apps"][0]["audience"] = json!("account");
        }),
        ["issuers[0].issuer", "apps[0].audience"]
    );
    assert_eq!(
        changed(|contract| {
            let mut second = contract["issuers"][0].clone();
            second["issuer"] = json!("https://second.example");
            second["act_issuers"] = json!(["https://nobody.example"]);
            contract["issuers"].as_array_mut().unwrap().push(second);
        }),
        ["issuers[1].tenants", "issuers[1].act_issuers", "apps[0].issuers"]
    );
    assert_eq!(
        changed(|contract| {
            contract["issuers"][0]["tenants"] = json!(["acme", "globex"]);
            contract["issuers"][0].as_object_mut().unwrap().remove("tenant_claim");
        }),
        ["issuers[0].tenant_claim"]
    );
    assert_eq!(
        changed(|contract| {
            contract["issuers"][0]["type_absent"] = json!(true);
            contract["issuers"][0]["claim_tests"] = json!([{ "claim": "/scope", "present": true }]);
        }),
        ["issuers[0].type_absent"]
    );
}

#[test]
fn what_does_not_load_is_one_line_with_its_path() {
    let folder = Folder::new("contract-invalid");
    let refused = |text: &str| {
        let file = folder.write("contract.json", text);
        let ran = mandate(&["contract", "check", &file]);
        ran.one_line().replace(&format!("contract `{file}`: "), "")
    };
    let text = contract().to_string();
    let without = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        refused(&text.replace(from, to))
    };
    assert_eq!(
        without(r#"["EdDSA"]"#, r#"["HS256"]"#),
        "`issuers[0].algorithms[0]`: is not a supported asymmetric algorithm"
    );
    assert_eq!(without(r#"["EdDSA"]"#, "[]"), "`issuers[0].algorithms`: must not be empty");
    assert_eq!(
        without(r#""tenant_claim":"/tenant""#, r#""subject_claim":"/email""#),
        "`issuers[0].subject_claim`: must be `/sub`, `/oid` or `/uid`: other claims can change hands"
    );
    assert_eq!(
        without(r#""tenant_claim":"/tenant""#, r#""types":["JWT"]"#),
        "`issuers[0].claim_tests`: an issuer that accepts tokens without an access-token type needs `claim_tests` that refuse its ID tokens"
    );
    let twice = without(r#""status":"#, r#""status":"draft","status":"#);
    assert!(twice.starts_with("the document has a duplicate member"), "{twice}");
    let as_json = mandate(&["contract", "check", &folder.write("contract.json", "{}"), "--json"]);
    assert_eq!((as_json.code, as_json.json()["valid"].clone()), (2, json!(false)));
    let absent = folder.path("absent");
    assert_eq!(
        mandate(&["contract", "check", &absent]).one_line(),
        format!("contract `{absent}` cannot be read: No such file or directory (os error 2)")
    );
}

#[test]
fn the_schema_is_printed_as_it_stands_in_the_repository() {
    let printed = mandate(&["contract", "schema"]);
    assert_eq!(printed.stdout, include_str!("../../../contract/schema/contract.schema.json"));
    let trust = mandate(&["contract", "schema", "trust"]);
    assert_eq!(trust.stdout, include_str!("../../../contract/schema/trust.schema.json"));
}
