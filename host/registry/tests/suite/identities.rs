//! Machine identities.

use mandate_authz::record::{Grant, Holder, Status};
use mandate_authz::row::Row;
use mandate_registry::error::RegistryError;
use mandate_registry::identity::{External, IdentityFilter, NewIdentity, NewThread};
use mandate_registry::secret;

use crate::scene::{ISSUER, NOW, at, dry, helper, local, object, person, scene, scope};
use crate::store::Store;

fn named(name: &str) -> NewIdentity {
    NewIdentity { object: object(name), ..helper() }
}

pub(crate) fn an_identity_is_made_shown_and_listed_in_pages(store: &Store) {
    let mut registry = scene(store);
    let new = NewIdentity {
        display_name: "Résumé writer".to_owned(),
        sole_user: Some(object("user:bob")),
        expires_at: Some(NOW + 9),
        external: Some(External {
            issuer: ISSUER.to_owned(),
            subject: Some("sub-writer".to_owned()),
            client: Some("writer".to_owned()),
        }),
        ..named("agent:writer")
    };
    let made = registry.create_identity(&local(), &new).expect("it is new").outcome;
    assert_eq!(registry.identity(&new.object), Ok(made.clone()));
    assert_eq!((made.status, made.created_at, made.last_used_at), (Status::Active, NOW, None));
    assert_eq!((made.expires_at, made.sole_user.clone()), (Some(NOW + 9), new.sole_user.clone()));
    let holder = |name: &str| vec![Holder { issuer: ISSUER.to_owned(), name: name.to_owned() }];
    let record = made.record();
    assert_eq!((record.subjects, record.clients), (holder("sub-writer"), holder("writer")));
    registry.create_identity(&local(), &named("service:build")).expect("it is new");
    let mut after = None;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let filter =
            IdentityFilter { tenant: Some("acme".to_owned()), after, most: 2, owner: None };
        let page = registry.identities(&filter).expect("a page");
        seen.extend(page.iter().map(|identity| identity.object.to_string()));
        after = page.last().map(|identity| identity.object.clone());
        if page.len() < 2 {
            break;
        }
    }
    assert_eq!(seen, ["agent:helper", "agent:writer", "service:build"]);
    let unknown = RegistryError::NotFound("machine identity `agent:nobody`".to_owned());
    assert_eq!(registry.identity(&object("agent:nobody")), Err(unknown));
}

pub(crate) fn a_thread_gets_identity_and_credential_in_one_write(store: &Store) {
    let mut registry = scene(store);
    let new = NewThread {
        subject: None,
        client: None,
        thread: "01J9".to_owned(),
        owner: object("user:carol"),
        tenant: "acme".to_owned(),
        scope: scope(&["read"]),
        delegation: mandate_authz::record::DelegationMode::OnInvoke,
        expires_at: NOW + 3600,
    };
    let before = registry.position().expect("a position").epoch;
    let written = registry.create_thread(&local(), &new).expect("it is new");
    assert_eq!(written.position.epoch, before + 1);
    let (identity, issued) = written.outcome;
    assert_eq!(identity.object, object("agent:codex-01J9"));
    assert_eq!(identity.thread.as_deref(), Some("01J9"));
    assert_eq!(
        (identity.expires_at, issued.credential.expires_at),
        (Some(NOW + 3600), Some(NOW + 3600))
    );
    let token = issued.secret.expect("it is shown once");
    let (id, secret) = secret::split(token.reveal()).expect("its form");
    let verify = |registry: &mut mandate_registry::Registry, now| {
        let verified = registry.verify_secret(id, secret, now).expect("an answer");
        verified.map(|credential| credential.identity)
    };
    assert_eq!(verify(&mut registry, NOW + 3599), Ok(identity.object));
    let expired = mandate_registry::credential::SecretRefusal::Expired;
    assert_eq!(verify(&mut registry, NOW + 3600), Err(expired));
    let over = NewThread { thread: "02".to_owned(), expires_at: NOW, ..new };
    let line = "`agent:codex-02` would be expired already".to_owned();
    assert_eq!(
        registry.create_thread(&local(), &over).map(drop),
        Err(RegistryError::Invalid(line))
    );
}

pub(crate) fn an_identity_is_suspended_resumed_and_retired_for_good(store: &Store) {
    let mut registry = scene(store);
    let name = object("agent:helper");
    let status = |written: mandate_registry::Written<
        mandate_registry::identity::MachineIdentity,
    >| { written.outcome.status };
    let conflict = |text: &str| Err(RegistryError::Conflict(text.to_owned()));
    assert_eq!(registry.suspend_identity(&dry(), &name).map(status), Ok(Status::Suspended));
    assert_eq!(
        registry.resume_identity(&local(), &name).map(status),
        conflict("`agent:helper` is active")
    );
    assert_eq!(registry.suspend_identity(&local(), &name).map(status), Ok(Status::Suspended));
    assert_eq!(
        registry.suspend_identity(&local(), &name).map(status),
        conflict("`agent:helper` is suspended")
    );
    assert_eq!(registry.resume_identity(&local(), &name).map(status), Ok(Status::Active));
    assert_eq!(registry.retire_identity(&local(), &name).map(status), Ok(Status::Retired));
    for refused in [
        registry.resume_identity(&local(), &name).map(status),
        registry.suspend_identity(&local(), &name).map(status),
        registry.retire_identity(&local(), &name).map(status),
    ] {
        assert_eq!(refused, conflict("`agent:helper` is retired"));
    }
    assert_eq!(registry.identity(&name).map(|identity| identity.status), Ok(Status::Retired));
}

