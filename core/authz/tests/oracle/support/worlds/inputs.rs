//! Conditions of random worlds, and values for their parameters.

use mandate_authz::condition::ParameterType as Kind;
use mandate_authz::model::{ConditionDefinition, Model};
use serde_json::{Map, Value, json};

use super::super::random::Random;

/// Up to three conditions.
pub(super) fn conditions(random: &mut Random) -> Vec<ConditionDefinition> {
    let mut chosen: Vec<ConditionDefinition> = Vec::new();
    for _ in 0..random.below(4) {
        let (name, parameters, expression) = random.pick(&all());
        if !chosen.iter().any(|condition| condition.name == name) {
            let parameters = parameters.into_iter().map(|(name, kind)| (name.to_owned(), kind));
            chosen.push(ConditionDefinition {
                name: name.to_owned(),
                parameters: parameters.collect(),
                expression: expression.to_owned(),
                module: None,
                file: None,
            });
        }
    }
    chosen
}

type Written = (&'static str, Vec<(&'static str, Kind)>, &'static str);

fn all() -> Vec<Written> {
    let texts = || Kind::List(Box::new(Kind::String));
    let attributes = || Kind::Map(Box::new(Kind::String));
    vec![
        ("adult", vec![("age", Kind::Int)], "age >= 18 && age - 18 < 100"),
        ("office", vec![("ip", Kind::IpAddress)], "ip.in_cidr(\"10.0.0.0/8\")"),
        ("timely", vec![("now", Kind::Timestamp), ("until", Kind::Timestamp)], "now < until"),
        (
            "graceful",
            vec![("now", Kind::Timestamp), ("until", Kind::Timestamp), ("grace", Kind::Duration)],
            "now < until + grace",
        ),
        ("tagged", vec![("tag", Kind::String), ("tags", texts())], "tag in tags"),
        (
            "cheap",
            vec![("price", Kind::Double), ("limit", Kind::UInt)],
            "price < 10.0 && limit > 3u",
        ),
        (
            "fitting",
            vec![("attributes", attributes()), ("tag", Kind::String)],
            "\"tag\" in attributes && attributes[\"tag\"] == tag",
        ),
        ("enabled", vec![("on", Kind::Bool)], "on"),
        ("stated", vec![("statement", Kind::Any)], "statement == \"yes\""),
        ("risky", vec![("age", Kind::Int)], "10 / (age - 20) < 100"),
    ]
}

/// Some parameters of a condition, as they are stored beside a relationship.
pub(super) fn stored(model: &Model, condition: &str, random: &mut Random) -> Map<String, Value> {
    let of = model.conditions.iter().find(|definition| definition.name == condition);
    let parameters = of.map(|definition| definition.parameters.iter()).into_iter().flatten();
    let mut context = Map::new();
    for (name, _) in parameters {
        if random.percent(40) {
            context.insert(name.clone(), value(name, random));
        }
    }
    context
}

/// What a request brings: every parameter of the model, or not.
pub(super) fn requested(model: &Model, complete: bool, random: &mut Random) -> Map<String, Value> {
    let mut context = Map::new();
    for (name, _) in model.conditions.iter().flat_map(|condition| &condition.parameters) {
        if complete || random.percent(80) {
            context.insert(name.clone(), value(name, random));
        }
        if !complete && random.percent(5) {
            context.insert(name.clone(), json!({ "none": "of these" }));
        }
    }
    context
}

/// A value that most conditions like.
fn value(parameter: &str, random: &mut Random) -> Value {
    let liked = random.percent(70);
    match parameter {
        "age" if random.percent(10) => json!("20"),
        "age" => json!(if liked { 30 } else { 7 }),
        "attributes" => json!({ "tag": if liked { "red" } else { "green" } }),
        "grace" => json!(if liked { "24h30m" } else { "0s" }),
        "ip" => {
            json!(if liked { random.pick(&["10.1.2.3", "::ffff:10.0.0.1"]) } else { "192.0.2.1" })
        }
        "limit" => json!(if liked { 5 } else { 2 }),
        "now" => json!("2026-03-01T12:00:00Z"),
        "on" => json!(liked),
        "price" => json!(if liked { 9.5 } else { 10.5 }),
        "statement" => random.pick(&[json!("yes"), json!("yes"), json!("no"), json!(1), json!([])]),
        "tag" => json!(if liked { "red" } else { "blue" }),
        "tags" => json!(if liked { vec!["green", "red"] } else { vec![] }),
        "until" => json!(if liked { "2026-03-02T00:00:00+02:00" } else { "2026-02-28T23:00:00Z" }),
        other => panic!("no value for {other}"),
    }
}
