//! Properties over random models and random texts.

use mandate_authz::condition::ParameterType;
use mandate_authz::model::{
    ConditionDefinition, Model, RelationDefinition, RestrictionForm, Rewrite, Schema,
    TypeDefinition, TypeRestriction,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::checks::{check_dsl, check_json, check_manifest};

/// Names that the language can say, keywords that may be names among them.
fn name() -> impl Strategy<Value = String> {
    let plain = "[a-d_][a-c0-9_-]{0,3}";
    let keyword = select(vec!["model", "schema", "type", "relation", "module", "extend"]);
    let extended = "[a-c]{1,2}[./][a-c]{1,2}(-[a-c])?";
    prop_oneof![6 => plain, 1 => keyword.prop_map(str::to_owned), 1 => extended]
}

fn condition_name() -> impl Strategy<Value = String> {
    "[c-f_][a-z0-9_-]{0,3}".prop_filter("no keyword", |name| {
        !["from", "define", "false", "int", "map", "list"].contains(&name.as_str())
    })
}

fn rewrite() -> impl Strategy<Value = Rewrite> {
    let leaf = prop_oneof![
        name().prop_map(Rewrite::Computed),
        (name(), name()).prop_map(|(relation, tupleset)| Rewrite::From { relation, tupleset }),
    ];
    leaf.prop_recursive(5, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Rewrite::Union),
            vec(inner.clone(), 2..4).prop_map(Rewrite::Intersection),
            (inner.clone(), inner).prop_map(|(base, subtract)| Rewrite::Difference(
                Box::new(base),
                Box::new(subtract)
            )),
        ]
    })
}

fn restriction() -> impl Strategy<Value = TypeRestriction> {
    let form = prop_oneof![
        Just(RestrictionForm::Object),
        Just(RestrictionForm::Wildcard),
        name().prop_map(RestrictionForm::Userset),
    ];
    (name(), form, option::of(condition_name()))
        .prop_map(|(type_name, form, condition)| TypeRestriction { type_name, form, condition })
}

/// `[…]` stands leftmost or nowhere.
fn relation() -> impl Strategy<Value = (Rewrite, Vec<TypeRestriction>)> {
    (rewrite(), vec(restriction(), 0..4)).prop_map(|(mut rewrite, restrictions)| {
        if !restrictions.is_empty() {
            *leftmost(&mut rewrite) = Rewrite::Direct;
        }
        (rewrite, restrictions)
    })
}

fn leftmost(rewrite: &mut Rewrite) -> &mut Rewrite {
    match rewrite {
        Rewrite::Union(children) | Rewrite::Intersection(children) => leftmost(&mut children[0]),
        Rewrite::Difference(base, _) => leftmost(base),
        leaf @ (Rewrite::Direct | Rewrite::Computed(_) | Rewrite::From { .. }) => leaf,
    }
}

fn type_definition() -> impl Strategy<Value = TypeDefinition> {
    (name(), btree_set(name(), 0..5), vec(relation(), 5)).prop_map(|(name, names, relations)| {
        let relations = names.into_iter().zip(relations).map(|(name, (rewrite, restrictions))| {
            RelationDefinition { name, rewrite, restrictions, module: None, file: None }
        });
        TypeDefinition { name, relations: relations.collect(), module: None, file: None }
    })
}

fn parameter() -> impl Strategy<Value = ParameterType> {
    let element = select(vec![
        ParameterType::Bool,
        ParameterType::Double,
        ParameterType::Duration,
        ParameterType::Int,
        ParameterType::IpAddress,
        ParameterType::String,
        ParameterType::Timestamp,
        ParameterType::UInt,
    ]);
    (element, 0..3_u8).prop_map(|(element, container)| match container {
        0 => element,
        1 => ParameterType::List(Box::new(element)),
        _ => ParameterType::Map(Box::new(element)),
    })
}

fn condition() -> impl Strategy<Value = (Vec<(String, ParameterType)>, String)> {
    let expression = select(vec![
        "a == 1",
        "a == \"}\" && b",
        "x.exists(y, y == r'\\}')\n  || {1: 2",
        "\"\"\"\n}\n\"\"\" == a",
        "conditions - 1",
        "",
    ]);
    let parameters = (btree_set(condition_name(), 1..4), vec(parameter(), 4));
    (parameters, expression).prop_map(|((names, types), expression)| {
        (names.into_iter().zip(types).collect(), expression.to_owned())
    })
}

