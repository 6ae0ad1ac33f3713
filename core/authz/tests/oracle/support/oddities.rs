//! Requests at the edges: malformed names, unknown ones, and chains as long as the limit.

use mandate_authz::model::Model;
use mandate_authz::name::{ObjectName, Subject};
use mandate_authz::tuple::Tuple;

use super::engine::{Extra, Question};

const MODEL: &str = "\
model
  schema 1.1
type user
type team
  relations
    define member: [user, user:*, team#member]
type folder
  relations
    define parent: [folder]
    define owner: [team#member]
    define viewer: owner or viewer from parent
    define can_view: viewer
";

/// The model of the questions here.
pub(crate) fn model() -> Model {
    Model::parse_dsl(MODEL).expect("a model")
}

/// What is stored before the questions.
pub(crate) fn tuples() -> Vec<Tuple> {
    let subject = |text: &str| Subject::parse(text).expect("a subject");
    vec![
        tuple("team:a", "member", subject("user:anne")),
        tuple("team:a", "member", subject("team:b#member")),
        tuple("team:b", "member", subject("user:*")),
        tuple("folder:a", "owner", subject("team:a#member")),
    ]
}

/// Users, relations and objects that are fine in one place, wrong in another or everywhere.
pub(crate) fn questions() -> Vec<Question> {
    const NAMES: [&str; 28] = [
        "user:anne",
        "user:*",
        "team:a",
        "team:*",
        "team:a#member",
        "team:*#member",
        "user:anne#member",
        "team:a#nothing",
        "team:a#member#member",
        "team:a##member",
        "team:a#",
        "team#member",
        "ghost:a",
        "user:a:b",
        "team:a:b#member",
        ":a",
        "user:",
        ":",
        "user",
        "*",
        "user:a b",
        "user:a\tb",
        "user:a\u{1}",
        "user:é",
        "user:a*",
        "user:a\u{85}",
        "user:\u{a0}",
        "team:a*#member",
    ];
    const RELATIONS: [&str; 7] =
        ["member", "viewer", "nothing", "member#x", "mem ber", "member:x", "member\u{7}"];
    let ask = |user: &str, relation: &str, object: &str| Question {
        user: user.to_owned(),
        relation: relation.to_owned(),
        object: object.to_owned(),
        extra: Extra::default(),
    };
    let users = NAMES.iter().map(|user| ask(user, "member", "team:a"));
    let objects = NAMES.iter().map(|object| ask("user:anne", "member", object));
    let relations = RELATIONS.iter().map(|relation| ask("user:anne", relation, "team:a"));
    let contextual = NAMES.iter().flat_map(|name| {
        let subject = Subject::parse(name).map(|subject| tuple("team:b", "member", subject));
        let anne = Subject::parse("user:anne").expect("a user");
        let object = ObjectName::parse(name).map(|object| Tuple::new(object, "member", anne));
        [subject, object].into_iter().flatten().map(|tuple| {
            let mut question = ask("user:anne", "member", "team:a");
            question.extra.tuples.push(tuple);
            question
        })
    });
    // As much as is taken, and one more.
    let long =
        |prefix: &str, letter: &str, count: usize| format!("{prefix}{}", letter.repeat(count));
    let long_users = [("a", 507), ("a", 508), ("é", 253), ("é", 254)];
    let long_users = long_users.map(|(letter, count)| long("user:", letter, count));
    let users = users.chain(long_users.map(|user| ask(&user, "member", "team:a")));
    let long_objects = [("a", 251), ("a", 252), ("é", 251), ("é", 252)];
    let long_objects = long_objects.map(|(letter, count)| long("team:", letter, count));
    let objects = objects.chain(long_objects.map(|object| ask("user:anne", "member", &object)));
    users.chain(objects).chain(relations).chain(contextual).collect()
}

/// So many teams within each other below a folder, and the question whether their one member can
/// view it: a step over a relationship each, and computed relations, which are none.
pub(crate) fn chain(teams: usize) -> (Vec<Tuple>, Question) {
    let team = |at: usize| format!("team:{at}#member");
    let subject = |text: &str| Subject::parse(text).expect("a subject");
    let mut tuples = vec![tuple("folder:a", "owner", subject(&team(1)))];
    tuples.extend(
        (1..teams).map(|at| tuple(&format!("team:{at}"), "member", subject(&team(at + 1)))),
    );
    tuples.push(tuple(&format!("team:{teams}"), "member", subject("user:anne")));
    let [user, relation, object] = ["user:anne", "can_view", "folder:a"].map(str::to_owned);
    (tuples, Question { user, relation, object, extra: Extra::default() })
}

/// So many folders within each other, the last of which has an owner.
pub(crate) fn nested(folders: usize) -> (Vec<Tuple>, Question) {
    let folder = |at: usize| Subject::parse(&format!("folder:{at}")).expect("a subject");
    let mut tuples: Vec<_> =
        (1..folders).map(|at| tuple(&format!("folder:{at}"), "parent", folder(at + 1))).collect();
    let team = Subject::parse("team:a#member").expect("a subject");
    tuples.push(tuple(&format!("folder:{folders}"), "owner", team));
    let [user, relation, object] = ["team:a#member", "can_view", "folder:1"].map(str::to_owned);
    (tuples, Question { user, relation, object, extra: Extra::default() })
}

fn tuple(object: &str, relation: &str, subject: Subject) -> Tuple {
    Tuple::new(ObjectName::parse(object).expect("an object"), relation, subject)
}
