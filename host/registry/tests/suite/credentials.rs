//! Credentials of machine identities.

use mandate_authz::record::{Holder, Status};
use mandate_authz::row::Row;
use mandate_registry::Registry;
use mandate_registry::credential::{
    Credential, CredentialKind, Issued, Material, NewCredential, NewLegacyToken, Rotation,
    SecretRefusal, SecretSource,
};
use mandate_registry::error::RegistryError;
use mandate_registry::secret::{self, Algorithm, Secret};

use crate::scene::{ISSUER, NOW, at, dry, helper, local, object, scene};
use crate::store::Store;

/// RFC 8037, appendix A.2.
const PUBLIC_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A credential of this alone.
pub(crate) fn of(material: Material) -> NewCredential {
    NewCredential { material, subject: None, token_ids: Vec::new(), expires_at: None }
}

fn generated() -> NewCredential {
    of(Material::AppPassword(SecretSource::Generated))
}

fn add(registry: &mut Registry, new: &NewCredential) -> Issued {
    let added = registry.add_credential(&local(), &object("agent:helper"), new);
    added.expect("it is added").outcome
}

fn verify(registry: &mut Registry, issued: &Issued, now: u64) -> Result<String, SecretRefusal> {
    let token = issued.secret.as_ref().expect("it is shown");
    let (id, secret) = secret::split(token.reveal()).expect("its form");
    let verified = registry.verify_secret(id, secret, now).expect("an answer");
    verified.map(|credential| credential.id)
}

fn listed(registry: &mut Registry) -> Vec<Credential> {
    registry.credentials(&object("agent:helper"), None, 100).expect("a page")
}

fn rotation(id: &str, window: u64) -> Rotation {
    Rotation { id: id.to_owned(), window, material: None, expires_at: None }
}

pub(crate) fn every_kind_is_stored_with_what_it_is_made_of(store: &Store) {
    let mut registry = scene(store);
    let holder = |name: &str| Holder { issuer: ISSUER.to_owned(), name: name.to_owned() };
    let client = NewCredential {
        subject: Some(holder("sub-helper")),
        token_ids: vec!["jti-1".to_owned()],
        expires_at: Some(NOW + 5),
        ..of(Material::OauthClient(holder("helper")))
    };
    let news = [
        of(Material::AppPassword(SecretSource::Generated)),
        of(Material::Certificate([7; 32])),
        of(Material::ContextKey(PUBLIC_KEY.to_owned())),
        client,
        of(Material::Opaque(SecretSource::Generated)),
    ];
    let mut added: Vec<Credential> =
        news.iter().map(|new| add(&mut registry, new).credential).collect();
    let kinds: Vec<_> = added.iter().map(|credential| credential.kind).collect();
    assert_eq!(kinds, CredentialKind::ALL);
    assert_eq!(added[0].secret, Some(Algorithm::Sha256));
    assert_eq!(added[1].record().thumbprint, Some([7; 32]));
    assert!(added[2].record().context_key.is_some_and(|key| key.contains("11qYAYKxCrfVS_7")));
    let record = added[3].record();
    assert_eq!(
        (record.client, record.subject),
        (Some(holder("helper")), Some(holder("sub-helper")))
    );
    assert_eq!((record.token_ids, record.expires_at), (vec!["jti-1".to_owned()], Some(NOW + 5)));
    added.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(listed(&mut registry), added);
    let page =
        registry.credentials(&object("agent:helper"), Some(&added[1].id), 2).expect("a page");
    assert_eq!(page, added[2..4]);
}

