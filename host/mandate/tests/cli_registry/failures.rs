//! What goes wrong outside, in one line each.

use std::process::Command;

use mandate_registry::database::{self, Access};
use mandate_registry::migration;

use crate::workplace::{BOARDS, Workplace};

#[test]
fn a_locked_database_is_one_line_and_reading_goes_on() {
    let workplace = Workplace::of_boards("locked");
    let mut database = database::open(&workplace.path("registry.db")).unwrap();
    let writer = database.begin(Access::Write).unwrap();
    let line = workplace.refused(&["identity", "suspend", "agent:helper"]);
    assert_eq!(line, "the database is locked by another writer");
    let shown = workplace.json(&["identity", "show", "agent:helper"]);
    assert_eq!(shown["status"], "active");
    drop(writer);
    assert_eq!(workplace.json(&["identity", "suspend", "agent:helper"])["status"], "suspended");
}

#[test]
fn a_schema_that_is_newer_or_older_is_one_line() {
    let workplace = Workplace::of_boards("schema");
    let change = |sql: &str| {
        let mut database = database::open(&workplace.path("registry.db")).unwrap();
        let mut transaction = database.begin(Access::Write).unwrap();
        transaction.execute(sql, &[]).unwrap();
        transaction.commit().unwrap();
    };
    let known = migration::latest();
    let found = known + 1;
    let row = format!("values ({found}, 'x', 'y', 0)");
    change(&format!("insert into migration (number, name, checksum, applied_at) {row}"));
    let newer = format!(
        "the database has migration {found}, this program knows {known}: use a newer program"
    );
    for verb in [&["identity", "list"][..], &["migrate", "--confirm"], &["facts", "apply", BOARDS]]
    {
        assert_eq!(workplace.refused(verb), newer);
    }
    change("delete from migration where number > 1");
    assert_eq!(
        workplace.refused(&["identity", "list"]),
        format!("the database has migration 1 of {known}: migrate it first")
    );
}

#[test]
fn a_postgres_that_is_not_there_is_one_line_without_its_password() {
    let workplace = Workplace::new("postgres");
    let ask = |url: &str| {
        let ran = Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["identity", "list", "--config", &workplace.path("mandate.yaml")])
            .env("MANDATE_DATABASE_URL", url)
            .output()
            .unwrap();
        assert_eq!((ran.status.code(), ran.stdout.as_slice()), (Some(2), &b""[..]));
        String::from_utf8(ran.stderr).unwrap()
    };
    let refused = ask("postgres://mandate:planted@127.0.0.1:1/mandate");
    assert!(refused.starts_with("error: the database cannot be reached: "), "{refused}");
    let elsewhere = ask("postgres://mandate:planted@db.example/mandate");
    assert!(elsewhere.starts_with("error: this Postgres is on another machine"), "{elsewhere}");
    let other = ask("mysql://mandate:planted@127.0.0.1/mandate");
    assert_eq!(other, "error: `MANDATE_DATABASE_URL` must be `sqlite:PATH` or `postgres://…`\n");
    for line in [refused, elsewhere, other] {
        assert_eq!((line.lines().count(), line.contains("planted")), (1, false), "{line}");
    }
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let workplace = Workplace::new("password");
    let password = workplace.path("password");
    std::fs::write(&password, "planted\n").unwrap();
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o644)).unwrap();
    let path = workplace.path("mandate.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let postgres = "postgres: {url: \"postgres://a@127.0.0.1:1/b\", password_file: password}";
    std::fs::write(&path, text.replace("sqlite: registry.db", postgres)).unwrap();
    assert_eq!(
        workplace.refused(&["identity", "list"]),
        format!("password file `{password}` can be read by others: `chmod 600` it")
    );
}
