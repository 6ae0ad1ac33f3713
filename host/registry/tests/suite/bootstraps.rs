//! The one-time credential of a tenant's first administrator.

use mandate_authz::facts::Facts;
use mandate_authz::record::Status;
use mandate_registry::actor::Actor;
use mandate_registry::bootstrap::Bootstrap;
use mandate_registry::error::RegistryError;
use mandate_registry::limits::{BOOTSTRAP_ATTEMPTS, BOOTSTRAP_LIFETIME};
use mandate_registry::person::Person;
use mandate_registry::relationship::RelationshipFilter;
use mandate_registry::{Act, Registry};

use crate::scene::{
    ISSUER, NOW, at, by, connect, dry, key, local, model, object, person, policy, scene, tuple,
};
use crate::store::Store;

/// The scene, with a tenant that has eve and adam, and no administrator.
fn new_tenant(store: &Store) -> Registry {
    let mut registry = scene(store);
    registry.register_object(&local(), &object("organization:initech")).expect("new");
    for id in ["eve", "adam"] {
        registry.put_person(&local(), &person(id, &["initech"])).expect("new");
    }
    registry
}

/// Makes the credential of a tenant; its secret.
fn make(registry: &mut Registry, act: &Act, tenant: &str) -> String {
    let made = registry.make_bootstrap(act, tenant).expect("it has no administrator").outcome;
    made.secret.expect("it is shown").reveal().to_owned()
}

/// Whether a person of a tenant becomes its administrator at a moment.
fn redeems(registry: &mut Registry, (name, tenant): (&str, &str), secret: &str, now: u64) -> bool {
    let actor = Actor::Member { principal: object(name), tenant: tenant.to_owned() };
    let redeemed = registry.redeem_bootstrap(&Act { actor, ..at(now) }, secret);
    redeemed.expect("the database").is_some()
}

/// The administrators of initech.
fn administrators(registry: &mut Registry) -> Vec<String> {
    let filter = RelationshipFilter {
        object: Some(object("organization:initech")),
        relation: Some("admin".to_owned()),
        most: 10,
        ..RelationshipFilter::default()
    };
    let found = registry.relationships(&filter).expect("relationships");
    found.iter().map(|tuple| tuple.subject.to_string()).collect()
}

/// The changes that the chain has of credentials of this kind, each with who made it.
fn changes(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    for cell in store.dump("audit_event").concat() {
        let Ok(record) = serde_json::from_str::<serde_json::Value>(&cell) else { continue };
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        if text("change").starts_with("bootstrap") {
            found.push((
                record["epoch"].as_u64(),
                format!("{} {} {} {}", text("change"), text("actor"), text("tenant"), text("user")),
            ));
        }
    }
    found.sort();
    found.into_iter().map(|(_, line)| line).collect()
}

pub(crate) fn a_bootstrap_credential_makes_one_administrator_once(store: &Store) {
    let mut registry = new_tenant(store);
    let secret = make(&mut registry, &local(), "initech");
    let eve = ("user:eve", "initech");
    assert!(!redeems(&mut registry, eve, "", NOW));
    assert!(!redeems(&mut registry, eve, &format!("{secret}x"), NOW));
    assert!(!redeems(&mut registry, eve, &secret.repeat(100), NOW));
    assert_eq!(administrators(&mut registry), [""; 0]);
    assert!(redeems(&mut registry, eve, &secret, NOW));
    assert_eq!(administrators(&mut registry), ["user:eve"]);
    assert_eq!(registry.is_administrator(&object("user:eve"), "initech", NOW), Ok(true));
    assert!(!redeems(&mut registry, eve, &secret, NOW));
    assert!(!redeems(&mut registry, ("user:adam", "initech"), &secret, NOW));
    assert_eq!(administrators(&mut registry), ["user:eve"]);
    let message = "`organization:initech` has an administrator: who is one makes the next";
    let refused = registry.make_bootstrap(&local(), "initech");
    assert_eq!(refused, Err(RegistryError::Conflict(message.to_owned())));
    let refuse = "bootstrap-refuse user:eve initech user:eve";
    let redeem = "bootstrap-redeem user:eve initech user:eve";
    assert_eq!(changes(store), ["bootstrap-make local initech ", refuse, refuse, refuse, redeem]);
}

