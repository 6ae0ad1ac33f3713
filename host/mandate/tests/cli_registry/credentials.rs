//! `credential`.

use std::fs;

use serde_json::{Value, json};

use crate::workplace::{NOW, Workplace};

/// The credentials of the helper, by id, with what became of them.
fn states(workplace: &Workplace) -> Vec<(String, bool, Option<u64>)> {
    let listed = workplace.json(&["credential", "list", "agent:helper"]);
    let credentials = listed["credentials"].as_array().unwrap();
    let state = |one: &Value| {
        let id = one["credential"].as_str().unwrap().to_owned();
        (id, one["revoked_at"].is_u64(), one["expires_at"].as_u64())
    };
    credentials.iter().map(state).collect()
}

#[test]
fn credential_add_shows_a_secret_once_and_keeps_it_nowhere() {
    let workplace = Workplace::of_boards("credential-add");
    let add = ["credential", "add", "agent:helper", "--kind", "opaque"];
    let told = workplace.json(&add);
    assert_eq!((&told["confirmed"], &told["secret"]), (&json!(false), &Value::Null));
    assert_eq!(states(&workplace).len(), 2);
    let made = workplace.json(&[&add[..], &["--confirm"]].concat());
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert_eq!(states(&workplace).len(), 3);
    let (_, tail) = mandate_registry::secret::split(&secret).unwrap();
    for file in fs::read_dir(workplace.path("")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let found = bytes.windows(tail.len()).any(|window| window == tail.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
    assert!(!workplace.page(&["credential", "list", "agent:helper"]).contains(tail));
}

#[test]
fn credential_add_writes_a_secret_into_a_file_of_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let workplace = Workplace::of_boards("credential-file");
    let path = workplace.path("secret.txt");
    let add =
        ["credential", "add", "agent:helper", "--kind", "app-password", "--secret-file", &path];
    workplace.json(&add);
    assert!(!fs::exists(&path).unwrap());
    let made = workplace.run(&[&add[..], &["--confirm"]].concat());
    let secret = fs::read_to_string(&path).unwrap();
    assert!(secret.starts_with("mnd_") && secret.ends_with('\n'));
    assert!(!made.stdout.contains(secret.trim_end()), "{made:?}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // A file that exists is not overwritten, and then nothing is issued.
    let again = workplace.refused(&[&add[..], &["--confirm"]].concat());
    assert_eq!(
        again,
        format!("`--secret-file`: `{path}` cannot be made: File exists (os error 17)")
    );
    assert_eq!(states(&workplace).len(), 3);
}

#[test]
fn credential_add_takes_every_kind() {
    let workplace = Workplace::of_boards("credential-kinds");
    let issuer = "https://login.example/realms/acme";
    let key = workplace.folder.write(
        "key.json",
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    );
    let word = workplace.folder.write("word.txt", "correct horse\n");
    let thumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0";
    let table: [(&str, &[&str]); 4] = [
        ("certificate", &["--thumbprint", thumbprint]),
        ("context-key", &["--public-key", &key]),
        ("oauth-client", &["--issuer", issuer, "--client", "second-app"]),
        ("app-password", &["--import-secret", &word]),
    ];
    for (kind, options) in table {
        let add = ["credential", "add", "agent:helper", "--confirm", "--kind", kind];
        let made = workplace.json(&[&add, options].concat());
        assert_eq!((&made["kind"], &made["secret"]), (&json!(kind), &Value::Null));
    }
    assert_eq!(
        workplace.refused(&["credential", "add", "agent:helper", "--kind", "certificate"]),
        "`--thumbprint` is missing"
    );
    let other = ["credential", "add", "agent:helper", "--kind", "opaque", "--public-key", &key];
    assert_eq!(
        workplace.refused(&other),
        "`--public-key` is nothing that a credential of this kind has"
    );
}

#[test]
fn credential_rotate_leaves_both_good_for_the_window() {
    let workplace = Workplace::of_boards("credential-rotate");
    let add = ["credential", "add", "agent:helper", "--kind", "opaque", "--confirm"];
    let old = workplace.json(&add)["credential"].as_str().unwrap().to_owned();
    let now = NOW.to_string();
    let rotate = ["credential", "rotate", &old, "--window", "1h", "--now", &now];
    assert_eq!(workplace.json(&rotate)["confirmed"], false);
    let made = workplace.json(&[&rotate[..], &["--confirm"]].concat());
    assert_eq!(made["replaces"], json!(old));
    let states = states(&workplace);
    let ended = states.iter().find(|(id, _, _)| *id == old).unwrap();
    assert_eq!(*ended, (old, false, Some(NOW + 3600)));
    let shown = workplace.json(&["identity", "show", "agent:helper"]);
    assert_eq!(shown["last_rotated_at"], NOW);
}

#[test]
fn credential_revoke_ends_one_and_all_only_when_confirmed() {
    let workplace = Workplace::of_boards("credential-revoke");
    let revoked = |workplace: &Workplace| {
        states(workplace).into_iter().filter(|(_, revoked, _)| *revoked).count()
    };
    workplace.json(&["credential", "add", "agent:helper", "--kind", "opaque", "--confirm"]);
    assert_eq!(revoked(&workplace), 1);
    workplace.json(&["credential", "revoke", "helper-1"]);
    assert_eq!(revoked(&workplace), 2);
    assert_eq!(
        workplace.refused(&["credential", "revoke", "helper-1"]),
        "`helper-1` is revoked already"
    );
    let all = ["credential", "revoke", "agent:helper", "--all"];
    let told = workplace.json(&all);
    assert_eq!((told["revoked"].as_array().unwrap().len(), revoked(&workplace)), (1, 2));
    workplace.json(&[&all[..], &["--confirm"]].concat());
    assert_eq!(revoked(&workplace), 3);
    assert_eq!(workplace.json(&["identity", "show", "agent:helper"])["status"], "active");
}

#[test]
fn credential_import_legacy_takes_hashes_that_decide_nothing() {
    let workplace = Workplace::of_boards("credential-legacy");
    let rows = "{\"algorithm\":\"sha-256\",\"hash\":\"planted-1\",\"identity\":\"agent:helper\"}\n\
        {\"algorithm\":\"sha-256\",\"hash\":\"planted-2\"}\n";
    let path = workplace.folder.write("tokens.jsonl", rows);
    let import = ["credential", "import-legacy", &path];
    assert_eq!(workplace.json(&import)["confirmed"], false);
    let confirmed = [&import[..], &["--confirm"]].concat();
    let imported = workplace.json(&confirmed);
    assert_eq!((&imported["rows"], imported["imported"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(workplace.json(&confirmed)["imported"], json!([]));
    let wrong = workplace.folder.write("wrong.jsonl", "{\"hash\":\"planted-3\",\"algorithm\":1}\n");
    let ran = workplace.refused(&["credential", "import-legacy", &wrong]);
    assert!(!ran.contains("planted"), "{ran}");
    assert!(ran.contains("line 1"), "{ran}");
}
