//! `mandate conformance`, end to end.

#![expect(clippy::unwrap_used, reason = "tests")]

mod cli;

use cli::{Folder, mandate};
use serde_json::{Value, json};

const NATIVE: [&str; 3] = ["conformance", "--runner", "native"];

fn native(more: &[&str]) -> cli::Ran {
    mandate(&[&NATIVE, more].concat())
}

/// A folder with one base and these fixtures.
fn fixtures(test: &str, fixtures: &[(&str, Value)]) -> (Folder, String) {
    let folder = Folder::new(test);
    std::fs::create_dir(folder.path("_contracts")).unwrap();
    let base = include_str!("../../../contract/fixtures/authn/_contracts/direct.json");
    folder.write("_contracts/direct.json", base);
    for (id, fixture) in fixtures {
        folder.write(&format!("{id}.json"), fixture.to_string());
    }
    let path = folder.path("");
    (folder, path)
}

fn accepted() -> Value {
    serde_json::from_str(include_str!("../../../contract/fixtures/authn/alg-rs256.json")).unwrap()
}

fn refused(reason: &str) -> Value {
    json!({
        "id": "crit-x", "why": "A fixture of this test: the header has `crit`, which is refused.",
        "now": 1_767_225_600, "contract": "direct", "token": {"header": {"crit": ["x"]}},
        "expect": {"verdict": "deny", "reason": reason}, "twin": "alg-rs256",
    })
}

