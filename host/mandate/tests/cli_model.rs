//! `mandate model`, end to end.

#![expect(clippy::unwrap_used, reason = "tests")]

mod cli;

use std::path::{Path, PathBuf};

use cli::{Folder, has_plugin, mandate, mandate_with, suites};
use serde_json::{Value, json};

const DSL: &str = "model
  schema 1.1

type user

type board
  relations
    define editor: [user]
    define viewer: [user, user:*] or editor
";

fn tests_file(expected: &str) -> String {
    format!(
        "name: Boards
model: |
{}
tuples:
  - {{user: user:anne, relation: editor, object: board:roadmap}}
  - {{user: user:*, relation: viewer, object: board:public}}
tests:
  - name: editors
    check:
      - user: user:anne
        object: board:roadmap
        assertions: {{viewer: {expected}, editor: true}}
    list_objects:
      - user: user:anne
        type: board
        assertions: {{viewer: [board:roadmap, board:public]}}
    list_users:
      - object: board:public
        user_filter: [{{type: user}}]
        assertions: {{viewer: {{users: [user:*]}}}}
",
        DSL.lines().map(|line| format!("  {line}\n")).collect::<String>()
    )
}

#[test]
fn model() {
    let folder = Folder::new("model");
    let dsl = folder.write("model.fga", DSL);
    let json = mandate(&["model", "convert", &dsl]);
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    let parsed: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(parsed["schema_version"], "1.1");
    assert_eq!(parsed["type_definitions"][1]["type"], "board");
    // JSON comes back as the text that it was made of.
    let file = folder.write("model.json", &json.stdout);
    let back = mandate(&["model", "convert", &file]);
    assert_eq!((back.code, back.stdout.as_str()), (0, DSL));
    let sound = mandate(&["model", "lint", &dsl]);
    assert_eq!(
        (sound.code, sound.stdout),
        (
            0,
            format!(
                "model `{dsl}` is sound: schema 1.1, 2 types, 2 relations, 0 conditions, no \
                 warnings\n"
            )
        )
    );
    let store = folder.write("store.fga.yaml", tests_file("true"));
    let tested = mandate(&["model", "test", &store]);
    assert_eq!(
        (tested.code, tested.stdout),
        (0, format!("{store} (Boards): 1 tests, 4 assertions\n4 assertions of 1 tests hold\n"))
    );
}

#[test]
fn a_model_is_converted_into_a_file_or_through_a_pipe() {
    let folder = Folder::new("model-convert");
    let dsl = folder.write("model.fga", DSL);
    let output = folder.path("out.json");
    let written = mandate(&["model", "convert", &dsl, "--to", "json", "-o", &output]);
    assert_eq!((written.code, written.stdout), (0, format!("json written to {output}\n")));
    let said = mandate(&["model", "convert", &output, "--json"]).json();
    assert_eq!(said, json!({ "from": "json", "to": "dsl", "model": DSL }));
    let piped = mandate_with(&["model", "convert", "-", "--to", "dsl"], DSL.as_bytes());
    assert_eq!((piped.code, piped.stdout.as_str()), (0, DSL));
}

#[test]
fn modules_are_joined_as_their_manifest_lists_them() {
    let folder = Folder::new("model-modules");
    let core = "module core\ntype user\ntype board\n  relations\n    define owner: [user]\n";
    let tasks = "module tasks\nextend type board\n  relations\n    define viewer: owner\n";
    let manifest =
        folder.write("fga.mod", "schema: '1.2'\ncontents:\n  - core.fga\n  - tasks.fga\n");
    folder.write("core.fga", core);
    folder.write("tasks.fga", tasks);
    let said = mandate(&["model", "lint", &manifest, "--json"]).json();
    assert_eq!(
        (&said["sound"], &said["form"], &said["schema"], &said["types"]),
        (&json!(true), &json!("modules"), &json!("1.2"), &json!(2))
    );
    let sources = mandate(&["model", "convert", &manifest, "--to", "dsl", "--sources"]);
    assert!(sources.stdout.contains("module: tasks, file: tasks.fga"), "{}", sources.stdout);
    folder.write("tasks.fga", tasks.replace("owner", "nobody"));
    let wrong = mandate(&["model", "lint", &manifest]);
    let place = folder.path("tasks.fga");
    assert_eq!(
        (wrong.code, wrong.stdout),
        (
            2,
            format!(
                "{place}:4:20: error: the relation `nobody` does not exist [missing-definition]\n\
                 model `{manifest}` is not sound: 1 error\n"
            )
        )
    );
}

