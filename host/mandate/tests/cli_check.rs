//! `mandate check`, end to end.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

mod authz_world;
mod cli;

use authz_world::{FACTS, World, authz_contract};
use cli::{ISSUER, NOW, Ran, claims, claims_with, has_plugin, jwks, mandate, token};
use serde_json::{Value, json};

/// A world with its snapshot, and what everybody asks it.
struct Checked {
    world: World,
    snapshot: String,
}

impl Checked {
    fn new(test: &str) -> Self {
        Self::with(test, FACTS)
    }

    fn with(test: &str, facts: &str) -> Self {
        let world = World::new(test);
        let snapshot = world.snapshot("one.mandate", facts);
        Self { world, snapshot }
    }

    fn check(&self, more: &[&str]) -> Ran {
        let now = NOW.to_string();
        let usual = [
            "check",
            "--snapshot",
            &self.snapshot,
            "--pin",
            &self.world.public,
            "--contract",
            &self.world.contract,
        ];
        let moment: &[&str] = if more.contains(&"--now") { &[] } else { &["--now", &now] };
        mandate(&[&usual, more, moment].concat())
    }

    /// Alice, through the helper, unless `more` says otherwise.
    fn board(&self, board: &str, more: &[&str]) -> Ran {
        let argument = format!("/board={board}");
        let call = ["--action", "view", "--tool", "get_board", "--argument", &argument];
        self.check(&[&call, more].concat())
    }

    fn by_name(&self, board: &str, more: &[&str]) -> Ran {
        self.board(board, &[&["--as", "user:alice", "--agent", "agent:helper"], more].concat())
    }

    fn by_token(&self, claims: &Value, more: &[&str]) -> Ran {
        let keys = self.world.folder.write("jwks.json", jwks().to_string());
        let keys = format!("{ISSUER}={keys}");
        let file = self.world.folder.write("token.txt", token(claims));
        self.board("roadmap", &[&["--keys", &keys, "--token-file", &file], more].concat())
    }
}

/// The reason and the exit code.
fn reason(ran: &Ran) -> (String, i32) {
    (ran.json()["reason"].as_str().unwrap().to_owned(), ran.code)
}

#[test]
fn check() {
    let checked = Checked::new("check");
    let allowed = checked.by_name("roadmap", &[]);
    assert_eq!(
        allowed,
        Ran {
            code: 0,
            stdout: "allow
  binding     asserted
  user        user:alice
  agent       agent:helper
  tenant      acme
  delegation  stored
  contract    1.0.0
  state       era 1, epoch 1, issued now
  now         2026-01-01T00:00:00Z
by
  user:alice#delegate_of@agent:helper
  agent:helper#shared_with_teams@team:platform#member
  └─ team:platform#member@user:alice
  tool:tasks/get_board#can_call@agent:helper
  tool:tasks/get_board#can_call@team:platform#member
  └─ team:platform#member@user:alice
  board:roadmap#editor@team:platform#member
  └─ team:platform#member@user:alice
"
            .to_owned(),
            stderr: String::new(),
        }
    );
    let denied = checked.by_name("salaries", &[]);
    assert_eq!(
        denied,
        Ran {
            code: 1,
            stdout: "deny no-relation
  detail      no relation that allows the action
  failed at   line 8, which needs: the user has the relation to every resource
  meaning     The user has no relation to the resource that allows the action.
  binding     asserted
  user        user:alice
  agent       agent:helper
  tenant      acme
  delegation  stored
  contract    1.0.0
  state       era 1, epoch 1, issued now
  now         2026-01-01T00:00:00Z
"
            .to_owned(),
            stderr: String::new(),
        }
    );
}

