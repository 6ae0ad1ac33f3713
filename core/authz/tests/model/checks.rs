//! What holds for every text, whoever wrote it. For property tests, and for fuzzing.

use mandate_authz::model::{LocatedModel, Manifest, Model, ModelError, ModuleFile};

/// The parser, the validator and `lint` end, errors lie in the text, and what parses can be written
/// and read back.
pub(crate) fn check_dsl(text: &str) {
    match LocatedModel::parse_dsl(text) {
        Ok(located) => {
            check_errors(&located.validate().err().unwrap_or_default(), text);
            for warning in located.lint() {
                assert!(warning.to_string().lines().count() == 1, "{warning}");
            }
            let model = located.into_model();
            let written = model.to_dsl().expect("what was read can be written");
            assert_eq!(Model::parse_dsl(&written), Ok(model.clone()), "{written}");
            check_json_round_trip(model);
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            check_errors(&errors, text);
        }
    }
    let module = ModuleFile { name: "module.fga".to_owned(), text: text.to_owned() };
    if let Err(errors) = LocatedModel::from_modules(&[module]) {
        check_errors(&errors, text);
    }
}

/// The reader and the validator end, and what is read can be written and read back.
pub(crate) fn check_json(text: &str) {
    let Ok(model) = Model::from_json(text) else { return };
    let valid = model.validate();
    if let Ok(written) = model.to_dsl() {
        let again = Model::parse_dsl(&written).expect("what was written is the language");
        assert_eq!(again.validate().is_ok(), valid.is_ok(), "{written}");
        // Comments and white space within expressions are gone, and nothing else.
        let rewritten = again.to_dsl().expect("still the language");
        assert_eq!(Model::parse_dsl(&rewritten), Ok(again), "{written}");
    }
    check_json_round_trip(model);
}

/// No manifest leads out of its directory.
pub(crate) fn check_manifest(text: &str) {
    if let Ok(manifest) = Manifest::parse(text) {
        for file in manifest.files {
            let parts = file.split(['/', '\\']);
            assert!(parts.clone().all(|part| part != ".."), "{file}");
            assert!(file.ends_with(".fga") && !file.starts_with(['/', '\\']), "{file}");
        }
    }
}

/// Conditions and parameters come in the order of their names.
fn check_json_round_trip(mut model: Model) {
    let again = Model::from_json(&model.to_json_text()).expect("what was written can be read");
    model.conditions.sort_by(|left, right| left.name.cmp(&right.name));
    for condition in &mut model.conditions {
        condition.parameters.sort_by(|left, right| left.0.cmp(&right.0));
    }
    assert_eq!(again, model);
}

fn check_errors(errors: &[ModelError], text: &str) {
    let lines: Vec<_> = text.split('\n').collect();
    for error in errors {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        if let Some(span) = error.span {
            let line =
                lines.get(usize::try_from(span.line).unwrap() - 1).expect("a line of the text");
            let columns = u32::try_from(line.chars().count()).unwrap();
            assert!((1..=columns + 1).contains(&span.column), "{error}: {line:?}");
        }
    }
}
