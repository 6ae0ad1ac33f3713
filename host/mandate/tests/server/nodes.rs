//! Several nodes on one Postgres, and a registry that is away.

use std::time::{Duration, Instant};

use mandate_registry::Registry;
use mandate_registry::audit::{AuditFilter, Intact, Verdict};
use mandate_registry::credential::{Material, NewCredential, SecretSource};
use mandate_registry::database::{self, Access};
use serde_json::{Value, json};

use crate::cli::{Folder, mandate};
use crate::operation::refused;
use crate::postgres::{Server, server};
use crate::world::{World, act, deploy, gateway, object, registry, seed, token};

/// The deployment of the tests, its registry in a database of its own.
fn deploy_on(postgres: &Server, test: &str, settings: &Value) -> (Folder, String) {
    let folder = deploy(test, settings);
    let name = postgres.make_database();
    let file = folder.path("acme/mandate.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let database = json!({ "postgres": { "url": postgres.url(&name) } });
    let moved = text.replace("database: {sqlite: registry.db}", &format!("database: {database}"));
    assert_ne!(moved, text);
    std::fs::write(&file, moved).unwrap();
    let ran = mandate(&["migrate", "--confirm", "--config", &file]);
    assert_eq!(ran.code, 0, "{ran:?}");
    seed(&mut registry(&folder));
    (folder, name)
}

/// Whether a database takes new connections.
fn admit(postgres: &Server, name: &str, admitted: bool) {
    let mut database = database::open(&postgres.url("postgres")).unwrap();
    let mut transaction = database.begin(Access::Write).unwrap();
    let sql = "update pg_database set datallowconn = cast($2 as text) = 'yes' where datname = $1";
    assert_eq!(
        transaction.execute(sql, &[name.into(), if admitted { "yes" } else { "no" }.into()]),
        Ok(1)
    );
    transaction.commit().unwrap();
}

/// What the agent asks, by a credential where one is named.
fn question(credential: Option<&str>) -> Value {
    let mut context = json!({ "on_behalf_of": "user:anne" });
    if let Some(id) = credential {
        context["credential"] = json!(id);
    }
    json!({
        "subject": { "type": "agent", "id": "helper" }, "action": { "name": "view" },
        "resource": { "type": "board", "id": "roadmap" }, "context": context,
    })
}

/// Waits for what comes by itself, not for ever.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn records(registry: &mut Registry) -> u64 {
    match registry.verify_audit("acme", None, &[]).unwrap() {
        Verdict::Intact(Intact { records, .. }) => records,
        Verdict::Broken(broken) => panic!("{broken}"),
    }
}

#[test]
fn two_nodes_are_one_deployment() {
    let Some(postgres) = server() else { return };
    let (folder, _) = deploy_on(postgres, "nodes", &json!({}));
    let mut one = World::serve(folder.clone());
    let other = World::serve(folder.clone());
    let mut registry = registry(&folder);
    let new = NewCredential {
        material: Material::Opaque(SecretSource::Generated),
        subject: None,
        token_ids: Vec::new(),
        expires_at: None,
    };
    let issued = registry.add_credential(&act(), &object("agent:helper"), &new).unwrap().outcome;
    let id = issued.credential.id;
    let secret = issued.secret.unwrap().reveal().to_owned();
    let reason = |node: &World| node.evaluate(&gateway(), &question(Some(&id))).1;
    for node in [&one, &other] {
        eventually("both know the credential", || reason(node) == "ok");
    }
    // Revoked through one node, it is refused by both.
    let olga = token("u-olga", "board-web");
    let revoked = one.form("/oauth2/revoke", Some(&olga), &[("token", &secret)]);
    assert_eq!(revoked, (200, json!({})));
    for node in [&one, &other] {
        eventually("both refuse", || reason(node) == "credential-revoked");
    }
    let sources = |registry: &mut Registry| {
        let filter = AuditFilter { most: 1000, ..AuditFilter::default() };
        let mut sources: Vec<String> = registry
            .audit(&filter)
            .unwrap()
            .iter()
            .filter_map(|entry| {
                let record: Value = serde_json::from_str(&entry.record).unwrap();
                record["source"].as_str().filter(|it| it.starts_with("serve/")).map(str::to_owned)
            })
            .collect();
        sources.sort();
        sources.dedup();
        sources.len()
    };
    eventually("both have written records", || sources(&mut registry) == 2);
    // One is killed; the other goes on, and learns what is new.
    one.process.kill().unwrap();
    one.process.wait().unwrap();
    let before = records(&mut registry);
    for _ in 0..20 {
        assert_eq!(other.evaluate(&gateway(), &question(None)), (true, "ok".to_owned()));
    }
    registry.revoke_all_credentials(&act(), &object("agent:helper")).unwrap();
    let asked = &question(Some("helper"));
    eventually("the other one learns", || !other.evaluate(&gateway(), asked).0);
    assert_eq!(other.stop().0, Some(0));
    assert!(records(&mut registry) >= before + 21);
}

#[test]
fn without_its_registry_a_server_answers_what_it_can_record() {
    let Some(postgres) = server() else { return };
    let settings = json!({ "limits": { "audit_records": 5 } });
    let (folder, database) = deploy_on(postgres, "away", &settings);
    let world = World::serve(folder.clone());
    assert_eq!(world.evaluate(&gateway(), &question(None)), (true, "ok".to_owned()));
    eventually("it is written", || records(&mut registry(&folder)) > 0);
    let before = records(&mut registry(&folder));
    admit(postgres, &database, false);
    postgres.disconnect(&database);
    let ask = || world.post("/access/v1/evaluation", Some(&gateway()), &question(None));
    // As many as there are places for records; then none, whatever is asked, and at once.
    let statuses: Vec<u16> = (0..8).map(|_| ask().0).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 503, 503, 503]);
    let (status, body) = ask();
    assert_eq!((status, &body["error"]["code"]), (503, &json!("internal")));
    let (status, body) = world.get("/readyz", None);
    let body: Value = serde_json::from_str(&body).unwrap();
    let full = json!("too many records wait to be written");
    assert_eq!((status, &body["status"]), (503, &full));
    // What only the registry knows is not made up.
    let opaque = format!("mnd_{}_{}", "a".repeat(16), "b".repeat(43));
    let (status, body) = world.form("/oauth2/introspect", Some(&gateway()), &[("token", &opaque)]);
    assert_eq!((status, &body["error"]["code"]), (503, &json!("registry")), "{body}");
    // Nor does another node start.
    let line = refused(&folder);
    assert!(line.starts_with("error: the database "), "{line}");
    assert!(!line.contains(crate::postgres::PASSWORD), "{line}");
    // Back again, everything that was answered is recorded.
    admit(postgres, &database, true);
    eventually("it is ready again", || world.get("/readyz", None).0 == 200);
    assert_eq!(ask().0, 200);
    assert_eq!(world.stop().0, Some(0));
    assert_eq!(records(&mut registry(&folder)), before + 6);
}
