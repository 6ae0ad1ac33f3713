//! OpenFGA's sample stores: every test of all 32 files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mandate_authz::name::Subject;
use mandate_authz::store_file::{ListUsersTest, StoreFile, StoreTest};
use mandate_authz::tuple::Tuple;

use crate::support::engine::{Engine, Extra, Listing, Question};
use crate::support::fast::Fast;
use crate::support::naive::Naive;
use crate::support::suites;

fn wrong<E: Engine>(part: &str) -> Vec<String> {
    let Some(folder) = suites(part) else { return Vec::new() };
    let mut files = Vec::new();
    find(&folder.join("sample-stores/stores"), &mut files);
    let mut wrong = Vec::new();
    let mut assertions = 0;
    for file in &files {
        let store = read(file);
        for test in &store.tests {
            let (asked, failed) = run::<E>(&store, test);
            assertions += asked;
            wrong.extend(
                failed.iter().map(|line| format!("{}: {}: {line}", file.display(), test.name)),
            );
        }
    }
    assert_eq!((files.len(), assertions), (32, 363), "files and assertions");
    wrong
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            find(&path, files);
        } else if path.to_string_lossy().ends_with(".fga.yaml") {
            files.push(path);
        }
    }
}

fn read(file: &Path) -> StoreFile {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let folder = file.parent().expect("a folder");
    let mut open =
        |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
    let store = StoreFile::parse(&file.display().to_string(), &text, &mut open);
    store.unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// Runs a test: how many answers it asserts, and those that are wrong.
fn run<E: Engine>(store: &StoreFile, test: &StoreTest) -> (usize, Vec<String>) {
    let tuples = [store.tuples.clone(), test.tuples.clone()].concat();
    let engine = E::open(&store.model, &tuples);
    let by_name: Vec<Tuple> = tuples
        .iter()
        .filter(|tuple| !matches!(tuple.subject, Subject::Wildcard(_)))
        .cloned()
        .collect();
    let by_name = E::open(&store.model, &by_name);
    let mut wrong = Vec::new();
    for check in &test.checks {
        let extra = Extra { tuples: Vec::new(), context: check.context.clone() };
        let (user, relation, object) =
            (check.user.clone(), check.relation.clone(), check.object.clone());
        let found = engine.check(&Question { user, relation, object, extra });
        if found != Ok(check.expected) {
            wrong.push(format!("{check:?}: {found:?}"));
        }
    }
    for list in &test.list_objects {
        let extra = Extra { tuples: Vec::new(), context: list.context.clone() };
        let (user, relation, type_name) =
            (list.user.clone(), list.relation.clone(), list.type_name.clone());
        let found = engine.list_objects(&Listing { user, relation, type_name, extra });
        if found != Ok(list.expected.iter().cloned().collect()) {
            wrong.push(format!("{list:?}: {found:?}"));
        }
    }
    for list in &test.list_users {
        let found = list_users([&engine, &by_name], &tuples, list);
        if found != list.expected.iter().cloned().collect() {
            wrong.push(format!("{list:?}: {found:?}"));
        }
    }
    (test.checks.len() + test.list_objects.len() + test.list_users.len(), wrong)
}

/// Every subject that a relationship names and that the filter asks for, checked one by one. Who
/// has the relation only because everybody of the type has it is not listed by name.
fn list_users<E: Engine>(
    [engine, by_name]: [&E; 2],
    tuples: &[Tuple],
    list: &ListUsersTest,
) -> BTreeSet<String> {
    let wanted = |subject: &&Subject| {
        let (type_name, relation) = match subject {
            Subject::Object(object) => (&object.type_name, None),
            Subject::Userset(object, relation) => (&object.type_name, Some(relation)),
            Subject::Wildcard(type_name) => (type_name, None),
        };
        let mut filters = list.filters.iter();
        filters.any(|filter| filter.type_name == *type_name && filter.relation.as_ref() == relation)
    };
    let subjects = tuples.iter().map(|tuple| &tuple.subject).filter(wanted);
    let holds = |engine: &E, user: &str| {
        let extra = Extra { tuples: Vec::new(), context: list.context.clone() };
        let (relation, object) = (list.relation.clone(), list.object.clone());
        engine.check(&Question { user: user.to_owned(), relation, object, extra }) == Ok(true)
    };
    let listed = |user: &String| {
        let type_name = user.split(':').next().unwrap_or_default();
        let general = !user.contains('#') && !user.ends_with(":*");
        let general = general && holds(engine, &format!("{type_name}:*"));
        holds(engine, user) && (!general || holds(by_name, user))
    };
    subjects.map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().filter(listed).collect()
}

#[test]
fn the_naive_evaluator_passes_every_sample_store() {
    assert_eq!(wrong::<Naive>("sample stores, naive"), Vec::<String>::new());
}

#[test]
fn the_fast_evaluator_passes_every_sample_store() {
    assert_eq!(wrong::<Fast>("sample stores, fast"), Vec::<String>::new());
}
