//! Single facts of the language and its messages that the suites leave open.

use mandate_authz::model::{LocatedModel, Model, ModuleFile, Rewrite};

fn words(text: &str) -> Vec<String> {
    let checked = LocatedModel::parse_dsl(text).and_then(|model| model.validate());
    checked.unwrap_err().iter().map(ToString::to_string).collect()
}

const HEAD: &str = "model\n  schema 1.1\ntype user\ntype doc\n  relations\n";

#[test]
fn a_conditions_own_errors_have_the_place_in_the_models_text() {
    let text = format!(
        "{HEAD}    define a: [user with c]\ncondition c(x: int) {{\n  # a comment\n  x == 1 &&\n    y == 2\n}}\n"
    );
    let errors = words(&text);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].starts_with("10:5: condition `c`: "), "{}", errors[0]);
}

#[test]
fn expressions_keep_their_strings_and_lose_their_comments() {
    let text = format!(
        "{HEAD}    define a: [user with c]\ncondition c(x: string) {{\n  x == \"}} // no\" // yes }}\n  && true   \n\n}}\n"
    );
    let model = Model::parse_dsl(&text).unwrap();
    assert_eq!(model.conditions[0].expression, "x == \"} // no\"\n  && true");
}

#[test]
fn json_names_that_would_say_something_else_are_not_written() {
    let json = |relation: &str| {
        format!(
            r#"{{"schema_version":"1.1","type_definitions":[{{"type":"user"}},{{"type":"doc",
                "relations":{{"{relation}":{{"this":{{}}}}}},
                "metadata":{{"relations":{{"{relation}":{{"directly_related_user_types":[{{"type":"user"}}]}}}}}}}}]}}"#
        )
    };
    let written = Model::from_json(&json("viewer")).unwrap().to_dsl().unwrap();
    assert!(written.ends_with("    define viewer: [user]\n"), "{written}");
    for relation in ["in", "and", "1st", "a: [user]\\n    define b", "a #", "ä"] {
        let model = Model::from_json(&json(relation)).unwrap();
        let errors = model.to_dsl().unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].to_string().lines().count(), 1);
        assert_eq!(errors[0].problem.code(), "not-in-dsl", "{relation}");
    }
}

#[test]
fn a_file_name_cannot_end_the_comment_that_names_it() {
    let model = LocatedModel::from_modules(&[ModuleFile {
        name: "a.fga\ntype evil\n".to_owned(),
        text: "module a\ntype user\n".to_owned(),
    }])
    .unwrap()
    .into_model();
    assert_eq!(model.to_dsl().unwrap(), "model\n  schema 1.2\n\ntype user\n");
    assert_eq!(model.to_dsl_with_sources().unwrap_err()[0].problem.code(), "not-in-dsl");
}

#[test]
fn windows_line_ends_comments_and_missing_last_line_ends_change_nothing() {
    let plain = "model\n  schema 1.1\n\ntype user\n\ntype doc\n  relations\n    define a: [user]\n";
    let expected = Model::parse_dsl(plain);
    for text in [
        plain.replace('\n', "\r\n"),
        plain.trim_end().to_owned(),
        plain.replace("[user]", "[user] # b or c"),
        plain.replace("\n\n", "\n# c\n\n  \n"),
        plain.replace("    ", "\t"),
        format!("\n  # c\n{plain}   \n"),
    ] {
        assert_eq!(Model::parse_dsl(&text), expected, "{text:?}");
    }
}

#[test]
fn operands_of_one_operator_stay_side_by_side_and_parentheses_nest() {
    let definition = |text: &str| {
        let model = Model::parse_dsl(&format!("{HEAD}    define a: {text}\n")).unwrap();
        model.types[1].relations[0].rewrite.clone()
    };
    let computed = |name: &str| Rewrite::Computed(name.to_owned());
    let (x, y, z) = (computed("x"), computed("y"), computed("z"));
    let union = Rewrite::Union(vec![x.clone(), y.clone()]);
    assert_eq!(definition("x or y or z"), Rewrite::Union(vec![x.clone(), y.clone(), z.clone()]));
    assert_eq!(definition("(x or y) or z"), Rewrite::Union(vec![union.clone(), z]));
    assert_eq!(definition("( ((x)) )"), x);
    assert_eq!(
        definition("([user] or y) but not (x or y)"),
        Rewrite::Difference(Box::new(Rewrite::Union(vec![Rewrite::Direct, y])), Box::new(union))
    );
}

#[test]
fn models_made_in_code_are_checked_for_what_readers_refuse() {
    let mut model = Model::parse_dsl(&format!(
        "{HEAD}    define a: [user with c]\ncondition c(x: int) {{ x == 1 }}\n"
    ))
    .unwrap();
    let twice = model.types[1].relations[0].clone();
    model.types[1].relations.push(twice);
    model.conditions.push(model.conditions[0].clone());
    let parameter = model.conditions[0].parameters[0].clone();
    model.conditions[0].parameters.push(parameter);
    let errors = model.validate().unwrap_err();
    let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "'a' is already defined in 'doc'",
            "parameter 'x' is already defined in the condition 'c'",
            "condition 'c' is already defined in the model",
        ]
    );
}
