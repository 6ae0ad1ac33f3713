//! Real MCP SDKs as clients through a real Envoy with the filter, before a real MCP server: who may
//! do everything notices nothing of the gate, and what each SDK does with a denial is what docs/mcp.md
//! says.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests stop where something is not as it should be"
)]

#[path = "mcp_sdks/world.rs"]
mod world;

use mandate::commands::demo::{Call, Child, Guarded, Proxy, ask};
use mandate::dev_issuer::DevIssuer;
use mandate_tests::mcp::{self, Sdk};
use serde_json::{Value, json};

use world::{Acting, FORMS, OWNER, READER, STRANGER, TOOLS, contract, facts, issuer};

/// A server, Envoy with the gate before it, and an issuer.
struct Stage {
    server: Child,
    upstream: String,
    proxy: Proxy,
    issuer: DevIssuer,
}

impl Stage {
    fn begin(part: &str) -> Option<Self> {
        let programs = mcp::envoy(part)?;
        let (server, upstream) = mcp::server(part)?;
        let issuer = issuer();
        let (contract, facts) = (contract(issuer.url()), facts(issuer.url()));
        let guarded = Guarded {
            contract: &contract,
            facts: &facts,
            issuer: issuer.url(),
            upstream: &upstream,
        };
        let mut proxy = Proxy::start(&programs, &guarded).unwrap();
        let token = READER.token(&issuer);
        let call = Call { path: "/error", token: &token, tool: "edit_board", board: "roadmap" };
        proxy.wait_until_denied(&call).unwrap();
        Some(Self { server, upstream, proxy, issuer })
    }

    fn through(&self, form: &str, acting: Acting, generation: &str, steps: &Value) -> Value {
        let url = format!("{}/{form}", self.proxy.url());
        play(&url, &acting.token(&self.issuer), generation, steps)
    }
}

fn play(url: &str, token: &str, generation: &str, steps: &Value) -> Value {
    json!({"url": url, "token": token, "generation": generation, "steps": steps})
}

/// Everything that the server offers.
fn everything(generation: &str) -> Value {
    let mut steps = json!([
        ["tools"],
        ["resources"],
        ["prompts"],
        ["call", "get_board", "roadmap"],
        ["call", "edit_board", "roadmap", "ship it twice"],
        ["read", "board://salaries"],
        ["prompt", "salaries"],
        ["watch", "roadmap"],
        ["publish", "roadmap"]
    ]);
    if generation == "2025-11-25" {
        steps.as_array_mut().unwrap().push(json!(["ping"]));
    }
    steps
}

/// Three lists, four requests that the reader is denied, and one that it is not.
fn a_little() -> Value {
    json!([
        ["tools"],
        ["resources"],
        ["prompts"],
        ["call", "edit_board", "roadmap", "ship nothing"],
        ["call", "get_board", "salaries"],
        ["read", "board://salaries"],
        ["prompt", "salaries"],
        ["call", "get_board", "roadmap"]
    ])
}

/// Asks an SDK in one process for everything of a generation, and checks all but what it makes of
/// denials, which is returned as a row of docs/mcp.md.
fn row(stage: &Stage, sdk: Sdk, generation: &str, part: &str) -> Option<String> {
    let mut plays = vec![
        play(&format!("{}/direct", stage.upstream), "none", generation, &everything(generation)),
        stage.through("error", OWNER, generation, &everything(generation)),
    ];
    plays.extend(FORMS.map(|form| stage.through(form, READER, generation, &a_little())));
    plays.extend(
        ["error", "status"].map(|form| stage.through(form, STRANGER, generation, &json!([]))),
    );
    plays.push(play(&format!("{}/error", stage.proxy.url()), "none", generation, &json!([])));
    let answered = ask(&mut sdk.command(part)?, &Value::from(plays)).unwrap();
    let Value::Array(answered) = answered else { panic!("{answered}") };
    let received: Vec<Value> =
        stage.server.said().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [direct, owner, error, hide, status, late_error, late_status, nobody] = &answered[..]
    else {
        panic!("{answered:#?}")
    };
    nothing_is_noticed(direct, owner, generation);
    nothing_else_arrives(&received, generation);
    only_what_may_be_seen(direct, [error, hide, status]);
    let cells = [
        denied(error),
        denied(status),
        denied(hide),
        refused(late_error),
        refused(late_status),
        refused(nobody),
    ];
    Some(format!("| {} | {generation} | {} |", sdk.name(), cells.join(" | ")))
}

/// The same answers with the gate and without it, none of them an error.
fn nothing_is_noticed(direct: &Value, owner: &Value, generation: &str) {
    let answers = direct.as_array().unwrap();
    assert_eq!(answers[1..].len(), everything(generation).as_array().unwrap().len());
    assert!(answers.iter().all(|answer| answer["error"].is_null()), "{direct:#}");
    assert_eq!(names(&answers[1]["ok"]["tools"]), TOOLS);
    let progress = answers[8]["ok"]["progress"].as_array().unwrap();
    let told: Vec<_> = progress.iter().map(|step| step[2].as_str().unwrap()).collect();
    // What is told while the client is away comes when the stream is resumed.
    assert_eq!(told, ["before", "while away", "after"]);
    assert_eq!(owner, direct);
}

