//! `identity`, `person`, `tenant` and `facts`.

use serde_json::{Value, json};

use crate::cli::Folder;
use crate::workplace::{BOARDS, NOW, Workplace};

/// A moment of the tests, as a flag.
fn at(seconds: u64) -> String {
    (NOW + seconds).to_string()
}

#[test]
fn facts_apply_takes_over_a_file_once() {
    let workplace = Workplace::new("facts");
    let would = workplace.json(&["facts", "apply", BOARDS, "--dry-run"]);
    let counts = json!({
        "objects": 15, "people": 4, "identities": 2, "credentials": 3, "relationships": 32,
    });
    assert_eq!((&would["changed"], &would["confirmed"]), (&counts, &json!(false)));
    assert_eq!(workplace.json(&["identity", "list"]), json!({"identities": []}));
    let did = workplace.json(&["facts", "apply", BOARDS]);
    assert_eq!((&did["changed"], &did["confirmed"]), (&counts, &json!(true)));
    let nothing = json!({
        "objects": 0, "people": 0, "identities": 0, "credentials": 0, "relationships": 0,
    });
    assert_eq!(workplace.json(&["facts", "apply", BOARDS])["changed"], nothing);
    // An older file revives nothing, and brings a changed scope.
    workplace.json(&["credential", "revoke", "helper-1", "--now", &at(9)]);
    let text = std::fs::read_to_string(BOARDS).unwrap();
    let narrower = text.replace("actions: [view, edit]", "actions: [view]");
    let narrower = workplace.folder.write("narrower.yaml", narrower);
    let changed = workplace.json(&["facts", "apply", &narrower]);
    assert_eq!(changed["changed"]["identities"], 1);
    let helper = workplace.json(&["identity", "show", "agent:helper"]);
    assert_eq!(helper["scope"]["actions"], json!(["view"]));
    let credentials = workplace.json(&["credential", "list", "agent:helper"]);
    assert_eq!(credentials["credentials"][1]["revoked_at"], NOW + 9);
}

#[test]
fn facts_apply_writes_all_or_nothing() {
    let workplace = Workplace::new("facts-wrong");
    let wrong = Folder::new("registry-facts-wrong-file").write(
        "facts.yaml",
        "organization: acme\nusers:\n- id: anne\nboards:\n- {id: b, workspce: w}\n",
    );
    let line = workplace.refused(&["facts", "apply", &wrong]);
    assert!(line.starts_with(&format!("facts `{wrong}`: line 5: `boards[0].workspce`")), "{line}");
    assert_eq!(workplace.json(&["person", "list"]), json!({"people": []}));
    let as_agent = Workplace::of_boards("facts-denied");
    assert_eq!(
        as_agent.refused(&["facts", "apply", BOARDS, "--as", "user:olga"]),
        format!("facts `{BOARDS}`: `user:olga` may not register tenants, people and objects")
    );
}

#[test]
fn facts_apply_takes_agents_as_a_platform_writes_them() {
    let workplace = Workplace::of_boards("facts-agents");
    let agents = "organization: acme\nowner: olga\nusers:\n- id: olga\n  \
        subjects: [{issuer: \"https://login.example/realms/acme\", name: u-olga}]\nagents:\n\
        - id: \"devops-helper\"\n  name: \"DevOps Helper\"\n  visibility: \"team\"\n  \
        shared_with_teams: [\"platform\"]\n  allowed_tools:\n    github: [\"list_repos\"]\n    \
        jira: [\"get_issue\"]\n";
    let path = workplace.folder.write("agents.yaml", agents);
    workplace.json(&["facts", "apply", &path]);
    let shown = workplace.json(&["identity", "show", "agent:devops-helper"]);
    assert_eq!(shown["owner"], "user:olga");
    assert_eq!(shown["scope"]["actions"], json!([]));
    let listed = workplace.page(&["relationship", "list", "--subject", "agent:devops-helper"]);
    assert_eq!(
        listed,
        "mcp_server:github#can_call@agent:devops-helper\n\
         mcp_server:jira#can_call@agent:devops-helper\n\
         tool:github/list_repos#can_call@agent:devops-helper\n\
         tool:jira/get_issue#can_call@agent:devops-helper\n"
    );
}

#[test]
fn tenant_and_person_come_before_identities() {
    let workplace = Workplace::new("people");
    let create = ["identity", "create", "agent:bot", "--tenant", "acme", "--owner", "user:anne"];
    assert_eq!(
        workplace.refused(&create),
        "there is no tenant `organization:acme`: register it first"
    );
    assert_eq!(workplace.json(&["tenant", "add", "acme"])["new"], true);
    assert_eq!(workplace.json(&["tenant", "add", "acme"])["new"], false);
    let subject = "https://login.example/realms/acme=u-anne";
    let put = ["person", "put", "user:anne", "--tenant", "acme", "--subject", subject];
    workplace.json(&put);
    let anne = json!({
        "person": "user:anne", "tenants": ["acme"], "status": "active", "expires_at": null,
        "subjects": [{"issuer": "https://login.example/realms/acme", "name": "u-anne"}],
    });
    assert_eq!(workplace.json(&["person", "show", "user:anne"]), anne);
    assert_eq!(workplace.json(&["person", "list"]), json!({"people": [anne]}));
    assert_eq!(workplace.json(&create)["owner"], "user:anne");
    assert_eq!(
        workplace.refused(&["person", "put", "user:bob", "--subject", "https://x=b"]),
        "`https://x` is not an issuer of the contract"
    );
}