fn model() -> impl Strategy<Value = Model> {
    let schema = select(vec![Schema::V1_1, Schema::V1_2]);
    let conditions = (btree_set(condition_name(), 0..3), vec(condition(), 3));
    (schema, vec(type_definition(), 0..5), conditions).prop_map(
        |(schema, types, (names, bodies))| {
            let conditions =
                names.into_iter().zip(bodies).map(|(name, (parameters, expression))| {
                    ConditionDefinition { name, parameters, expression, module: None, file: None }
                });
            Model { schema, types, conditions: conditions.collect() }
        },
    )
}

/// A text of a model with pieces taken out, doubled or put in.
fn damaged() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        " ",
        "\n",
        "\t",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "#",
        " # c\n",
        "*",
        "<",
        ">",
        "\"",
        "'",
        "//",
        "\"\"\"",
        "\\",
        "but not ",
        " or ",
        " and ",
        " from ",
        " with ",
        "define ",
        "relations",
        "type ",
        "extend type ",
        "module a",
        "condition ",
        "list<",
        "a",
        "é",
        "\r",
        "\u{c}",
        "1.1",
    ]);
    let change = (any::<Index>(), any::<Index>(), 0..3_u8, pieces);
    (model(), vec(change, 0..6)).prop_map(|(model, changes)| {
        let written = model.to_dsl().expect("the language can say these");
        let mut text: Vec<char> = written.chars().collect();
        for (at, to, what, piece) in changes {
            let (at, to) = (at.index(text.len() + 1), to.index(text.len() + 1));
            let (from, to) = (at.min(to), at.max(to).min(at.min(to) + 12));
            match what {
                0 => drop(text.drain(from..to)),
                1 => drop(text.splice(from..from, piece.chars())),
                _ => {
                    let copy: Vec<_> = text[from..to].to_vec();
                    drop(text.splice(to..to, copy));
                }
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(model in model()) {
        let dsl = model.to_dsl().expect("the language can say these");
        prop_assert_eq!(Model::parse_dsl(&dsl), Ok(model.clone()), "{}", dsl);
        prop_assert_eq!(Model::from_json(&model.to_json_text()), Ok(model));
    }

    #[test]
    fn damaged_models_are_read_or_refused(text in damaged()) {
        check_dsl(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check_dsl(&text);
        check_json(&text);
        check_manifest(&text);
    }

    #[test]
    fn damaged_json_is_read_or_refused(model in model(), at in any::<Index>(), piece in "[\"{}\\[\\],:a ]{0,3}") {
        let mut text: Vec<char> = model.to_json_text().chars().collect();
        let at = at.index(text.len());
        drop(text.splice(at..=at, piece.chars()));
        check_json(&text.into_iter().collect::<String>());
    }

    #[test]
    fn manifests_never_lead_out(files in vec("[a%2eEfF/.\\\\]{0,12}(\\.fga)?", 0..4)) {
        let list = files.iter().map(|file| format!("  - '{file}'\n")).collect::<String>();
        check_manifest(&format!("schema: '1.2'\ncontents:\n{list}"));
    }
}

// A comment on a line of its own left the indentation of that line, which the next reading dropped.
#[test]
fn a_line_whose_comment_is_gone_is_written_as_it_is_read() {
    let text = "model\n  schema 1.1\ntype user\ncondition c(a: int) {\n  a > 1\n // \"}\"\n  && a < 3\n}\n";
    check_dsl(text);
}

// By fuzzing: written on a line of its own, it was a comment.
#[test]
fn an_expression_that_begins_with_a_hash_is_written_as_it_was_read() {
    let head = "model\n  schema 1.1\ntype user\ncondition c(a: int) ";
    for expression in ["{#  a\n  && a\n}\n", "{ # a }\n", "{\n  a #\n}\n"] {
        check_dsl(&format!("{head}{expression}"));
    }
}
