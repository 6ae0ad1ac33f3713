//! `mandate validate`, end to end: the binary, the plugin inside it, real tokens.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

mod cli;

use cli::{
    AUDIENCE, Folder, ISSUER, NOW, Ran, Server, claims, claims_with, contract, contract_of,
    has_plugin, healthy, jwks, mandate, mandate_with, token, token_with,
};
use serde_json::{Value, json};

fn validated(arguments: &[String]) -> Ran {
    validated_with(arguments, &[])
}

fn validated_with(arguments: &[String], more: &[&str]) -> Ran {
    let mut all = vec!["validate"];
    all.extend(arguments.iter().map(String::as_str));
    all.extend(more);
    mandate(&all)
}

/// The reason and the exit code for these claims.
fn answered(folder: &Folder, claims: &Value) -> (String, i32) {
    let ran = validated_with(&folder.usual(&token(claims)), &["--json"]);
    (ran.json()["reason"].as_str().unwrap().to_owned(), ran.code)
}

#[test]
fn validate() {
    if !has_plugin("validate") {
        return;
    }
    let folder = Folder::new("validate");
    let arguments = folder.usual(&token(&claims()));
    assert_eq!(
        validated(&arguments),
        Ran {
            code: 0,
            stdout: format!(
                "allow\n  subject    alice\n  issuer     {ISSUER}\n  actor      agent-1 of {ISSUER}\n  \
                 tenant     acme\n  client     board-web\n  audiences  {AUDIENCE}\n  \
                 scopes     board:read board:write\n  issued     2025-12-31T23:59:00Z (1 min ago)\n  \
                 expires    2026-01-01T00:04:00Z (in 4 min)\n"
            ),
            stderr: String::new(),
        }
    );
    let expired = folder.usual(&token(&claims_with(&json!({ "exp": NOW - 5 }))));
    assert_eq!(
        validated(&expired),
        Ran {
            code: 1,
            stdout: format!(
                "deny token-expired\n  detail    `exp` is 1767225595, now is 1767225600\n  \
                 meaning   The `exp` claim has passed, skew included.\n  audience  {AUDIENCE}\n  \
                 now       2026-01-01T00:00:00Z\n"
            ),
            stderr: String::new(),
        }
    );
}

#[test]
fn json_has_the_verified_token_and_what_decided() {
    if !has_plugin("validate as JSON") {
        return;
    }
    let folder = Folder::new("validate-json");
    let mut answer = validated_with(&folder.usual(&token(&claims())), &["--json"]).json();
    let plugin = answer.as_object_mut().unwrap().remove("plugin").unwrap();
    let digest = mandate::plugin::embedded().unwrap().digest.to_string();
    assert_eq!(plugin["digest"], digest);
    assert_eq!(
        (&plugin["contract_version"], &plugin["origin"]),
        (&json!("1.0.0"), &json!("embedded"))
    );
    assert_eq!(
        answer,
        json!({
            "verdict": "allow", "reason": "ok", "detail": "", "audience": AUDIENCE, "now": NOW,
            "contract": { "version": "1.0.0", "status": "frozen" },
            "token": {
                "issuer": ISSUER, "subject": "alice", "tenant": "acme", "audiences": [AUDIENCE],
                "client_id": "board-web", "issued_at": NOW - 60, "expires_at": NOW + 240,
                "scopes": ["board:read", "board:write"], "roles": [],
                "actor": { "issuer": ISSUER, "subject": "agent-1" }, "actor_history": [],
            },
        })
    );
}