pub(crate) fn a_bootstrap_credential_ends_with_any_first_administrator(store: &Store) {
    let mut registry = new_tenant(store);
    let team = tuple("team:ops#organization@organization:initech");
    registry.write_relationships(&local(), &[team]).expect("a team");
    for first in ["user:adam", "team:ops#member"] {
        let secret = make(&mut registry, &local(), "initech");
        let relationship = format!("organization:initech#admin@{first}");
        registry.write_relationships(&local(), &[tuple(&relationship)]).expect("it fits");
        assert_eq!(store.dump("bootstrap"), Vec::<Vec<String>>::new());
        assert!(!redeems(&mut registry, ("user:eve", "initech"), &secret, NOW));
        // Who had the last administrator taken away begins again, with another credential.
        registry.delete_relationships(&local(), &[key(&relationship)]).expect("it is there");
        assert!(!redeems(&mut registry, ("user:eve", "initech"), &secret, NOW));
    }
    let secret = make(&mut registry, &local(), "initech");
    let facts = format!(
        "organization: initech\nowner: adam\nissuer: {ISSUER}\n\
        organizations:\n- {{id: initech, admins: [adam]}}\nusers:\n- {{id: adam, subjects: [sub-adam]}}\n"
    );
    let facts = Facts::parse(&facts).expect("facts");
    let world = facts.into_world(model(), &policy()).expect("a world").world;
    registry.apply_facts(&local(), &world).expect("they fit");
    assert_eq!(administrators(&mut registry), ["user:adam"]);
    assert!(!redeems(&mut registry, ("user:eve", "initech"), &secret, NOW));
    assert_eq!(administrators(&mut registry), ["user:adam"]);
    // Neither does another tenant's administrator end it, nor another relation.
    registry.register_object(&local(), &object("organization:hooli")).expect("new");
    registry.put_person(&local(), &person("gavin", &["hooli"])).expect("new");
    let secret = make(&mut registry, &local(), "hooli");
    let others = [
        "organization:acme#admin@user:bob",
        "organization:hooli#member@user:gavin",
        "workspace:w#organization@organization:hooli",
        "workspace:w#admin@user:gavin",
    ];
    registry.write_relationships(&local(), &others.map(tuple)).expect("they fit");
    assert!(redeems(&mut registry, ("user:gavin", "hooli"), &secret, NOW));
}

pub(crate) fn a_bootstrap_credential_ends_by_itself_and_by_attempts(store: &Store) {
    let mut registry = new_tenant(store);
    let eve = ("user:eve", "initech");
    let secret = make(&mut registry, &local(), "initech");
    assert!(!redeems(&mut registry, eve, &secret, NOW + BOOTSTRAP_LIFETIME));
    assert_eq!(store.dump("bootstrap"), Vec::<Vec<String>>::new());
    // The clock of a node that is late revives nothing.
    assert!(!redeems(&mut registry, eve, &secret, NOW));
    let secret = make(&mut registry, &at(NOW + 5), "initech");
    for _ in 1..BOOTSTRAP_ATTEMPTS {
        assert!(!redeems(&mut registry, eve, "mnd_a_b", NOW));
    }
    assert_eq!(store.dump("bootstrap").len(), 1);
    assert!(!redeems(&mut registry, eve, "mnd_a_b", NOW));
    assert_eq!(store.dump("bootstrap"), Vec::<Vec<String>>::new());
    let written = registry.position();
    assert!(!redeems(&mut registry, eve, &secret, NOW));
    assert_eq!(registry.position(), written, "who guesses at nothing writes nothing");
    // One that is made again has all its attempts, and the one before has none.
    let old = make(&mut registry, &local(), "initech");
    for _ in 1..BOOTSTRAP_ATTEMPTS {
        assert!(!redeems(&mut registry, eve, "mnd_a_b", NOW));
    }
    let new = make(&mut registry, &local(), "initech");
    assert!(!redeems(&mut registry, eve, &old, NOW));
    assert!(redeems(&mut registry, eve, &new, NOW + BOOTSTRAP_LIFETIME - 1));
}