pub(crate) fn a_deleted_name_is_never_given_again(store: &Store) {
    let mut registry = scene(store);
    let name = object("agent:helper");
    let gone = |text: &str| Err(RegistryError::Conflict(text.to_owned()));
    let twice = registry.create_identity(&local(), &helper()).map(drop);
    assert_eq!(twice, gone("there is an identity `agent:helper` already"));
    let delegation = [crate::scene::tuple("user:bob#delegate_of@agent:helper")];
    registry.write_relationships(&local(), &delegation).expect("bob delegates");
    registry.delete_identity(&local(), &name).expect("it is there");
    let sql = "select object from relationship where object = 'agent:helper' or \
        subject_object = 'agent:helper' union all select object from machine_identity";
    assert_eq!(store.query(sql), []);
    let again = registry.create_identity(&local(), &helper()).map(drop);
    assert_eq!(again, gone("`agent:helper` was deleted, and names are never given again"));
    let deleted = registry.delete_identity(&local(), &name).map(drop);
    let unknown = RegistryError::NotFound("machine identity `agent:helper`".to_owned());
    assert_eq!(deleted, Err(unknown));
}

pub(crate) fn a_holder_belongs_to_one_principal(store: &Store) {
    let mut registry = scene(store);
    let taken = |name: &str| {
        let text = format!("`{name}` of `{ISSUER}` belongs to another principal");
        Err(RegistryError::Conflict(text))
    };
    let external = |subject: Option<&str>, client: Option<&str>| {
        let (subject, client) = (subject.map(str::to_owned), client.map(str::to_owned));
        Some(External { issuer: ISSUER.to_owned(), subject, client })
    };
    let bobs = NewIdentity { external: external(Some("sub-bob"), None), ..named("agent:a") };
    assert_eq!(registry.create_identity(&local(), &bobs).map(drop), taken("sub-bob"));
    // As a client neither: one name at an issuer is one principal, whatever stands before it.
    let client = NewIdentity { external: external(None, Some("sub-bob")), ..named("agent:a") };
    assert_eq!(registry.create_identity(&local(), &client).map(drop), taken("sub-bob"));
    let own = NewIdentity { external: external(Some("a"), Some("a")), ..named("agent:a") };
    registry.create_identity(&local(), &own).expect("both names of one");
    let mut thief = person("eve", &[]);
    thief.subjects[0].name = "a".to_owned();
    assert_eq!(registry.put_person(&local(), &thief).map(drop), taken("a"));
}

/// What is other than in the identity that fits.
type Change<'c> = &'c dyn Fn(&mut NewIdentity);

pub(crate) fn what_the_contract_does_not_know_is_refused(store: &Store) {
    let mut registry = scene(store);
    let listed =
        |names: &[&str]| Grant::Listed(names.iter().map(|name| (*name).to_owned()).collect());
    let mut refuse = |change: Change<'_>| {
        let mut new = named("agent:new");
        change(&mut new);
        let refused = registry.create_identity(&local(), &new).map(drop);
        refused.expect_err("it is refused").to_string()
    };
    let cases: [(Change<'_>, &str); 9] = [
        (&|new| new.object = object("user:new"), "`user:new` is no `service:ID`"),
        (&|new| new.object = object("agent:a b"), "`agent:a b` is no `agent:ID`"),
        (&|new| new.tenant = "x".into(), "there is no tenant `organization:x`: register it first"),
        (
            &|new| new.owner = Some(object("user:mallory")),
            "`user:mallory` is no member of the tenant `acme`",
        ),
        (
            &|new| new.sole_user = Some(object("user:nobody")),
            "`user:nobody` is no member of the tenant `acme`",
        ),
        (
            &|new| new.scope.modes = listed(&["delete"]),
            "`delete` is nothing that `modes` of a scope can name",
        ),
        (
            &|new| new.scope.actions = listed(&["view", "fly"]),
            "`fly` is nothing that `actions` of a scope can name",
        ),
        (
            &|new| new.scope.boards = listed(&["*"]),
            "`*` is nothing that `boards` of a scope can name",
        ),
        (
            &|new| {
                let (issuer, subject) =
                    ("https://elsewhere.example".to_owned(), Some("x".to_owned()));
                new.external = Some(External { issuer, subject, client: None });
            },
            "`https://elsewhere.example` is not an issuer of the contract",
        ),
    ];
    for (change, line) in cases {
        assert_eq!(refuse(change), line);
    }
}

pub(crate) fn the_log_has_each_change_as_a_row_of_a_delta(store: &Store) {
    let mut registry = scene(store);
    let before = registry.position().expect("a position");
    let name = object("agent:helper");
    let narrow = scope(&[]);
    let scoped = registry.scope_identity(&local(), &name, &narrow).expect("narrower").outcome;
    let suspended = registry.suspend_identity(&at(NOW + 1), &name).expect("active").outcome;
    registry.suspend_identity(&dry(), &name).expect_err("it is suspended");
    let changes = registry.changes_after(before, 10).expect("the log");
    let rows: Vec<_> =
        changes.iter().map(|change| (change.position.epoch, change.row.clone())).collect();
    let expected = [
        (before.epoch + 1, Row::PutIdentity(scoped.record())),
        (before.epoch + 2, Row::PutIdentity(suspended.record())),
    ];
    assert_eq!(rows, expected);
    // A page never ends within a write: the deletion has more rows than the page.
    registry.delete_identity(&local(), &name).expect("it is there");
    let whole = registry.changes_after(before, 3).expect("the log");
    assert_eq!(whole.len(), 2);
    let last = registry.changes_after(whole[1].position, 1).expect("the log");
    assert_eq!(last.len(), 3, "{last:?}");
    assert_eq!(last[2].row, Row::DeleteIdentity { object: name });
}