pub(crate) fn a_generated_secret_is_good_until_its_credential_is_not(store: &Store) {
    let mut registry = scene(store);
    let issued = add(&mut registry, &NewCredential { expires_at: Some(NOW + 100), ..generated() });
    let id = issued.credential.id.clone();
    assert_eq!(verify(&mut registry, &issued, NOW), Ok(id.clone()));
    assert_eq!(verify(&mut registry, &issued, NOW + 99), Ok(id.clone()));
    assert_eq!(verify(&mut registry, &issued, NOW + 100), Err(SecretRefusal::Expired));
    for (id, secret) in [(id.as_str(), "x"), (id.as_str(), ""), ("nobody", "x"), ("", "")] {
        let refused = registry.verify_secret(id, secret, NOW).expect("an answer");
        assert_eq!(refused, Err(SecretRefusal::Wrong), "{id}");
    }
    registry.suspend_identity(&local(), &object("agent:helper")).expect("it is active");
    assert_eq!(verify(&mut registry, &issued, NOW), Err(SecretRefusal::IdentityDisabled));
    registry.revoke_credential(&local(), &id).expect("it is live");
    assert_eq!(verify(&mut registry, &issued, NOW), Err(SecretRefusal::Revoked));
    // Who does not know the secret learns nothing of its state.
    assert_eq!(registry.verify_secret(&id, "x", NOW), Ok(Err(SecretRefusal::Wrong)));
}

pub(crate) fn an_imported_secret_is_checked_like_a_generated_one(store: &Store) {
    let mut registry = scene(store);
    let word = SecretSource::Imported(Secret::new("correct horse".to_owned()));
    let issued = add(&mut registry, &of(Material::AppPassword(word)));
    assert_eq!((issued.secret, issued.credential.secret), (None, Some(Algorithm::Argon2id)));
    let id = issued.credential.id;
    let verified = registry.verify_secret(&id, "correct horse", NOW).expect("an answer");
    assert_eq!(verified.map(|credential| credential.id), Ok(id.clone()));
    assert_eq!(registry.verify_secret(&id, "correct hors", NOW), Ok(Err(SecretRefusal::Wrong)));
    let long = SecretSource::Imported(Secret::new("x".repeat(513)));
    let refused =
        registry.add_credential(&local(), &object("agent:helper"), &of(Material::Opaque(long)));
    let line = "a secret must be 1 to 512 bytes without control characters".to_owned();
    assert_eq!(refused.map(drop), Err(RegistryError::Invalid(line)));
}