#[test]
fn a_denial_names_its_reason_and_exits_with_1() {
    if !has_plugin("validate denials") {
        return;
    }
    let folder = Folder::new("validate-denials");
    for (patch, reason) in [
        (json!({ "aud": "https://other.example" }), "token-audience"),
        (json!({ "iss": "https://evil.example" }), "token-issuer"),
        (json!({ "sub": null }), "token-subject"),
        (json!({ "tenant": "globex" }), "token-tenant"),
        (json!({ "nbf": NOW + 60 }), "token-not-yet-valid"),
        (json!({ "exp": NOW + 7200 }), "token-claim"),
        (json!({ "act": { "sub": null } }), "token-claim"),
    ] {
        assert_eq!(answered(&folder, &claims_with(&patch)), (reason.to_owned(), 1));
    }
    let denied = |token: &str| {
        let ran = validated_with(&folder.usual(token), &["--json"]);
        (ran.json()["reason"].clone(), ran.code)
    };
    let good = token(&claims());
    let altered = good.replace('.', ".e30").replacen(".e30", ".", 1);
    assert_eq!(denied(&altered), (json!("token-malformed"), 1));
    assert_eq!(denied(""), (json!("token-missing"), 1));
    assert_eq!(denied(&"x".repeat(20_000)), (json!("token-too-large"), 1));
    assert_eq!(
        denied(&token_with(&json!({ "alg": "none" }), &claims())),
        (json!("token-algorithm"), 1)
    );
    assert_eq!(
        denied(&token_with(&json!({ "kid": "other" }), &claims())),
        (json!("token-key-unknown"), 1)
    );
    assert_eq!(denied(&format!("{}AAAA", &good[..good.len() - 4])), (json!("token-signature"), 1));
}

#[test]
fn the_token_comes_from_a_pipe_a_file_or_the_command_line() {
    if !has_plugin("validate from a pipe") {
        return;
    }
    let folder = Folder::new("validate-inputs");
    let good = token(&claims());
    let usual = folder.usual(&good);
    let without_token: Vec<&str> = std::iter::once("validate")
        .chain(
            usual
                .iter()
                .map(String::as_str)
                .filter(|word| *word != "--token-file" && !word.ends_with("token.txt")),
        )
        .collect();
    let piped = format!("{good}\n");
    assert_eq!(mandate_with(&without_token, piped.as_bytes()).code, 0);
    let dash = [&without_token[..], &["--token-file", "-"]].concat();
    assert_eq!(mandate_with(&dash, piped.as_bytes()).code, 0);
    let flag = [&without_token[..], &["--token", &good]].concat();
    assert_eq!(mandate_with(&flag, b"").code, 0);
    assert_eq!(mandate_with(&without_token, b"\xff\xfe").code, 1);
}

#[test]
fn the_audience_is_chosen_by_name() {
    if !has_plugin("validate for an app") {
        return;
    }
    let folder = Folder::new("validate-apps");
    let mut two = contract();
    two["apps"][0]["routes"] =
        json!([{ "name": "admin", "audience": "https://board.example/admin" }]);
    let usual = folder.usual(&token(&claims()));
    folder.write("contract.json", two.to_string());
    assert_eq!(
        validated(&usual).one_line(),
        "`--app` is required: the contract has `board`, `board/admin`"
    );
    assert_eq!(validated_with(&usual, &["--app", "board"]).code, 0);
    assert_eq!(validated_with(&usual, &["--audience", AUDIENCE]).code, 0);
    assert_eq!(validated_with(&usual, &["--app", "board/admin"]).code, 1);
    assert_eq!(
        validated_with(&usual, &["--app", "vault"]).one_line(),
        "`--app`: the contract has no `vault`, it has `board`, `board/admin`"
    );
    assert_eq!(
        validated_with(&usual, &["--audience", "https://vault.example"]).one_line(),
        "`--audience`: the contract does not list `https://vault.example`"
    );
}

#[test]
fn a_bound_token_needs_its_certificate() {
    if !has_plugin("validate a bound token") {
        return;
    }
    let folder = Folder::new("validate-certificate");
    // SHA-256 of the four bytes of `mine.der`; the plugin compares thumbprints, it reads no certificate.
    let thumbprint = "E8RX-s8nqgSMgo9lPdLlLtLW4KFNfnVmCdp4Rhmmgmc";
    let bound = claims_with(&json!({ "cnf": { "x5t#S256": thumbprint } }));
    let usual = folder.usual(&token(&bound));
    assert_eq!(validated(&usual).code, 1);
    let mine = folder.write("mine.der", [0x30, 0x82, 0, 0]);
    let other = folder.write("other.der", [0x30, 0x82, 0, 1]);
    assert_eq!(validated_with(&usual, &["--certificate", &mine]).code, 0);
    assert_eq!(validated_with(&usual, &["--certificate", &other]).code, 1);
    let text = folder.write("text.pem", "hello");
    assert_eq!(
        validated_with(&usual, &["--certificate", &text]).one_line(),
        format!("certificate `{text}` is neither PEM nor DER")
    );
}

