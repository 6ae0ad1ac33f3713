//! The JSON form: the official cases, and what is refused.

use mandate_authz::model::{LocatedModel, Model, ModelError};
use serde::Deserialize;

use crate::support::{ExpectedError, read_yaml, suite, table_row, told};

#[derive(Debug, Deserialize)]
struct ValidationCase {
    name: String,
    json: String,
    expected_errors: Option<Vec<ExpectedError>>,
}

#[derive(Debug, Deserialize)]
struct TransformerCase {
    name: String,
    json: String,
    valid: Option<bool>,
    error_message: Option<String>,
}

fn errors(json: &str) -> Vec<ModelError> {
    match Model::from_json(json) {
        Ok(model) => LocatedModel::from(model).validate().err().unwrap_or_default(),
        Err(errors) => errors,
    }
}

fn words(json: &str) -> Vec<String> {
    errors(json).iter().map(ToString::to_string).collect()
}

#[test]
fn validation_cases_agree_in_kind_and_words() {
    let Some(folder) = suite("openfga-language", "JSON validation cases") else { return };
    let cases: Vec<ValidationCase> = read_yaml(&folder.join("data/json-validation-cases.yaml"));
    for case in &cases {
        let (found, expected) =
            told(&errors(&case.json), case.expected_errors.as_deref().unwrap_or(&[]));
        assert_eq!(found, expected, "{}", case.name);
    }
    table_row("json-validation-cases", cases.len(), cases.len(), 0);
    assert_eq!(cases.len(), 5);
}

#[test]
fn models_that_the_language_cannot_say_are_named() {
    let Some(folder) = suite("openfga-language", "JSON to DSL cases") else { return };
    let file = folder.join("data/json-syntax-transformer-validation-cases.yaml");
    let cases: Vec<TransformerCase> = read_yaml(&file);
    for case in &cases {
        let written = Model::from_json(&case.json).unwrap().to_dsl();
        assert_eq!(written.is_ok(), case.valid.unwrap_or(true), "{}", case.name);
        let found = written.err().map(|errors| errors[0].to_string());
        assert_eq!(found, case.error_message, "{}", case.name);
    }
    table_row("json-syntax-transformer-validation-cases", cases.len(), cases.len(), 0);
    assert_eq!(cases.len(), 6);
}

#[test]
fn unknown_and_doubled_members_are_refused_with_their_path() {
    let with_type = |members: &str| {
        format!(r#"{{"schema_version":"1.1","type_definitions":[{{"type":"user",{members}}}]}}"#)
    };
    for (json, error) in [
        (
            r#"{"schema_version":"1.1","typo":1}"#.to_owned(),
            "`typo`: unknown field `typo`, expected one of `id`, ",
        ),
        (
            with_type(r#""relations":{"r":{"this":{},"this":{}}}"#),
            "`type_definitions[0].relations.r`: duplicate field `this` at line 1 column 93",
        ),
        (
            with_type(r#""relations":{"r":{"this":{}},"r":{"this":{}}}"#),
            "`type_definitions[0].relations`: the member is there twice at line 1 column ",
        ),
        (
            with_type(r#""relations":{"r":{"this":{},"computedUserset":{"relation":"a"}}}"#),
            "`type_definitions[0].relations.r`: a rewrite has exactly one member",
        ),
        (
            with_type(r#""relations":{"r":{}}"#),
            "`type_definitions[0].relations.r`: a rewrite has exactly one member",
        ),
        (
            with_type(r#""metadata":{"relations":{"r":{}}}"#),
            "`type_definitions[0].metadata.relations.r`: describes a relation that is not there",
        ),
        (r#"{"schema_version":"1.1"} x"#.to_owned(), "trailing characters at line 1 column 26"),
    ] {
        assert!(words(&json)[0].starts_with(error), "{json}: {:?}", words(&json));
        assert_eq!(words(&json).len(), 1);
    }
}

#[test]
fn what_protobufs_writer_shows_empty_is_not_there() {
    let json = r#"{"id":"01","schemaVersion":"1.1","typeDefinitions":[
        {"type":"user","relations":{},"metadata":null},
        {"type":"doc","relations":{"viewer":{"this":{}},"owner":{"computed_userset":{"object":"","relation":"viewer"}}},
         "metadata":{"module":"","source_info":null,"relations":{
            "viewer":{"directly_related_user_types":[{"type":"user","relation":"","condition":""}],"module":""},
            "owner":{"directly_related_user_types":[]}}}}],"conditions":{}}"#;
    let dsl = "model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define viewer: [user]\n    define owner: viewer\n";
    assert_eq!(Model::from_json(json), Model::parse_dsl(dsl));
}

/// An expression with white space before its first line once came back with more at every turn.
#[test]
fn white_space_around_an_expression_is_not_written() {
    let model = Model::parse_dsl("model\n  schema 1.1\n\ncondition c(a: int) {\n  a == 1\n}\n");
    let model = model.expect("a model");
    let mut padded = model.clone();
    padded.conditions[0].expression = "\n   a == 1 \n".to_owned();
    assert_eq!(padded.to_dsl(), model.to_dsl());
}

#[test]
fn each_part_that_the_language_cannot_say_is_named() {
    let json = r#"{"schema_version":"1.1","type_definitions":[
        {"type":"user"},
        {"type":"doc","relations":{
            "viewer":{"this":{}},
            "editor":{"union":{"child":[{"this":{}},{"this":{}}]}},
            "owner":{"intersection":{"child":[{"this":{}},{"this":{}}]}}},
         "metadata":{"relations":{
            "viewer":{"directly_related_user_types":[{"type":"user"}]},
            "editor":{"directly_related_user_types":[{"type":"user"}]},
            "owner":{"directly_related_user_types":[{"type":"user"}]}}}}]}"#;
    let errors =
        Model::from_json(json).expect("a model").to_dsl().expect_err("not in the language");
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "the 'editor' relation definition under the 'doc' type is not supported by the OpenFGA \
             DSL syntax yet",
            "the 'owner' relation definition under the 'doc' type is not supported by the OpenFGA \
             DSL syntax yet",
        ]
    );
}