pub(crate) fn a_key_is_stored_only_if_it_is_public(store: &Store) {
    let mut registry = scene(store);
    let private =
        PUBLIC_KEY.replace("\"x\"", "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\",\"x\"");
    let cases = [
        (private.as_str(), "the key is a private one: give its public half"),
        ("[]", "the key is no JWK"),
        ("{", "the key is not strict JSON"),
    ];
    for (key, line) in cases {
        let new = of(Material::ContextKey(key.to_owned()));
        let refused = registry.add_credential(&local(), &object("agent:helper"), &new).map(drop);
        assert_eq!(refused, Err(RegistryError::Invalid(line.to_owned())));
    }
    let symmetric = of(Material::ContextKey(r#"{"kty":"oct","k":"AAAA"}"#.to_owned()));
    let refused = registry.add_credential(&local(), &object("agent:helper"), &symmetric).map(drop);
    assert!(matches!(refused, Err(RegistryError::Invalid(_))), "{refused:?}");
    assert_eq!(listed(&mut registry), []);
}

pub(crate) fn a_certificate_of_another_identity_is_refused(store: &Store) {
    let mut registry = scene(store);
    let other =
        mandate_registry::identity::NewIdentity { object: object("agent:other"), ..helper() };
    registry.create_identity(&local(), &other).expect("it is new");
    let certificate = of(Material::Certificate([7; 32]));
    add(&mut registry, &certificate);
    // The same identity may have it twice: they share fate.
    add(&mut registry, &certificate);
    let refused = registry.add_credential(&local(), &other.object, &certificate).map(drop);
    let line = "this certificate belongs to another identity".to_owned();
    assert_eq!(refused, Err(RegistryError::Conflict(line)));
    let client = Holder { issuer: ISSUER.to_owned(), name: "helper".to_owned() };
    let client = of(Material::OauthClient(client));
    add(&mut registry, &client);
    let refused = registry.add_credential(&local(), &other.object, &client).map(drop);
    let line = format!("`helper` of `{ISSUER}` belongs to another principal");
    assert_eq!(refused, Err(RegistryError::Conflict(line)));
}

pub(crate) fn rotation_overlaps_for_the_window_and_no_longer(store: &Store) {
    let mut registry = scene(store);
    let old = add(&mut registry, &generated());
    let id = old.credential.id.clone();
    let new =
        registry.rotate_credential(&at(NOW + 10), &rotation(&id, 60)).expect("it is live").outcome;
    assert_eq!(new.credential.replaces, Some(id.clone()));
    assert_eq!(new.credential.kind, CredentialKind::AppPassword);
    assert_eq!(verify(&mut registry, &old, NOW + 69), Ok(id.clone()));
    assert_eq!(verify(&mut registry, &old, NOW + 70), Err(SecretRefusal::Expired));
    assert_eq!(verify(&mut registry, &new, NOW + 70), Ok(new.credential.id.clone()));
    let identity = registry.identity(&object("agent:helper")).expect("it is there");
    assert_eq!(identity.last_rotated_at, Some(NOW + 10));
    // A window never prolongs what ends sooner.
    let again =
        registry.rotate_credential(&at(NOW + 20), &rotation(&id, 1000)).expect("it is live");
    drop(again);
    let ended = listed(&mut registry).into_iter().find(|credential| credential.id == id);
    assert_eq!(ended.and_then(|credential| credential.expires_at), Some(NOW + 70));
    let late = registry.rotate_credential(&at(NOW + 70), &rotation(&id, 60)).map(drop);
    let line = format!("`{id}` is revoked or expired: add a new credential");
    assert_eq!(late, Err(RegistryError::Conflict(line)));
    let certificate = add(&mut registry, &of(Material::Certificate([7; 32]))).credential.id;
    let needed = registry.rotate_credential(&local(), &rotation(&certificate, 60)).map(drop);
    let line = format!("`{certificate}` is of kind `certificate`: give the new one's");
    assert_eq!(needed, Err(RegistryError::Invalid(line)));
    let material = Some(Material::Certificate([8; 32]));
    let next = Rotation { material, ..rotation(&certificate, 0) };
    let next = registry.rotate_credential(&local(), &next).expect("of its kind").outcome.credential;
    assert_eq!((next.thumbprint, next.replaces), (Some([8; 32]), Some(certificate)));
}

pub(crate) fn a_revoked_credential_leaves_its_identity_as_it_is(store: &Store) {
    let mut registry = scene(store);
    let [one, other] = [(), ()].map(|()| add(&mut registry, &generated()));
    let before = registry.position().expect("a position");
    let revoked =
        registry.revoke_credential(&at(NOW + 5), &one.credential.id).expect("live").outcome;
    assert_eq!(revoked, Credential { revoked_at: Some(NOW + 5), ..one.credential.clone() });
    assert_eq!(verify(&mut registry, &one, NOW + 5), Err(SecretRefusal::Revoked));
    assert_eq!(verify(&mut registry, &other, NOW + 5), Ok(other.credential.id.clone()));
    let identity = registry.identity(&object("agent:helper")).expect("it is there");
    assert_eq!(identity.status, Status::Active);
    let changes = registry.changes_after(before, 10).expect("the log");
    let rows: Vec<_> = changes.into_iter().map(|change| change.row).collect();
    assert_eq!(rows, [Row::PutCredential(revoked.record())]);
    let again = registry.revoke_credential(&local(), &one.credential.id).map(drop);
    let line = format!("`{}` is revoked already", one.credential.id);
    assert_eq!(again, Err(RegistryError::Conflict(line)));
    let unknown = registry.revoke_credential(&local(), "nobody").map(drop);
    assert_eq!(unknown, Err(RegistryError::NotFound("credential `nobody`".to_owned())));
}

pub(crate) fn revoking_all_leaves_the_revoked_ones_as_they_were(store: &Store) {
    let mut registry = scene(store);
    let ids = [(), (), ()].map(|()| add(&mut registry, &generated()).credential.id);
    registry.revoke_credential(&at(NOW + 1), &ids[0]).expect("it is live");
    let name = object("agent:helper");
    assert_eq!(registry.revoke_all_credentials(&dry(), &name).expect("a dry run").outcome.len(), 2);
    let live = listed(&mut registry).into_iter().filter(|one| one.revoked_at.is_none()).count();
    assert_eq!(live, 2);
    let revoked = registry.revoke_all_credentials(&at(NOW + 2), &name).expect("two are live");
    assert_eq!(revoked.outcome.len(), 2);
    let mut at: Vec<_> =
        listed(&mut registry).into_iter().map(|credential| credential.revoked_at).collect();
    at.sort();
    assert_eq!(at, [Some(NOW + 1), Some(NOW + 2), Some(NOW + 2)]);
}

pub(crate) fn a_dry_run_changes_nothing_and_shows_no_secret(store: &Store) {
    let mut registry = scene(store);
    let live = add(&mut registry, &generated());
    let dump = || store.tables().iter().map(|table| store.dump(table)).collect::<Vec<_>>();
    let before = dump();
    let name = object("agent:helper");
    let issued = registry.add_credential(&dry(), &name, &generated()).expect("it would be added");
    assert_eq!(issued.outcome.secret, None);
    assert_eq!(issued.outcome.credential.identity, name);
    assert_eq!(issued.position.epoch, registry.position().expect("a position").epoch + 1);
    let id = &live.credential.id;
    let rotated = registry.rotate_credential(&dry(), &rotation(id, 5)).expect("it would be");
    assert_eq!(
        (rotated.outcome.secret, rotated.outcome.credential.replaces),
        (None, Some(id.clone()))
    );
    registry.revoke_credential(&dry(), id).expect("it would be revoked");
    registry.delete_identity(&dry(), &name).expect("it would be deleted");
    assert_eq!(dump(), before);
}

pub(crate) fn legacy_tokens_are_recognised_and_decide_nothing(store: &Store) {
    let mut registry = scene(store);
    let token = |hash: &str, identity: Option<&str>| NewLegacyToken {
        algorithm: "bcrypt".to_owned(),
        hash: hash.to_owned(),
        identity: identity.map(object),
    };
    let before = registry.position().expect("a position");
    let rows = [token("$2b$10$aaaa", None), token("$2b$10$bbbb", Some("agent:helper"))];
    let imported = registry.import_legacy_tokens(&local(), &rows).expect("new rows").outcome;
    assert_eq!(imported.len(), 2);
    assert_eq!(registry.legacy_token("$2b$10$bbbb"), Ok(Some(imported[1].clone())));
    assert_eq!(imported[0].identity, None);
    assert_eq!(registry.legacy_token("$2b$10$cccc"), Ok(None));
    assert_eq!(registry.import_legacy_tokens(&local(), &rows).expect("old rows").outcome, []);
    // Neither a delta nor a check of secrets knows them.
    assert_eq!(registry.changes_after(before, 10), Ok(vec![]));
    for token in &imported {
        let refused = registry.verify_secret(&token.id, "$2b$10$bbbb", NOW);
        assert_eq!(refused, Ok(Err(SecretRefusal::Wrong)));
    }
    let stranger =
        registry.import_legacy_tokens(&local(), &[token("x", Some("agent:no"))]).map(drop);
    let unknown = RegistryError::NotFound("machine identity `agent:no`".to_owned());
    assert_eq!(stranger, Err(unknown));
}