#[test]
fn identity_create_list_and_show() {
    let workplace = Workplace::of_boards("identity-create");
    let made = workplace.json(&[
        "identity",
        "create",
        "agent:bot",
        "--tenant",
        "acme",
        "--owner",
        "user:anne",
        "--name",
        "Bot",
        "--sole-user",
        "user:anne",
        "--delegation",
        "on-invoke",
        "--boards",
        "roadmap",
        "--modes",
        "read,write",
        "--actions",
        "*",
        "--expires",
        "+8h",
        "--issuer",
        "https://login.example/realms/acme",
        "--client",
        "bot-app",
        "--now",
        &at(0),
    ]);
    let bot = json!({
        "identity": "agent:bot", "kind": "agent", "display_name": "Bot", "thread": null,
        "owner": "user:anne", "tenant": "acme", "delegation": "on-invoke",
        "scope": {"workspaces": [], "boards": ["roadmap"], "modes": ["read", "write"],
            "actions": "*"},
        "sole_user": "user:anne", "status": "active", "expires_at": NOW + 8 * 3600,
        "created_at": NOW, "last_used_at": null, "last_rotated_at": null,
        "external": {"issuer": "https://login.example/realms/acme", "subject": null,
            "client": "bot-app"},
    });
    let mut expected = bot.clone();
    expected["confirmed"] = json!(true);
    expected["position"] = json!({"era": 1, "epoch": 2});
    assert_eq!(made, expected);
    assert_eq!(workplace.json(&["identity", "show", "agent:bot"]), bot);
}

#[test]
fn identity_list_gives_pages_and_an_identity_is_made_once() {
    let workplace = Workplace::of_boards("identity-list");
    let create = ["identity", "create", "agent:bot", "--tenant", "acme", "--owner", "user:anne"];
    workplace.json(&create);
    let names = |value: Value| {
        let identities = value["identities"].as_array().unwrap().clone();
        identities
            .iter()
            .map(|one| one["identity"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let all = names(workplace.json(&["identity", "list"]));
    assert_eq!(all, ["agent:bot", "agent:helper", "agent:trainee"]);
    let page = ["identity", "list", "--tenant", "acme", "--after", "agent:bot", "--limit", "1"];
    assert_eq!(names(workplace.json(&page)), ["agent:helper"]);
    let of_anne = names(workplace.json(&["identity", "list", "--owner", "user:anne"]));
    assert_eq!(of_anne, ["agent:bot"]);
    assert_eq!(
        workplace.refused(&["identity", "create", "agent:bot", "--tenant", "acme"]),
        "there is an identity `agent:bot` already"
    );
    assert_eq!(
        workplace.refused(&["identity", "show", "agent:nobody"]),
        "there is no machine identity `agent:nobody`"
    );
}

#[test]
fn identity_suspend_resume_retire_and_scope() {
    let workplace = Workplace::of_boards("identity-life");
    let status = |verb| workplace.json(&["identity", verb, "agent:helper"])["status"].clone();
    assert_eq!(status("suspend"), "suspended");
    assert_eq!(
        workplace.refused(&["identity", "suspend", "agent:helper"]),
        "`agent:helper` is suspended"
    );
    assert_eq!(status("resume"), "active");
    let scoped = workplace.json(&["identity", "scope", "agent:helper", "--boards", "*"]);
    let scope = json!({"workspaces": [], "boards": "*", "modes": [], "actions": []});
    assert_eq!(scoped["scope"], scope);
    // Its owner may narrow it further, and not widen it again.
    let owner = ["identity", "scope", "agent:helper", "--as", "user:olga"];
    workplace.json(&[&owner[..], &["--boards", "roadmap"]].concat());
    assert_eq!(
        workplace.refused(&[&owner[..], &["--boards", "*"]].concat()),
        "`user:olga` may not widen this identity's scope"
    );
    assert_eq!(status("retire"), "retired");
    assert_eq!(
        workplace.refused(&["identity", "resume", "agent:helper"]),
        "`agent:helper` is retired"
    );
    assert_eq!(
        workplace.refused(&["identity", "retire", "agent:trainee", "--as", "user:ghost"]),
        "`--as`: there is no principal `user:ghost`"
    );
    assert_eq!(
        workplace.refused(&["identity", "retire", "agent:trainee", "--as", "agent:helper"]),
        "`agent:helper` may not retire this identity"
    );
}

#[test]
fn identity_thread_is_a_dry_run_until_it_is_confirmed() {
    let workplace = Workplace::of_boards("identity-thread");
    let thread = [
        "identity",
        "thread",
        "42",
        "--owner",
        "user:anne",
        "--tenant",
        "acme",
        "--expires",
        "+1h",
        "--boards",
        "roadmap",
        "--modes",
        "read",
        "--actions",
        "view",
    ];
    let told = workplace.json(&thread);
    assert_eq!((&told["confirmed"], &told["secret"]), (&json!(false), &Value::Null));
    let missing = workplace.refused(&["identity", "show", "agent:codex-42"]);
    assert_eq!(missing, "there is no machine identity `agent:codex-42`");
    let made = workplace.json(&[&thread[..], &["--confirm"]].concat());
    assert_eq!(made["identity"]["identity"], "agent:codex-42");
    let id = made["credential"]["credential"].as_str().unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with(&format!("mnd_{id}_")), "{made}");
    assert_eq!(made["identity"]["expires_at"], made["credential"]["expires_at"]);
}