#[test]
fn a_token_is_bound_to_its_user_and_agent() {
    let checked = Checked::new("check-token");
    let ran = checked.by_token(&claims(), &["--json"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let said = ran.json();
    assert_eq!(
        (&said["verdict"], &said["binding_mode"], &said["user"], &said["agent"]),
        (&json!("allow"), &json!("claim+relation"), &json!("user:alice"), &json!("agent:helper"))
    );
    assert_eq!((&said["credential"], &said["runner"]), (&json!("helper-1"), &json!("native")));
    for (patch, expected) in [
        (json!({ "scope": "board:write" }), "scope-token"),
        (json!({ "exp": NOW - 100 }), "token-expired"),
        (json!({ "sub": "mallory" }), "identity-unknown"),
        (json!({ "act": null }), "agent-required"),
        (json!({ "act": { "sub": "agent-9" } }), "identity-unknown"),
        (json!({ "sub": "olga" }), "not-delegate"),
        (json!({ "tenant": "globex" }), "cross-tenant"),
    ] {
        let ran = checked.by_token(&claims_with(&patch), &["--json"]);
        assert_eq!(reason(&ran), (expected.to_owned(), 1), "{patch}");
    }
}

#[test]
fn a_denial_names_its_reason() {
    let checked = Checked::new("check-denials");
    let by_name =
        |board: &str, more: &[&str]| reason(&checked.by_name(board, &[&["--json"], more].concat()));
    let denied = |reason: &str| (reason.to_owned(), 1);
    assert_eq!(by_name("diary", &[]), denied("scope-workspace"));
    assert_eq!(by_name("theirs", &[]), denied("cross-tenant"));
    assert_eq!(by_name("roadmap", &["--on-behalf-of", "user:carol"]), denied("cross-user"));
    assert_eq!(by_name("roadmap", &["--minimum-epoch", "1.2"]), denied("snapshot-stale"));
    let late = (NOW + 121).to_string();
    assert_eq!(by_name("roadmap", &["--now", &late]), denied("snapshot-stale"));
    assert_eq!(by_name("roadmap", &["--now", &late, "--any-age"]), ("ok".to_owned(), 0));
    let as_user = |user: &str| {
        let names = ["--as", user, "--agent", "agent:helper", "--json"];
        reason(&checked.board("roadmap", &names))
    };
    assert_eq!(as_user("user:carol"), denied("not-delegate"));
    assert_eq!(as_user("user:bob"), denied("cross-tenant"));
    assert_eq!(as_user("user:nobody"), denied("identity-unknown"));
    // Not one of the agent's tools.
    let moved = checked.check(&[
        "--as",
        "user:alice",
        "--agent",
        "agent:helper",
        "--action",
        "edit",
        "--tool",
        "move_card",
        "--argument",
        "/board=roadmap",
        "--json",
    ]);
    assert_eq!(reason(&moved), denied("scope-mode"));
}

#[test]
fn one_fact_makes_the_difference() {
    let denied = |test: &str, from: &str, to: &str| {
        assert!(FACTS.contains(from), "{from}");
        let checked = Checked::with(&format!("check-fact-{test}"), &FACTS.replace(from, to));
        reason(&checked.by_token(&claims(), &["--json"])).0
    };
    assert_eq!(
        denied(
            "credential",
            "subject: \"agent-1\"}",
            "subject: \"agent-1\", revoked_at: 1767225600}"
        ),
        "credential-revoked"
    );
    assert_eq!(
        denied(
            "identity",
            "    subjects: [\"agent-1\"]
",
            "    subjects: [\"agent-1\"]
    expires_at: 1767225000
"
        ),
        "identity-expired"
    );
    assert_eq!(
        denied("user", "{id: alice, ", "{id: alice, status: suspended, "),
        "identity-disabled"
    );
    assert_eq!(
        denied("delegate", "delegated_by: [alice]", "delegated_by: [carol]"),
        "not-delegate"
    );
    assert_eq!(denied("tool", "[list_boards, get_board]}", "[list_boards]}"), "agent-tool");
    assert_eq!(
        denied(
            "caller",
            "tasks/get_board, callers: [\"team:platform#member\", olga]",
            "tasks/get_board, callers: [olga]"
        ),
        "caller-tool"
    );
    assert_eq!(
        denied("use", "    visibility: team\n    shared_with_teams: [platform]\n", ""),
        "agent-use"
    );
    assert_eq!(
        denied("board", "editor: [\"team:platform#member\"]", "viewer: [olga]"),
        "no-relation"
    );
}

#[test]
fn every_line_is_explained() {
    let checked = Checked::new("check-explain");
    let explained = checked.by_name("diary", &["--explain"]);
    assert_eq!(explained.code, 1);
    let lines: Vec<&str> =
        explained.stdout.lines().skip_while(|line| *line != "lines").skip(1).collect();
    assert_eq!(
        lines,
        [
            "  1  the state is loaded, verified and fresh: holds",
            "  2  user, agent and credential are known and active: holds",
            "  3  everything is of one tenant: holds",
            "  4  the user has delegated to the agent: holds",
            "       user:alice#delegate_of@agent:helper",
            "  5  token scope and identity cover the action: FAILS scope-workspace: a resource \
             is outside the identity's places",
            "  6  the user may use the agent: holds",
            "       agent:helper#shared_with_teams@team:platform#member",
            "       └─ team:platform#member@user:alice",
            "  7  agent and user may call the tool: holds",
            "       tool:tasks/get_board#can_call@agent:helper",
            "       tool:tasks/get_board#can_call@team:platform#member",
            "       └─ team:platform#member@user:alice",
            "  8  the user has the relation to every resource: holds",
            "       board:diary#viewer@user:alice",
        ]
    );
}

#[test]
fn component_and_module_decide_as_core_does() {
    if !has_plugin("check through the component and the module") {
        return;
    }
    let checked = Checked::new("check-component");
    let said = |ran: &Ran| {
        let said = ran.json();
        let members =
            ["verdict", "reason", "failing_line", "binding_mode", "user", "agent", "credential"];
        (ran.code, members.map(|member| said[member].clone()), said["relation_path"].clone())
    };
    let late = (NOW + 121).to_string();
    let mut reasons = Vec::new();
    for (board, more) in [
        ("roadmap", &[][..]),
        ("salaries", &[]),
        ("diary", &[]),
        ("theirs", &[]),
        ("roadmap", &["--on-behalf-of", "user:carol"]),
        ("roadmap", &["--minimum-epoch", "1.2"]),
        ("roadmap", &["--now", &late]),
        ("roadmap", &["--now", &late, "--any-age"]),
    ] {
        let ask = |runner: &str| {
            let runner = ["--runner", runner, "--json"];
            said(&checked.by_name(board, &[more, &runner].concat()))
        };
        let native = ask("native");
        assert_eq!(ask("component"), native, "{board} {more:?}");
        reasons.push(native.1[1].clone());
    }
    assert_eq!(
        reasons,
        [
            "ok",
            "no-relation",
            "scope-workspace",
            "cross-tenant",
            "cross-user",
            "snapshot-stale",
            "snapshot-stale",
            "ok",
        ]
    );
    let token = |runner| said(&checked.by_token(&claims(), &["--runner", runner, "--json"]));
    assert_eq!(token("component"), token("native"));
    // Compiled anew for every command: the fixtures ask it everything, here it is asked once each.
    assert_eq!(token("module"), token("native"));
    let lines = |runner| checked.by_name("roadmap", &["--explain", "--runner", runner]).stdout;
    assert_eq!(lines("module"), lines("native"));
    let explained = checked.by_name("roadmap", &["--explain", "--runner", "component"]);
    assert_eq!(
        explained.one_line(),
        "`--runner native` and `module` explain their lines: the component answers doors"
    );
}

#[test]
fn only_a_verified_snapshot_decides() {
    let checked = Checked::new("check-verified");
    let stranger = checked.world.folder.path("stranger.jwk");
    let public = checked.world.folder.path("stranger.public.jwk");
    mandate(&["snapshot", "keygen", "-o", &stranger, "--public", &public]);
    let now = NOW.to_string();
    let with_pin = |pin: &str, snapshot: &str, more: &[&str]| {
        let usual = [
            "check",
            "--snapshot",
            snapshot,
            "--pin",
            pin,
            "--contract",
            &checked.world.contract,
            "--now",
            &now,
            "--action",
            "list_boards",
            "--tool",
            "list_boards",
            "--as",
            "user:alice",
            "--agent",
            "agent:helper",
        ];
        mandate(&[&usual, more].concat())
    };
    assert_eq!(with_pin(&checked.world.public, &checked.snapshot, &[]).code, 0);
    for more in [&[][..], &["--any-age"]] {
        let ran = with_pin(&public, &checked.snapshot, more);
        let line = ran.one_line();
        assert!(line.starts_with(&format!("snapshot `{}`: ", checked.snapshot)), "{line}");
        assert!(line.ends_with("is not pinned"), "{line}");
    }
    let mut altered = std::fs::read(&checked.snapshot).unwrap();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let altered = checked.world.folder.write("altered.mandate", altered);
    let ran = with_pin(&checked.world.public, &altered, &[]);
    assert!(ran.one_line().ends_with("chunk 0 is not the one that was signed"), "{ran:?}");
}

#[test]
fn a_delta_follows_on_the_snapshot() {
    let checked = Checked::new("check-delta");
    let (world, now) = (&checked.world, NOW.to_string());
    let later = FACTS.replace("members: [alice, carol]", "members: [carol]");
    let built = world.build_with("two.mandate", &later, &["--epoch", "2", "--era", "1"]);
    assert_eq!(built.code, 0, "{built:?}");
    let (two, delta) = (world.folder.path("two.mandate"), world.folder.path("delta.mandate"));
    let told = mandate(&[
        "snapshot",
        "diff",
        &checked.snapshot,
        &two,
        "-o",
        &delta,
        "--key",
        &world.key,
        "--now",
        &now,
    ]);
    assert_eq!(told.code, 0, "{told:?}");
    let ran = checked.by_name("roadmap", &["--delta", &delta, "--json"]);
    assert_eq!((reason(&ran), &ran.json()["epoch"]), (("agent-use".to_owned(), 1), &json!(2)));
    let line = checked.by_name("roadmap", &["--delta", &delta, "--delta", &delta]);
    assert!(line.one_line().contains("snapshot-rollback"), "{line:?}");
}

#[test]
fn bad_input_is_one_clear_line() {
    let checked = Checked::new("check-bad-input");
    let line = |more: &[&str]| checked.check(more).one_line().to_owned();
    let names = ["--as", "user:alice", "--action", "view"];
    assert_eq!(
        line(&[&names[..], &["--resource", "roadmap"]].concat()),
        "invalid value 'roadmap' for '--resource <TYPE:ID>': must be TYPE:ID; see `--help`"
    );
    assert_eq!(
        line(&["--as", "user:alice"]),
        "the following required arguments were not provided: --action <NAME>; see `--help`"
    );
    assert_eq!(
        line(&["--agent", "agent:helper", "--action", "view"]),
        "the following required arguments were not provided: --as <TYPE:ID>; see `--help`"
    );
    assert_eq!(
        line(&[&names[..], &["--runner", "python"]].concat()),
        "invalid value 'python' for '--runner <RUNNER>': expected `native`, `component`, `module`, \
         `envoy`, `ext-authz` or `exec:CMD`; see `--help`"
    );
    let absent = checked.world.folder.path("absent");
    assert_eq!(
        line(&[&names[..], &["--caller", &absent]].concat()),
        format!("caller values `{absent}` cannot be read: No such file or directory (os error 2)")
    );
    let mut contract = authz_contract();
    contract["authz"]["actions"]["view"]["mode"] = json!("peek");
    checked.world.folder.write("contract.json", contract.to_string());
    let refused = line(&names);
    assert!(refused.contains("`authz.actions.view.mode`"), "{refused}");
}