/// The server is asked the same with the gate and without it, by a named user, without the token; and
/// nothing of what is denied.
fn nothing_else_arrives(received: &[Value], generation: &str) {
    // A cancellation is sent as the client leaves: whether it still arrives is nobody's promise.
    let kept = received.iter().filter(|one| one["rpc"] != "notifications/cancelled");
    let of = |path: &str, user: Option<&str>| -> Vec<String> {
        let ours = kept.clone().filter(|one| one["path"] == path && one["user"].as_str() == user);
        let mut asked: Vec<String> = ours
            .map(|one| {
                assert_eq!(one["authorization"], json!(user.is_none()), "{one}");
                let word = |name: &str| one[name].as_str().unwrap_or("-").to_owned();
                let resumed = if one["resumed"] == json!(true) { "resumed" } else { "-" };
                let words = ["http", "rpc", "name", "version"].map(word);
                format!("{} {resumed}", words.join(" "))
            })
            .collect();
        asked.sort();
        asked
    };
    let direct = of("/direct", None);
    assert_eq!(of("/error", Some("user:olga")), direct);
    let has = |word: &str| direct.iter().any(|asked| asked.contains(word));
    let sessions = generation == "2025-11-25";
    assert_eq!(
        [has("initialize -"), has("GET - - 2025-11-25 -"), has("resumed"), has("DELETE")],
        [sessions; 4],
        "{direct:#?}"
    );
    assert_eq!([has("server/discover"), has("subscriptions/listen")], [!sessions; 2]);
    for form in FORMS {
        let asked = of(&format!("/{form}"), Some("user:anne"));
        let calls: Vec<_> = asked.iter().filter(|asked| asked.contains("tools/call")).collect();
        assert_eq!(calls, [&format!("POST tools/call get_board {generation} -")]);
        assert!(asked.iter().all(|asked| !asked.contains("resources/read")), "{asked:#?}");
        assert!(asked.iter().all(|asked| !asked.contains("prompts/get")), "{asked:#?}");
    }
    let everybody = kept.clone().filter(|one| one["path"] != "/direct");
    assert!(everybody.clone().all(|one| one["agent"] != "agent:stranger"));
    assert!(everybody.clone().all(|one| !one["user"].is_null()));
}

/// Lists show the reader what it may use, and the one call that it may make passes.
fn only_what_may_be_seen(direct: &Value, forms: [&Value; 3]) {
    for answers in forms {
        assert_eq!(
            names(&answers[1]["ok"]["tools"]),
            ["get_board", "watch_board", "publish_board"]
        );
        assert_eq!(names(&answers[2]["ok"]["resources"]), ["roadmap"]);
        assert_eq!(names(&answers[3]["ok"]["prompts"]), ["roadmap"]);
        let kept = &answers[1]["ok"]["tools"][0];
        assert_eq!(kept, &direct[1]["ok"]["tools"][0]);
        assert!(answers.as_array().unwrap()[4..8].iter().all(|answer| answer["ok"].is_null()));
    }
}

/// What the client reports for the calls that are denied, and whether the session goes on.
fn denied(answers: &Value) -> String {
    let mut all: Vec<String> = (4..8).map(|step| error(&answers[step])).collect();
    all.dedup();
    let goes_on = if answers[8]["error"].is_null() { "goes on" } else { "ends" };
    format!("{}; {goes_on}", all.join(", then "))
}

/// What the client reports when it cannot connect.
fn refused(answers: &Value) -> String {
    assert_eq!(answers.as_array().unwrap().len(), 1, "{answers:#}");
    error(&answers[0])
}

fn error(answer: &Value) -> String {
    let error = &answer["error"];
    let kind = error["type"].as_str().unwrap_or_else(|| panic!("{answer:#}"));
    if error["code"].is_null() {
        format!("`{kind}`")
    } else {
        format!("`{kind}` {}", error["code"])
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

/// All generations of an SDK.
fn behind_the_gate(sdk: Sdk) {
    let part = format!("{} behind Envoy", sdk.name());
    if sdk.command(&part).is_none() {
        return;
    }
    let Some(stage) = Stage::begin(&part) else { return };
    let rows = sdk.generations().iter().map_while(|generation| row(&stage, sdk, generation, &part));
    let rows: Vec<String> = rows.collect();
    let written: Vec<&str> =
        PAGE.lines().filter(|line| rows.iter().any(|row| row == line)).collect();
    assert_eq!(rows, written, "rows of docs/mcp.md");
}

#[test]
fn pypi_mcp_notices_nothing_and_reports_denials_as_written() {
    behind_the_gate(Sdk::Python);
}

#[test]
fn npm_sdk_notices_nothing_and_reports_denials_as_written() {
    behind_the_gate(Sdk::NpmSdk);
}

#[test]
fn npm_client_notices_nothing_and_reports_denials_as_written() {
    behind_the_gate(Sdk::NpmClient);
}

#[test]
fn rmcp_notices_nothing_and_reports_denials_as_written() {
    behind_the_gate(Sdk::Rmcp);
}

const PAGE: &str = include_str!("../../docs/mcp.md");
