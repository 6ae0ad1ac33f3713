//! The models of OpenFGA's sample stores.

use std::path::{Path, PathBuf};

use mandate_authz::model::{LocatedModel, Manifest, Model, ModuleFile};
use serde_json::Value;

use crate::support::{read, read_yaml, suite, table_row};

fn store_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".fga.yaml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn model_of(store: &Path) -> LocatedModel {
    let content: Value = read_yaml(store);
    if let Some(dsl) = content["model"].as_str() {
        return LocatedModel::parse_dsl(dsl).unwrap();
    }
    let file = store.parent().unwrap().join(content["model_file"].as_str().unwrap());
    if !file.ends_with("fga.mod") {
        return LocatedModel::parse_dsl(&read(&file)).unwrap();
    }
    let manifest = Manifest::parse(&read(&file)).unwrap();
    let texts = manifest.files.into_iter().map(|name| {
        let text = read(&file.parent().unwrap().join(&name));
        ModuleFile { name, text }
    });
    LocatedModel::from_modules(&texts.collect::<Vec<_>>()).unwrap()
}

#[test]
fn models_of_the_sample_stores_are_valid_and_survive_both_forms() {
    let Some(folder) = suite("sample-stores", "models of the sample stores") else { return };
    let stores = store_files(&folder.join("stores"));
    for store in &stores {
        let name = store.display();
        let model = model_of(store);
        assert_eq!(model.validate(), Ok(()), "{name}");
        let model = model.into_model();
        let again = Model::from_json(&model.to_json().to_string()).unwrap();
        assert_eq!(again.to_json(), model.to_json(), "{name}");
        let written = model.to_dsl().unwrap();
        assert_eq!(Model::parse_dsl(&written).unwrap().to_dsl().unwrap(), written, "{name}");
    }
    table_row("models of the sample stores", stores.len(), stores.len(), 0);
    assert_eq!(stores.len(), 32);
}
