//! What is too large, too deep or simply not the language.

use mandate_authz::limits::{MODEL_BYTES, MODEL_ERRORS, MODEL_NESTING, MODEL_TYPES};
use mandate_authz::model::{Model, ModelError, Problem};

const HEAD: &str = "model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define a: [user]\n";

fn with_definition(definition: &str) -> String {
    format!("{HEAD}    define b: {definition}\n")
}

fn problems(errors: &[ModelError]) -> Vec<Problem> {
    errors.iter().map(|error| error.problem.clone()).collect()
}

#[test]
fn parentheses_have_a_limit_of_their_own() {
    let nested =
        |levels: usize| with_definition(&format!("{}a{}", "(".repeat(levels), ")".repeat(levels)));
    let flat = Model::parse_dsl(&with_definition("a"));
    assert_eq!(Model::parse_dsl(&nested(MODEL_NESTING)), flat);
    let errors = Model::parse_dsl(&nested(MODEL_NESTING + 1)).unwrap_err();
    assert_eq!(problems(&errors), [Problem::Nesting { limit: MODEL_NESTING }]);
    let errors = Model::parse_dsl(&with_definition(&"(".repeat(500_000))).unwrap_err();
    assert_eq!(problems(&errors), [Problem::Nesting { limit: MODEL_NESTING }]);
}

#[test]
fn operators_in_json_have_the_same_limit() {
    let nested = |levels: usize| {
        let open = r#"{"union":{"child":["#.repeat(levels);
        let close = "]}}".repeat(levels);
        format!(
            r#"{{"schema_version":"1.1","type_definitions":[{{"type":"t","relations":{{"r":{open}{{"this":{{}}}}{close}}}}}]}}"#
        )
    };
    let depth_of = |levels| Model::from_json(&nested(levels)).map(|model| model.types.len());
    assert_eq!(depth_of(MODEL_NESTING), Ok(1));
    let errors = depth_of(MODEL_NESTING + 1).unwrap_err();
    assert_eq!(problems(&errors), [Problem::Nesting { limit: MODEL_NESTING }]);
    let errors = depth_of(1_000).unwrap_err();
    assert!(errors[0].to_string().contains("recursion limit exceeded"), "{}", errors[0]);
}

#[test]
fn texts_have_a_limit() {
    let large = "#".repeat(MODEL_BYTES + 1);
    let expected = [Problem::TooLarge { limit: MODEL_BYTES }];
    assert_eq!(problems(&Model::parse_dsl(&large).unwrap_err()), expected);
    assert_eq!(problems(&Model::from_json(&large).unwrap_err()), expected);
}

#[test]
fn types_have_a_limit() {
    let types = |count: usize| {
        let names = (0..count).map(|number| format!("type t{number}\n")).collect::<String>();
        Model::parse_dsl(&format!("model\n  schema 1.1\n{names}")).unwrap().validate()
    };
    assert_eq!(types(MODEL_TYPES), Ok(()));
    let expected = [Problem::TooManyTypes { limit: MODEL_TYPES }];
    assert_eq!(problems(&types(MODEL_TYPES + 1).unwrap_err()), expected);
}

#[test]
fn errors_have_a_limit() {
    let relations = (0..MODEL_ERRORS * 2).map(|number| format!("    define r{number}: gone\n"));
    let text = format!("{HEAD}{}", relations.collect::<String>());
    let errors = Model::parse_dsl(&text).unwrap().validate().unwrap_err();
    assert_eq!(errors.len(), MODEL_ERRORS);
}

/// What makes the official validator's recursion explode, and long chains.
#[test]
fn validation_takes_time_in_proportion_to_the_model() {
    let ladder = (1..200).map(|number| {
        let below = number - 1;
        format!("    define r{number}: (r{below} or s{below}) and a\n    define s{number}: r{below} or s{below}\n")
    });
    let text =
        format!("{HEAD}    define r0: [doc#r0]\n    define s0: r0\n{}", ladder.collect::<String>());
    let errors = Model::parse_dsl(&text).unwrap().validate().unwrap_err();
    assert_eq!(errors.len(), MODEL_ERRORS);
    let chain = (1..20_000).map(|number| format!("    define c{number}: c{}\n", number - 1));
    let text = format!("{HEAD}    define c0: a\n{}", chain.collect::<String>());
    assert_eq!(Model::parse_dsl(&text).unwrap().validate(), Ok(()));
    let ring =
        (0..20_000).map(|number| format!("    define c{number}: c{}\n", (number + 1) % 20_000));
    let text = format!("{HEAD}{}", ring.collect::<String>());
    assert_eq!(Model::parse_dsl(&text).unwrap().validate().unwrap_err().len(), MODEL_ERRORS);
}

#[test]
fn syntax_errors_say_what_stands_there_and_what_may() {
    for (text, error) in [
        ("", "1:1: found the end, expected `model` or `module`"),
        ("model\n  schema 11\n", "2:10: found `11`, expected the schema's version, such as `1.1`"),
        (
            &with_definition("a or b and c"),
            "7:21: found ` `, expected a line end: operators that differ need parentheses",
        ),
        (
            &with_definition("(a or b and c)"),
            "7:23: found `and`, expected `)`: operators that differ need parentheses",
        ),
        (&with_definition("a but  not b"), "7:16: found ` `, expected a line end"),
        (
            &with_definition("a or [user]"),
            "7:20: found `[`, expected a relation or `(`: `[…]` stands only first in a definition",
        ),
        (&with_definition("[user:x]"), "7:21: found `x`, expected `*`"),
        (
            &format!("{HEAD}condition c(a: any) {{ a }}\n"),
            "7:16: found `any`, expected a parameter's type",
        ),
        (
            &format!("{HEAD}condition c(a: int) {{ a @ 1 }}\n"),
            "7:25: found `@`, expected CEL, then `}}`",
        ),
        (
            &format!("{HEAD}condition c(a: int) {{ a == 1 }}\ntype x\n"),
            "8:1: found `type`, expected `condition`: types stand before conditions",
        ),
    ] {
        let errors = Model::parse_dsl(text).unwrap_err();
        let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(words, [error.replace("}}", "}")], "{text}");
    }
}
