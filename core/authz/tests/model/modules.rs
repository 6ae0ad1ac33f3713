//! Models in several files.

use std::path::Path;

use mandate_authz::model::{LocatedModel, Manifest, Model, ModelError, ModuleFile};
use serde::Deserialize;

use crate::support::{ExpectedError, Told, folders, read, read_yaml, suite, table_row, told};

fn files(folder: &Path) -> Vec<ModuleFile> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| ModuleFile {
            name: path.file_name().unwrap().to_str().unwrap().to_owned(),
            text: read(path),
        })
        .collect()
}

fn join(files: &[ModuleFile]) -> Result<Model, Vec<ModelError>> {
    let model = LocatedModel::from_modules(files)?;
    model.validate()?;
    Ok(model.into_model())
}

#[test]
fn modules_join_to_the_official_model_and_errors_name_file_and_place() {
    let Some(folder) = suite("openfga-language", "modules") else { return };
    let cases = folders(&folder.join("data/transformer-module"));
    for case in &cases {
        let name = case.display();
        let model = case.join("module").is_dir().then(|| join(&files(&case.join("module"))));
        let json = case.join("authorization-model.json");
        if json.is_file() {
            let official = Model::from_json(&read(&json)).unwrap();
            let combined = case.join("combined.fga");
            if combined.is_file() {
                assert_eq!(official.to_dsl().unwrap(), read(&combined), "{name}");
                let with_sources = read(&case.join("combined-sourceinfo.fga"));
                assert_eq!(official.to_dsl_with_sources().unwrap(), with_sources, "{name}");
            }
            if let Some(model) = model {
                assert_eq!(sorted(model.unwrap()), sorted(official), "{name}");
            }
        } else {
            let errors = model.unwrap().unwrap_err();
            let expected: Vec<ExpectedError> =
                serde_json::from_str(&read(&case.join("expected_errors.json"))).unwrap();
            let (found, expected) = told(&errors, &expected);
            assert_eq!(syntax_by_place(found), syntax_by_place(expected), "{name}");
        }
    }
    table_row("transformer-module", cases.len(), cases.len(), 0);
    assert_eq!(cases.len(), 7);
}

/// Syntax errors have our own words; their place is the official one.
fn syntax_by_place(mut errors: Vec<Told>) -> Vec<Told> {
    for error in &mut errors {
        if error.words.starts_with("no viable alternative") || error.words.starts_with("found ") {
            "syntax".clone_into(&mut error.words);
            error.code = None;
        }
    }
    errors
}

fn sorted(mut model: Model) -> Model {
    model.types.sort_by(|left, right| left.name.cmp(&right.name));
    for definition in &mut model.types {
        definition.relations.sort_by(|left, right| left.name.cmp(&right.name));
    }
    model.conditions.sort_by(|left, right| left.name.cmp(&right.name));
    model
}

#[derive(Debug, Deserialize)]
struct ManifestCase {
    name: String,
    #[serde(rename = "modFile")]
    manifest: String,
    json: Option<String>,
    expected_errors: Option<Vec<ExpectedError>>,
}

#[derive(Debug, Deserialize)]
struct OfficialManifest {
    contents: OfficialContents,
}

#[derive(Debug, Deserialize)]
struct OfficialContents {
    value: Vec<OfficialEntry>,
}

#[derive(Debug, Deserialize)]
struct OfficialEntry {
    value: String,
}

#[test]
fn manifests_agree_in_verdict_place_and_words() {
    let Some(folder) = suite("openfga-language", "manifests") else { return };
    let cases: Vec<ManifestCase> = read_yaml(&folder.join("data/fga-mod-transformer-cases.yaml"));
    for case in &cases {
        let manifest = Manifest::parse(&case.manifest);
        if let Some(json) = &case.json {
            let official: OfficialManifest = serde_json::from_str(json).unwrap();
            let files = official.contents.value.into_iter().map(|entry| entry.value).collect();
            assert_eq!(manifest, Ok(Manifest { files }), "{}", case.name);
        } else {
            let expected = case.expected_errors.as_deref().unwrap();
            let (found, expected) = told(&manifest.unwrap_err(), expected);
            assert_eq!(found, expected, "{}", case.name);
        }
    }
    table_row("fga-mod-transformer-cases", cases.len(), cases.len(), 0);
    assert_eq!(cases.len(), 9);
}

#[test]
fn manifests_with_unknown_doubled_or_foreign_entries_are_refused() {
    for (manifest, error) in [
        ("schema: '1.2'\ncontents: [a.fga]\nmore: 1\n", "3:1: unknown field `more`"),
        ("schema: '1.2'\ncontents: [a.fga, a.fga]\n", "2:19: contents item a.fga is listed twice"),
        ("schema: '1.2'\ncontents: ['C:\\a.fga']\n", "2:12: invalid contents item C:\\a.fga"),
        ("schema: '1.2'\nschema: '1.2'\n", "2:1: duplicate mapping key: schema"),
    ] {
        let errors = Manifest::parse(manifest).unwrap_err();
        assert!(errors[0].to_string().starts_with(error), "{manifest}: {}", errors[0]);
        assert_eq!(errors[0].to_string().lines().count(), 1);
    }
}
