//! The assertions of a test, asked one by one.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context as _, Result};
use mandate_authz::name::Subject;
use mandate_authz::store_file::{CheckTest, ListObjectsTest, ListUsersTest, StoreTest, UserFilter};
use mandate_authz::tuple::Tuple;
use serde_json::{Map, Value, json};

use crate::engine::Engine;

/// One assertion, with what was found.
pub(super) struct Asked {
    pub(super) question: String,
    pub(super) expected: Value,
    pub(super) found: Value,
}

impl Asked {
    pub(super) fn holds(&self) -> bool {
        self.expected == self.found
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { question, expected, found } = self;
        write!(formatter, "{question}: expected {expected}, found {found}")
    }
}

/// Asks what a test asserts.
pub(super) struct Questioner<'q> {
    pub(super) engine: &'q mut dyn Engine,
    /// The same relationships without those for everybody of a type.
    pub(super) by_name: Option<Box<dyn Engine>>,
    /// Everybody that a relationship names.
    pub(super) subjects: BTreeSet<Subject>,
}

impl Questioner<'_> {
    pub(super) fn ask(&mut self, test: &StoreTest) -> Result<Vec<Asked>> {
        let mut asked = Vec::new();
        for check in &test.checks {
            asked.push(self.check(check)?);
        }
        for list in &test.list_objects {
            asked.push(self.list_objects(list)?);
        }
        for list in &test.list_users {
            asked.push(self.list_users(list)?);
        }
        Ok(asked)
    }

    fn check(&mut self, test: &CheckTest) -> Result<Asked> {
        let CheckTest { user, relation, object, context, expected } = test;
        Ok(Asked {
            question: format!("check {user} {relation} {object}"),
            expected: json!(expected),
            found: allowed(self.engine, [user, relation, object], context)?,
        })
    }

    fn list_objects(&mut self, test: &ListObjectsTest) -> Result<Asked> {
        let ListObjectsTest { user, relation, type_name, context, expected } = test;
        let question = json!({
            "user": user, "relation": relation, "type": type_name, "context": context,
        });
        let mut answer = read(&self.engine.list_objects(&question.to_string())?)?;
        let found = match answer.remove("objects") {
            Some(Value::Array(ids)) => {
                let ids = ids.iter().filter_map(Value::as_str);
                sorted(ids.map(|id| format!("{type_name}:{id}")))
            }
            _ => failure(&answer),
        };
        Ok(Asked {
            question: format!("list objects {user} {relation} {type_name}"),
            expected: sorted(expected.iter().cloned()),
            found,
        })
    }

    /// Everybody that a relationship names and the filters ask for. Who has the relation only
    /// because everybody of the type has it is not listed by name.
    fn list_users(&mut self, test: &ListUsersTest) -> Result<Asked> {
        let ListUsersTest { object, relation, filters, context, expected } = test;
        let mut found = BTreeSet::new();
        for subject in self.subjects.iter().filter(|subject| is_wanted(subject, filters)) {
            let user = subject.to_string();
            if allowed(self.engine, [&user, relation, object], context)? != json!(true) {
                continue;
            }
            let everybody = format!("{}:*", type_of(subject));
            let general = matches!(subject, Subject::Object(_))
                && allowed(self.engine, [&everybody, relation, object], context)? == json!(true);
            let by_name = match self.by_name.as_deref_mut() {
                Some(engine) if general => {
                    allowed(engine, [&user, relation, object], context)? == json!(true)
                }
                _ => true,
            };
            if by_name {
                found.insert(user);
            }
        }
        let kinds: Vec<String> = filters.iter().map(filter_text).collect();
        Ok(Asked {
            question: format!("list users {} {relation} {object}", kinds.join(", ")),
            expected: sorted(expected.iter().cloned()),
            found: sorted(found.into_iter()),
        })
    }
}

/// Whether the relationship is one of everybody of a type.
pub(super) const fn is_for_everybody(tuple: &Tuple) -> bool {
    matches!(tuple.subject, Subject::Wildcard(_))
}

/// `true`, `false`, or why there is no answer.
fn allowed(
    engine: &mut dyn Engine,
    [user, relation, object]: [&String; 3],
    context: &Map<String, Value>,
) -> Result<Value> {
    let question =
        json!({ "user": user, "relation": relation, "object": object, "context": context });
    let mut answer = read(&engine.relation_holds(&question.to_string())?)?;
    Ok(answer.remove("allowed").unwrap_or_else(|| failure(&answer)))
}

fn read(answer: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(answer).context("the answer is no JSON object")
}

/// Why there is no answer, as text: it equals nothing that a test expects.
fn failure(answer: &Map<String, Value>) -> Value {
    let message = answer.get("error").and_then(|error| error.get("message"));
    let message = message.and_then(Value::as_str).unwrap_or("no answer");
    Value::from(format!("error: {message}"))
}

fn sorted(texts: impl Iterator<Item = String>) -> Value {
    texts.collect::<BTreeSet<_>>().into_iter().collect()
}

fn is_wanted(subject: &Subject, filters: &[UserFilter]) -> bool {
    let relation = match subject {
        Subject::Userset(_, relation) => Some(relation),
        Subject::Object(_) | Subject::Wildcard(_) => None,
    };
    let type_name = type_of(subject);
    filters.iter().any(|of| of.type_name == type_name && of.relation.as_ref() == relation)
}

fn type_of(subject: &Subject) -> &str {
    match subject {
        Subject::Object(object) | Subject::Userset(object, _) => &object.type_name,
        Subject::Wildcard(type_name) => type_name,
    }
}

fn filter_text(filter: &UserFilter) -> String {
    match &filter.relation {
        None => filter.type_name.clone(),
        Some(relation) => format!("{}#{relation}", filter.type_name),
    }
}