#[test]
fn a_mistake_in_a_model_is_named_with_line_column_and_what_was_expected() {
    let folder = Folder::new("model-mistakes");
    let syntax = folder.write("syntax.fga", DSL.replace("define editor", "defin editor"));
    assert_eq!(
        mandate(&["model", "convert", &syntax]).one_line(),
        format!("model `{syntax}`: 8:5: found `defin`, expected `define`")
    );
    let two = DSL.replace("[user]", "[usr]").replace("or editor", "or editr");
    let two = folder.write("two.fga", two);
    let linted = mandate(&["model", "lint", &two]);
    assert_eq!(
        (linted.code, linted.stdout),
        (
            2,
            format!(
                "{two}:8:21: error: `usr` is not a valid type [invalid-type]\n{two}:9:38: error: \
                 the relation `editr` does not exist [missing-definition]\nmodel `{two}` is not \
                 sound: 2 errors\n"
            )
        )
    );
    let said = mandate(&["model", "lint", &two, "--json"]).json();
    assert_eq!(
        said["findings"][0],
        json!({
            "severity": "error", "code": "invalid-type", "message": "`usr` is not a valid type",
            "place": { "line": 8, "column": 21, "length": 3 },
        })
    );
    let json = folder.write("model.json", r#"{"schema_version":"1.1","type_definitions":[{}]}"#);
    let line = mandate(&["model", "convert", &json]);
    let line = line.one_line();
    assert!(line.contains("type_definitions[0]") && line.contains("type"), "{line}");
}

#[test]
fn what_looks_like_a_mistake_is_a_warning() {
    let folder = Folder::new("model-warnings");
    let unused = folder.write("model.fga", format!("{DSL}\ntype nothing\n"));
    let arguments = ["model", "lint", &unused];
    let linted = mandate(&arguments);
    assert_eq!(linted.code, 0);
    let first = linted.stdout.lines().next().unwrap();
    assert_eq!(
        first,
        format!(
            "{unused}:11:6: warning: `nothing` has no relations, and none names it [unused-type]"
        )
    );
    assert_eq!(mandate(&[&arguments[..], &["--strict"]].concat()).code, 1);
}

#[test]
fn an_assertion_that_does_not_hold_is_told() {
    let folder = Folder::new("model-test");
    let store = folder.write("store.fga.yaml", tests_file("false"));
    let tested = mandate(&["model", "test", &store]);
    assert_eq!(
        (tested.code, tested.stdout),
        (
            1,
            format!(
                "{store} (Boards): 1 tests, 4 assertions\n  FAIL editors: check user:anne viewer \
                 board:roadmap: expected false, found true\n1 of 4 assertions of 1 tests fail\n"
            )
        )
    );
    let said = mandate(&["model", "test", &store, "--json"]).json();
    assert_eq!(
        said["files"][0]["failures"],
        json!([{
            "test": "editors", "question": "check user:anne viewer board:roadmap",
            "expected": false, "found": true,
        }])
    );
}

#[test]
fn a_store_file_that_cannot_be_used_is_one_line() {
    let folder = Folder::new("model-test-mistakes");
    let one = |text: String| {
        let store = folder.write("store.fga.yaml", text);
        mandate(&["model", "test", &store]).one_line().replace(&store, "FILE")
    };
    assert_eq!(
        one(tests_file("true").replace("define editor", "defin editor")),
        "store file `FILE`: store.fga.yaml:10:7: found `defin`, expected `define`"
    );
    assert_eq!(
        one(tests_file("true").replace("relation: editor,", "relation: owner,")),
        "store file `FILE`: test `editors`: `board:roadmap#owner@user:anne`: the type has no such \
         relation that stores anything"
    );
    let unknown = one(tests_file("true").replace("list_users:", "list_user:"));
    assert!(unknown.starts_with("store file `FILE`: store.fga.yaml:"), "{unknown}");
    assert!(unknown.contains("list_user"), "{unknown}");
    let absent = one("model_file: absent.fga\n".to_owned());
    assert!(absent.contains("absent.fga") && absent.contains("cannot be read"), "{absent}");
}

#[test]
fn bad_arguments_are_one_clear_line() {
    let folder = Folder::new("model-arguments");
    let absent = folder.path("absent.fga");
    for verb in ["convert", "lint"] {
        assert_eq!(
            mandate(&["model", verb, &absent]).one_line(),
            format!("model `{absent}` cannot be read: No such file or directory (os error 2)")
        );
    }
    assert_eq!(
        mandate(&["model", "test", &absent]).one_line(),
        format!("store file `{absent}` cannot be read: No such file or directory (os error 2)")
    );
    let dsl = folder.write("model.fga", DSL);
    assert_eq!(
        mandate(&["model", "convert", &dsl, "--to", "yaml"]).one_line(),
        "invalid value 'yaml' for '--to <FORM>' [possible values: dsl, json]; see `--help`"
    );
    assert_eq!(
        mandate(&["model", "convert", &dsl, "--sources"]).one_line(),
        "`--sources` is for the language: give `--to dsl`"
    );
    assert_eq!(
        mandate(&["model", "lint", &dsl, "--fix"]).one_line(),
        "unexpected argument '--fix' found; see `--help`"
    );
    let nowhere = folder.path("absent/out.json");
    assert_eq!(
        mandate(&["model", "convert", &dsl, "-o", &nowhere]).one_line(),
        format!("model `{nowhere}` cannot be written: No such file or directory (os error 2)")
    );
}

#[test]
fn every_sample_store_passes() {
    let Some(suites) = suites("model test on the sample stores") else { return };
    let mut files = Vec::new();
    find(&suites.join("sample-stores/stores"), &mut files);
    let runners: &[&str] = if has_plugin("model test through the component and the module") {
        &["native", "component", "module"]
    } else {
        &["native"]
    };
    for runner in runners {
        let mut arguments =
            ["model", "test", "--json", "--runner", runner].map(str::to_owned).to_vec();
        arguments.extend(files.iter().map(|file| file.to_str().unwrap().to_owned()));
        let said = mandate(&arguments).json();
        assert_eq!(
            (&said["passed"], files.len(), &said["assertions"], &said["failures"]),
            (&json!(true), 32, &json!(363), &json!(0)),
            "{runner}"
        );
    }
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, files);
        } else if path.to_string_lossy().ends_with(".fga.yaml") {
            files.push(path);
        }
    }
}
