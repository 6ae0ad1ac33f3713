//! What looks like a mistake, one model for each hint and one that has none.

use mandate_authz::model::LocatedModel;

fn warnings(types: &str) -> Vec<String> {
    let model =
        LocatedModel::parse_dsl(&format!("model\n  schema 1.1\ntype user\n{types}")).unwrap();
    assert_eq!(model.validate(), Ok(()), "{types}");
    model.lint().iter().map(|warning| format!("{} [{}]", warning, warning.hint.code())).collect()
}

#[test]
fn each_hint_names_its_place() {
    for (types, expected) in [
        (
            "type doc\n  relations\n    define a: [user] or b\n    define b: [user] or a\n",
            vec![
                "6:12: `a` of `doc` leads back to itself: OpenFGA's server refuses that [circle]",
                "7:12: `b` of `doc` leads back to itself: OpenFGA's server refuses that [circle]",
            ],
        ),
        (
            "type bot\n  relations\n    define self_owned: [bot]\ntype doc\n  relations\n    define bad: [bot]\n    define a: [user] but not bad\n",
            vec![
                "10:12: `a` of `doc`: whom `but not` names could not have it anyway [excludes-nobody]",
            ],
        ),
        (
            "type bot\ntype doc\n  relations\n    define bots: [bot]\n    define a: [user] and bots\n",
            vec!["8:12: `a` of `doc`: no subject can have all sides of the `and` [never-holds]"],
        ),
        (
            "type org\ntype team\n  relations\n    define member: [user]\ntype doc\n  relations\n    define owner: [org, team]\n    define a: member from owner\n",
            vec![
                "11:15: `member from owner` gives nothing for org, which lack `member` [types-without-relation]",
            ],
        ),
        (
            "type doc\n  relations\n    define a: [user with c]\ncondition c(host_time: timestamp, until: timestamp, host_clock: int, spare: int) {\n  host_time < until && host_clock > 1\n}\n",
            vec![
                "7:11: `host_clock` of `c` is given by no request under this name and type [unknown-input]",
                "7:11: `spare` of `c` must be given and is not used [unused-parameter]",
            ],
        ),
        (
            "type doc\n  relations\n    define a: [user with c]\ncondition c(token_subject: string, token_tenant: int) {\n  token_subject != '' && token_tenant > 1\n}\n",
            vec![
                "7:11: `token_tenant` of `c` is given by no request under this name and type [unknown-input]",
            ],
        ),
        (
            "type doc\n  relations\n    define owner: [user]\n    define viewer: [user]\n    define can_view: viewer\n",
            vec!["6:12: `owner` of `doc` is stored and grants nothing [unused-relation]"],
        ),
        (
            "type robot\ntype doc\n  relations\n    define viewer: [user]\n",
            vec!["4:6: `robot` has no relations, and none names it [unused-type]"],
        ),
    ] {
        assert_eq!(warnings(types), expected, "{types}");
    }
}

#[test]
fn an_ordinary_model_has_no_warnings() {
    let types = "type team\n  relations\n    define member: [user, team#member]\ntype doc\n  relations\n    define parent: [doc]\n    define blocked: [user]\n    define viewer: [user:*, team#member with c] or viewer from parent\n    define can_view: viewer but not blocked\ncondition c(host_time: timestamp, until: timestamp) {\n  host_time < until\n}\n";
    assert_eq!(warnings(types), Vec::<String>::new());
}
