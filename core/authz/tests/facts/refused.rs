//! What is wrong with a file, in one line that names the place.

use mandate_authz::facts::Facts;

use crate::support::refusal;

#[test]
fn a_file_that_is_not_of_the_format_names_member_and_line() {
    for (text, expected) in [
        ("colour: red\n", "line 1: `colour`: is not known here"),
        ("users:\n- id: anne\n  colour: red\n", "line 3: `users[0].colour`: is not known here"),
        (
            "agents:\n- id: a\n  scope:\n    regions: [eu]\n",
            "line 4: `agents[0].scope.regions`: is not known here",
        ),
        ("users:\n- subjects: []\n", "line 2: `users[0]`: `id` is missing"),
        ("users:\n- id: anne\n  id: bob\n", "line 3: `users[0]`: `id` is there twice"),
        ("users:\n- id:\n", "line 2: `users[0].id`: a text is missing"),
        ("users: anne\n", "line 1: `users`: expected sequence start"),
        ("- id: anne\n", "line 1: expected mapping start"),
        ("users: [{id: anne}\n", "line 1: `users`: unclosed bracket '['"),
        ("users:\n- &a {id: anne}\n- *a\n", "line 2: `users`: anchors and aliases are not read"),
        ("users: []\n---\nteams: []\n", "line 3: there are several documents"),
        (
            "users:\n- {id: anne, <<: {status: active}}\n",
            "line 2: `users[0]`: merge keys are not read",
        ),
        (
            "agents:\n- id: a\n  visibility: public\n",
            "line 3: `agents[0].visibility`: unknown variant `public`, expected one of global, private, team",
        ),
        (
            "agents:\n- id: a\n  scope: {modes: all}\n",
            "line 3: `agents[0].scope.modes`: must be `\"*\"` or a list",
        ),
        (
            "users:\n- id: anne\n  expires_at: soon\n",
            "line 3: `users[0].expires_at`: must be a moment such as `2027-01-31T00:00:00Z`",
        ),
        (
            "users:\n- id: anne\n  expires_at: -1\n",
            "line 3: `users[0].expires_at`: must not be before 1970",
        ),
        (
            "relationships:\n- {user: \"user:a\", object: \"board:b\"}\n",
            "line 2: `relationships[0]`: `relation` is missing",
        ),
        (
            "relationships:\n- {user: \"user:a\", relation: viewer, object: \"board:b\", expires: 1}\n",
            "line 2: `relationships[0].expires`: is not known here",
        ),
    ] {
        let error = Facts::parse(text).map(|_| ()).expect_err("refused");
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn a_fact_that_fits_nowhere_names_member_and_line() {
    for (facts, expected) in [
        (
            "relationships:\n- bord:roadmap#viewer@user:anne\n",
            "line 3: `relationships[0]`: the model has no type `bord`, only `organization`, `user`, `service`, \
             `team`, `agent`, `mcp_server`, `tool`, `workspace`, `board`",
        ),
        (
            "relationships:\n- board:roadmap#viewer@usr:anne\n",
            "line 3: `relationships[0]`: the model has no type `usr`, only `organization`, `user`, `service`, \
             `team`, `agent`, `mcp_server`, `tool`, `workspace`, `board`",
        ),
        (
            "relationships:\n- board:roadmap#owner@user:anne\n",
            "line 3: `relationships[0]`: `board` has no relation `owner`, only `editor`, `viewer`, `workspace`",
        ),
        (
            "relationships:\n- board:roadmap#can_view@user:anne\n",
            "line 3: `relationships[0]`: `can_view` of `board` is computed: nothing is stored in it",
        ),
        (
            "relationships:\n- board:roadmap#viewer@service:bff\n",
            "line 3: `relationships[0]`: `viewer` of `board` does not take `service:bff`, only `user`, \
             `user with on_weekdays`, `team#member`",
        ),
        (
            "relationships:\n- board:roadmap#viewer@team:x#members\n",
            "line 3: `relationships[0]`: `team` has no relation `members`",
        ),
        (
            "relationships:\n- board:roadmap\n",
            "line 3: `relationships[0]`: `board:roadmap` is no `object#relation@subject`",
        ),
        (
            "relationships:\n- board:a b#viewer@user:anne\n",
            "line 3: `relationships[0]`: `board:a b` is no `type:id`",
        ),
        (
            "relationships:\n- {user: \"user:a\", relation: viewer, object: \"board:b\", condition: {name: on_sundays}}\n",
            "line 3: `relationships[0]`: `viewer` of `board` does not take `user:a` with `on_sundays`, only `user`, \
             `user with on_weekdays`, `team#member`",
        ),
        (
            "relationships:\n- {user: \"user:a\", relation: viewer, object: \"board:b\", condition: {name: on_weekdays, context: {until: 7}}}\n",
            "line 3: `relationships[0]`: condition `on_weekdays`: the value of parameter `until` is no timestamp",
        ),
        (
            "relationships:\n- {user: \"user:a\", relation: viewer, object: \"board:b\", condition: {name: on_weekdays, context: {unti: 7}}}\n",
            "line 3: `relationships[0]`: condition `on_weekdays`: the condition has no parameter `unti`",
        ),
        (
            "objects:\n- {object: \"agent:x\"}\n",
            "line 3: `objects[0]`: `agent:x` needs a record: it belongs into a section of its own",
        ),
        (
            "users:\n- {id: \"a b\"}\n",
            "line 3: `users[0]`: `a b` is no id: one has no `%`, `:`, `#`, `*` and white space",
        ),
        (
            "users:\n- {id: anne}\n- {id: anne}\n",
            "line 4: `users[1]`: there is another entry for `user:anne`",
        ),
        (
            "users:\n- {id: anne, subjects: [{issuer: \"https://elsewhere.example\", name: a}]}\n",
            "line 3: `users[0].subjects[0]`: `https://elsewhere.example` is not an issuer of the contract",
        ),
        (
            "agents:\n- {id: a, shared_with_teams: [platform]}\n",
            "line 3: `agents[0].shared_with_teams`: needs `visibility: team`",
        ),
        (
            "agents:\n- {id: a, allowed_tools: {git/hub: [x]}}\n",
            "line 3: `agents[0].allowed_tools.git/hub`: `git/hub` is no id of a server: one has no `/`",
        ),
        (
            "agents:\n- {id: a, allowed_tools: {github: [\"a b\"]}}\n",
            "line 3: `agents[0].allowed_tools.github[0]`: `a b` is no name of a tool, nor `\"*\"`",
        ),
        (
            "servers:\n- {id: github, tools: [list_repos]}\nagents:\n- {id: a, allowed_tools: {github: [list_repo]}}\n",
            "line 5: `agents[0].allowed_tools.github[0]`: server `github` has no tool of this name",
        ),
        (
            "agents:\n- {id: a, sole_user: \"team:x\"}\n",
            "line 3: `agents[0].sole_user`: `team:x` is no `user`",
        ),
        (
            "agents:\n- {id: a, scope: {modes: [delete]}}\n",
            "line 3: `agents[0].scope.modes`: the contract has no `delete` here",
        ),
        (
            "agents:\n- {id: a, scope: {actions: [shred]}}\n",
            "line 3: `agents[0].scope.actions`: the contract has no `shred` here",
        ),
        (
            "organizations:\n- {id: acme}\nusers:\n- {id: anne, organizations: [acne]}\n",
            "line 5: `users[0].organizations[0]`: `organizations` has no `acne`",
        ),
        (
            "credentials:\n- {id: c, identity: \"agent:a\"}\n",
            "line 3: `credentials[0]`: there is no entry for `agent:a`",
        ),
        ("credentials:\n- {id: c}\n", "line 3: `credentials[0]`: `identity` is missing"),
        (
            "agents:\n- {id: a, credentials: [{id: c}, {id: c}]}\n",
            "line 3: `agents[0].credentials[1]`: there is another credential `c`",
        ),
        (
            "agents:\n- {id: a, credentials: [{id: c, identity: \"agent:a\"}]}\n",
            "line 3: `agents[0].credentials[0].identity`: is the entry that it stands in",
        ),
        (
            "agents:\n- {id: a, credentials: [{id: c, thumbprint: abc}]}\n",
            "line 3: `agents[0].credentials[0].thumbprint`: must be a SHA-256 in base64url",
        ),
        (
            "agents:\n- {id: a, credentials: [{id: c, context_key: {kty: OKP, d: x}}]}\n",
            "line 3: `agents[0].credentials[0].context_key`: is a private key: it has `d`",
        ),
    ] {
        let text = format!(
            "organization: acme\n{facts}owner: olga\nissuer: https://login.example/realms/acme\n"
        );
        assert_eq!(refusal(&text), expected, "{text}");
    }
}

#[test]
fn what_a_file_should_state_once_is_missed() {
    for (text, expected) in [
        (
            "users: [{id: anne}]\n",
            "line 1: `users[0]`: `organization` is missing, here and at the top of the file",
        ),
        (
            "organization: acme\nagents: [{id: a}]\n",
            "line 2: `agents[0]`: `owner` is missing, here and at the top of the file",
        ),
        (
            "organization: acme\nusers: [{id: anne, subjects: [a]}]\n",
            "line 2: `users[0].subjects[0]`: has no issuer, and the file no `issuer`",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn a_relationship_that_joins_two_tenants_is_named() {
    let text = "
organizations: [{id: acme}, {id: globex}]
users:
- {id: anne, organizations: [acme]}
workspaces: [{id: planning, organization: globex}]
boards: [{id: roadmap, workspace: planning}]
relationships:
- board:roadmap#viewer@user:anne
";
    let expected = "line 8: `relationships[0]`: `board:roadmap#viewer@user:anne` joins two tenants";
    assert_eq!(refusal(text), expected);
}

#[test]
fn what_contradicts_itself_in_the_builder_is_found_in_the_file() {
    for (text, expected) in [
        (
            "organizations: [{id: acme}, {id: globex}]\nworkspaces:\n- {id: w, organization: acme}\n- {id: v, organization: globex}\n\
             boards:\n- {id: b, workspace: w, relations: {workspace: [\"workspace:v\"]}}\n",
            "line 6: `boards[0]`: `board:b` has parents in two tenants",
        ),
        (
            "organization: acme\nissuer: https://login.example/realms/acme\nusers:\n- {id: a, subjects: [x]}\n- {id: b, subjects: [x]}\n",
            "line 5: `users[1]`: `user:b` has `x` of `https://login.example/realms/acme`, which is registered twice",
        ),
        (
            "organization: acme\nowner: olga\nagents:\n- {id: a, credentials: [{id: k, context_key: {kty: oct}}]}\n",
            "line 4: `agents[0].credentials[0]`: `k` has an unfit context key: its `kty` or `crv` is not supported",
        ),
    ] {
        assert_eq!(refusal(text), expected);
    }
}

#[test]
fn names_with_control_characters_stay_on_the_line() {
    let text = "relationships: [\"board:a\\nb#viewer@user:a\"]\n";
    let expected = "line 1: `relationships[0]`: `board:a\\nb` is no `type:id`";
    assert_eq!(refusal(text), expected);
}
