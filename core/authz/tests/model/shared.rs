//! The shared model of `contract/model`.

use std::path::{Path, PathBuf};
use std::process::Command;

use mandate_authz::condition::ParameterType;
use mandate_authz::model::{LocatedModel, Manifest, Model, ModuleFile, Rewrite};

use crate::support::read;
use crate::support::skip::skip;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/model")
}

fn files() -> Vec<ModuleFile> {
    let manifest = Manifest::parse(&read(&folder().join("fga.mod"))).unwrap();
    let files = manifest.files.into_iter();
    files.map(|name| ModuleFile { text: read(&folder().join(&name)), name }).collect()
}

fn shared() -> LocatedModel {
    LocatedModel::from_modules(&files()).unwrap()
}

#[test]
fn the_shared_model_is_valid_and_nothing_in_it_looks_like_a_mistake() {
    let model = shared();
    assert_eq!(model.validate(), Ok(()));
    let warnings: Vec<_> = model.lint().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, Vec::<String>::new());
}

#[test]
fn openfgas_own_transformer_reads_the_same_model() {
    let part = "the shared model in @openfga/syntax-transformer";
    let Some(packages) = std::env::var_os("MANDATE_NODE_MODULES").map(PathBuf::from) else {
        return skip(part, "MANDATE_NODE_MODULES is not set");
    };
    if !packages.join("@openfga/syntax-transformer").is_dir() {
        return skip(part, "it is not installed: run `cargo xtask setup`");
    }
    let script = folder().join("../peers/syntax_transformer.mjs");
    let ran = Command::new("node").arg(script).arg(folder()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "it refuses the model: {said}");
    let theirs: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(shared().into_model().to_json(), theirs);
}

#[test]
fn the_core_stands_alone() {
    let core: Vec<_> = files().into_iter().filter(|file| file.name == "core.fga").collect();
    assert_eq!(LocatedModel::from_modules(&core).unwrap().validate(), Ok(()));
}

#[test]
fn the_shared_model_survives_both_forms() {
    let model = shared().into_model();
    let again = Model::from_json(&model.to_json_text()).unwrap();
    assert_eq!(again.to_json(), model.to_json());
    let written = model.to_dsl().unwrap();
    assert_eq!(Model::parse_dsl(&written).unwrap().validate(), Ok(()));
}

#[test]
fn every_definition_says_in_a_comment_what_it_grants() {
    for file in files() {
        let lines: Vec<_> = file.text.lines().map(str::trim).collect();
        for (before, line) in lines.iter().zip(lines.iter().skip(1)) {
            if line.starts_with("define ") {
                assert!(before.starts_with("# "), "{}: {line}", file.name);
            }
        }
    }
}

/// For services alone, and `denied` is about people.
const NOT_FOR_PEOPLE: [(&str, &str); 1] = [("secret", "can_release")];

#[test]
fn denied_wins_over_every_permission_of_a_type_that_has_it() {
    let model = shared().into_model();
    let mut seen = 0;
    for definition in &model.types {
        let has_denied = definition.relations.iter().any(|relation| relation.name == "denied");
        for relation in
            definition.relations.iter().filter(|relation| relation.name.starts_with("can_"))
        {
            let name = (definition.name.as_str(), relation.name.as_str());
            if has_denied && !NOT_FOR_PEOPLE.contains(&name) {
                let Rewrite::Difference(_, denied) = &relation.rewrite else {
                    panic!("{name:?} does not exclude `denied`")
                };
                assert_eq!(**denied, Rewrite::Computed("denied".to_owned()), "{name:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn every_type_but_principals_and_shared_ones_has_a_way_to_its_tenant() {
    let model = shared().into_model();
    let without = ["user", "service", "agent", "organization", "mcp_server", "tool"];
    for definition in
        model.types.iter().filter(|definition| !without.contains(&definition.name.as_str()))
    {
        let parent = definition.relations.iter().find(|relation| {
            relation.rewrite == Rewrite::Direct
                && relation.restrictions.len() == 1
                && relation.restrictions[0].type_name == relation.name
        });
        assert!(parent.is_some(), "{}", definition.name);
    }
}

#[test]
fn inputs_of_conditions_are_the_hosts_or_the_relationships_own() {
    let conditions = shared().into_model().conditions;
    let inputs = conditions.into_iter().flat_map(|condition| condition.parameters);
    let of_the_request: Vec<_> = inputs
        .filter(|(name, _)| {
            ["host_", "token_", "caller_"].iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    assert_eq!(
        of_the_request,
        [
            ("host_time".to_owned(), ParameterType::Timestamp),
            ("host_time".to_owned(), ParameterType::Timestamp),
            ("host_address".to_owned(), ParameterType::IpAddress),
        ]
    );
}
