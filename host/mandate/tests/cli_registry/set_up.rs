//! `init`, `migrate`, and the configuration.

use std::fs;

use mandate_registry::migration;
use serde_json::json;

use crate::cli::{Folder, mandate};
use crate::workplace::{NOW, Workplace};

#[test]
fn init_makes_a_working_folder_in_one_go() {
    let workplace = Workplace::new("init");
    let names = ["contract.json", "keys", "mandate.yaml", "model", "registry.db"];
    let mut found: Vec<_> = fs::read_dir(workplace.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names);
    for private in ["registry.db", "keys/feed.private.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(workplace.path(private)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{private}");
    }
    // The contract loads, the model is sound, the schema is the last one.
    let contract = mandate(&["contract", "check", &workplace.path("contract.json")]);
    assert_eq!(contract.code, 0, "{contract:?}");
    let model = mandate(&["model", "lint", &workplace.path("model/fga.mod")]);
    assert_eq!(model.code, 0, "{model:?}");
    assert_eq!(workplace.json(&["migrate"]), json!({"confirmed": false, "steps": []}));
}

#[test]
fn init_touches_no_folder_that_has_something_in_it() {
    let folder = Folder::new("registry-init-twice");
    folder.write("mine.txt", "mine");
    let at = folder.path("");
    let ran = mandate(&["init", &at, "--deployment", "acme"]);
    assert_eq!(ran.one_line(), format!("folder `{at}` is not empty"));
    assert_eq!(fs::read_dir(&at).unwrap().count(), 1);
}

#[test]
fn migrate_says_what_it_would_do_and_does_it_when_confirmed() {
    let workplace = Workplace::new("migrate");
    let steps = "down 0005-bootstrap\ndown 0004-contract\ndown 0003-segments\ndown 0002-audit\ndown 0001-core\n";
    let told = format!("{steps}dry run: nothing was changed; `--confirm` does it\n");
    assert_eq!(workplace.page(&["migrate", "--to", "0"]), told);
    let last = migration::latest();
    assert_eq!(workplace.page(&["migrate"]), format!("the database is at migration {last}\n"));
    assert_eq!(workplace.page(&["migrate", "--to", "0", "--confirm"]), steps);
    let up = json!({"confirmed": true, "steps": [
        {"direction": "up", "migration": 1, "name": "core"},
        {"direction": "up", "migration": 2, "name": "audit"},
        {"direction": "up", "migration": 3, "name": "segments"},
        {"direction": "up", "migration": 4, "name": "contract"},
        {"direction": "up", "migration": 5, "name": "bootstrap"},
    ]});
    assert_eq!(workplace.json(&["migrate", "--confirm"]), up);
    let unknown = format!("there is no migration 9, only {last}");
    assert_eq!(workplace.refused(&["migrate", "--to", "9"]), unknown);
}

#[test]
fn a_configuration_that_is_missing_or_wrong_is_one_line() {
    let folder = Folder::new("registry-configuration");
    let missing = folder.path("mandate.yaml");
    let migrate = |config: &str| mandate(&["migrate", "--config", config]).one_line().to_owned();
    assert_eq!(
        migrate(&missing),
        format!(
            "there is no configuration `{missing}`: `mandate init` makes one, `--config` names one"
        )
    );
    let usual = "deployment: acme\ncontract: contract.json\nmodel: model\n";
    let table = [
        ("database: {sqlite: a.db}\nserv: 1\n", "`serv`: unknown field `serv`"),
        ("", "missing field `database`"),
        ("database: {}\n", "`database`: must have one of `sqlite` and `postgres`"),
        ("database: {sqlite: 1, sqlite: 2}\n", "duplicate mapping key: sqlite"),
    ];
    for (rest, problem) in table {
        let path = folder.write("mandate.yaml", format!("{usual}{rest}"));
        let line = migrate(&path);
        let start = format!("configuration `{path}`: {problem}");
        assert!(line.starts_with(&start), "{line}");
    }
}

#[test]
fn a_registry_of_another_deployment_is_refused() {
    let workplace = Workplace::new("deployment");
    let path = workplace.path("mandate.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("deployment: \"acme\"", "deployment: globex")).unwrap();
    assert_eq!(
        workplace.refused(&["identity", "list"]),
        "`deployment`: the database is the registry of `acme`, not of `globex`"
    );
    fs::write(&path, text).unwrap();
    fs::remove_file(workplace.path("registry.db")).unwrap();
    let database = workplace.path("registry.db");
    assert_eq!(
        workplace.refused(&["identity", "list"]),
        format!("there is no database `{database}`: `mandate init` makes one")
    );
    assert!(!fs::exists(database).unwrap());
}

#[test]
fn registry_bootstrap_makes_a_credential_for_a_tenant_without_administrator() {
    let workplace = Workplace::of_boards("bootstrap");
    let now = NOW.to_string();
    let make = ["registry", "bootstrap", "--tenant", "globex", "--now", &now];
    let told = workplace.json(&make);
    let expected = json!({
        "bootstrap": told["bootstrap"], "tenant": "globex", "expires_at": NOW + 3600,
        "confirmed": false, "position": told["position"],
    });
    assert_eq!(told, expected);
    let path = workplace.path("bootstrap.secret");
    let confirmed = [&make[..], &["--confirm", "--secret-file", &path]].concat();
    let page = workplace.page(&confirmed);
    let secret = fs::read_to_string(&path).unwrap();
    let (id, word) = mandate_registry::secret::split(secret.trim()).unwrap();
    let start = format!("bootstrap credential {id} of globex, good until 2026-01-01T01:00:00Z\n");
    assert!(page.starts_with(&start) && !page.contains(word), "{page}");
    let refused = workplace.refused(&confirmed);
    assert_eq!(
        refused,
        format!("`--secret-file`: `{path}` cannot be made: File exists (os error 17)")
    );
    assert_eq!(
        workplace.refused(&["registry", "bootstrap", "--tenant", "nowhere", "--confirm"]),
        "there is no tenant `organization:nowhere`"
    );
    let by = ["registry", "bootstrap", "--tenant", "globex", "--as", "user:olga", "--confirm"];
    assert_eq!(workplace.refused(&by), "`user:olga` may not make a bootstrap credential");
    let missing = workplace.path("none/bootstrap.secret");
    let lost = [&make[..], &["--confirm", "--secret-file", &missing]].concat();
    assert!(workplace.refused(&lost).starts_with("`--secret-file`: "));
    workplace.json(&["relationship", "write", "organization:globex#admin@user:gina"]);
    let taken = "`organization:globex` has an administrator: who is one makes the next";
    assert_eq!(workplace.refused(&make), taken);
}
