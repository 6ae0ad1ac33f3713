//! Tenants, resolved when a snapshot is built.

use std::collections::BTreeMap;

use mandate_authz::name::ObjectName;
use mandate_authz::record::{DelegationMode, Identity, Kind, Status};
use mandate_authz::snapshot::{BuildError, Snapshot, Tenancy, TenancyRules, World};

use crate::support::{SEED, model, tuples};

const MODEL: &str = "\
type organization
type user
type tool
  relations
    define can_call: [user]
type workspace
  relations
    define organization: [organization]
    define admin: [user]
type document
  relations
    define parent: [workspace, document]
    define viewer: [user]
";

fn person(id: &str, tenants: &[&str]) -> Identity {
    Identity {
        object: ObjectName::new("user", id),
        kind: Kind::User,
        subjects: Vec::new(),
        clients: Vec::new(),
        tenants: tenants.iter().map(|tenant| (*tenant).to_owned()).collect(),
        status: Status::Active,
        expires_at: None,
        scope: None,
        delegation: DelegationMode::Stored,
        sole_user: None,
    }
}

fn world(relationships: &[&str]) -> World {
    let parents = [
        ("workspace".to_owned(), vec!["organization".to_owned()]),
        ("document".to_owned(), vec!["parent".to_owned()]),
    ];
    World {
        model: model(MODEL),
        tuples: tuples(relationships),
        identities: vec![
            person("anne", &["acme"]),
            person("bob", &["globex"]),
            person("eve", &["acme", "globex"]),
        ],
        credentials: Vec::new(),
        objects: Vec::new(),
        tenancy: TenancyRules {
            tenant_type: Some("organization".to_owned()),
            shared: vec!["tool".to_owned()],
            parents: BTreeMap::from(parents),
            principals: vec!["user".to_owned()],
        },
        ignore_unfit: false,
    }
}

fn built(relationships: &[&str]) -> Result<Snapshot, BuildError> {
    world(relationships).build(SEED).map(|body| Snapshot::from_body(body).expect("loads"))
}

#[test]
fn an_object_has_the_tenant_of_its_parents() {
    let snapshot = built(&[
        "workspace:w#organization@organization:acme",
        "document:top#parent@workspace:w",
        "document:leaf#parent@document:top",
        "document:lost#viewer@user:anne",
        "tool:hammer#can_call@user:bob",
    ])
    .expect("builds");
    let acme = snapshot.find("organization", "acme").expect("known");
    let tenancy = |type_name: &str, id: &str| {
        snapshot.find(type_name, id).map(|object| snapshot.tenancy(object))
    };
    assert_eq!(tenancy("document", "leaf"), Some(Tenancy::Of(acme)));
    assert_eq!(tenancy("organization", "acme"), Some(Tenancy::Of(acme)));
    assert_eq!(tenancy("user", "anne"), Some(Tenancy::Of(acme)));
    assert_eq!(tenancy("user", "eve"), Some(Tenancy::Several));
    assert_eq!(tenancy("document", "lost"), Some(Tenancy::Unknown));
    assert_eq!(tenancy("tool", "hammer"), Some(Tenancy::Shared));
}

#[test]
fn a_relationship_that_joins_two_tenants_is_refused() {
    let place = "workspace:w#organization@organization:acme";
    assert!(built(&[place, "workspace:w#admin@user:anne"]).is_ok());
    assert!(built(&[place, "workspace:w#admin@user:eve"]).is_ok());
    let error = built(&[place, "workspace:w#admin@user:bob"]).expect_err("another tenant");
    assert_eq!(error.to_string(), "`workspace:w#admin@user:bob`: joins two tenants");
}

#[test]
fn parents_in_two_tenants_are_refused() {
    let error = built(&[
        "workspace:w#organization@organization:acme",
        "workspace:v#organization@organization:globex",
        "document:d#parent@workspace:w",
        "document:d#parent@workspace:v",
    ])
    .expect_err("two tenants");
    assert_eq!(error.to_string(), "`document:d`: has parents in two tenants");
}

#[test]
fn parents_of_each_other_belong_nowhere() {
    let snapshot =
        built(&["document:a#parent@document:b", "document:b#parent@document:a"]).expect("builds");
    let object = snapshot.find("document", "a").expect("known");
    assert_eq!(snapshot.tenancy(object), Tenancy::Unknown);
}

#[test]
fn a_relationship_that_the_model_does_not_admit_is_refused_unless_it_is_to_be_ignored() {
    let mut world = world(&["document:d#viewer@tool:hammer"]);
    let error = world.build(SEED).expect_err("not admitted");
    let expected =
        "`document:d#viewer@tool:hammer`: the model does not admit this subject or condition here";
    assert_eq!(error.to_string(), expected);
    world.ignore_unfit = true;
    assert!(world.build(SEED).is_ok());
}