pub(crate) fn a_bootstrap_credential_is_for_active_people_of_its_tenant(store: &Store) {
    let mut registry = new_tenant(store);
    let secret = make(&mut registry, &local(), "initech");
    let suspended = Person { status: Status::Suspended, ..person("adam", &["initech"]) };
    registry.put_person(&local(), &suspended).expect("he is there");
    for somebody in [
        ("user:anne", "initech"),
        ("user:anne", "acme"),
        ("user:adam", "initech"),
        ("user:nobody", "initech"),
        ("agent:helper", "acme"),
        ("agent:helper", "initech"),
        ("user:eve", "globex"),
    ] {
        assert!(!redeems(&mut registry, somebody, &secret, NOW), "{somebody:?}");
    }
    assert_eq!(changes(store), ["bootstrap-make local initech "], "none is an attempt");
    let message = "`user:eve` may not redeem a bootstrap credential".to_owned();
    let refused = registry.redeem_bootstrap(&by("user:eve"), &secret);
    assert_eq!(refused, Err(RegistryError::Denied(message)));
    assert!(redeems(&mut registry, ("user:eve", "initech"), &secret, NOW));
}

pub(crate) fn only_the_operator_makes_a_bootstrap_credential(store: &Store) {
    let mut registry = new_tenant(store);
    let told = registry.make_bootstrap(&dry(), "initech").expect("a dry run").outcome;
    let expected =
        Bootstrap { expires_at: NOW + BOOTSTRAP_LIFETIME, secret: None, id: told.id.clone() };
    assert_eq!(told, expected);
    assert_eq!(store.dump("bootstrap"), Vec::<Vec<String>>::new());
    let message = "`user:anne` may not make a bootstrap credential".to_owned();
    let refused = registry.make_bootstrap(&by("user:anne"), "initech");
    assert_eq!(refused, Err(RegistryError::Denied(message)));
    let missing = RegistryError::NotFound("tenant `organization:nowhere`".to_owned());
    assert_eq!(registry.make_bootstrap(&local(), "nowhere"), Err(missing));
    let secret = make(&mut registry, &local(), "initech");
    let kept = store.dump("bootstrap").concat().concat();
    let (id, word) = mandate_registry::secret::split(&secret).expect("its form");
    assert!(kept.contains(id) && !kept.contains(word), "the hash alone is kept");
}

pub(crate) fn two_who_redeem_at_once_are_one_administrator(store: &Store) {
    let mut registry = new_tenant(store);
    for _ in 0..5 {
        let secret = make(&mut registry, &local(), "initech");
        let redeemed: Vec<bool> = std::thread::scope(|scope| {
            let both = ["user:eve", "user:adam"].map(|name| {
                let (mut node, secret) = (connect(store), secret.clone());
                scope.spawn(move || redeems(&mut node, (name, "initech"), &secret, NOW))
            });
            both.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        assert_eq!(redeemed.iter().filter(|redeemed| **redeemed).count(), 1, "{redeemed:?}");
        let [only] = &administrators(&mut registry)[..] else { panic!("one administrator") };
        let only = key(&format!("organization:initech#admin@{only}"));
        registry.delete_relationships(&local(), &[only]).expect("it is there");
    }
}

pub(crate) fn a_row_beside_an_administrator_opens_nothing(store: &Store) {
    let mut registry = new_tenant(store);
    let secret = make(&mut registry, &local(), "initech");
    // As a restore by hand might leave it.
    store.run("create table kept as select * from bootstrap", &[]);
    let adam = tuple("organization:initech#admin@user:adam");
    registry.write_relationships(&local(), &[adam]).expect("it fits");
    store.run("insert into bootstrap select * from kept", &[]);
    assert!(!redeems(&mut registry, ("user:eve", "initech"), &secret, NOW));
    assert_eq!(administrators(&mut registry), ["user:adam"]);
    assert_eq!(store.dump("bootstrap"), Vec::<Vec<String>>::new());
}
