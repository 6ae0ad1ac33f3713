//! The command on a real Postgres.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::running::Running;
use crate::server::{PASSWORD, server};
use crate::workplace::{BOARDS, Workplace};

/// A working folder whose registry is on Postgres, in an empty database; none where there is no
/// Postgres.
fn workplace(test: &str) -> Option<Workplace> {
    let server = server()?;
    let workplace = Workplace::new(test);
    // The password stands in its file alone.
    let url = server.url_with(&server.make_database(), "").replace(":@", "@");
    let path = workplace.path("mandate.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let postgres = format!("postgres: {{url: \"{url}\", password_file: password}}");
    fs::write(&path, text.replace("sqlite: registry.db", &postgres)).unwrap();
    write_password(&workplace, PASSWORD);
    Some(workplace)
}

fn write_password(workplace: &Workplace, password: &str) {
    let path = workplace.path("password");
    fs::write(&path, format!("{password}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_wrong_password_of_postgres_is_one_line_without_it() {
    let Some(workplace) = workplace("wrong-password") else { return };
    write_password(&workplace, "planted-wrong");
    let line = "the database does not accept this user name and password";
    for verb in [&["migrate", "--confirm"][..], &["identity", "list"], &["audit", "verify"]] {
        assert_eq!(workplace.refused(verb), line);
    }
    let url = server().unwrap().url_with("postgres", "planted-wrong");
    let ran = Command::new(env!("CARGO_BIN_EXE_mandate"))
        .args(["identity", "list", "--config", &workplace.path("mandate.yaml")])
        .env("MANDATE_DATABASE_URL", url)
        .output()
        .unwrap();
    assert_eq!((ran.status.code(), ran.stdout.as_slice()), (Some(2), &b""[..]));
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), format!("error: {line}\n"));
    write_password(&workplace, PASSWORD);
    workplace.json(&["migrate", "--confirm"]);
    assert_eq!(workplace.json(&["identity", "list"])["identities"].as_array().unwrap().len(), 0);
}

#[test]
fn a_write_of_one_process_is_published_by_another() {
    let Some(workplace) = workplace("two-processes") else { return };
    workplace.json(&["migrate", "--confirm"]);
    workplace.json(&["facts", "apply", BOARDS]);
    let folder = workplace.path("published");
    fs::create_dir(&folder).unwrap();
    let mut publisher = Running::start(
        Command::new(env!("CARGO_BIN_EXE_mandate"))
            .args(["snapshot", "publish", &folder, "--watch", "--json", "--config"])
            .arg(workplace.path("mandate.yaml"))
            .stdout(Stdio::piped()),
    );
    assert_eq!(publisher.next()["kind"], "snapshot");
    for verb in ["suspend", "resume", "suspend"] {
        let written = workplace.json(&["identity", verb, "agent:helper"]);
        let start = Instant::now();
        let published = publisher.next();
        let waited = start.elapsed();
        assert_eq!(published["kind"], "delta");
        assert_eq!(published["epoch"], written["position"]["epoch"]);
        let line = format!("a write on Postgres was published {} ms later\n", waited.as_millis());
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
    assert_eq!(publisher.stop(), 0);
}