#[test]
fn native_agrees_and_the_table_says_so() {
    let ran = native(&["--only", "aud-*"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "class                  agree  disagree  exceptions  skipped");
    assert_eq!(lines[1], "aud                       27         0           0        0");
    assert_eq!(lines[3], "native: 27 fixtures, 27 agree, 0 disagree, 0 exceptions, 0 skipped");
}

#[test]
fn json_holds_every_fixture_with_its_outcome() {
    let ran = native(&["--only", "alg-rs256", "--json"]);
    assert_eq!(
        ran.json(),
        json!({
            "agrees": true, "comparison": "full", "fixtures": 1, "runner": "native",
            "runs": [{"class": "alg", "id": "alg-rs256", "outcome": "agree"}],
        })
    );
}

#[test]
fn a_disagreement_is_shown_and_exits_1() {
    let set = [("alg-rs256", accepted()), ("crit-x", refused("token-type"))];
    let (_folder, path) = fixtures("conformance-disagree", &set);
    let ran = native(&["--fixtures", &path]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let expected = "DISAGREE  crit-x: expected deny token-type, got deny token-critical";
    assert!(ran.stdout.lines().any(|line| line == expected), "{ran:?}");
    // As far as the decision goes, both say deny.
    assert_eq!(native(&["--fixtures", &path, "--compare", "decision"]).code, 0);
}

#[test]
fn a_listed_exception_agrees_until_it_is_no_longer_true() {
    let wrong = [("alg-rs256", accepted()), ("crit-x", refused("token-type"))];
    let (folder, path) = fixtures("conformance-exception", &wrong);
    let list = json!([{
        "id": "crit-x", "expected": "deny token-type", "actual": "deny token-critical",
        "reason": "made for this test",
    }]);
    let listed = Folder::new("conformance-exception-list");
    let list = listed.write("native.json", list.to_string());
    let ran = native(&["--fixtures", &path, "--exceptions", &list]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("exception crit-x: made for this test\n"), "{ran:?}");

    folder.write("crit-x.json", refused("token-critical").to_string());
    let ran = native(&["--fixtures", &path, "--exceptions", &list]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("an unexpected pass: remove the exception"), "{ran:?}");
}

#[test]
fn a_fixture_without_an_accepted_twin_or_that_nobody_reads_is_refused() {
    let (folder, path) = fixtures("conformance-twin", &[("crit-x", refused("token-critical"))]);
    let ran = native(&["--fixtures", &path]);
    assert_eq!(ran.one_line(), "crit-x: its twin `alg-rs256` is no accepted fixture");

    folder.write("alg-rs256.json", accepted().to_string());
    folder.write("notes.txt", "");
    assert_eq!(native(&["--fixtures", &path]).one_line(), "notes.txt: no fixture");
    std::fs::remove_file(folder.path("notes.txt")).unwrap();

    let mut misspelt = refused("token-critical");
    misspelt["tokens"] = json!({});
    folder.write("crit-x.json", misspelt.to_string());
    let ran = native(&["--fixtures", &path]);
    assert!(ran.one_line().starts_with("crit-x.json: unknown field `tokens`"), "{ran:?}");
}

#[test]
fn a_program_is_scored_over_the_protocol() {
    // Our own probe as the program: any other speaks the same lines.
    let program = format!("exec:'{}' probe --runner native", env!("CARGO_BIN_EXE_mandate"));
    let full = ["conformance", "--runner", &program, "--name", "probe", "--compare", "full"];
    let ran = mandate(&[&full[..], &["--only", "c*"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("probe: 30 fixtures, 30 agree"), "{ran:?}");
}

#[test]
fn a_program_that_accepts_everything_hangs_or_dies_disagrees() {
    let score = |program: &str| {
        let arguments =
            ["conformance", "--runner", program, "--only", "crit-*", "--timeout", "1", "--json"];
        let ran = mandate(&arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
        ran.json()
    };
    let actual =
        |report: &Value, at: usize| report["runs"][at]["actual"].as_str().unwrap().to_owned();
    let yes =
        r#"exec:sed -u -E 's/.*"id":"([^"]*)".*/{"id":"\1","verdict":"allow","reason":"ok"}/'"#;
    assert_eq!(actual(&score(yes), 0), "allow ok");
    let dead = score("exec:true");
    assert!(actual(&dead, 0).contains("the program has"), "{dead}");
    assert_eq!(actual(&score("exec:sleep 60"), 0), "no answer within 1s");
}

#[test]
fn export_writes_tokens_and_key_sets_that_need_no_recipe() {
    let folder = Folder::new("conformance-export");
    let into = folder.path("out");
    let ran = native(&["--only", "alg-none", "--export", &into]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = std::fs::read_to_string(folder.path("out/alg-none.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let token = document["request"]["token"].as_str().unwrap();
    assert!(token.starts_with("eyJhbGciOiJub25lIi") && token.ends_with('.'), "{token}");
    let keys = &document["request"]["trust"]["key_sets"][0]["keys"]["keys"];
    assert_eq!(keys[0]["kty"], "RSA");
    assert_eq!(keys[0].get("d"), None);
    assert_eq!(document["expect"], json!({"verdict": "deny", "reason": "token-algorithm"}));
    let lines = std::fs::read_to_string(folder.path("out/requests.jsonl")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&lines).unwrap(), document["request"]);
}

/// A folder with one world of relationships and one fixture.
fn decisions(test: &str, fixture: &Value) -> (Folder, String) {
    let folder = Folder::new(test);
    std::fs::create_dir(folder.path("_worlds")).unwrap();
    let (world, facts) = (
        include_str!("../../../contract/fixtures/authz/_worlds/relations.json"),
        include_str!("../../../contract/fixtures/authz/_worlds/relations.yaml"),
    );
    folder.write("_worlds/relations.json", world);
    folder.write("_worlds/relations.yaml", facts);
    folder.write("engine-mine.json", fixture.to_string());
    let path = folder.path("");
    (folder, path)
}

fn decision(allowed: bool) -> Value {
    json!({
        "id": "engine-mine", "why": "A fixture of this test: anne sees the plan by her team, carl does not.",
        "world": "relations",
        "allow": [{"id": "anne"}],
        "deny": [{
            "id": "carl", "twin": "anne", "but": {"/check/user": "user:carl"},
            "expect": {"allowed": allowed},
        }],
    })
}

#[test]
fn decisions_are_scored_by_every_runner() {
    let (_folder, path) = decisions("conformance-decisions", &decision(false));
    let runners: &[&str] = if cli::has_plugin("conformance of decisions") {
        &["native", "component", "module"]
    } else {
        &["native"]
    };
    for runner in runners {
        let ran = mandate(&["conformance", "--runner", runner, "--fixtures", &path, "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let run = |id: &str| json!({"class": "authz/engine", "id": id, "outcome": "agree"});
        assert_eq!(
            ran.json(),
            json!({
                "agrees": true, "comparison": "full", "fixtures": 2, "runner": runner,
                "runs": [run("engine-mine/anne"), run("engine-mine/carl")],
            })
        );
    }
}

#[test]
fn a_wrong_decision_is_shown_and_may_be_an_exception() {
    let (_folder, path) = decisions("conformance-wrong", &decision(true));
    let ran = native(&["--fixtures", &path]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let expected = "DISAGREE  engine-mine/carl: expected allowed true, got allowed false";
    assert!(ran.stdout.lines().any(|line| line == expected), "{ran:?}");
    let list = json!([{
        "id": "engine-mine/carl", "expected": "allowed true", "actual": "allowed false",
        "reason": "made for this test",
    }]);
    let listed = Folder::new("conformance-wrong-list");
    let list = listed.write("native.json", list.to_string());
    let ran = native(&["--fixtures", &path, "--exceptions", &list]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("exception engine-mine/carl: made for this test\n"), "{ran:?}");
}

#[test]
fn a_decision_without_a_sibling_or_with_two_changes_is_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut fixture = decision(false);
        change(&mut fixture);
        let (_folder, path) = decisions("conformance-sibling", &fixture);
        native(&["--fixtures", &path]).one_line().to_owned()
    };
    assert_eq!(
        refused(&|fixture| fixture["deny"][0]["but"]["/check/object"] = json!("document:b")),
        "engine-mine.json: `carl` differs in one place from its twin"
    );
    assert_eq!(
        refused(&|fixture| fixture["allow"] = json!([{"id": "anne"}, {"id": "alone"}])),
        "engine-mine.json: `alone` has no denied sibling"
    );
    assert_eq!(
        refused(&|fixture| fixture["deny"][0]["but"] = json!({"/check/nobody/x": 1})),
        "engine-mine: carl: `/check/nobody/x` names no place in the case: no `nobody`"
    );
    assert_eq!(
        refused(&|fixture| fixture["given"] = json!({"/check": {}, "/check/user": "user:bob"})),
        "engine-mine: given: `/check/user` is within `/check`, which is changed as well"
    );
}

#[test]
fn a_program_is_asked_decisions_on_facts() {
    let program = format!("exec:'{}' probe --runner native", env!("CARGO_BIN_EXE_mandate"));
    let full = ["conformance", "--runner", &program, "--name", "probe", "--compare", "full"];
    let some = ["--worlds", "facts", "--only", "delegation-*"];
    let ran = mandate(&[&full[..], &some].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("probe: 7 fixtures, 7 agree"), "{ran:?}");
}

#[test]
fn export_writes_decisions_with_their_snapshots() {
    let folder = Folder::new("conformance-export-decisions");
    let into = folder.path("out");
    let ran = native(&["--only", "delegation-stored/*", "--export", &into]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines = std::fs::read_to_string(folder.path("out/requests.jsonl")).unwrap();
    let mut denied = 0;
    for line in lines.lines() {
        let request: Value = serde_json::from_str(line).unwrap();
        let id = request["id"].as_str().unwrap();
        let text = std::fs::read_to_string(folder.path(&format!("out/{id}.json"))).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["request"], request);
        assert!(request["containers"][0].as_str().is_some_and(|text| text.len() > 1_000), "{id}");
        denied +=
            usize::from(document["expect"]["verdict"] == "deny" && document["twin"].is_string());
    }
    assert_eq!((lines.lines().count(), denied), (7, 5));
}

#[test]
fn wrong_usage_is_one_line() {
    let line =
        |arguments: &[&str]| mandate(&[&["conformance"], arguments].concat()).one_line().to_owned();
    assert_eq!(
        line(&["--runner", "native", "--only", "no-such-*"]),
        "`--only no-such-*` matches no fixture"
    );
    assert_eq!(
        line(&["--runner", "native", "--fuel"]),
        "`--fuel` counts the work of the component: give `--runner component`"
    );
    assert_eq!(line(&["--runner", "envoy"]), "`--runner envoy` needs `--filter`");
    assert_eq!(
        line(&["--runner", "envoy", "--filter", "no-such-file"]),
        "there is no module `no-such-file`"
    );
    assert!(
        line(&["--runner", "python3"]).contains(
            "expected `native`, `component`, `module`, `envoy`, `ext-authz` or `exec:CMD`"
        )
    );
    assert!(
        line(&["--runner", "native", "--fixtures", "/no/such/folder"])
            .starts_with("cannot read /no/such/folder")
    );
}