#[test]
fn keys_are_fetched_by_discovery_once() {
    if !has_plugin("validate with fetched keys") {
        return;
    }
    let folder = Folder::new("validate-discovery");
    let server = Server::start(healthy);
    let contract = folder.write("contract.json", contract_of(&server.url, None).to_string());
    let fetch = |token: &str| {
        let file = folder.write("token.txt", token);
        let now = NOW.to_string();
        mandate(&[
            "validate",
            "--contract",
            &contract,
            "--token-file",
            &file,
            "--now",
            &now,
            "--json",
        ])
    };
    let own = claims_with(&json!({ "iss": server.url }));
    assert_eq!(fetch(&token(&own)).json()["verdict"], "allow");
    assert_eq!(server.requests(), 2); // discovery, keys
    let rotated = token_with(&json!({ "kid": "rotated" }), &own);
    assert_eq!(fetch(&rotated).json()["reason"], "token-key-unknown");
    assert_eq!(server.requests(), 4);
    // Nobody is asked for a token that no issuer of the contract made.
    assert_eq!(fetch(&token(&claims())).json()["reason"], "token-issuer");
    assert_eq!(server.requests(), 4);
}

#[test]
fn what_cannot_be_fetched_is_one_clear_line() {
    if !has_plugin("validate with a broken issuer") {
        return;
    }
    let folder = Folder::new("validate-broken-issuer");
    let fail = |answers: cli::Answers| {
        let server = Server::start(answers);
        let uri = format!("{}/jwks", server.url);
        let contract = contract_of(&server.url, Some(&uri)).to_string();
        let contract = folder.write("contract.json", contract);
        let file = folder.write("token.txt", token(&claims_with(&json!({ "iss": server.url }))));
        let now = NOW.to_string();
        let ran =
            mandate(&["validate", "--contract", &contract, "--token-file", &file, "--now", &now]);
        ran.one_line().replace(&server.url, "URL")
    };
    let html: cli::Answers = |_, _| Some((200, "<!doctype html><title>Log in</title>".to_owned()));
    assert_eq!(fail(html), "the keys of `URL`: `URL/jwks` is HTML, not JSON");
    let empty: cli::Answers = |_, _| Some((200, r#"{"keys":[]}"#.to_owned()));
    assert_eq!(
        fail(empty),
        "the keys of `URL`: `URL/jwks` is not a usable key set: `keys`: the set is empty"
    );
    let away: cli::Answers = |_, _| Some((503, String::new()));
    assert_eq!(fail(away), "the keys of `URL`: `URL/jwks` answered 503, expected 200");
    let hangs: cli::Answers = |_, _| None;
    assert_eq!(fail(hangs), "the keys of `URL`: `URL/jwks` did not answer within 5s");
}

#[test]
fn bad_input_is_one_clear_line() {
    if !has_plugin("validate with bad input") {
        return;
    }
    let folder = Folder::new("validate-bad-input");
    let good = token(&claims());
    let usual = folder.usual(&good);
    let with_contract = |text: &str| {
        let file = folder.write("contract.json", text);
        validated(&usual).one_line().replace(&file, "FILE")
    };
    let mut without_audience = contract();
    without_audience["apps"][0].as_object_mut().unwrap().remove("audience");
    let missing = with_contract(&without_audience.to_string());
    let line = "contract `FILE`: `apps[0]`: missing field `audience` at line 1 column ";
    assert!(missing.starts_with(line), "{missing}");
    assert_eq!(
        with_contract(&contract().to_string().replace(AUDIENCE, "")),
        "contract `FILE`: `apps[0].audience`: is empty"
    );
    assert_eq!(
        with_contract("<html>"),
        "contract `FILE`: the document is not strict JSON, line 1 column 1"
    );
    folder.write("contract.json", contract().to_string());
    let html = folder.write("jwks.json", "<!doctype html>");
    assert_eq!(validated(&usual).one_line(), format!("`--keys`: `{html}` is HTML, not JSON"));
    folder.write("jwks.json", jwks().to_string());
    let absent = folder.path("absent");
    assert_eq!(
        mandate(&["validate", "--contract", &absent, "--token-file", &absent]).one_line(),
        format!("contract `{absent}` cannot be read: No such file or directory (os error 2)")
    );
    assert_eq!(
        validated_with(&usual, &["--keys", "https://other.example=x"]).one_line(),
        "keys were given for `https://other.example`, which is no issuer of the contract"
    );
    assert_eq!(
        validated_with(&usual, &["--keys", "x"]).one_line(),
        "invalid value 'x' for '--keys <ISSUER=FILE>': must be ISSUER=FILE; see `--help`"
    );
    assert_eq!(
        validated_with(&usual, &["--skew", "900"]).one_line(),
        "unexpected argument '--skew' found; see `--help`"
    );
}

#[test]
fn only_the_plugin_that_was_asked_for_answers() {
    if !has_plugin("validate with another plugin") {
        return;
    }
    let folder = Folder::new("validate-plugin");
    let usual = folder.usual(&token(&claims()));
    let inside = mandate::plugin::embedded().unwrap();
    let digest = inside.digest.to_string();
    let zeros = "0".repeat(64);
    assert_eq!(validated_with(&usual, &["--plugin-digest", &digest]).code, 0);
    let wrong = format!("plugin digest is {digest}, expected {zeros}");
    assert_eq!(validated_with(&usual, &["--plugin-digest", &zeros]).one_line(), wrong);
    let file = folder.write("plugin.wasm", inside.bytes);
    assert_eq!(validated_with(&usual, &["--plugin", &file, "--plugin-digest", &digest]).code, 0);
    assert_eq!(
        validated_with(&usual, &["--plugin", &file, "--plugin-digest", &zeros]).one_line(),
        wrong
    );
    let said = validated_with(&usual, &["--plugin", &file, "--json"]).json();
    assert_eq!(
        (&said["plugin"]["origin"], &said["plugin"]["digest"]),
        (&json!("file"), &json!(digest))
    );
    assert_eq!(
        validated_with(&usual, &["--plugin-digest", "abc"]).one_line(),
        "invalid value 'abc' for '--plugin-digest <SHA256>': a SHA-256 digest is 64 hexadecimal digits; see `--help`"
    );
    let absent = folder.path("absent.wasm");
    assert_eq!(
        validated_with(&usual, &["--plugin", &absent]).one_line(),
        format!("plugin file `{absent}` cannot be read: No such file or directory (os error 2)")
    );
    let text = folder.write("text.wasm", "hello");
    let refused = validated_with(&usual, &["--plugin", &text]);
    assert!(refused.one_line().starts_with("plugin does not compile: "), "{refused:?}");
}

#[test]
fn no_output_repeats_the_token() {
    if !has_plugin("validate without repeating the token") {
        return;
    }
    let folder = Folder::new("validate-secrecy");
    let good = token(&claims());
    let usual = folder.usual(&good);
    let contract = folder.path("contract.json");
    let signature = good.rsplit('.').next().unwrap();
    for ran in [
        validated(&usual),
        validated_with(&usual, &["--json"]),
        validated_with(&usual, &[&good]),
        validated_with(&usual, &[&format!("--tokn={good}")]),
        mandate(&["validate", "--contract", &contract, "--token", &format!("{good}.x")]),
        mandate(&[good.as_str()]),
        mandate(&["validate", "--contract", &good, "--token", &good]),
    ] {
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(signature), "{said}");
    }
}
