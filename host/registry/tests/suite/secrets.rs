//! Where secrets must not be.

use mandate_registry::credential::{Material, Rotation, SecretSource};
use mandate_registry::secret::{self, Secret};

use crate::credentials::of;
use crate::scene::{NOW, local, object, scene};
use crate::store::Store;

const PLANTED: &str = "planted-secret-of-nobody-5d1c";

pub(crate) fn no_planted_secret_is_in_an_error_or_a_log(store: &Store) {
    let mut registry = scene(store);
    let name = object("agent:helper");
    let planted = || SecretSource::Imported(Secret::new(PLANTED.to_owned()));
    let imported = of(Material::AppPassword(planted()));
    let imported =
        registry.add_credential(&local(), &name, &imported).expect("it is added").outcome;
    let generated = of(Material::Opaque(SecretSource::Generated));
    let generated =
        registry.add_credential(&local(), &name, &generated).expect("it is added").outcome;
    let token = generated.secret.as_ref().expect("it is shown").reveal().to_owned();
    let (id, secret) = secret::split(&token).expect("its form");
    let rotation = Rotation { id: id.to_owned(), window: 0, material: None, expires_at: None };
    let rotated = registry.rotate_credential(&local(), &rotation).expect("it is live").outcome;
    let rotated = rotated.secret.as_ref().expect("it is shown").reveal().to_owned();
    let secrets = [PLANTED, secret, secret::split(&rotated).expect("its form").1];

    let mut said = vec![format!("{imported:?} {generated:?} {registry:?}")];
    said.push(format!("{:?}", registry.verify_secret(id, PLANTED, NOW)));
    said.push(format!("{:?}", registry.verify_secret(PLANTED, PLANTED, NOW)));
    said.push(format!("{:?}", of(Material::Opaque(planted()))));
    let wrong = Rotation { material: Some(Material::AppPassword(planted())), ..rotation };
    said.push(format!("{:?}", registry.rotate_credential(&local(), &wrong)));
    let long = Secret::new(PLANTED.repeat(100));
    let long = of(Material::Opaque(SecretSource::Imported(long)));
    said.push(format!("{:?}", registry.add_credential(&local(), &name, &long)));
    // A database that fails on the very statement with the hash.
    store.run("drop table legacy_token", &[]);
    store.run("drop table machine_identity_credential", &[]);
    let broken = of(Material::AppPassword(planted()));
    said.push(format!("{:?}", registry.add_credential(&local(), &name, &broken)));
    said.push(format!("{:?}", registry.verify_secret(id, PLANTED, NOW)));
    for line in said {
        for secret in secrets {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

pub(crate) fn no_planted_secret_is_in_a_dump(store: &Store) {
    let mut registry = scene(store);
    let name = object("agent:helper");
    let planted = SecretSource::Imported(Secret::new(PLANTED.to_owned()));
    registry
        .add_credential(&local(), &name, &of(Material::AppPassword(planted)))
        .expect("it is added");
    let generated = of(Material::Opaque(SecretSource::Generated));
    let issued = registry.add_credential(&local(), &name, &generated).expect("it is added").outcome;
    let token = issued.secret.as_ref().expect("it is shown").reveal();
    let (id, secret) = secret::split(token).expect("its form");
    let mut seen = String::new();
    for table in store.tables() {
        seen.push_str(&store.dump(&table).concat().concat());
    }
    assert!(seen.contains(id), "the dump has what is there");
    for secret in [PLANTED, secret, token, crate::server::PASSWORD] {
        assert!(!seen.contains(secret));
    }
}
